"""What must hold before a strangle is built: of the account and its group, then of each product."""

from tomking.domain import fomc
from tomking.domain.eventcalendar import Answer, Dates, Event, EventCalendar
from tomking.domain.eventcalendar import Entry as Occasion
from tomking.domain.products import PRODUCTS
from tomking.risk.availability import PLACES
from tomking.rules import entry as when
from tomking.rules.indicators import estimated_percentile, highest, lowest, percentile
from tomking.rules.strategy import Condition
from tomking.strategies.futures_strangle.settings import Settings
from tomking.view import Own, View

STRATEGY = "futures_strangle"
ESTIMATED = "estimated"
RATES = ("6E", "TLT", "ZB", "ZN")
"""Families for which the Federal Reserve's statement is a decision of their own (B.4)."""
DECIDED = (*RATES, "CL", "XOP")
"""Families that somebody decides upon: of OPEC's days nothing is known here."""


def _statements() -> Dates:
    days = tuple(each.day for each in fomc.ANNOUNCEMENTS if each.scheduled)
    return Dates(fomc.COVERED_FROM, fomc.COVERED_TO, {Event.DECISION: days})


STATEMENTS = EventCalendar(strict=False, dates=dict.fromkeys(RATES, _statements()))


def groups(settings: Settings) -> tuple[str, ...]:
    """The correlation groups of its products, in their order."""
    return tuple(dict.fromkeys(PRODUCTS[key].group for key in settings.underlyings))


def products_of(settings: Settings, group: str, phase: int) -> tuple[str, ...]:
    """What may be sold in a group, best first (A.4)."""
    allowed = PLACES[STRATEGY].products[phase]
    return tuple(key for key in settings.underlyings if key in allowed and PRODUCTS[key].group == group)


def phase_allows(settings: Settings, group: str) -> Condition:
    def check(view: View, own: Own) -> str | None:
        if products_of(settings, group, own.phase):
            return None
        return f"nothing of group {group} may be sold in phase {own.phase}"

    return Condition("PHASE", check)


def group_free(group: str) -> Condition:
    """Two strangles are never in one group."""

    def check(view: View, own: Own) -> str | None:
        held = next((p for p in own.positions if PRODUCTS[p.product].group == group), None)
        return None if held is None else f"{held.id} holds {held.product} of group {group}"

    return Condition("CORR", check)


def refusal(settings: Settings, view: View, product: str) -> tuple[str, str] | None:
    """The code and words of the first condition that a product's own market does not meet."""
    family, blocked = PRODUCTS[product].family, _judged(settings, view, product).blocked
    if view.spot(family) is None:
        return "DATA", f"{product}: no data of {family}"
    if blocked is not None:
        return "EVT", f"{product}: {blocked}"
    return _unquiet(settings, view, product) if len(view.bars(family)) else None


def _unquiet(settings: Settings, view: View, product: str) -> tuple[str, str] | None:
    """Why its volatility is not high enough, or its market not quiet enough.

    Not asked where there are no daily bars at all (ruling 19); the reason of the entry says so.
    """
    family = PRODUCTS[product].family
    rank, share = volatility_rank(settings, view, family), range_share(settings, view, family)
    if rank is None or share is None:
        bars = len(view.bars(family))
        return "DATA", f"{product}: {bars} daily bars of {family} are too few for its IV rank"
    if rank[0] < settings.iv_rank_min:
        return "TECH", f"{product}: IV rank {rank[0]:.1%}{rank[1]}, {settings.iv_rank_min:.0%} is needed"
    if share >= settings.range_share_max:
        said = f"{share:.1%} of the level, below {settings.range_share_max:.0%} is wanted"
        return "TECH", f"{product}: range of {settings.range_sessions} sessions is {said}"
    return None


def _judged(settings: Settings, view: View, product: str) -> Answer:
    """What the event calendar says of it, and the Federal Reserve's own days as decisions."""
    listed = PRODUCTS[product]
    ahead = settings.decision_sessions if listed.family in DECIDED else 0
    occasion = Occasion(listed, decision_sessions=ahead)
    users = view.events.judge(occasion, view.now, view.sessions)
    statements = STATEMENTS.judge(occasion, view.now, view.sessions)
    unknown = tuple(each for each in users.not_covered if each in statements.not_covered)
    return Answer(users.blocked or statements.blocked, unknown)


def volatility_rank(settings: Settings, view: View, family: str) -> tuple[float, str] | None:
    """Its IV's percentile, 0 to 1, and in words what it rests on; None with too few bars.

    The VIX speaks for the S&P 500; of the others nothing but their own bars is known.
    """
    if family == "SPX":
        rank = percentile(view.bars("VIX").close, when.known(view.vix), settings.iv_rank_sessions)
        return None if rank is None else (rank, "")
    rank = estimated_percentile(view.bars(family), settings.iv_rank_sessions)
    return None if rank is None else (rank, f" ({ESTIMATED} from its daily bars)")


def range_share(settings: Settings, view: View, family: str) -> float | None:
    """The highest less the lowest of the last sessions over the level now."""
    bars, spot = view.bars(family), view.spot(family)
    high, low = highest(bars, settings.range_sessions), lowest(bars, settings.range_sessions)
    return None if high is None or low is None or not spot else (high - low) / spot


def reason(settings: Settings, view: View, product: str) -> str:
    """What spoke for an entry, and what could not be asked."""
    family = PRODUCTS[product].family
    rank, share = volatility_rank(settings, view, family), range_share(settings, view, family)
    quiet = f"IV rank and range not evaluated: no daily bars of {family}"
    if rank is not None and share is not None:
        quiet = f"IV rank {rank[0]:.1%}{rank[1]}, range {share:.1%}"
    unknown = _judged(settings, view, product).not_covered
    said = f"; not covered: {', '.join(unknown)}" if unknown else ""
    return f"VIX {view.vix:.2f}, {quiet}{said}"


def is_small(product: str) -> bool:
    """A micro, or a fund in its place: what is not a full-size future."""
    listed = PRODUCTS[product]
    return listed.micro or not listed.future
