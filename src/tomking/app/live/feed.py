"""Market data of a live run: the stream, the market on it, what must be seen before anything trades."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import numpy as np

from tomking.adapters.tastytrade.live import LiveMarket, bars_of
from tomking.adapters.tastytrade.session import GuardedSession
from tomking.adapters.tastytrade.stream import Candles, QuoteStream
from tomking.adapters.tastytrade.symbols import Directory
from tomking.app.live.listings import Listings
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.eventcalendar import EventCalendar
from tomking.domain.products import PRODUCTS

INDEX_FAMILIES = ("SPX", "VIX")
"""Whose levels and bars nothing trades without."""
BARS_BACK = timedelta(days=800)
BARS_NEEDED = 60
"""Sessions before today whose daily bars must be there, without a gap."""


class Feed:
    """The stream, the directory of symbols, and the market made of both."""

    def __init__(
        self,
        open_session: Callable[[], GuardedSession],
        sessions: Sessions,
        history: History,
        listings: Listings,
        *,
        now: Callable[[], datetime],
        said: Callable[[str], None],
        silent: float,
        rate: float | None = None,
        market: type[LiveMarket] = LiveMarket,
    ) -> None:
        """silent: seconds of the wall after which the feed is dead; rate: the broker's, where it has one."""
        self._now, self._sessions = now, sessions
        self.directory = Directory()
        self.stream = QuoteStream(open_session, now=now, trades=self._trades, said=said, silent=silent)
        families = (*INDEX_FAMILIES, *listings.levels)
        self._candles = {f: f if f in INDEX_FAMILIES else f"/{f}" for f in families}
        self.market = market(
            self.stream,
            self.directory,
            sessions,
            self.bars,
            rate=rate_on(history, new_york(now()).date()) if rate is None else rate,
            levels=listings.levels,
        )
        self._made: dict[str, tuple[Candles, Bars]] = {}
        """Bars, and what they were made of."""
        self.market.load(listings.listed)

    def start(self) -> None:
        """Connects, and asks for daily bars."""
        self.stream.start()
        self.stream.want_candles(self._candles.values(), self._now() - BARS_BACK)

    def close(self) -> None:
        self.stream.close()

    def load(self, listings: Listings) -> None:
        """Another session's listings, and its daily bars."""
        self.market.load(listings.listed)
        self.stream.want_candles(self._candles.values(), self._now() - BARS_BACK)

    def bars(self, family: str) -> Bars:
        """All completed daily bars that have come; none for a family nobody asked for."""
        found = self.stream.candles(self._candles.get(family, ""))
        made = self._made.get(family)
        if made is None or made[0] is not found:
            made = self._made[family] = found, bars_of(found.time, found.prices)
        return made[1]

    def _trades(self, now: datetime) -> bool:
        session = self._sessions.on(new_york(now).date())
        return session is not None and session.open <= now < session.close


def missing(feed: Feed, session: Session | None, now: datetime, sessions: Sessions) -> list[str]:
    """What is still to be seen before anything may be traded, in words; empty: all is there."""
    return [*_quotes_missing(feed, session, now), *_bars_missing(feed, now, sessions)]


def _quotes_missing(feed: Feed, session: Session | None, now: datetime) -> Iterator[str]:
    """The index and the VIX are quoted while the session lasts, and not asked for before it."""
    if session is None or not session.open <= now < session.close:
        return
    if feed.market.spot("SPX", now) is None:
        yield "no quote of SPX"
    if feed.market.vix(now) is None:
        yield "no quote of VIX"


def _bars_missing(feed: Feed, now: datetime, sessions: Sessions) -> Iterator[str]:
    for family in INDEX_FAMILIES:
        gaps = gaps_of(feed.bars(family), new_york(now).date(), sessions)
        if len(gaps) == BARS_NEEDED:
            yield f"no daily bars of {family}"
        elif gaps:
            shown = ", ".join(map(str, gaps[:3]))
            yield f"daily bars of {family}: {len(gaps)} of the last {BARS_NEEDED} sessions missing ({shown})"


def gaps_of(bars: Bars, today: date, sessions: Sessions) -> list[date]:
    """Of the sixty sessions before ``today`` those without a bar, oldest first."""
    known = set(bars.day.tolist())
    wanted: list[date] = []
    before = sessions.before(today)
    while before is not None and len(wanted) < BARS_NEEDED:
        wanted.append(before.date)
        before = sessions.before(before.date)
    return [day for day in reversed(wanted) if day not in known]


APART = 0.01
"""Share by which a close may differ from the embedded history's: another series, or another day's."""


def strange(feed: Feed, history: History) -> list[str]:
    """Families whose daily bars are not the embedded history's on the days that both have, in words."""
    known = {"SPX": history.spx, "VIX": history.vix}
    return [line for family, own in known.items() if (line := _strange(family, feed.bars(family), own))]


def _strange(family: str, bars: Bars, known: Bars) -> str:
    _, here, there = np.intersect1d(bars.day, known.day, return_indices=True)
    apart = np.abs(bars.close[here] / known.close[there] - 1)
    worst = int(np.argmax(apart)) if apart.size else 0
    if not apart.size or apart[worst] <= APART:
        return ""
    day, here_, there_ = bars.day[here[worst]], bars.close[here[worst]], known.close[there[worst]]
    return (
        f"daily bars of {family}: {here_:,.2f} on {day}, where the history has {there_:,.2f}: not that index"
    )


COVERED_AHEAD = 10
"""Sessions that the calendars of announcements must reach (G.1)."""


def uncovered(sessions: Sessions, today: date) -> list[str]:
    """That the packaged calendars of announcements end too soon, in words; empty: they do not."""
    last, ahead = EventCalendar(strict=True).known_until(PRODUCTS["SPX"]), today
    for _ in range(COVERED_AHEAD):
        following = sessions.after(ahead)
        ahead = ahead if following is None else following.date
    if ahead <= last:
        return []
    line = f"the calendars of FOMC and CPI end on {last}, less than {COVERED_AHEAD} sessions ahead"
    return [f"{line}: update tomking, which brings the next year's"]


def rate_on(history: History, today: date) -> float:
    """The short rate of the session before, continuous; the last known one after the history's end."""
    row = int(np.searchsorted(history.spx.day, np.datetime64(today, "D"))) - 1
    return float(history.rate[max(row, 0)])
