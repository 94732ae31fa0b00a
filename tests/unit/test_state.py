"""What ``tomking risk`` says holds: levels, pauses, locks and ramps, and how each ends."""

from dataclasses import replace

from tests.unit.test_protect import RATIO, fresh, held_at, several
from tests.worlds import at

from tomking.domain.book import Book
from tomking.risk.protect import HALT, trading_state
from tomking.risk.settings import Settings
from tomking.risk.state import Holds, holding

SETTINGS = Settings()


def told(book: Book, wall: str = "10:30", settings: Settings = SETTINGS) -> dict[str, Holds]:
    return {one.name: one for one in holding(book, at(wall), settings)}


def test_on_a_quiet_day_nothing_holds() -> None:
    assert told(fresh()) == {}


def test_an_emergency_level_and_what_it_closes_are_told() -> None:
    book = held_at(fresh(several(RATIO, 4)), at("10:00"), vix=41.0)
    found = told(book)
    assert found["emergency"] == Holds("level", "emergency", "3", "below its trigger in a later session")
    assert found[f"position {RATIO.id}"].value == "down to 2 units"
    assert trading_state(book, SETTINGS) == ("REDUCING", "emergency level 3")


def test_pauses_say_until_when() -> None:
    book = fresh(levels={"phase": "3", "pause.vix_spike": at("11:00").isoformat()})
    assert told(book)["VIX spike"] == Holds("pause", "VIX spike", "no entries", at("11:00").isoformat())


def test_the_lock_after_red_ends_by_itself_or_by_a_human() -> None:
    book = fresh(levels={"phase": "3", "drawdown": "RED"}, notes={"risk.red_since": at("10:00").isoformat()})
    assert told(book)["after RED"].until == "2031-03-21T15:00:00+00:00, then by itself"
    live = replace(SETTINGS, restart_after_red=False)
    assert told(book, settings=live)["after RED"].until.endswith("then by a human")
    assert told(fresh(levels={"phase": "3", "drawdown": "TERMINAL"}))["TERMINAL"].kind == "lock"


def test_ramps_losing_runs_halts_and_quarantines_are_told() -> None:
    book = fresh(
        levels={"phase": "3", HALT: "the owner"},
        notes={"risk.breaker_ramp": "15", "risk.phase_one": "2", "risk.emergency_ramp": "4"},
        losing_run=3,
        quarantined=frozenset({"lt112"}),
    )
    found = told(book)
    assert found[HALT].until == "a human releases it"
    assert found["quarantine of lt112"].kind == "lock"
    assert found["after a breaker"] == Holds("ramp", "after a breaker", "sizes x 0.25", "15 sessions")
    assert found["limits of P1"].until == "2 sessions"
    assert found["after an emergency level"].until == "4 sessions"
    assert found["3 losing closes in a row"].until == "a winner"


def test_a_product_with_bad_data_is_told_while_it_is_out() -> None:
    book = fresh(notes={"risk.bad.SPXW": f"3 {at('10:29').isoformat()}"})
    assert told(book)["bad data of SPXW"].until == at("10:39").isoformat()
    assert told(book, "10:39") == {}
