"""Production as far as it can be tried without money: the whole path, on a venue that pretends to be it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import httpx
import pytest
from tests.live.pretend import Production, arm, production, take

from tomking.adapters.clock import wall_now
from tomking.adapters.consent import Answer, ConsentFolder
from tomking.adapters.tastytrade.session import Secrets
from tomking.adapters.walltime import WallTime
from tomking.app.exits import Exit
from tomking.app.live import stages
from tomking.app.live.stages import STAGES, Ready
from tomking.app.problems import Problems
from tomking.app.sandbox import CLIENT_SECRET, REFRESH_TOKEN
from tomking.domain import cpi
from tomking.domain import events as ev
from tomking.domain.calendar import new_york
from tomking.risk import rollout

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
FRIDAY = date(2022, 9, 23)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A venue that stands for production, on the morning of a Friday with an entry; nothing is started."""
    home = tmp_path_factory.mktemp("production")
    arm(home)
    with production(home, FRIDAY, time(9, 15)) as found:
        yield found


# ------------------------------------------------------------------------------ a day


class Person:
    """Approves whatever waits, as ``tomking approve`` does."""

    def __init__(self, folder: Path) -> None:
        self.folder = ConsentFolder(folder)
        self.shown: list[dict[str, object]] = []

    def looks(self) -> bool:
        """Whether anything waits."""
        waiting = [one for one in self.folder.offers() if one["state"] == "waiting"]
        for one in waiting:
            if self.folder.answer(one["hash"]) is None:
                self.folder.reply(one["hash"], Answer(True, "anna: tomking approve"))
                self.shown.append(dict(one))
        return bool(waiting)


Jump = tuple[Callable[[], bool], time]


def the_opening(ready: Ready) -> list[Jump]:
    """Minute by minute, so that its prints are seen."""

    def reached(minute: int) -> Callable[[], bool]:
        return lambda: new_york(ready.clock.now()).time() >= time(9, minute)

    return [
        (lambda: True, time(9, 29, 59)),
        (reached(30), time(9, 30, 1)),
        *((reached(m - 1), time(9, m)) for m in range(31, 42)),
    ]


def an_entry(ready: Ready, looks: Callable[[], object]) -> list[Jump]:
    """To the entry, and to the end once an order has filled."""

    def is_filled() -> bool:
        looks()
        return any(isinstance(event, ev.OrderFilled) for event in ready.journal.read())

    return [(lambda: True, time(10, 29, 58)), (is_filled, time(11, 0))]


@pytest.fixture(scope="module")
def day(run: Production) -> tuple[Production, Person, list[ev.Event]]:
    """From the open until the first fill, in real time but for the waiting."""
    run.stages.clear()  # of refusals before it: tests come in any order
    ready = run.start()
    try:
        kernel = ready.trading.kernel
        kernel.record(ev.LevelChanged(ready.clock.now(), rollout.LEVEL, "", rollout.ONE_MICRO, "test"))
        person = Person(run.asked.folder)

        def looks() -> None:
            person.looks()
            take(run.venue)

        run.play(ready, time(11, 0), [*the_opening(ready), *an_entry(ready, looks)])
        return run, person, list(ready.journal.read())
    finally:
        ready.close()


def test_the_five_stages_pass_in_their_order(day: tuple[Production, Person, list[ev.Event]]) -> None:
    run, _, _ = day
    assert [name for name, _ in run.stages[:5]] == list(STAGES)
    assert "live, live, friday_0dte" in run.stages[0][1]


def test_the_order_is_prepared_approved_sent_and_filled(
    day: tuple[Production, Person, list[ev.Event]],
) -> None:
    run, person, events = day
    opened = [e for e in events if isinstance(e, ev.OrderSubmitted) and e.order.opens]
    assert [one.order.units for one in opened] == [1], [one.text for one in run.told]
    assert {leg.contract.product for leg in opened[0].order.structure.legs} <= rollout.FIRST_PRODUCTS
    assert len(person.shown) == 1
    approved = [e for e in events if isinstance(e, ev.EntryApproved)]
    assert "approved by anna" in approved[0].warnings[-1]
    shown = run.venue.house.account.orders(run.venue.house.clock.now())
    assert any(f"-{opened[0].order.id}-" in one.tag and one.executions for one in shown)


def test_the_journal_says_that_it_was_production_in_real_time(
    day: tuple[Production, Person, list[ev.Event]],
) -> None:
    _, _, events = day
    assert {one.data_digest for one in events if isinstance(one, ev.RunStarted)} == {"live"}


# ------------------------------------------------------------------------------ refused


def refused(run: Production, **changed: object) -> Problems:
    with pytest.raises(Problems) as found:
        run.start(**changed).close()
    return found.value


def faulty(run: Production, **command: object) -> None:
    httpx.post(f"{run.venue.url}/_sandbox", json=command, trust_env=False).raise_for_status()


def test_an_account_of_somebody_else_is_refused(run: Production) -> None:
    found = refused(run, account="5WX99999", folder=run.asked.folder.with_name("live-5WX99999"))
    assert found.code == Exit.CONFIG
    assert "--account ..9999 is not one of this login's accounts (..0001)" in str(found)


def test_a_sandboxs_secret_is_refused_by_production(run: Production) -> None:
    run.venue.tokens.failures = 0
    found = refused(run, secrets=Secrets(CLIENT_SECRET, REFRESH_TOKEN))
    run.venue.tokens.failures = 0
    assert found.code == Exit.SECRET
    assert "the client secret is wrong" in str(found)
    assert CLIENT_SECRET not in str(found)


def test_a_refresh_token_of_another_environment_is_refused(run: Production) -> None:
    found = refused(run, secrets=Secrets(run.asked.secrets.client_secret, "refresh-token-of-cert"))
    run.venue.tokens.failures = 0
    assert found.code == Exit.SECRET
    assert "revoked or of another environment" in str(found)


def test_a_grant_that_only_reads_is_refused_before_anything_trades(run: Production) -> None:
    run.venue.tokens.grants = frozenset({"read"})
    try:
        found = refused(run)
    finally:
        run.venue.tokens.grants, run.venue.tokens.failures = frozenset({"read", "trade"}), 0
    assert found.code == Exit.SECRET
    assert "make one with read and trade" in str(found)


def test_a_clock_that_is_not_the_brokers_is_refused(run: Production) -> None:
    right = run.around
    run.around = replace(right, walltime=lambda: WallTime(lambda: wall_now() + timedelta(seconds=90)))
    try:
        found = refused(run)
    finally:
        run.around = right
    assert found.code == Exit.DATA
    assert "this machine's clock is 9" in str(found) or "this machine's clock is 8" in str(found)
    assert "ahead of the broker's" in str(found)


def test_without_a_calendar_of_announcements_ahead_it_is_refused(
    run: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpi, "COVERED_TO", date(2022, 9, 30))
    found = refused(run)
    assert found.code == Exit.DATA
    assert "the calendars of FOMC and CPI end on 2022-09-30" in str(found)


def test_quotes_that_do_not_come_are_refused(run: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "SEEN_WITHIN", 1.0)
    faulty(run, fault="503", times=-1, path="/api-quote-tokens")
    try:
        found = refused(run)
    finally:
        faulty(run, clear=True)
    assert found.code == Exit.DATA
    assert "nothing was traded" in str(found)


def test_no_refusal_leaves_a_lease_or_an_order(run: Production) -> None:
    before = run.venue.house.account.orders(run.venue.house.clock.now())
    refused(run, account="5WX99999", folder=run.asked.folder.with_name("live-5WX99999"))
    run.start().close()
    assert run.venue.house.account.orders(run.venue.house.clock.now()) == before
