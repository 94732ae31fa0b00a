"""The server's side of the account streamer: who may listen, and until when."""

from datetime import UTC, datetime, timedelta

import pytest

from tomking.venue.alerts import SILENCE, AlertLink, Message, notification

NOON = datetime(2031, 3, 5, 17, tzinfo=UTC)
MINE, OTHER = "5WT00001", "5WT00002"


def link(*, strict: bool = False) -> AlertLink:
    return AlertLink("s-1", frozenset({MINE, OTHER}), frozenset({"token"}), strict=strict)


def ask(action: str, value: object = "", good: str = "Bearer token") -> Message:
    return {"action": action, "value": value, "auth-token": good, "request-id": 4}


@pytest.mark.parametrize("value", [[MINE], MINE, [MINE, OTHER]])
def test_a_connection_names_its_accounts_as_a_list_or_as_one_text(value: object) -> None:
    one = link()
    (answer,) = one.receive(ask("connect", value), NOON)
    assert (answer["status"], answer["request-id"], answer["value"]) == ("ok", 4, value)
    assert one.sends(MINE, NOON)
    assert one.sends(OTHER, NOON) is (OTHER in value)  # type: ignore[operator]


@pytest.mark.parametrize("value", [[], "5WT09999", [MINE, "5WT09999"], None, 7, [{}], [MINE, None]])
def test_nobody_listens_to_an_account_that_is_not_theirs(value: object) -> None:
    one = link()
    (answer,) = one.receive(ask("connect", value), NOON)
    assert (answer["status"], answer["request-id"]) == ("error", 4)
    assert not one.sends(MINE, NOON)


def test_connect_comes_first_or_the_answer_has_no_request_id() -> None:
    (answer,) = link().receive(ask("heartbeat"), NOON)
    assert answer["message"] == "connect-not-completed"
    assert "request-id" not in answer  # so the Python client waits in vain, as it does at the broker


def test_each_message_needs_a_token_that_is_still_good() -> None:
    one = link()
    assert one.receive(ask("connect", MINE, "Bearer old"), NOON)[0]["status"] == "error"
    assert one.receive(ask("connect", MINE, "token"), NOON)[0]["status"] == "ok"  # without Bearer too
    one.valid = frozenset()
    assert one.receive(ask("heartbeat"), NOON)[0]["message"] == "not authorized"


def test_other_subscriptions_are_taken_and_unknown_ones_refused() -> None:
    one = link()
    one.receive(ask("connect", MINE), NOON)
    for action in ("public-watchlists-subscribe", "quote-alerts-subscribe", "user-message-subscribe"):
        assert one.receive(ask(action, "x"), NOON)[0]["status"] == "ok"
    assert "dance" in str(one.receive(ask("dance"), NOON)[0]["message"])


def test_where_heartbeats_are_required_silence_ends_the_news_without_a_word() -> None:
    one = link(strict=True)
    one.receive(ask("connect", MINE), NOON)
    assert one.sends(MINE, NOON + SILENCE)
    late = NOON + SILENCE + timedelta(seconds=1)
    assert not one.sends(MINE, late)
    one.receive(ask("heartbeat"), late)
    assert one.sends(MINE, late)


def test_where_they_are_not_silence_is_no_matter() -> None:
    one = link()
    one.receive(ask("connect", MINE), NOON)
    assert one.sends(MINE, NOON + timedelta(hours=6))


def test_news_are_whole_objects_with_their_time() -> None:
    assert notification("Order", {"id": 1}, NOON) == {
        "type": "Order",
        "data": {"id": 1},
        "timestamp": 1930496400000,
    }
