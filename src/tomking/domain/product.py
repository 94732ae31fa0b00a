"""What the table of products says of one: the fields of its rows, each with its unit."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from enum import Enum


class Settlement(Enum):
    """What is left of an option at expiry."""

    CASH = "cash"
    """The intrinsic value in cash: at the 16:00 New York print (SPXW, XSP), or at the open (SPX)."""
    FUTURE = "future"
    """In the money: a position in the future at the strike (ES, MES; fixing 16:00 New York)."""
    SHARES = "shares"
    """In the money: 100 shares at the strike."""


class Style(Enum):
    """When the holder may exercise."""

    EUROPEAN = "European"
    AMERICAN = "American"


class Kind(Enum):
    """What the option, or the row itself, is on."""

    INDEX = "index"
    ETF = "ETF"
    STOCK = "stock"
    FUTURE = "future"


class Cycle(Enum):
    """Which rule dates a product's futures and monthly options (``domain.expiries``)."""

    THIRD_FRIDAY = "third Friday"
    """Index, ETF and stock options; equity-index futures, the quarterly ones."""
    CRUDE = "crude oil"
    GOLD = "gold"
    CURRENCY = "currency"
    TREASURY = "Treasury"
    VIX = "VIX"


class Venue(Enum):
    """Which calendar a product keeps (``adapters.calendars.load_product_sessions``)."""

    SECURITIES = "securities"
    INDEX_OPTIONS = "index options"
    EQUITY_FUTURES = "equity-index futures"
    ENERGY_METALS = "energy and metals"
    RATES = "interest rates"
    CURRENCIES = "currencies"
    VOLATILITY = "volatility futures"


@dataclass(frozen=True, slots=True)
class Hours:
    """Of an ordinary day, on New York clocks.  Holidays and half days are the calendar's matter."""

    open: time
    close: time
    """On half days earlier: see ``Venue``."""
    from_evening: bool = False
    """True: ``open`` is on the calendar day before the trade date, on Sunday for Monday."""
    outside: tuple[tuple[time, time], ...] = ()
    """Further sessions with thin quotes, which no strategy trades in; the first starts on the evening before
    when its start is after its end."""


@dataclass(frozen=True, slots=True)
class FutureSpec:
    """The future beneath an option, or the row itself."""

    tick: Decimal
    """Points."""
    months: str
    """Letters of the delivery months that are traded and delivered into: HMUZ is quarterly."""
    physical: bool
    """True where the future ends in delivery, so that first notice matters."""


@dataclass(frozen=True, slots=True)
class Listing:
    """For how many calendar days before it an expiry is listed; 0: the product lists none of the kind."""

    sessions: int = 0
    """Every session (Monday to Friday)."""
    weekdays: str = ""
    """Letters of the weekdays that have an expiry of their own (MTWRF), listed for ``weekday_days``."""
    weekday_days: int = 0
    fridays: int = 0
    monthly: int = 0
    """The monthly expiry of the product's ``Cycle``."""
    quarterly: int = 0
    """The monthly one of March, June, September and December."""
    month_end: int = 0
    quarter_end: int = 0
    leaps: int = 0
    """Long-dated: the third Fridays of January, June and December."""
    counted: bool = False
    """Besides Fridays three month-ends and two quarterlies, and nothing on a quarterly third Friday."""


@dataclass(frozen=True, slots=True)
class Product:
    """One root.  Point amounts are as listed at the real scale (see ``Contract``)."""

    key: str
    family: str
    """Underlyings that are one exposure share a family (ruling 13): SPX = ES, MES, SPXW, XSP ..."""
    multiplier: Decimal
    """Dollars per point."""
    index_ratio: Decimal
    """Points of this product per point of the family's level: 1, or 0.1 for XSP; see ``ratio_drifts``."""
    tick: Decimal
    """Quote grid of the cheapest options, points; also the grid of multi-leg net prices."""
    tick_above: Decimal
    """Quote grid at and above ``tick_from`` points."""
    tick_from: Decimal
    settlement: Settlement
    fee_class: str
    """Row of the fee table (``domain.fees``)."""
    strike_grid: Decimal
    """The finest listed strike interval, points."""
    future: bool
    """True when the option is on a future (margin by scan), False for cash index options and shares."""
    settles_at_open: bool
    """True for AM settlement: at the opening levels of the expiry day, last traded the session before."""
    name: str
    kind: Kind
    style: Style
    """Of the ordinary series; ``domain.expiries.terms_of`` knows the quarterly exceptions."""
    group: str
    """Correlation group of methodology C.5; V (VIX) is not in that table."""
    cycle: Cycle
    venue: Venue
    hours: Hours
    listing: Listing
    source: str
    """Where the row comes from."""
    ratio_drifts: bool = False
    """True where ``index_ratio`` is only about right (a fund's expenses and distributions): a level taken
    from another member of the family is then not this product's level."""
    lists_options: bool = True
    spec: FutureSpec | None = None
    """None where no future is beneath it."""
    full: str | None = None
    """For a micro: the contract that ten of it make up (methodology C.13)."""
    confirm: str = ""
    """What must be read from the broker's instrument before this row is traded live; "" nothing."""

    @property
    def micro(self) -> bool:
        """Whether it is a micro future, or an option on one."""
        return self.full is not None

    @property
    def tick_rule(self) -> tuple[tuple[Decimal, Decimal], ...]:
        """(from this price on, quote grid), ascending, points."""
        if self.tick == self.tick_above:
            return ((Decimal(0), self.tick),)
        return ((Decimal(0), self.tick), (self.tick_from, self.tick_above))

    def quote_tick(self, price: Decimal) -> Decimal:
        """The grid that one option's quote at ``price`` points lies on; for net prices it is ``tick``."""
        return self.tick_above if abs(price) >= self.tick_from else self.tick
