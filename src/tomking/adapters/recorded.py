"""Recorded option chains as market data: what stood in the file or the store at or before ``now``.

What a reading is:

    now        the latest snapshot at or before it in its session (ruling 7); nothing between, and nothing
               once it is two steps of the grid old: where a recording stops, nobody trades.  Of end-of-day
               data the session's first snapshot stands for the whole day, as if seen at the open: who runs
               on it decides and trades at those quotes
    chain      what ``pricing.snapshot`` reads off all expiries of one snapshot, worked out at the first
               question and kept; rows without a two-sided quote are marked as interpolated
    forward    of options on a future that future's own market, where it is recorded; else what parity says
    marks      recorded quotes only: what is held and not quoted keeps its last mid
    spot       a family's index as recorded; else what its products' rows say of their underlying; else its
               share or front future; else what the nearest expiry's parity says
    VIX        as recorded; else the day's open of the history, at every snapshot: high, low and close are
               not known during the day
    bars       the embedded history; for families that have none, what is recorded of the underlying
    expired    contracts end at their expiry day's close (at AM settlement its open); what is shown later is
               stale
    settle     SPX at the official close of the history; other products at what is recorded of their own
               underlying at the close (AM settlement: after the open).  Where that is missing nothing
               settles: an expired position then stays as it is, and the report calls it unresolved
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.recorded_index import DAY_MINUTES, Indexed, Places, instant_of
from tomking.adapters.recorded_levels import Levels
from tomking.adapters.recorded_rows import Recording, Rows
from tomking.adapters.recorded_snapshots import FromSnapshots, Snapshots, read_recording
from tomking.adapters.recorded_underlyings import Underlyings, on_day
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.pricing.clock import VarianceClock
from tomking.pricing.snapshot import Reading, read_instant
from tomking.pricing.terms import RATE_SD

CHAINS_KEPT = 32
"""Built chains that are remembered: a few expiries of the last few snapshots."""
READINGS_KEPT = 4
"""Snapshots whose fit is remembered: the present one of each product and the one before."""
NO_RATE, NO_RATE_SD = 0.02, 0.03
"""The prior where the history has no rate."""

_Floats = NDArray[np.float64]
_Key = tuple[str, int, int]


def load_recorded(path: Path | Sequence[Path], *, sessions: Sessions, history: History) -> "RecordedChains":
    """The market of one or more recorded chain files.

    ``sessions`` must reach from the first recorded day to the last expiry that is to be traded.
    Raises ``BadData`` with every problem of every file.
    """
    paths = (path,) if isinstance(path, Path) else tuple(path)
    products, notes = read_recording(paths, sessions)
    return RecordedChains(products, notes=notes, sessions=sessions, history=history)


class RecordedChains:
    """The ``MarketData`` port over recorded snapshots.

    ``products`` may come from anywhere: files (``load_recorded``), a store (``recorded_store``), tests.
    What ``Recording`` and ``Snapshots`` promise of their rows is all that is asked of them.
    """

    def __init__(
        self,
        products: Sequence[Recording | Snapshots],
        *,
        notes: Sequence[str],
        sessions: Sessions,
        history: History,
        levels: Levels | None = None,
    ) -> None:
        recordings = [FromSnapshots(p) if isinstance(p, Snapshots) else p for p in products]
        self._of = {p.product: Indexed(p, sessions) for p in recordings}
        self._underlyings = Underlyings(self._of, levels or Levels(), sessions, history)
        self._sessions = sessions
        self._history = history
        self._instants = _by_day(np.unique(np.concatenate([i.minutes for i in self._of.values()])))
        self._clock = _clock(sessions)
        self._built: OrderedDict[_Key, Chain] = OrderedDict()
        self._read: OrderedDict[tuple[str, int], tuple[Reading, Places] | None] = OrderedDict()
        self.grid_minutes = _grid(self._of.values())
        """Minutes between snapshots; 390 of end-of-day data."""
        self.notes = (*notes, *self._own_notes())
        """What a report must say of this data: what was kept out, and what stands in for what."""

    @property
    def days(self) -> tuple[date, ...]:
        """The recorded session dates, ascending."""
        return tuple(self._instants)

    @property
    def products(self) -> tuple[str, ...]:
        """The roots that have chains."""
        return tuple(self._of)

    def instants(self, day: date) -> tuple[datetime, ...]:
        """The snapshots of one session, ascending, its close included and nothing later."""
        session = self._sessions.on(day)
        seen = self._instants.get(day, ())
        return () if session is None else tuple(t for t in seen if t <= session.close)

    # -- what stands now --------------------------------------------------------------------

    def spot(self, family: str, now: datetime) -> float | None:
        return self._underlyings.spot(family, now)

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        """As recorded; else the day's open: see the head of this module.

        It is stamped with the latest snapshot, as what belongs to it; where one snapshot stands for the
        day, with now.
        """
        session = self._session(now)
        if session is None or now < session.open:
            return None
        recorded = self._underlyings.vix(now)
        if recorded is not None:
            return recorded
        value = on_day(self._history.vix.day, self._history.vix.open, session.date)
        return None if value is None else (value, self._stamp(now, session))

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        found = self._number(product, now)
        if found is None:
            return ()
        indexed, number = found
        return tuple(date.fromordinal(e) for e in indexed.alive(number, now))

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        found = self._number(product, now)
        if found is None or expiry.toordinal() not in found[0].alive(found[1], now):
            return None
        indexed, number = found
        key = (product, number, expiry.toordinal())
        if key not in self._built:
            chain = self._build(indexed, number, expiry, now)
            if chain is None:
                return None
            self._built[key] = chain
            if len(self._built) > CHAINS_KEPT:
                self._built.popitem(last=False)
        self._built.move_to_end(key)
        return self._built[key]

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        chain = self.chain(product, expiry, now)
        return None if chain is None else chain.forward

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        return [self._quote(c, now) for c in contracts]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> _Floats:
        return np.array([self._mark(c, now) for c in contracts], dtype=np.float64)

    def bars(self, family: str, now: datetime) -> Bars:
        return self._underlyings.bars(family, now)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        return self._underlyings.settlement(contract, now)

    def last_quote(self, contract: Contract, now: datetime) -> Quote | None:
        """The last two-sided quote of a contract at or before ``now``, of whatever session."""
        if not isinstance(contract, Option):
            return self._underlyings.last_quote(contract, self.days, now)
        indexed = self._of.get(contract.product)
        found = None if indexed is None else indexed.last_quoted(contract, now)
        if indexed is None or found is None:
            return None
        number, row = found
        return _quote_of(indexed.data.rows(number), row, indexed)

    # -- where it is found ------------------------------------------------------------------

    def _session(self, now: datetime) -> Session | None:
        return self._sessions.on(new_york(now).date())

    def _number(self, product: str, now: datetime) -> tuple[Indexed, int] | None:
        indexed = self._of.get(product)
        number = None if indexed is None else indexed.number(now)
        return None if indexed is None or number is None else (indexed, number)

    def _stamp(self, now: datetime, session: Session) -> datetime:
        """The latest snapshot, as VIX and windows of the day go by it."""
        if any(indexed.stands(session.date) for indexed in self._of.values()):
            return now
        seen = [t for t in self._instants.get(session.date, ()) if t <= now]
        return seen[-1] if seen else session.open

    def _found(self, contract: Contract, now: datetime) -> tuple[Indexed, int, int] | None:
        """The product's snapshots, the one that counts, and the row of a contract that trades in it."""
        found = self._number(contract.product, now)
        if found is None or not isinstance(contract, Option):
            return None
        indexed, number = found
        if contract.multiplier != indexed.product.multiplier:
            return None
        row = indexed.find(contract, number, now)
        return None if row is None else (indexed, number, row)

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        if not isinstance(contract, Option):
            return self._underlyings.quote(contract, now)
        found = self._found(contract, now)
        if found is None:
            return None
        indexed, number, row = found
        return _quote_of(indexed.rows(number), row, indexed, indexed.seen(number, now))

    def _mark(self, contract: Contract, now: datetime) -> float:
        if not isinstance(contract, Option):
            quote = self._underlyings.quote(contract, now)
            return float("nan") if quote is None or quote.mid is None else float(quote.mid)
        found = self._found(contract, now)
        if found is None:
            return float("nan")
        indexed, number, row = found
        rows = indexed.rows(number)
        bid, ask = int(rows.bid[row]), int(rows.ask[row])
        return (bid + ask) * (0.5 * float(indexed.product.tick)) if min(bid, ask) >= 0 else float("nan")

    # -- chains -----------------------------------------------------------------------------

    def _build(self, indexed: Indexed, number: int, expiry: date, now: datetime) -> Chain | None:
        read, rows, product = self._reading(indexed, number), indexed.rows(number), indexed.product
        here, at = rows.of(expiry.toordinal()), indexed.minutes[number]
        place = None if read is None else read[1].of_expiry(expiry.toordinal())
        if read is None or place is None or here is None:
            return None
        reading, (e, of_expiry) = read[0], place
        return Chain(
            product=product.key,
            expiry=expiry,
            as_of=indexed.seen(number, now),
            multiplier=product.multiplier,
            tick=product.tick,
            strike_unit=rows.strike_unit,
            forward=self._underlyings.future(product, expiry, instant_of(at)) or float(reading.forward[e]),
            discount=float(reading.discount[e]),
            years=self._clock.years(at, indexed.end(expiry.toordinal())),
            right=rows.right[here].astype(np.int8),
            strike=rows.strike[here].astype(np.int64),
            bid=rows.bid[here].astype(np.int64),
            ask=rows.ask[here].astype(np.int64),
            iv=reading.iv[of_expiry],
            delta=reading.delta[of_expiry],
            interpolated=reading.interpolated[of_expiry],
        )

    def _reading(self, indexed: Indexed, number: int) -> tuple[Reading, Places] | None:
        """All expiries of one snapshot, None where nothing says what the underlying is; nothing before or
        after it takes part.
        """
        key = (indexed.product.key, number)
        if key not in self._read:
            self._read[key] = self._read_one(indexed, number)
            if len(self._read) > READINGS_KEPT:
                self._read.popitem(last=False)
        return self._read[key]

    def _read_one(self, indexed: Indexed, number: int) -> tuple[Reading, Places] | None:
        at = instant_of(indexed.minutes[number])
        spot = self._underlyings.own_level(indexed, at)
        if spot is None and not indexed.product.ratio_drifts:
            family = self.spot(indexed.product.family, at)
            spot = None if family is None else family * float(indexed.product.index_ratio)
        if spot is None:
            return None
        rate, rate_sd = self._rate(indexed.minutes[number])
        instant, places = indexed.instant(number, self._clock, spot=spot, rate=rate, rate_sd=rate_sd)
        return read_instant(instant), places

    def _rate(self, at: int) -> tuple[float, float]:
        """Yesterday's: today's is published after the close."""
        known = int(np.searchsorted(self._history.spx.day, np.datetime64(instant_of(at).date())))
        rate = float(self._history.rate[known - 1]) if known else float("nan")
        return (rate, RATE_SD) if np.isfinite(rate) else (NO_RATE, NO_RATE_SD)

    # -- bars and notes ---------------------------------------------------------------------

    def _own_notes(self) -> tuple[str, ...]:
        grid = "minute" if self.grid_minutes == 1 else f"{self.grid_minutes} minutes"
        said = [f"recorded quotes every {grid}; a reading is the latest snapshot"]
        late = [key for key, indexed in self._of.items() if indexed.is_end_of_day]
        if late:
            said.append(
                f"end-of-day chains of {', '.join(late)}: the day's one snapshot stands for the whole day, "
                "so entries, exits and fills of a day are all at its quotes"
            )
        if not self._underlyings.has_vix:
            said.append("intraday VIX is the day's open: the recording has none")
        for indexed in self._of.values():
            said += indexed.data.notes
        return (*said, *self._gaps(), *self._day_notes())

    def _gaps(self) -> Iterator[str]:
        """Where nothing is recorded for sessions on end, nothing is played, and what is held waits."""
        missing = sum(
            len(self._sessions.between(one, other)) - 2
            for one, other in zip(self.days, self.days[1:], strict=False)
        )
        if missing:
            yield (
                f"{len(self.days):,} sessions are recorded, {missing:,} between them are not: what is held "
                "then can be neither managed nor closed"
            )

    def _day_notes(self) -> Iterator[str]:
        vixless = [d for d in self.days if on_day(self._history.vix.day, self._history.vix.open, d) is None]
        for day in vixless if not self._underlyings.has_vix else ():
            yield f"{day}: no VIX in the history"
        if any(i.product.family == "SPX" and not i.product.future for i in self._of.values()):
            for day in self.days:
                session = self._sessions.on(day)
                after = session is not None and self._instants[day][-1] >= session.close
                if not after and on_day(self._history.spx.day, self._history.spx.close, day) is None:
                    yield f"{day}: neither a snapshot at the close nor a history: nothing can settle"


def _quote_of(rows: Rows, row: int, indexed: Indexed, as_of: datetime | None = None) -> Quote:
    bid, ask, tick = int(rows.bid[row]), int(rows.ask[row]), indexed.product.tick
    return Quote(
        bid=None if bid < 0 else bid * tick,
        ask=None if ask < 0 else ask * tick,
        as_of=as_of or instant_of(rows.minute),
    )


def _by_day(minutes: NDArray[np.int64]) -> dict[date, tuple[datetime, ...]]:
    days: dict[date, list[datetime]] = {}
    for minute in minutes.tolist():
        days.setdefault(new_york(instant_of(minute)).date(), []).append(instant_of(minute))
    return {day: tuple(instants) for day, instants in days.items()}


def _grid(products: Collection[Indexed]) -> int:
    """Minutes between snapshots, of the coarsest product."""
    return max((p.grid_minutes for p in products), default=DAY_MINUTES)


def _clock(sessions: Sessions) -> VarianceClock:
    stamps = np.array([(s.open.timestamp(), s.close.timestamp()) for s in sessions], dtype=np.int64) // 60
    return VarianceClock.of(stamps[:, 0], stamps[:, 1])
