"""The venue's time, and who is let in for how long."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from tomking.venue.clock import VenueClock
from tomking.venue.tokens import QUOTES_LIFE, Tokens

WRONG_SECRET, WRONG_REFRESH = {"client_secret": "wrong"}, {"refresh_token": "wrong"}
START = datetime(2031, 3, 5, 14, 30, tzinfo=UTC)


class Wall:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_the_clock_stands_or_runs_at_a_multiple_of_the_walls() -> None:
    wall = Wall()
    clock = VenueClock(START, 0.0, wall)
    wall.seconds += 100
    assert clock.now() == START
    clock.run(60)
    wall.seconds += 2
    assert clock.now() == START + timedelta(minutes=2)
    clock.run(0)
    wall.seconds += 100
    assert clock.now() == START + timedelta(minutes=2)


def test_time_does_not_go_back_at_a_venue() -> None:
    clock = VenueClock(START, 0.0, Wall())
    clock.move(START + timedelta(hours=1))
    with pytest.raises(ValueError, match="does not go back"):
        clock.move(START)


def test_a_moved_clock_runs_on_from_there() -> None:
    wall = Wall()
    clock = VenueClock(START, 10.0, wall)
    wall.seconds += 1
    clock.move(START + timedelta(hours=1))
    wall.seconds += 1
    assert clock.now() == START + timedelta(hours=1, seconds=10)


def test_how_long_one_waits_for_an_instant() -> None:
    clock = VenueClock(START, 60.0, Wall())
    assert clock.until(START + timedelta(minutes=5)) == 5
    assert clock.until(START - timedelta(minutes=5)) == 0
    clock.run(0)
    assert clock.until(START + timedelta(minutes=5)) is None


# ---------------------------------------------------------------------------------- tokens


def tokens(wall: Wall) -> Tokens:
    numbers = count(1)
    return Tokens("secret", "refresh", wall, lambda: f"t{next(numbers)}")


def login(**changed: str) -> dict[str, object]:
    return {
        "grant_type": "refresh_token",
        "client_secret": "secret",
        "refresh_token": "refresh",
        **changed,
    }


def test_a_refresh_token_buys_fifteen_minutes() -> None:
    wall = Wall()
    held = tokens(wall)
    status, answer = held.grant(login())
    assert (status, answer["expires_in"]) == (200, 900)
    wall.seconds += 899
    assert held.allows("Bearer t1")
    assert not held.allows("t1")  # the word Bearer is needed
    wall.seconds += 1
    assert not held.allows("Bearer t1")
    assert held.valid() == frozenset()


def test_a_token_allows_what_was_asked_for_and_no_more() -> None:
    held = tokens(Wall())
    held.grant(login(scope="read"))
    assert held.allows("Bearer t1", "read")
    assert not held.allows("Bearer t1", "trade")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        (WRONG_SECRET, 401, "invalid_client"),
        (WRONG_REFRESH, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_words_get_nothing(changed: dict[str, str], status: int, code: str) -> None:
    held = tokens(Wall())
    found, answer = held.grant(login(**changed))
    assert (found, answer["error_code"]) == (status, code)
    assert held.valid() == frozenset()


def test_failed_logins_are_counted_until_one_succeeds() -> None:
    held = tokens(Wall())
    held.grant(login(**WRONG_SECRET))
    held.grant(login(**WRONG_REFRESH))
    assert held.failures == 2
    held.grant(login())
    assert held.failures == 0


def test_a_revoked_grant_gives_no_new_tokens_and_leaves_the_old_ones() -> None:
    held = tokens(Wall())
    held.grant(login())
    held.revoked = True
    assert held.grant(login())[0] == 400
    assert held.allows("Bearer t1")
    held.expire()
    assert not held.allows("Bearer t1")


def test_a_quote_token_lives_a_day() -> None:
    wall = Wall()
    held = tokens(wall)
    token = held.quote_token()
    assert held.quotes_allowed(token)
    assert not held.quotes_allowed("other")
    wall.seconds += QUOTES_LIFE
    assert not held.quotes_allowed(token)


def test_the_day_begins_when_somebody_comes() -> None:
    wall = Wall()
    clock = VenueClock(START, 0.0, wall)
    clock.wait(60.0)
    wall.seconds += 10
    assert clock.now() == START
    clock.begin()
    wall.seconds += 1
    assert clock.now() == START + timedelta(minutes=1)
    clock.begin()
    assert clock.speed == 60.0


def test_whoever_sets_the_clock_before_anybody_comes_leads_it() -> None:
    stopped, moved = (VenueClock(START, 0.0, Wall()) for _ in range(2))
    for clock in (stopped, moved):
        clock.wait(60.0)
    stopped.run(0.0)
    moved.move(START + timedelta(minutes=5))
    for clock in (stopped, moved):
        clock.begin()
        assert clock.speed == 0.0


def test_a_login_that_was_good_is_told() -> None:
    told: list[int] = []
    tokens = Tokens("secret", "refresh", lambda: 0.0, lambda: "token", came=lambda: told.append(1))
    body = {"grant_type": "refresh_token", "client_secret": "wrong", "refresh_token": "refresh"}
    tokens.grant(body)
    assert not told
    tokens.grant({**body, "client_secret": "secret"})
    assert told == [1]
