"""The August proof: the book of the narrative is offered to the gate, and what is left of it is played."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from tomking.app.replicate.unlimited import Unlimited
from tomking.app.scenario.books import begin, lt112_at, some, strangle, usd
from tomking.app.scenario.outcome import Outcome, Table
from tomking.app.scenario.play_days import NARRATIVE
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story
from tomking.app.scenario.tape import Tape, tape
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Approved, Open, Part, Refused, Verdict
from tomking.domain.structure import Leg, Structure
from tomking.risk.gate import LIMITS, case_of, judge
from tomking.risk.groups import SHORT_VOL
from tomking.risk.valuation import account_of

ACCOUNT = 673_100
"""530,000 pounds at the threshold rate of 1.27."""
FIRST, FIFTH, LAST = date(2024, 7, 31), date(2024, 8, 5), date(2024, 8, 8)
POSITIONS, UNITS = 6, 5
WATCHED = timedelta(minutes=10)
SIZES = (3, 6, 18, 30, 45)
"""ES units of unprotected books, for the table; three are what the gate permits."""
LEFT_OUT = "full size"
"""This limit would refuse a new account every ES contract; here the account has earned them."""


def august_proof() -> Outcome:
    real, told = tape(), tape(NARRATIVE)
    protected, offers = _offered(real)
    protected.play(FIRST, LAST)
    narrative, _ = _offered(told)
    narrative.play(FIRST, LAST)
    bare, bare_told = _unprotected(real), _unprotected(told)
    since = at(FIRST, "10:10")
    losses = {
        name: stage.story.worst_from(since)
        for name, stage in (
            ("permitted", protected), ("told", narrative), ("bare", bare), ("bare told", bare_told)
        )
    }  # fmt: skip
    at_close = 1 - float(bare.story.ended()[FIFTH].net_liq) / ACCOUNT
    scan = _scanned(real)
    third = [limit for limit, units, _ in scan[2].answers if units == 0]
    figures: Figures = {
        "units_permitted": sum(o.permitted for o in offers),
        "positions_permitted": sum(o.permitted > 0 for o in offers),
        "refused_from": next((i + 1 for i, o in enumerate(offers) if not o.permitted), 7),
        "limits_that_refuse": len(third),
        "groups_refuse_from": _refused_from(scan, "correlation group"),
        "stress_refuses_from": _refused_from(scan, "stress S-20"),
        "permitted_loss": losses["permitted"],
        "unprotected_loss": at_close,
        "unprotected_worst": losses["bare"],
        "times": at_close / max(losses["permitted"], 1e-4),
        "narrative_permitted_loss": losses["told"],
        "narrative_unprotected_loss": losses["bare told"],
    }
    notes = (
        (
            f"Offered on {FIRST} at 10:05, one after the other, to an account of ${ACCOUNT:,}: six LT112 on "
            f"one expiry, {UNITS} ES units each, {POSITIONS * UNITS} in all."
        ),
        (
            "The source gives no sizes; 308,000 pounds on 5 August take between 20 and 45 units "
            "(methodology J, row 12)."
        ),
        f"{LEFT_OUT!r} is left out: a new account is refused full-size contracts altogether.",
        (
            "The unprotected book is held through, without stops and without margin calls, and marked at the "
            "model's mids; the permitted one has every rule of the desk and LT112's own exits."
        ),
        (
            "VIX's high of 65.73 on 5 August was printed before the open.  The drawn minutes have it within "
            "the session, so the lows of that day are worse than what happened; its closes are firm."
        ),
    )
    stories = (
        ("permitted", protected.story),
        ("unprotected", bare.story),
        ("permitted, narrative", narrative.story),
        ("unprotected, narrative", bare_told.story),
    )
    tables = (
        _offers_table("What the gate says, one after the other", offers),
        _offers_table("What it would say of each if those before had been let in at full size", scan),
        _days_table(stories),
        _sizes_table(bare, bare_told),
    )
    return Outcome(figures, stories, notes, tables)


# ------------------------------------------------------------------ what the gate says


@dataclass(frozen=True, slots=True)
class Offer:
    """One position offered."""

    answers: tuple[tuple[str, int | None, str], ...]
    """Limit, units it permits, and its words, of those that permit fewer than were offered."""
    permitted: int


def _offered(on: Tape) -> tuple[Stage, list[Offer]]:
    stage = Stage(on, usd(ACCOUNT), some("lt112"), watched=WATCHED)
    now = begin(stage, FIRST, "10:05")
    wish = _six_of(stage, now)
    offers = []
    for _ in range(POSITIONS):
        offer = _ask(stage, now, wish)
        offers.append(offer)
        if offer.permitted:
            stage.take(wish, now, offer.permitted)
    return stage, offers


def _scanned(on: Tape) -> list[Offer]:
    """The static scan: each position against a book that holds all those before it."""
    stage = Stage(on, usd(ACCOUNT), some("lt112"))
    now = begin(stage, FIRST, "10:05")
    wish = _six_of(stage, now)
    offers = []
    for _ in range(POSITIONS):
        offers.append(_ask(stage, now, wish))
        stage.take(wish, now, UNITS)
    return offers


def _refused_from(offers: Sequence[Offer], name: str) -> int:
    """The first position that a limit permits no unit of; 7 where it permits some of each."""
    found = (
        i for i, offer in enumerate(offers, start=1) if any(n == name and not u for n, u, _ in offer.answers)
    )
    return next(found, POSITIONS + 1)


def _six_of(stage: Stage, now: datetime) -> Open:
    """One ES LT112 as the strategy builds it, five units wished."""
    wish = next(w for w in stage.wishes(lt112_at(120), "1-1-2", now) if w.product == "ES")
    return replace(wish, ceiling=UNITS)


def _ask(stage: Stage, now: datetime, wish: Open) -> Offer:
    view, net_liq, settings = stage.view(now), stage.net_liq(now), stage.settings
    account = account_of(stage.book, view, net_liq, settings)
    limits = [limit for limit in LIMITS if limit.name != LEFT_OUT]
    case = case_of(wish, stage.book, view, account, settings)
    answers = [(limit.name, limit.check(case)) for limit in limits]
    fewer = tuple((name, a.units, a.detail) for name, a in answers if a.units is not None and a.units < UNITS)
    verdict = judge(wish, stage.book, view, account, settings, limits)
    return Offer(fewer, verdict.units if isinstance(verdict, Approved) else 0)


def _offers_table(title: str, offers: Sequence[Offer]) -> Table:
    rows = []
    for i, offer in enumerate(offers, start=1):
        none = ", ".join(name for name, units, _ in offer.answers if units == 0) or "-"
        some_of = ", ".join(f"{name} {units}" for name, units, _ in offer.answers if units) or "-"
        rows.append((str(i), str(UNITS), none, some_of, str(offer.permitted)))
    head = (
        "position",
        "ES units offered",
        "limits that permit none",
        "limits that permit fewer",
        "permitted",
    )
    return Table(title, head, rows)


def _unprotected(on: Tape) -> Stage:
    stage = Stage(on, usd(ACCOUNT), (), risk=Unlimited(), watched=WATCHED)
    now = begin(stage, FIRST, "10:05")
    wish = _six_of(stage, now)
    for _ in range(POSITIONS):
        stage.take(wish, now, UNITS)
    stage.play(FIRST, LAST)
    return stage


def _days_table(stories: Sequence[tuple[str, Story]]) -> Table:
    days = list(stories[0][1].ended())
    rows = []
    for day in days:
        ends = [story.ended()[day] for _, story in stories]
        lows = [min(m.net_liq for m in story.moments if m.at.date() == day) for _, story in stories]
        cells = (f"{_share(e.net_liq)} ({_share(low)})" for e, low in zip(ends, lows, strict=True))
        rows.append((f"{day}", f"{ends[0].spot:,.2f}", f"{ends[0].vix:.2f}", *cells))
    head = ("day", "SPX", "VIX", *(name for name, _ in stories))
    return Table(
        "Gain or loss since the start at the close (lowest of the day), share of the account", head, rows
    )


def _share(worth: Decimal | float) -> str:
    return f"{float(worth) / ACCOUNT - 1:+.1%}"


def _sizes_table(bare: Stage, told: Stage) -> Table:
    """Losses are linear in units as long as nobody calls the margin."""
    whole = POSITIONS * UNITS
    firm = ACCOUNT - float(bare.story.ended()[FIFTH].net_liq)
    worst = told.story.worst_from(at(FIRST, "10:10")) * ACCOUNT
    rows = []
    for units in SIZES:
        cells = [
            f"-${lost * units / whole:,.0f} (-{lost * units / whole / ACCOUNT:.0%})" for lost in (firm, worst)
        ]
        rows.append((str(units), *cells))
    head = ("ES units", "real tape, close of 5 August", "narrative tape, VIX 65 all morning")
    return Table("The unprotected book by size", head, rows)


# ------------------------------------------------------------------ fourteen attempts


def july_attempts() -> Outcome:
    stage = Stage(tape(), usd(ACCOUNT), some("friday_0dte"))
    log: list[tuple[str, str, Verdict | str]] = []
    now = begin(stage, date(2024, 7, 3), "10:05")
    wish = replace(_six_of(stage, now), ceiling=1)
    for _ in range(6):
        _attempt(stage, now, wish, log)
    tuesday = date(2024, 7, 9)
    stage.play(date(2024, 7, 3), date(2024, 7, 8))
    now = begin(stage, tuesday, "10:20")
    for product in ("MGC", "GC"):
        _attempt(stage, now, strangle(stage, now, product), log)
    _attempt(stage, now, _unpriced(), log)
    stage.play(tuesday, date(2024, 7, 18))
    pair: Open | None = None
    for day in (date(2024, 7, 19), date(2024, 7, 26)):
        now = begin(stage, day, "09:45")
        found = stage.wishes("ipmcc", "LEAP and weekly", now)
        pair = found[0] if found else pair
        if pair is not None:
            _attempt(stage, now, pair, log)
        stage.play(day)
    while sum(name == "ipmcc" for name, _, _ in log) < 3 and pair is not None:
        _attempt(stage, at(date(2024, 7, 26), "15:30"), pair, log)
    story = stage.story
    fridays = {e.at.date(): e for e in story.declined("friday_0dte", "VIX")}
    log += [("friday_0dte", str(day), "VIX") for day in list(fridays)[:2]]
    codes = [_code(verdict) for _, _, verdict in log]
    admitted = [name for (name, _, _), code in zip(log, codes, strict=True) if not code]
    counts = Counter(admitted)
    figures: Figures = {
        "attempts": len(log),
        "admitted": len(admitted),
        "rejected": len(log) - len(admitted),
        "lt112_admitted": counts["lt112"],
        "short_vol": sum(p.strategy in SHORT_VOL for p in stage.book.positions.values()),
        "corr_rejections": sum("CORR" in code for code in codes),
        "vix_rejections": sum(code == "VIX" for code in codes),
    }
    rows = [
        (name, product, code or "admitted", _first(verdict))
        for (name, product, verdict), code in zip(log, codes, strict=True)
    ]
    table = Table("The attempts", ("strategy", "in", "codes", "first reason"), rows)
    note = f"{LEFT_OUT!r} is left out, as in august-proof; no oil price after 2019-01-03 is at hand."
    return Outcome(figures, (("net liq", story),), (note,), (table,))


def _attempt(stage: Stage, now: datetime, wish: Open, log: list[tuple[str, str, Verdict | str]]) -> None:
    view, net_liq, settings = stage.view(now), stage.net_liq(now), stage.settings
    account = account_of(stage.book, view, net_liq, settings)
    limits = [limit for limit in LIMITS if limit.name not in {LEFT_OUT, "entry spacing"}]
    verdict = judge(wish, stage.book, view, account, settings, limits)
    log.append((wish.strategy, wish.product, verdict))
    if isinstance(verdict, Approved):
        stage.take(wish, now, verdict.units)


def _unpriced() -> Open:
    """A crude strangle, for which there is no price."""
    expiry, size = date(2024, 10, 17), (Decimal(100), Decimal("0.01"))
    legs = tuple(
        Leg(Option("MCL", expiry, right, Decimal(strike), *size), -1)
        for right, strike in ((Right.PUT, 60), (Right.CALL, 105))
    )
    structure = Structure("strangle", legs)
    one = Decimal(1)
    return Open("futures_strangle", "strangle", (Part("strangle", structure),), 1, one, one, one, "scenario")


def _code(verdict: Verdict | str) -> str:
    """Every code that says no; empty where it was admitted."""
    match verdict:
        case str():
            return verdict
        case Refused(_, breaches):
            return ", ".join(dict.fromkeys(b.code for b in breaches))
        case _:
            return ""


def _first(verdict: Verdict | str) -> str:
    match verdict:
        case str():
            return "VIX is not above 22"
        case Refused(_, breaches):
            return str(breaches[0])
        case Approved():
            return f"{verdict.units} units: {verdict.binding}"


PLAYS = {"august-proof": august_proof, "july-2024-attempts": july_attempts}
