"""Cboe DataShop: Option EOD Summary and Option Quote Intervals, each with and without Calcs.

Source: Cboe DataShop's file specifications.  Two snapshots a day in the EOD file: 15:45 New York (12:45 on
half days from 2020-02-05) and the close.  With Calcs the underlying is ``active_underlying_price``, without
it the middle of its bid and ask (an index has its level in both).  Interval stamps are New York ends of bars.
The last layout has an interval file's columns renamed, as a public package publishes it.
"""

from datetime import date, time

from tomking.adapters.importers.mapping import Expiry, Mapping, Quote, Right, Root, Stamp, Strike, at_close
from tomking.adapters.importers.tabular import Tabular

_HALF_DAYS_FROM = date(2020, 2, 5)
_ROOTS = Root(column="root", rename={"^SPX": "SPX", "^VIX": "VIX", "^NDX": "NDX", "^RUT": "RUT"})


def _eod(*, calcs: bool) -> Mapping:
    early = Stamp(column="quote_date", time=time(15, 45), early_close_from=_HALF_DAYS_FROM)
    return Mapping(
        name="eod-calcs" if calcs else "eod",
        root=_ROOTS,
        expiry=Expiry(column="expiration"),
        strike=Strike(column="strike"),
        right=Right(column="option_type"),
        quotes=(
            _quote("_1545", early, calcs=calcs, summary=False),
            _quote("_eod", at_close("quote_date"), calcs=False, summary=True),
        ),
        may_lack=("open_interest",),
    )


def _interval(*, calcs: bool) -> Mapping:
    return Mapping(
        name="interval-calcs" if calcs else "interval",
        root=_ROOTS,
        expiry=Expiry(column="expiration"),
        strike=Strike(column="strike"),
        right=Right(column="option_type"),
        quotes=(_quote("", Stamp(column="quote_datetime"), calcs=calcs, summary=True),),
        may_lack=("open_interest",),
    )


def _quote(suffix: str, stamp: Stamp, *, calcs: bool, summary: bool) -> Quote:
    """``summary``: with the day's or interval's volume and the open interest."""
    return Quote(
        stamp=stamp,
        bid=f"bid{suffix}",
        ask=f"ask{suffix}",
        bid_size=f"bid_size{suffix}",
        ask_size=f"ask_size{suffix}",
        spot=f"active_underlying_price{suffix}" if calcs else None,
        spot_bid=None if calcs else f"underlying_bid{suffix}",
        spot_ask=None if calcs else f"underlying_ask{suffix}",
        volume="trade_volume" if summary else None,
        open_interest="open_interest" if summary else None,
    )


RENAMED = Mapping(
    name="interval-renamed",
    root=Root(column="symbol"),
    stamp=Stamp(column="quote_datetime"),
    expiry=Expiry(column="expiration"),
    strike=Strike(column="strike"),
    right=Right(column="option_type"),
    quotes=(Quote(bid="bid", ask="ask", volume="volume", open_interest="open_interest", spot="spot_price"),),
)

DATASHOP = Tabular(
    "datashop", (_eod(calcs=True), _eod(calcs=False), _interval(calcs=True), _interval(calcs=False), RENAMED)
)
