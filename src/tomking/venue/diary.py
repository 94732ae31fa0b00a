"""What was asked of a venue, in a file: read again, the same market makes the same account of it.

The account follows from its market, its start and the requests with their instants, so these are all that is
kept: one JSON object a line, the first of them what the venue was opened with.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from tomking.adapters.tastytrade.symbols import UnknownSymbol
from tomking.domain.contract import Contract
from tomking.domain.errors import BadData
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg
from tomking.execution.wire import Cancel, Place, Replace
from tomking.venue.complexes import AskedComplex, asked_complex
from tomking.venue.house import ComplexBody, ComplexEnd, House
from tomking.venue.orders import Asked, Wrong, asked

Json = dict[str, object]


@dataclass(slots=True)
class Diary:
    """One file of a venue's requests."""

    path: Path
    opened: Mapping[str, str]
    """What makes the venue: date, seed, capital, account ... as texts."""

    def replay(self, house: House) -> datetime:
        """Does everything again that the file holds, with the clock standing; the instant it ends at.

        A new file is begun with what the venue is opened with.  ``BadData`` for a file of another venue, or
        one that cannot be read; the house is then of no use.
        """
        now = house.clock.now()
        if not self.path.exists():
            self._append({"opened": dict(self.opened)})
            return now
        entries = self._entries()
        if not entries or entries[0].get("opened") != dict(self.opened):
            found = entries[0].get("opened") if entries else None
            raise BadData([f"{self.path}: belongs to another sandbox ({found}); name another file"])
        for number, entry in enumerate(entries[1:], start=2):
            try:
                now = datetime.fromisoformat(str(entry["at"]))
                house.clock.move(now)
                house.now()
                _again(entry, house, now)
            except (KeyError, ValueError, ArithmeticError) as error:
                raise BadData([f"{self.path}, line {number}: {error!r}"]) from error
        house.account.reports()  # nobody is told again
        return now

    def note(self, house: House) -> None:
        """From now on every request that is taken goes into the file before it is answered."""
        house.noted = lambda request, at: self._append(_entry(request, at, house))

    def stopped(self, at: datetime) -> None:
        """The instant the venue was closed at: the next one goes on from there."""
        self._append({"at": at.isoformat()})

    def _entries(self) -> list[Json]:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        try:
            return [json.loads(line) for line in lines if line.strip()]
        except ValueError as error:
            raise BadData([f"{self.path}: {error}"]) from error

    def _append(self, entry: Mapping[str, object]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def _entry(request: Place | Replace | Cancel | ComplexBody | ComplexEnd, at: datetime, house: House) -> Json:
    when = at.isoformat()
    match request:
        case ComplexBody(body=body):
            return {"at": when, "complex": dict(body)}
        case ComplexEnd(id=id_):
            return {"at": when, "complex-end": id_}
        case Cancel(order=order):
            return {"at": when, "cancel": order}
        case Replace(order=order):
            return {"at": when, "replace": order, "tag": request.tag, "limit": str(request.limit)}
        case Place():
            legs = [
                [leg.contract.product, house.directory.listed(leg.contract).symbol, leg.ratio]
                for leg in request.legs
            ]
            return {
                "at": when, "place": request.tag, "legs": legs, "units": request.units,
                "limit": str(request.limit), "opens": request.opens,
                "overnight": request.good_till_cancelled, "strict": request.strict,
            }  # fmt: skip


def _again(entry: Json, house: House, now: datetime) -> None:
    if "cancel" in entry:
        house.handle(Cancel("again", str(entry["cancel"])), now)
    elif "replace" in entry:
        limit = Decimal(str(entry["limit"]))
        house.handle(Replace("again", str(entry["tag"]), str(entry["replace"]), limit), now)
    elif "complex-end" in entry:
        house.cancel_complex(int(str(entry["complex-end"])))
    elif "complex" in entry:
        _complex_again(entry["complex"], house)
    elif "place" in entry:
        rows = entry["legs"]
        if not isinstance(rows, list):
            raise ValueError("an order without legs")
        place = Place(
            "again",
            str(entry["place"]),
            tuple(Leg(_contract(product, symbol, house), int(ratio)) for product, symbol, ratio in rows),
            int(str(entry["units"])),
            Decimal(str(entry["limit"])),
            entry["opens"] is True,
            entry["overnight"] is True,
            strict=entry["strict"] is True,
        )
        house.handle(place, now)


def _complex_again(body: object, house: House) -> None:
    if not isinstance(body, Mapping):
        raise ValueError("a complex order is an object")  # noqa: TRY004 - of what a file holds

    def read(body: Mapping[str, object], *, stops: bool) -> Asked | tuple[Wrong, ...]:
        return asked(body, house.directory, stops=stops)

    order = asked_complex(body, read)
    if not isinstance(order, AskedComplex):
        raise ValueError("; ".join(one.message for one in order))  # noqa: TRY004 - of what a file holds
    house.place_complex(order, body)


def _contract(product: str, symbol: str, house: House) -> Contract:
    """The contract of a symbol; that of a future's option is in the chain of that day."""
    try:
        return house.directory.contract(symbol)
    except UnknownSymbol:
        if not PRODUCTS[product].future:
            raise
    house.futures_chain(product)
    return house.directory.contract(symbol)
