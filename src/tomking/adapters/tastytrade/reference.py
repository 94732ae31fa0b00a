"""Reference data, asked once while it lasts: instruments, chains, metrics, calendars (issue 8).

Answers are kept in memory and, where a folder is named, on disk, so that a restart in the middle of a session
costs no calls.  How long each kind lasts is ``LIFETIMES``; a chain never outlasts its New York day, because
listings change overnight.  ``saved`` counts the calls that were not needed.

``Reference`` is synchronous and opens a session of its own: it is for starting up and for the evening, never
for the loop.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from pathlib import Path

from tomking.adapters.tastytrade import chains
from tomking.adapters.tastytrade.rest import Answered, ask
from tomking.adapters.tastytrade.session import GuardedSession
from tomking.adapters.tastytrade.symbols import Listed, underlying
from tomking.adapters.tastytrade.words import UnknownWord
from tomking.domain.calendar import new_york
from tomking.domain.errors import BadData
from tomking.domain.eventcalendar import Dates, Event
from tomking.execution.wire import Outcome


class Kind(Enum):
    """What is known by the beginning of its path."""

    CHAIN = ("/option-chains/", "/futures-option-chains/")
    INSTRUMENT = ("/instruments/",)
    METRICS = ("/market-metrics",)
    CALENDAR = ("/market-time/",)


LIFETIMES = {
    Kind.CHAIN: timedelta(hours=12),
    Kind.INSTRUMENT: timedelta(hours=24),
    Kind.METRICS: timedelta(minutes=15),
    Kind.CALENDAR: timedelta(hours=24),
}
METRICS_AT_ONCE = 50
"""Symbols in one question."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the broker says of one underlying; None for what it does not say."""

    symbol: str
    iv_rank: Decimal | None
    """0 to 1."""
    iv_percentile: Decimal | None
    beta: Decimal | None
    earnings: date | None
    """The next expected report."""
    ex_dividend: date | None
    dividend: Decimal | None
    """Dollars a share."""


@dataclass(frozen=True, slots=True)
class _Kept:
    at: datetime
    answered: Answered


@dataclass(slots=True)
class Reference:
    """See the module."""

    open_session: Callable[[], GuardedSession]
    now: Callable[[], datetime]
    folder: Path | None = None
    """Of one environment only: nothing in it says whose it is."""
    asked: int = 0
    """Calls that went out."""
    saved: int = 0
    """Calls that did not have to."""
    _kept: dict[str, _Kept] = field(default_factory=dict[str, _Kept])

    def listed(self, products: Iterable[str]) -> list[Listed]:
        """The options of these products that the broker lists today.

        ``BadData`` names every underlying whose chain is not answered or cannot be read; one that the broker
        does not know (404) has none.
        """
        wanted = list(dict.fromkeys(products))
        under = list(dict.fromkeys(underlying(one) for one in wanted))
        found: list[Listed] = []
        problems: list[str] = []
        for one, answered in zip(under, self.read([_chain_path(one) for one in under]), strict=True):
            if answered.status == 404:
                continue
            try:
                found += _options(one, answered)
            except UnknownWord as error:
                problems.append(f"the chain of {one} cannot be read: {error}")
        if problems:
            raise BadData(problems)
        return [one for one in found if one.contract.product in wanted]

    def metrics(self, symbols: Iterable[str]) -> dict[str, Metrics]:
        """Of each symbol that the broker knows; ``BadData`` where it does not answer."""
        wanted = sorted(set(symbols))
        groups = [wanted[i : i + METRICS_AT_ONCE] for i in range(0, len(wanted), METRICS_AT_ONCE)]
        paths = [f"/market-metrics?symbols={','.join(group)}" for group in groups]
        rows = [row for answered in self.read(paths) for row in _answered(answered, "market metrics").items]
        found = [_metrics(row) for row in rows if isinstance(row, Mapping)]
        return {one.symbol: one for one in found}

    def read(self, paths: Sequence[str]) -> list[Answered]:
        """GETs, in this order; from what is kept where that still lasts.

        Only good answers are kept, and only of the kinds above.
        """
        known = {path: self._look_up(path) for path in paths}
        missing = [path for path, answered in known.items() if answered is None]
        if missing:
            known |= dict(zip(missing, asyncio.run(self._ask(missing)), strict=True))
        self.asked += len(missing)
        self.saved += len(paths) - len(missing)
        return [answered for answered in map(known.get, paths) if answered is not None]

    def forget(self) -> None:
        """Asks everything anew from now on."""
        self._kept.clear()
        for file in self.folder.glob("*.json") if self.folder is not None else ():
            file.unlink(missing_ok=True)

    async def _ask(self, paths: Sequence[str]) -> list[Answered]:
        async with self.open_session() as session:
            answers = []
            for path in paths:
                answered = await ask(session, "GET", path, about_an_order=False)
                if answered.outcome is Outcome.ACCEPTED and kind_of(path) is not None:
                    self._keep(path, answered)
                answers.append(answered)
            return answers

    def _look_up(self, path: str) -> Answered | None:
        kept = self._kept.get(path) or self._from_disk(path)
        if kept is None or not lasts(path, kept.at, self.now()):
            return None
        self._remember(path, kept)
        return kept.answered

    def _keep(self, path: str, answered: Answered) -> None:
        at = self.now()
        self._remember(path, _Kept(at, answered))
        if self.folder is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._file(path)
        draft = file.with_suffix(f".{os.getpid()}.draft")
        row = {"path": path, "at": at.isoformat(), "status": answered.status, "body": answered.body}
        draft.write_text(json.dumps(row), encoding="utf-8")
        draft.replace(file)

    def _remember(self, path: str, kept: _Kept) -> None:
        """A hundred thousand options are read once a session: where there is a disk they stay there."""
        if self.folder is None or kind_of(path) is not Kind.CHAIN:
            self._kept[path] = kept

    def _from_disk(self, path: str) -> _Kept | None:
        """What another run has kept; a file that is damaged is as good as none."""
        if self.folder is None:
            return None
        try:
            row = json.loads(self._file(path).read_text(encoding="utf-8"))
            if row["path"] != path:
                return None
            at = datetime.fromisoformat(row["at"])
            return _Kept(at, Answered(Outcome.ACCEPTED, row["body"], int(row["status"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _file(self, path: str) -> Path:
        assert self.folder is not None, "asked before"
        return self.folder / f"{sha256(path.encode()).hexdigest()[:24]}.json"


def dates_of(metrics: Iterable[Metrics], today: date) -> dict[str, Dates]:
    """Earnings and dividends for the event calendar.

    The broker tells the next report only: up to it, and no further, nothing else is to come.  Where it tells
    none, nothing is known beyond today, so that a strict calendar blocks the name.
    """
    found = {}
    for one in metrics:
        days = {Event.EARNINGS: one.earnings, Event.EX_DIVIDEND: one.ex_dividend}
        coming = {event: (day,) for event, day in days.items() if day is not None and day >= today}
        last = one.earnings if Event.EARNINGS in coming and one.earnings else today
        found[one.symbol] = Dates(today, last, coming)
    return found


def kind_of(path: str) -> Kind | None:
    """What a path asks for; None for what is never kept."""
    return next((kind for kind in Kind if path.startswith(kind.value)), None)


def lasts(path: str, at: datetime, now: datetime) -> bool:
    """Whether an answer of that instant is still good; one from the future is not."""
    kind = kind_of(path)
    if kind is None or not at <= now < at + LIFETIMES[kind]:
        return False
    return kind is not Kind.CHAIN or new_york(at).date() == new_york(now).date()


def _chain_path(one: str) -> str:
    return (
        f"/futures-option-chains/{one[1:]}/nested" if one.startswith("/") else f"/option-chains/{one}/nested"
    )


def _options(one: str, answered: Answered) -> list[Listed]:
    _answered(answered, f"the chain of {one}")
    return chains.futures_chain(answered.data) if one.startswith("/") else chains.equity_chain(answered.items)


def _answered(answered: Answered, what: str) -> Answered:
    if answered.outcome is not Outcome.ACCEPTED:
        why = answered.text or answered.code
        raise BadData([f"{what} was not answered ({why}); is the broker there?"])
    return answered


def _metrics(row: Mapping[str, object]) -> Metrics:
    earnings = row.get("earnings")
    report = earnings.get("expected-report-date") if isinstance(earnings, Mapping) else None
    return Metrics(
        symbol=str(row.get("symbol")),
        iv_rank=_amount(row.get("implied-volatility-index-rank")),
        iv_percentile=_amount(row.get("implied-volatility-percentile")),
        beta=_amount(row.get("beta")),
        earnings=_day(report),
        ex_dividend=_day(row.get("dividend-ex-date")),
        dividend=_amount(row.get("dividend-rate-per-share")),
    )


def _amount(value: object) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
