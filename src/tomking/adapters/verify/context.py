"""What quotes are held against: the exchange's sessions and the listing of each root.

Sources of the listings: contract specifications of Cboe (index options), CME, CBOT, COMEX and NYMEX
(options on futures); for shares the penny grid of OPRA and OCC's 100 per contract.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache

from tomking.adapters.calendars import load_futures_sessions, load_sessions
from tomking.adapters.verify.hours import AFTER_CLOSE, Hours
from tomking.domain.calendar import Session, Sessions
from tomking.domain.products import PRODUCTS

FIRST, LAST = date(1990, 1, 2), date(2036, 12, 31)
"""The span of sessions that quotes and expiries are held against unless another is given."""


@dataclass(frozen=True, slots=True)
class Listing:
    """How the exchange lists a root; amounts in points, dollars per point."""

    multiplier: float
    tick: float
    """The finest quote grid."""
    tick_above: float
    """The grid at and above ``tick_from``."""
    tick_from: float
    strike_grid: float
    """The finest interval of strikes."""
    future: bool = False
    settles_at_open: bool = False
    european: bool = False
    known: bool = True


SHARES = Listing(100, 0.01, 0.05, float("inf"), 0.01, known=False)
"""Options on shares, and what is not known to be anything else.  Strikes are in cents after splits."""


def _future(multiplier: float, tick: float, grid: float) -> Listing:
    return Listing(multiplier, tick, tick, float("inf"), grid, future=True)


LISTINGS: dict[str, Listing] = {
    **{
        key: Listing(
            float(p.multiplier),
            float(p.tick),
            float(p.tick_above),
            float(p.tick_from),
            float(p.strike_grid),
            future=p.future,
            settles_at_open=p.settles_at_open,
            european=True,
        )
        for key, p in PRODUCTS.items()
    },
    "NDX": Listing(100, 0.05, 0.10, 3.0, 5, settles_at_open=True, european=True),
    "NDXP": Listing(100, 0.05, 0.10, 3.0, 5, european=True),
    "RUT": Listing(100, 0.05, 0.10, 3.0, 5, settles_at_open=True, european=True),
    "RUTW": Listing(100, 0.05, 0.10, 3.0, 5, european=True),
    "DJX": Listing(100, 0.01, 0.01, 3.0, 0.5, settles_at_open=True, european=True),
    "VIX": Listing(100, 0.01, 0.05, 3.0, 0.5, settles_at_open=True, european=True),
    "VIXW": Listing(100, 0.01, 0.05, 3.0, 0.5, settles_at_open=True, european=True),
    "NQ": Listing(20, 0.05, 0.25, 5.0, 5, future=True),
    "MNQ": Listing(2, 0.05, 0.25, 5.0, 5, future=True),
    "RTY": Listing(50, 0.05, 0.10, 5.0, 5, future=True),
    "YM": _future(5, 1, 50),
    **dict.fromkeys(("CL", "LO"), _future(1000, 0.01, 0.25)),
    **dict.fromkeys(("NG", "LNE", "ON"), _future(10_000, 0.0001, 0.01)),
    **dict.fromkeys(("GC", "OG"), _future(100, 0.1, 1)),
    **dict.fromkeys(("SI", "SO"), _future(5000, 0.001, 0.05)),
    **dict.fromkeys(("HG", "HXE"), _future(25_000, 0.0005, 0.01)),
    **dict.fromkeys(("ZB", "OZB"), _future(1000, 1 / 64, 0.5)),
    **dict.fromkeys(("ZN", "OZN"), _future(1000, 1 / 64, 0.25)),
    **dict.fromkeys(("ZF", "OZF"), _future(1000, 1 / 128, 0.25)),
    **dict.fromkeys(("6E", "EUU"), _future(125_000, 0.00005, 0.0025)),
    **dict.fromkeys(("6B", "GBU"), _future(62_500, 0.0001, 0.005)),
    **dict.fromkeys(("6A", "ADU"), _future(100_000, 0.00005, 0.0025)),
    **dict.fromkeys(("6J", "JPU"), _future(12_500_000, 0.0000005, 0.00001)),
    **dict.fromkeys(("6C", "CAU"), _future(100_000, 0.00005, 0.0025)),
    **dict.fromkeys(("6S", "CHU"), _future(125_000, 0.00005, 0.0025)),
    **dict.fromkeys(("ZC", "OZC", "ZS", "OZS", "ZW", "OZW"), _future(50, 0.125, 5)),
}
"""By root.  Prices of grains are in cents per bushel."""

_ES_WEEKLY = re.compile(r"E[1-5][A-E]|EW[1-4]?")
"""CME's own symbols of what tomking calls ES: E3C is the third Wednesday's, EW the month's end."""
_ADJUSTED = re.compile(r"[A-Z]+\d|\d[A-Z]+")
"""OCC's adjusted symbols: AAPL1, or 1AAPL in some vendors' files."""


def listing_of(root: str) -> Listing:
    """The root's listing; that of an option on shares for a root without exchange facts here."""
    return LISTINGS["ES"] if _ES_WEEKLY.fullmatch(root) else LISTINGS.get(root, SHARES)


def is_adjusted(root: str) -> bool:
    """Whether a root is OCC's name of an adjusted series.

    >>> [is_adjusted(root) for root in ("AAPL1", "1AAPL", "SPX1", "SPXW", "6E", "EW3", "BRKB")]
    [True, True, True, False, False, False, False]
    """
    return not listing_of(root).known and _ADJUSTED.fullmatch(root) is not None


def looks_like_shares(root: str) -> bool:
    """Whether a root without exchange facts has the form of a share's ticker.

    >>> [looks_like_shares(root) for root in ("AAPL", "BRKB", "BRK.B", "", "LO1", "spy")]
    [True, True, True, False, False, False]
    """
    return re.fullmatch(r"[A-Z]{1,5}([./][A-Z]{1,2})?", root) is not None


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a batch is held against."""

    securities: Sessions
    futures: Sessions
    securities_hours: Hours
    futures_hours: Hours
    now: datetime | None = None
    """The moment of the import: no quote may be later.  None leaves that out."""
    source: str = ""
    """How findings name the file."""

    def sessions(self, listing: Listing) -> Sessions:
        """The sessions that a listing trades in."""
        return self.futures if listing.future else self.securities

    def hours(self, listing: Listing) -> Hours:
        """The same as columns."""
        return self.futures_hours if listing.future else self.securities_hours

    def ends(self, root: str, expiry: date) -> datetime | None:
        """When a contract stopped trading at the latest; None outside the span of the sessions.

        An expiry on a closed day (Saturdays until 2015, holidays) ends with the session before.  Of options
        that settle at the open this is that opening: their last trade was the day before.
        """
        listing = listing_of(root)
        index = root in PRODUCTS
        sessions = self.securities if index else self.sessions(listing)
        session = _on_or_before(sessions, expiry)
        if session is None or expiry > sessions.days[-1].date:
            return None
        if listing.settles_at_open:
            return session.open
        return session.close


def load_context(
    first: date = FIRST, last: date = LAST, *, now: datetime | None = None, source: str = ""
) -> Context:
    """The context over a span of days; the calendars take about a second the first time."""
    return replace(_calendars(first, last), now=now, source=source)


@lru_cache(maxsize=4)
def _calendars(first: date, last: date) -> Context:
    securities, futures = load_sessions(first, last), load_futures_sessions(first, last)
    return Context(securities, futures, Hours.of(securities, AFTER_CLOSE), Hours.of(futures))


def _on_or_before(sessions: Sessions, day: date) -> Session | None:
    return sessions.on(day) or sessions.before(day)
