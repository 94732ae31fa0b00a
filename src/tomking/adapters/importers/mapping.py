"""A mapping: which column of a table is what.  Layouts are data of this type, a user's own TOML file too.

Field names are the keys of the TOML file; docs/importing.md has a complete example.
"""

import re
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

Wall = time
"""A wall clock, under a name that no field hides."""
EPOCHS = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1, "epoch-ns": 0.001}
"""Formats of a whole number since 1970-01-01 UTC, in microseconds per count."""
ISO = "iso"
_WORD_MAX = 40
CLOSE = time(16, 0)
"""New York: the close of a full session, from which an early close is counted."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _column(value: object) -> object:
    """``strike = "Strike"`` is short for ``strike = { column = "Strike" }``."""
    return {"column": value} if isinstance(value, str) else value


def _readable(formats: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [f for f in formats if f != ISO and f not in EPOCHS and "%" not in f]
    if wrong or not formats:
        words = did_you_mean(wrong[0], (ISO, *EPOCHS)) if wrong else ""
        raise ValueError(f"{', '.join(wrong) or 'nothing'} is no format; {words} or as strptime, %d.%m.%Y")
    return formats


def _tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Formats = Annotated[tuple[str, ...], BeforeValidator(_tuple), AfterValidator(_readable)]


class Stamp(_Model):
    """When a quote was seen: an instant, a date with a time, or one moment for the whole file."""

    column: str | None = None
    format: Formats = (ISO,)
    """``iso``, ``epoch-s``, ``epoch-ms``, ``epoch-us``, ``epoch-ns``, or as strptime; first that reads."""
    time: Wall | None = None
    """Wall clock where the column holds dates only."""
    time_column: str | None = None
    """Column of the wall clock (HH:MM or HH:MM:SS) beside a column of dates."""
    early_close_from: date | None = None
    """From this day on ``time`` moves with an early close: 16:00 is then 13:00, and 15:45 12:45."""
    bar_minutes: int = Field(default=0, ge=0, le=1440)
    """Of bars that are stamped with their start, how long they are: a row is seen when its bar is over."""
    constant: AwareDatetime | None = None
    name_pattern: str | None = None
    """Regular expression on the file's name with a group ``date`` (YYYYMMDD) and perhaps ``time`` (HHMM)."""
    optional: bool = False
    """An empty cell means that the row has no such quote, instead of being a problem."""

    @model_validator(mode="after")
    def _is_one_moment(self) -> Self:
        given = [n for n in ("column", "constant", "name_pattern") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of column, constant, name_pattern")
        if self.time is not None and self.time_column is not None:
            raise ValueError("give time or time_column, not both")
        if self.name_pattern is not None and "date" not in _groups(self.name_pattern):
            raise ValueError("name_pattern needs a group (?P<date>...)")
        return self


class Root(_Model):
    """The option root: SPXW, AAPL ..."""

    column: str | None = None
    constant: str | None = None
    rename: dict[str, str] = Field(default_factory=dict)
    """The vendor's name to tomking's: ``{"^SPX" = "SPX"}``."""


class Expiry(_Model):
    column: str
    format: Formats = (ISO,)
    """As of a stamp; only the date counts, in the mapping's zone."""


class Strike(_Model):
    column: str
    scale: float = Field(default=1.0, gt=0)
    """Points per unit of the column: 0.001 where 1200000 means 1200."""


class Right(_Model):
    column: str
    calls: Texts = ("c", "call")
    """Texts that mean a call, in any case."""
    puts: Texts = ("p", "put")


class Multiplier(_Model):
    column: str | None = None
    constant: float | None = Field(default=None, gt=0)


class Quote(_Model):
    """One quote of a row.  A row with a call and a put, or with two moments, has two."""

    side: Literal["call", "put"] | None = None
    """Where the layout says it by the column instead of by a letter."""
    stamp: Annotated[Stamp, BeforeValidator(_column)] | None = None
    """Where it differs from the mapping's."""
    bid: str | None = None
    ask: str | None = None
    bid_size: str | None = None
    ask_size: str | None = None
    sizes: str | None = None
    """One column with both: "300 x 12"."""
    volume: str | None = None
    open_interest: str | None = None
    spot: str | None = None
    """Price of the underlying."""
    spot_bid: str | None = None
    """With ``spot_ask`` instead of ``spot``: their middle where both are above 0."""
    spot_ask: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.spot_bid is None) != (self.spot_ask is None) or (self.spot and self.spot_bid):
            raise ValueError("give spot, or both of spot_bid and spot_ask")
        if self.sizes and (self.bid_size or self.ask_size):
            raise ValueError("give sizes, or bid_size and ask_size")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        names = set(type(self).model_fields) - {"side", "stamp"}
        found = [getattr(self, n) for n in sorted(names)]
        return tuple(c for c in found if c is not None) + _stamp_columns(self.stamp)


class Mapping(_Model):
    """One layout of a table."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    quotes: tuple[Quote, ...] = Field(min_length=1)
    root: Annotated[Root, BeforeValidator(_column)] | None = None
    """None: the user says it (``--product``)."""
    stamp: Annotated[Stamp, BeforeValidator(_column)] | None = None
    """None: the user says it (``--at``), or each quote has its own."""
    symbol: str | None = None
    """Column of OSI symbols (``SPXW  180131C01200000``): root, expiry, right and strike at once."""
    expiry: Annotated[Expiry, BeforeValidator(_column)] | None = None
    strike: Annotated[Strike, BeforeValidator(_column)] | None = None
    right: Annotated[Right, BeforeValidator(_column)] | None = None
    multiplier: Annotated[Multiplier, BeforeValidator(_column)] | None = None
    zone: str = "America/New_York"
    """Of stamps that have no offset."""
    separator: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    empty: tuple[str, ...] = ()
    """Texts that mean an empty cell, besides the empty text."""
    fixed_point: int = Field(default=0, ge=0, le=12)
    """Decimal places of prices written as whole numbers (Databento: 9); with a point they are decimals."""
    may_lack: tuple[str, ...] = ()
    """Columns that some files of this layout do not have; what they say is then empty."""
    marks: tuple[str, ...] = ()
    """Columns by which the layout is known, besides those that are read."""
    without: tuple[str, ...] = ()
    """Columns that files of this layout never have: a file with one of them is not recognised as it."""
    one_value: tuple[str, ...] = ()
    """Columns that must say the same in all rows of a file: a venue, for one."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        wrong = [*self._contract_faults(), *self._other_faults()]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _contract_faults(self) -> list[str]:
        parts = {"expiry": self.expiry, "strike": self.strike, "right": self.right}
        sides = all(q.side is not None for q in self.quotes)
        if self.symbol is not None:
            extra = [n for n, part in parts.items() if part is not None]
            return [f"symbol already says {', '.join(extra)}; leave them out"] if extra else []
        missing = [n for n in ("expiry", "strike") if parts[n] is None]
        if self.right is None and not sides:
            missing.append("right (or side in every [[quotes]])")
        wrong = [f"{m} is missing; or give symbol, a column of OSI symbols" for m in missing]
        if self.right is not None and any(q.side is not None for q in self.quotes):
            wrong.append("give right, or side in every [[quotes]], not both")
        return wrong

    def _other_faults(self) -> list[str]:
        wrong = (
            [] if known_zone(self.zone) else [f"zone {self.zone!r} is not a time zone; America/New_York is"]
        )
        if self.decimal == self.separator:
            wrong.append("decimal and separator are the same character")
        stamps = [q.stamp for q in self.quotes]
        if self.stamp is None and any(stamps) and not all(stamps):
            wrong.append("stamp is missing: give it for the mapping, or in every [[quotes]]")
        return wrong

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the mapping speaks of, each once."""
        parts = (self.root, self.expiry, self.strike, self.right, self.multiplier)
        of_parts = [p.column for p in parts if p is not None and p.column is not None]
        symbol = [self.symbol] if self.symbol else []
        of_quotes = [c for q in self.quotes for c in q.columns]
        return tuple(
            dict.fromkeys([*_stamp_columns(self.stamp), *symbol, *of_parts, *of_quotes, *self.one_value])
        )

    @property
    def needs_at(self) -> bool:
        """Whether a quote has no stamp in the file."""
        stamps = [q.stamp or self.stamp for q in self.quotes]
        return any(s is None or s.column is None for s in stamps)

    def at(self, instant: datetime) -> "Mapping":
        """The same with every stamp that the file does not have at this aware instant."""
        quotes = tuple(
            q.model_copy(update={"stamp": Stamp(constant=instant)}) if q.stamp and not q.stamp.column else q
            for q in self.quotes
        )
        stamp = self.stamp if self.stamp and self.stamp.column else Stamp(constant=instant)
        return self.model_copy(update={"quotes": quotes, "stamp": stamp})


def _groups(pattern: str) -> tuple[str, ...]:
    try:
        return tuple(re.compile(pattern).groupindex)
    except re.error as error:
        raise ValueError(f"name_pattern is no regular expression ({error})") from None


def at_close(column: str, form: Texts = (ISO,), *, optional: bool = False) -> Stamp:
    """The close of the session of a date: 16:00 New York, earlier on half days."""
    return Stamp(column=column, format=form, time=CLOSE, early_close_from=date.min, optional=optional)


def _stamp_columns(stamp: Stamp | None) -> tuple[str, ...]:
    found = (None, None) if stamp is None else (stamp.column, stamp.time_column)
    return tuple(c for c in found if c is not None)


@cache
def known_zone(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """``did you mean "strike"?``, or the list of what is known."""
    lower = {k.lower(): k for k in known if len(k) <= _WORD_MAX}
    near = get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return f'did you mean "{lower[near[0]]}"?' if near else f"known: {', '.join(list(lower.values())[:16])}"


def normal(name: str) -> str:
    """A column's name as it is compared: without space, brackets and case."""
    return title(name).lower()


def title(name: str) -> str:
    """A column's name as it is said: without space and brackets around it."""
    return re.sub(r"^[\s\[]+|[\s\]]+$", "", name.lstrip("\ufeff"))
