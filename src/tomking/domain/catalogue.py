"""The one data file of tradable products: public facts, each row with its source.

Methodology sections D.3 (ticks), D.4 (style and settlement), D.6 (fee classes), C.5 (groups), C.13 (micros),
and the exchanges' contract specifications named in each row.  ``docs/products.md`` shows the table and
what in it is doubtful; ``tests/unit/test_products.py`` compares it with LEAN's databases.
"""

from datetime import time
from decimal import Decimal

from tomking.domain.product import Cycle, FutureSpec, Hours, Kind, Listing, Product, Settlement, Style, Venue

# -- hours, New York ------------------------------------------------------------------------------
_GLOBAL = ((time(20, 15), time(9, 25)), (time(16, 15), time(17, 0)))
INDEX_HOURS = Hours(time(9, 30), time(16, 15), outside=_GLOBAL)
"""Cboe: 09:30 to 16:15, expiring PM series until 16:00; global hours and curb (LEAN: the first to 09:15)."""
SHARE_HOURS = Hours(time(9, 30), time(16, 0))
LATE_HOURS = Hours(time(9, 30), time(16, 15))
"""Options on SPY, QQQ, IWM and TLT trade 15 minutes longer (methodology D.4, ruling 18)."""
GLOBEX_HOURS = Hours(time(18, 0), time(17, 0), from_evening=True)
"""CME Globex: 17:00 to 16:00 Chicago, from Sunday evening; CFE's VX keeps the same."""

# -- which expiries are listed, calendar days -----------------------------------------------------
YEAR, HALF_YEAR = 370, 190
_LEAPS = 1100
_SPXW = Listing(sessions=21, fridays=56, monthly=YEAR, quarterly=YEAR, month_end=HALF_YEAR, quarter_end=YEAR)
_XSP = Listing(
    sessions=14, fridays=42, monthly=YEAR, quarterly=YEAR, month_end=HALF_YEAR, quarter_end=HALF_YEAR
)
_ES = Listing(
    sessions=35, fridays=56, monthly=HALF_YEAR, quarterly=YEAR, month_end=HALF_YEAR, quarter_end=HALF_YEAR
)
_MES = Listing(fridays=34, counted=True)
_SPX = Listing(monthly=YEAR, quarterly=YEAR)
_BROAD_ETF = Listing(
    sessions=14, fridays=56, monthly=YEAR, quarterly=YEAR, month_end=90, quarter_end=YEAR, leaps=_LEAPS
)
_WEEKLY_ETF = Listing(
    weekdays="MW", weekday_days=14, fridays=42, monthly=HALF_YEAR, quarterly=YEAR, leaps=760
)
_SHARES = Listing(fridays=42, monthly=HALF_YEAR, quarterly=YEAR, leaps=_LEAPS)
_FUTURES = Listing(weekdays="MTWR", weekday_days=14, fridays=35, monthly=YEAR, quarterly=YEAR)
_MICROS = Listing(fridays=28, monthly=HALF_YEAR, quarterly=HALF_YEAR)
_VIX = Listing(monthly=YEAR, quarterly=YEAR)

_QUARTERS, _ALL_MONTHS, _GOLD_MONTHS = "HMUZ", "FGHJKMNQUVXZ", "GJMQVZ"
_ASK = "style and settlement of options on micros: read from the instrument (methodology D.4)"


def _row(
    key: str,
    family: str,
    group: str,
    numbers: str,
    fee_class: str,
    *,
    name: str,
    source: str,
    kind: Kind,
    settlement: Settlement,
    style: Style,
    cycle: Cycle = Cycle.THIRD_FRIDAY,
    venue: Venue,
    hours: Hours,
    listing: Listing,
    at_open: bool = False,
    drifts: bool = False,
    options: bool = True,
    spec: FutureSpec | None = None,
    full: str | None = None,
    confirm: str = "",
) -> Product:
    """``numbers``: multiplier, ratio, tick, tick above, from, strike grid."""
    multiplier, ratio, tick, above, above_from, grid = map(Decimal, numbers.split())
    return Product(
        key=key,
        family=family,
        multiplier=multiplier,
        index_ratio=ratio,
        tick=tick,
        tick_above=above,
        tick_from=above_from,
        settlement=settlement,
        fee_class=fee_class,
        strike_grid=grid,
        future=kind is Kind.FUTURE,
        settles_at_open=at_open,
        name=name,
        kind=kind,
        style=style,
        group=group,
        cycle=cycle,
        venue=venue,
        hours=hours,
        listing=listing,
        source=source,
        ratio_drifts=drifts,
        lists_options=options,
        spec=spec,
        full=full,
        confirm=confirm,
    )


def _index(  # noqa: PLR0917 - as above
    key: str, family: str, group: str, numbers: str, fee_class: str, name: str, listing: Listing, source: str,
    *, at_open: bool = False, cycle: Cycle = Cycle.THIRD_FRIDAY, spec: FutureSpec | None = None,
) -> Product:  # fmt: skip
    return _row(
        key,
        family,
        group,
        numbers,
        fee_class,
        name=name,
        source=source,
        kind=Kind.INDEX,
        settlement=Settlement.CASH,
        style=Style.EUROPEAN,
        cycle=cycle,
        venue=Venue.INDEX_OPTIONS,
        hours=INDEX_HOURS,
        listing=listing,
        at_open=at_open,
        spec=spec,
    )


def _fund(  # noqa: PLR0917 - as above
    key: str, family: str, group: str, numbers: str, name: str, listing: Listing,
    *, late: bool = False, drifts: bool = False, kind: Kind = Kind.ETF,
) -> Product:  # fmt: skip
    return _row(
        key,
        family,
        group,
        numbers,
        "equity",
        name=name,
        source="OCC and Cboe: equity option specifications, Penny Interval Program; methodology D.4",
        kind=kind,
        settlement=Settlement.SHARES,
        style=Style.AMERICAN,
        venue=Venue.INDEX_OPTIONS if late else Venue.SECURITIES,
        hours=LATE_HOURS if late else SHARE_HOURS,
        listing=listing,
        drifts=drifts,
    )


def _future(  # noqa: PLR0917 - as above
    key: str, family: str, group: str, numbers: str, fee_class: str, name: str, spec: FutureSpec,
    venue: Venue, listing: Listing, source: str,
    *, cycle: Cycle = Cycle.THIRD_FRIDAY, style: Style = Style.EUROPEAN, options: bool = True,
    settlement: Settlement = Settlement.FUTURE, at_open: bool = False, full: str | None = None,
    confirm: str = "",
) -> Product:  # fmt: skip
    return _row(
        key,
        family,
        group,
        numbers,
        fee_class,
        name=name,
        source=source,
        kind=Kind.FUTURE,
        settlement=settlement,
        style=style,
        cycle=cycle,
        venue=venue,
        hours=GLOBEX_HOURS,
        listing=listing,
        at_open=at_open,
        options=options,
        spec=spec,
        full=full,
        confirm=confirm,
    )


def _spec(tick: str, months: str, *, physical: bool) -> FutureSpec:
    return FutureSpec(Decimal(tick), months, physical)


_CASH_QUARTERLY = _spec("0.25", _QUARTERS, physical=False)
_VX = _spec("0.05", _ALL_MONTHS, physical=False)
_CBOE, _CME = "Cboe index option specifications; methodology D.3, D.4", "CME rulebook"
_EQUITY = f"{_CME} ch. 358A, 359A and options 358A: weeklies and month-ends European PM; methodology D.4"

SINGLE_NAME_NUMBERS = "100 1 0.01 0.05 3.00 1"


def single_name_row(ticker: str) -> Product:
    """Options on one company's stock: American, 100 shares, penny grid below 3 dollars and nickels above."""
    return _fund(ticker, ticker, "A2", SINGLE_NAME_NUMBERS, f"{ticker} stock", _SHARES, kind=Kind.STOCK)


# Columns of the numbers: multiplier, ratio, tick, tick above, from, strike grid.
_SPX_FAMILY = (
    _index("SPX", "SPX", "A1", " 100 1   0.05 0.10 3.00 5", "index", "S&P 500 index, AM", _SPX, _CBOE,
           at_open=True),
    _index("SPXW", "SPX", "A1", "100 1   0.05 0.10 3.00 5", "index", "S&P 500 index, PM", _SPXW, _CBOE),
    _index("XSP", "SPX", "A1", " 100 0.1 0.01 0.01 3.00 1", "xsp", "Mini-SPX index", _XSP, _CBOE),
    _future(
        "ES", "SPX", "A1", "50 1 0.05 0.25 10.00 5", "future", "E-mini S&P 500",
        _CASH_QUARTERLY, Venue.EQUITY_FUTURES, _ES, _EQUITY,
    ),
    _future(
        "MES", "SPX", "A1", "5 1 0.05 0.25 10.00 5", "micro", "Micro E-mini S&P 500",
        _CASH_QUARTERLY, Venue.EQUITY_FUTURES, _MES, _EQUITY, full="ES",
    ),
)  # fmt: skip

_FUNDS = (
    _fund("SPY", "SPX", "A2", "100 0.1    0.01 0.01 3.00 1", "SPDR S&P 500", _BROAD_ETF,
          late=True, drifts=True),
    _fund("QQQ", "NDX", "A2", "100 0.0243 0.01 0.01 3.00 1", "Invesco QQQ", _BROAD_ETF,
          late=True, drifts=True),
    _fund("IWM", "RUT", "A2", "100 0.099  0.01 0.01 3.00 1", "iShares Russell 2000", _BROAD_ETF,
          late=True, drifts=True),
    _fund("GLD", "GC", "B1", " 100 0.0915 0.01 0.05 3.00 1", "SPDR Gold", _WEEKLY_ETF, drifts=True),
    _fund("SLV", "SI", "B2", " 100 0.91   0.01 0.05 3.00 0.5", "iShares Silver", _WEEKLY_ETF, drifts=True),
    _fund("TLT", "TLT", "B1", "100 1      0.01 0.05 3.00 0.5", "iShares 20+ Year Treasury", _WEEKLY_ETF,
          late=True),
    _fund("XOP", "XOP", "C1", "100 1      0.01 0.05 3.00 1", "SPDR Oil & Gas E&P", _SHARES),
)  # fmt: skip

_FUTURES_ROWS = (
    _future(
        "NQ", "NDX", "A1", "20 1 0.05 0.25 5.00 10", "future", "E-mini Nasdaq-100",
        _CASH_QUARTERLY, Venue.EQUITY_FUTURES, _ES, _EQUITY,
        confirm="the price above which quotes go in 0.25",
    ),
    _future(
        "MNQ", "NDX", "A1", "2 1 0.05 0.25 5.00 10", "micro", "Micro E-mini Nasdaq-100",
        _CASH_QUARTERLY, Venue.EQUITY_FUTURES, _MES, _EQUITY, full="NQ", confirm=_ASK,
    ),
    _future(
        "CL", "CL", "C1", "1000 1 0.01 0.01 1 0.5", "commodity", "WTI crude oil",
        _spec("0.01", _ALL_MONTHS, physical=True), Venue.ENERGY_METALS, _FUTURES,
        "NYMEX rulebook ch. 200 and 310; methodology D.3, D.4, D.5",
        cycle=Cycle.CRUDE, style=Style.AMERICAN, confirm="whether a weekly series is American",
    ),
    _future(
        "MCL", "CL", "C1", "100 1 0.01 0.01 1 0.5", "micro_commodity", "Micro WTI crude oil",
        _spec("0.01", _ALL_MONTHS, physical=False), Venue.ENERGY_METALS, _MICROS,
        "NYMEX Micro WTI; methodology D.4: European, cash, no future delivered",
        cycle=Cycle.CRUDE, settlement=Settlement.CASH, full="CL",
        confirm="last trading day of options (assumed that of CL options)",
    ),
    _future(
        "GC", "GC", "B1", "100 1 0.1 0.1 1 5", "commodity", "Gold",
        _spec("0.1", _GOLD_MONTHS, physical=True), Venue.ENERGY_METALS, _FUTURES,
        "COMEX rulebook ch. 113 and 115; methodology D.3, D.4, D.5",
        cycle=Cycle.GOLD, style=Style.AMERICAN,
    ),
    _future(
        "MGC", "GC", "B1", "10 1 0.1 0.1 1 5", "micro_commodity", "Micro gold",
        _spec("0.1", _GOLD_MONTHS, physical=True), Venue.ENERGY_METALS, _MICROS,
        "COMEX ch. 120; methodology D.4",
        cycle=Cycle.GOLD, style=Style.AMERICAN, full="GC", confirm=_ASK,
    ),
    _future(
        "6E", "6E", "E", "125000 1 0.00005 0.0001 0.0005 0.005", "fx", "Euro",
        _spec("0.00005", _QUARTERS, physical=True), Venue.CURRENCIES, _FUTURES,
        f"{_CME} ch. 261 and 261A; methodology D.4: European, fixing 14:00 Chicago",
        cycle=Cycle.CURRENCY, confirm="hour of the fixing: since moved from 14:00 to the morning",
    ),
    _future(
        "M6E", "6E", "E", "12500 1 0.0001 0.0001 0.0005 0.005", "micro_commodity", "Micro euro",
        _spec("0.0001", _QUARTERS, physical=True), Venue.CURRENCIES, Listing(),
        f"{_CME} ch. 292; methodology D.4: no options unless the chain shows them",
        cycle=Cycle.CURRENCY, options=False, full="6E", confirm="whether there are options at all",
    ),
    _future(
        "ZB", "ZB", "B1", "1000 1 0.015625 0.015625 1 0.5", "rates", "30-year Treasury bond",
        _spec("0.03125", _QUARTERS, physical=True), Venue.RATES, _FUTURES,
        "CBOT rulebook ch. 18 and 18A; methodology D.4",
        cycle=Cycle.TREASURY, style=Style.AMERICAN,
    ),
    _future(
        "ZN", "ZN", "B1", "1000 1 0.015625 0.015625 1 0.25", "rates", "10-year Treasury note",
        _spec("0.015625", _QUARTERS, physical=True), Venue.RATES, _FUTURES,
        "CBOT rulebook ch. 19 and 19A; methodology D.4",
        cycle=Cycle.TREASURY, style=Style.AMERICAN,
    ),
)  # fmt: skip

_VOLATILITY = (
    _index(
        "VIX", "VIX", "V", "100 1 0.01 0.05 3.00 0.5", "index", "VIX", _VIX,
        f"{_CBOE}: SOQ on Wednesday, last trade the day before; priced on the VX future of its date",
        at_open=True, cycle=Cycle.VIX, spec=_VX,
    ),
    _future(
        "VX", "VIX", "V", "1000 1 0.05 0.05 1 0.5", "vx", "VIX future",
        _VX, Venue.VOLATILITY, Listing(), "CFE rulebook ch. 12; what VIX options are priced on (A.5)",
        cycle=Cycle.VIX, settlement=Settlement.CASH, at_open=True, options=False,
    ),
)  # fmt: skip

ROWS: tuple[Product, ...] = (*_SPX_FAMILY, *_FUNDS, *_FUTURES_ROWS, *_VOLATILITY)
