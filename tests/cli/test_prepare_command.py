"""``tomking live`` and ``tomking approve`` without a socket: refusals, the ladder, the orders that wait."""

import io
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.preparedworld import Prepared
from tests.unit.test_rollout import a_session, started
from tests.worlds import FRIDAY, at

from tomking.adapters.consent import Answer
from tomking.adapters.journal import Origin, SqliteJournal
from tomking.adapters.latch import LatchFile
from tomking.adapters.lease import installation, take
from tomking.adapters.tastytrade.session import Destination, Environment
from tomking.app.cli.shell import run
from tomking.app.exits import Exit
from tomking.app.live.asked import Asked
from tomking.app.locks import Mode
from tomking.domain import events as ev
from tomking.domain.intent import Urgency
from tomking.domain.order import Order
from tomking.domain.trading import Latch, Trading
from tomking.risk.rollout import LEVEL

ACCOUNT = "5WT00001"
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    for name in ("TT_SECRET", "TT_REFRESH", "TT_SECRET_FILE", "TT_REFRESH_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("keyring.get_password", lambda _service, _name: None)
    return tmp_path / "state"


# ------------------------------------------------------------------------------ production


def everything(home: Path, monkeypatch: pytest.MonkeyPatch, stage: str | None = "one_micro") -> None:
    """All that production asks for but the typed number; stage: None for no journal."""
    (home.parent / "config.toml").write_text("[live]\nproduction = true\n")
    monkeypatch.setenv("TT_SECRET", "a-client-secret")
    monkeypatch.setenv("TT_REFRESH", "a-refresh-token")
    arm(home)
    folder = home / "live" / "live-5WX12345"
    folder.mkdir(parents=True)
    if stage is None:
        return
    write(folder / "journal.sqlite", [ev.LevelChanged(at("09:30"), LEVEL, "", stage, "test")], "live-live")


def arm(home: Path) -> None:
    home.mkdir(exist_ok=True)
    LatchFile(home).exchange(LatchFile(home).read(), Latch(Trading.ACTIVE, at("09:00"), "anna", "test"))


def write(path: Path, events: list[ev.Event], environment: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    origin = Origin(environment, installation(environment, ACCOUNT))
    with SqliteJournal(path, each_durable=True, origin=origin) as journal:
        for event in events:
            journal.append(event)


PRODUCTION = ["live", "--venue", "production", "--account", "5WX12345"]


def test_everything_that_real_money_lacks_is_said_at_once(capsys: Said) -> None:
    assert run(PRODUCTION) == Exit.CONFIG
    said = capsys.readouterr().err
    assert "production = true in [live]" in said
    assert "tomking secrets set client-secret --environment live" in said
    assert "tomking secrets set refresh-token --environment live" in said
    assert "roll-out stands at paper" in said
    assert "tomking resume" in said


def test_real_money_has_no_default_account(capsys: Said) -> None:
    assert run(["live", "--venue", "production"]) == Exit.USAGE
    assert "add --account NUMBER" in capsys.readouterr().err


@pytest.fixture
def traded(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """The runs that would have begun: nothing is started in these tests."""
    begun: list[Asked] = []

    def trade(wanted: Asked, _configured: object, *, as_json: bool) -> int:
        assert not as_json
        begun.append(wanted)
        return 0

    monkeypatch.setattr("tomking.app.cli.live.trade", trade)
    return begun


def test_with_everything_in_place_it_is_the_production_system_with_real_orders(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said, traded: list[Asked]
) -> None:
    everything(home, monkeypatch)
    assert run([*PRODUCTION, "--confirm", "5WX12345"]) == Exit.OK
    (asked,) = traded
    assert (asked.to, asked.mode) == (Destination(Environment.LIVE), Mode.LIVE)
    assert (asked.world, asked.folder.name, asked.speed) == ("live-live", "live-5WX12345", None)
    assert (asked.simulated, asked.fresh, asked.to.reads_only) == (False, False, False)
    assert "a-client-secret" not in capsys.readouterr().err + repr(asked)


def test_the_first_start_of_all_says_what_comes_first(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said, traded: list[Asked]
) -> None:
    everything(home, monkeypatch, stage=None)
    assert run([*PRODUCTION, "--confirm", "5WX12345"]) == Exit.REFUSED
    said = capsys.readouterr().err
    assert "stands at paper, which opens nothing with money" in said
    assert "5 sessions on paper come first, in real time" in said
    assert "tomking paper --venue production --fills simulated" in said
    assert "With --ladder instead this command shows what is missing" in said
    assert traded == []


@pytest.mark.parametrize("in_the_way", ["latch", "stage"])
def test_what_is_held_is_managed_whatever_stands_against_opening(
    in_the_way: str, home: Path, monkeypatch: pytest.MonkeyPatch, traded: list[Asked]
) -> None:
    everything(home, monkeypatch, stage=None)
    journal = home / "live" / "live-5WX12345" / "journal.sqlite"
    stage = "paper" if in_the_way == "stage" else "full"
    held = [*_triggers(FRIDAY)[6:9], ev.LevelChanged(at("11:00"), LEVEL, "", stage, "test")]
    write(journal, held, "live-live")
    if in_the_way == "latch":
        LatchFile(home).halt("anna", "stop", at("10:00"))
    assert run([*PRODUCTION, "--confirm", "5WX12345"]) == Exit.OK
    assert len(traded) == 1


def test_a_journal_of_real_money_is_never_set_aside(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said, traded: list[Asked]
) -> None:
    everything(home, monkeypatch)
    assert run([*PRODUCTION, "--confirm", "5WX12345", "--fresh"]) == Exit.USAGE
    assert "its ladder's evidence" in capsys.readouterr().err
    assert run(["live", "--fresh"]) == Exit.OK
    assert [one.fresh for one in traded] == [True]


@pytest.mark.parametrize("missing", ["key", "secret", "latch", "stage", "number"])
def test_each_of_the_keys_is_needed_by_itself(
    missing: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    everything(home, monkeypatch, stage="paper" if missing == "stage" else "full")
    if missing == "key":
        (home.parent / "config.toml").write_text("[live]\nproduction = false\n")
    if missing == "secret":
        monkeypatch.delenv("TT_REFRESH")
    if missing == "latch":
        LatchFile(home).halt("anna", "stop", at("10:00"))
    typed = "5WX12346" if missing == "number" else "5WX12345"
    code = run([*PRODUCTION, "--confirm", typed])
    assert (
        code
        == {
            "key": Exit.CONFIG,
            "secret": Exit.SECRET,
            "latch": Exit.HALTED,
            "stage": Exit.REFUSED,
            "number": Exit.APPROVAL,
        }[missing]
    )
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_without_a_terminal_the_number_must_be_an_option(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    everything(home, monkeypatch)
    assert run(PRODUCTION) == Exit.APPROVAL
    assert "--confirm NUMBER" in capsys.readouterr().err


class Terminal(io.StringIO):
    """Where a person sits and types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("traded")
@pytest.mark.parametrize(("typed", "code"), [("5WX12345\n", Exit.OK), ("yes\n", Exit.APPROVAL)])
def test_at_a_terminal_the_number_itself_is_typed(
    typed: str, code: Exit, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    everything(home, monkeypatch)
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert run(PRODUCTION) == code
    assert "Real money. Type the account's number" in capsys.readouterr().err


def test_real_money_has_a_speed_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    everything(home, monkeypatch)
    assert run([*PRODUCTION, "--speed", "60", "--confirm", "5WX12345"]) == Exit.USAGE
    assert "leave it out" in capsys.readouterr().err


def test_a_journal_that_cannot_be_read_is_no_stage(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    everything(home, monkeypatch)
    (home / "live" / "live-5WX12345" / "journal.sqlite").write_bytes(b"not a journal")
    assert run([*PRODUCTION, "--confirm", "5WX12345"]) == Exit.DATA


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--venue", "cert"], Exit.USAGE, "name the account of cert"),
        (["--venue", "https://api.tastyworks.com"], Exit.USAGE, "unknown"),
        (["--ladder", "--next-stage"], Exit.USAGE, "one of them"),
        (["--speed", "fast"], Exit.USAGE, "--speed fast"),
        (["--set", "live.approval_minutes=0"], Exit.CONFIG, "live.approval_minutes"),
        (["--set", "live.armed=friday_odte"], Exit.CONFIG, 'did you mean "friday_0dte"?'),
        (
            ["--strategies", "lt112", "--set", "live.armed=friday_0dte"],
            Exit.CONFIG,
            "is not traded in this run",
        ),
        (["--set", "risk.confirm_seconds=120"], Exit.CONFIG, "which live never does"),
    ],
)
def test_what_is_wrong_is_said_before_any_socket(
    options: list[str], code: Exit, words: str, capsys: Said
) -> None:
    assert run(["live", *options]) == code
    assert words in capsys.readouterr().err


# ------------------------------------------------------------------------------ the ladder


def on_paper(  # noqa: PLR0917 - a table's row
    home: Path, days: int, triggers: bool = True, broken: bool = False, source: str = "sandbox", of: str = ""
) -> None:
    """A journal of paper: in the sandbox, unless it is another's (folder ``of``)."""
    first = FRIDAY - timedelta(days=days)
    events: list[ev.Event] = [
        started(first, source),
        ev.CashMoved(at("09:25", first), Decimal(200_000), "cash"),
    ]
    if triggers:
        events += _triggers(first, source)
    for n in range(days):
        events += a_session(first + timedelta(days=n))
    if broken:
        events.append(ev.Reconciled(at("16:01", FRIDAY), ("cash: $1.00",)))
    write(home / "paper" / (of or f"sandbox-{ACCOUNT}") / "journal.sqlite", events, "sandbox")


def _triggers(day: date, source: str = "sandbox") -> list[ev.Event]:
    """Every safety trigger, and a trade that was closed by one."""
    from tests.unit.test_limits import wish

    part = wish("MES").parts[0]
    opening = Order(
        "9", "friday_0dte", "9", (part,), 1, Decimal(10), Decimal(9), True, Urgency.ENTRY, "", "0dte"
    )  # fmt: skip
    return [
        started(day, source),
        ev.LevelChanged(at("09:26", day), "halt", "", "anna", ""),
        ev.LevelChanged(at("09:27", day), "halt", "anna", "", ""),
        ev.LevelChanged(at("09:28", day), "manual", "", "anna", ""),
        ev.LevelChanged(at("09:28", day), "breaker", "", "2", ""),
        ev.Declined(at("09:29", day), "lt112", "1-1-2", "SIZE", ("too much",)),
        *_a_trade(opening, day),
    ]


def _a_trade(opening: Order, day: date) -> list[ev.Event]:
    from tomking.domain.intent import Part
    from tomking.domain.lifecycle import State
    from tomking.domain.order import Fill

    part = opening.parts[0]
    closing = Order(
        "20", "friday_0dte", "9", (Part(part.role, part.structure.inverse()),), 1, Decimal(-9), None, False,
        Urgency.RULE, "", "time",
    )  # fmt: skip
    prices = tuple(map(Decimal, (5, 10, 10, 5)))
    return [
        ev.OrderSubmitted(at("10:30", day), opening),
        ev.OrderFilled(at("10:31", day), Fill("a", "9", at("10:31", day), 1, prices, Decimal(1))),
        ev.Transitioned(at("10:31", day), "9", State.BUILDING, State.ACTIVE, "0dte"),
        ev.OrderSubmitted(at("15:00", day), closing),
        ev.OrderFilled(at("15:01", day), Fill("b", "20", at("15:01", day), 1, prices, Decimal(1))),
    ]


def ladder(capsys: Said) -> dict[str, Any]:
    assert run(["live", "--ladder", "--json"]) == Exit.OK
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_ladder_begins_at_paper_and_says_what_is_missing(capsys: Said) -> None:
    assert run(["live", "--ladder"]) == Exit.OK
    said = capsys.readouterr().out
    assert "[paper] > one_micro > normal > full" in said
    assert "no journal of paper yet" in said
    assert run(["live", "--next-stage"]) == Exit.REFUSED
    said = capsys.readouterr().err
    assert "sessions: 5; reached: 0" in said
    assert "tomking halt, then tomking resume" in said


def test_five_sessions_on_paper_with_every_trigger_are_the_first_step(home: Path, capsys: Said) -> None:
    on_paper(home, 5)
    assert ladder(capsys)["met"] is True
    assert run(["live", "--next-stage"]) == Exit.OK
    capsys.readouterr()
    found = ladder(capsys)
    assert (found["stage"], found["next"], found["met"]) == ("one_micro", "normal", False)
    assert run(["live", "--next-stage"]) == Exit.REFUSED, "its own five sessions are still to come"


@pytest.mark.parametrize(
    ("days", "triggers", "broken", "words"),
    [
        (4, True, False, "sessions: 5; reached: 4"),
        (5, False, False, "safety triggers seen"),
        (5, True, True, "book and broker differed"),
    ],
)
def test_less_than_that_is_no_step(  # noqa: PLR0917 - a table
    days: int, triggers: bool, broken: bool, words: str, home: Path, capsys: Said
) -> None:
    on_paper(home, days, triggers=triggers, broken=broken)
    assert run(["live", "--next-stage"]) == Exit.REFUSED
    assert words in capsys.readouterr().err
    assert not (home / "live").exists(), "nothing was written"


AT_PRODUCTION = ["--venue", "production", "--account", "5WX12345"]


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("sandbox at 60x", f"sandbox-{ACCOUNT}"),
        ("sandbox", f"sandbox-{ACCOUNT}"),
        ("sandbox at 60x", "simulated-SIM00001"),  # a folder that somebody has renamed
        ("cert", "cert-5WX12345"),
    ],
)
def test_days_of_a_sandbox_never_lead_to_money(source: str, folder: str, home: Path, capsys: Said) -> None:
    on_paper(home, 50, source=source, of=folder)
    assert run(["live", "--next-stage", *AT_PRODUCTION]) == Exit.REFUSED
    assert "sessions: 5; reached: 0" in capsys.readouterr().err
    assert run(["live", "--ladder", *AT_PRODUCTION]) == Exit.OK
    said = capsys.readouterr().out
    if folder.startswith("simulated"):
        assert "days of sandbox at 60x do not count here" in said


def test_a_crash_may_be_rehearsed_and_nothing_else(home: Path, capsys: Said) -> None:
    on_paper(home, 1)
    on_paper(home, 5, triggers=False, source="simulated", of="simulated-SIM00001")
    assert run(["live", "--next-stage", *AT_PRODUCTION]) == Exit.REFUSED
    said = capsys.readouterr().err
    assert "not yet: restart, halt, closing only, refusal, guardian exit;" in said


def test_the_first_step_in_production_rests_on_days_in_real_time(home: Path, capsys: Said) -> None:
    on_paper(home, 5)
    on_paper(home, 5, source="simulated", of="simulated-SIM00001")
    options = AT_PRODUCTION
    assert run(["live", "--next-stage", *options]) == Exit.OK
    capsys.readouterr()
    assert ladder(capsys)["stage"] == "paper", "the sandbox's own stands where it stood"
    assert run(["live", "--ladder", "--json", *options]) == Exit.OK
    found = json.loads(capsys.readouterr().out)
    assert (found["account"], found["stage"]) == ("live-5WX12345", "one_micro")


def test_there_is_no_step_above_the_top(home: Path, capsys: Said) -> None:
    at_the_top: list[ev.Event] = [ev.LevelChanged(at("09:30"), LEVEL, "", "full", "test")]
    write(home / "live" / f"sandbox-{ACCOUNT}" / "journal.sqlite", at_the_top, "live-sandbox")
    assert run(["live", "--next-stage"]) == Exit.REFUSED
    assert "nothing above it" in capsys.readouterr().err
    assert run(["live", "--ladder"]) == Exit.OK
    assert "[full]" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--ladder", "--account", "../x"], ["--account", "a b"]])
def test_an_account_is_letters_and_digits(options: list[str], capsys: Said) -> None:
    assert run(["live", *options]) == Exit.USAGE
    assert "not letters and digits" in capsys.readouterr().err


def test_a_step_in_a_sandbox_has_the_sandboxs_time(home: Path, capsys: Said) -> None:
    on_paper(home, 5)
    assert run(["live", "--next-stage"]) == Exit.OK
    # Its last session ended at four on the day before that Friday.
    capsys.readouterr()
    since = ladder(capsys)["since"]
    assert since == at("16:00", FRIDAY - timedelta(days=1)).isoformat()


def test_no_step_while_an_engine_runs(home: Path, capsys: Said) -> None:
    on_paper(home, 5)
    lease = take(home / "live", account=ACCOUNT, environment="sandbox")
    try:
        assert run(["live", "--next-stage"]) == Exit.UNAVAILABLE
        assert "stop it first" in capsys.readouterr().err
    finally:
        lease.give_back()
    assert ladder(capsys)["stage"] == "paper"


# ------------------------------------------------------------------------------ what waits


@pytest.fixture
def world(home: Path) -> Prepared:
    """An order that waits, where a run at the sandbox would have put it."""
    return Prepared(home / "live" / f"sandbox-{ACCOUNT}").run("10:32")


def test_nothing_waits(capsys: Said) -> None:
    assert run(["approve"]) == Exit.OK
    assert capsys.readouterr().out == "no order waits for approval\n"
    assert run(["approve", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == []


def test_what_waits_is_listed_as_it_will_be_sent(world: Prepared, capsys: Said) -> None:
    assert run(["approve"]) == Exit.OK
    said = capsys.readouterr().out
    # Half-spreads of four legs sum to 0.20; a tenth of that a step, down to the grid of 0.05.
    assert "price      10.00 credit, then 9.95, 9.95, 9.90, 9.90" in said
    assert "never worse than 9.50 credit; not sent if the market is beyond 10.50 credit by then" in said
    assert "margin $3,000.00 more, buying power -$3,007.00, $196,993.00 left, fees $7.11" in said
    assert "it is Friday" in said
    assert "(sandbox ..0001)" in said
    assert "  sell       3 x ES 2031-03-07 P5465  9.95 bid, 10.05 asked" in said
    assert "  buy        3 x ES 2031-03-07 P5435  4.95 bid, 5.05 asked" in said
    assert said.count("\n  limit ") == 6
    assert "no engine has shown itself lately" in said


def test_a_yes_from_the_command_line_is_sent(world: Prepared, capsys: Said) -> None:
    hash_ = world.only()["hash"]
    assert run(["approve", hash_.upper()[:5]]) == Exit.OK
    assert f"{hash_} is approved" in capsys.readouterr().out
    world.run("10:34")
    assert len(world.wire.placed()) == 1
    assert run(["approve", "--all"]) == Exit.OK
    assert "sent, approved by" in capsys.readouterr().out
    assert run(["approve", hash_]) == Exit.APPROVAL
    assert "is sent" in capsys.readouterr().err


def test_a_no_with_its_reason(world: Prepared, capsys: Said) -> None:
    hash_ = world.only()["hash"]
    assert run(["approve", hash_, "--reject", "--reason", "too late", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["accepts"] is False
    world.run("10:34")
    assert world.wire.placed() == []
    assert any("too late" in line for line in world.refusals("WAIT"))


def test_a_second_answer_changes_nothing(world: Prepared, capsys: Said) -> None:
    hash_ = world.only()["hash"]
    world.folder.reply(hash_, Answer(False, "bert"))
    assert run(["approve", hash_]) == Exit.DATA
    assert "answered already: rejected by bert" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        ("xyz1", Exit.USAGE, "not the hash of an order"),
        ("abc", Exit.USAGE, "4 to 12 of its digits"),
        ("0123456789abc", Exit.USAGE, "4 to 12 of its digits"),
        ("0123", Exit.APPROVAL, "no such order"),
        ("../..", Exit.USAGE, "not the hash of an order"),
    ],
)
def test_what_names_no_order_is_said(
    typed: str, code: Exit, words: str, world: Prepared, capsys: Said
) -> None:
    assert run(["approve", typed]) == code
    assert words in capsys.readouterr().err
    assert world.folder.answer(world.only()["hash"]) is None


def test_what_has_expired_by_the_markets_clock_is_not_approved(world: Prepared, capsys: Said) -> None:
    hash_ = world.only()["hash"]
    (world.home / "now.json").write_text(json.dumps({"at": at("10:40").isoformat()}))
    assert run(["approve", hash_]) == Exit.APPROVAL
    assert "expired at 10:40:00 New York" in capsys.readouterr().err
    assert run(["approve"]) == Exit.OK
    assert "no order waits" in capsys.readouterr().out


def test_a_no_to_nothing_names_the_fix(capsys: Said) -> None:
    assert run(["approve", "--reject"]) == Exit.USAGE
    assert "add its hash" in capsys.readouterr().err
