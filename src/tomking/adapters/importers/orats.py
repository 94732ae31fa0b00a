"""ORATS: strikes of the one-minute and snapshot interfaces, and the near-end-of-day files; wide.

Source: ORATS's interface pages and its field list.  One-minute rows carry ``snapShotDate``, the UTC instant
of the snapshot.  Near-EOD files are taken 14 minutes before the close; of an index, ``stkPx`` is a solved
forward for each expiry, so ``spot_px`` is the spot.
``ticker`` is the underlying: SPX and SPXW are one there.
"""

from datetime import date, time

from tomking.adapters.importers.mapping import Expiry, Mapping, Quote, Root, Stamp, Strike
from tomking.adapters.importers.tabular import Tabular


def _minute(side: str) -> Quote:
    return Quote(
        side="call" if side == "call" else "put",
        bid=f"{side}BidPrice",
        ask=f"{side}AskPrice",
        bid_size=f"{side}BidSize",
        ask_size=f"{side}AskSize",
        volume=f"{side}Volume",
        open_interest=f"{side}OpenInterest",
        spot="spotPrice",
    )


def _near_eod(side: str, spot: str) -> Quote:
    letter = side[0]
    return Quote(
        side="call" if side == "call" else "put",
        bid=f"{letter}BidPx",
        ask=f"{letter}AskPx",
        volume=f"{letter}Volu",
        open_interest=f"{letter}Oi",
        spot=spot,
    )


_DATES = ("iso", "%m/%d/%Y")


def _daily(name: str, day: str, spot: str) -> Mapping:
    return Mapping(
        name=name,
        root=Root(column="ticker"),
        stamp=Stamp(column=day, format=_DATES, time=time(15, 46), early_close_from=date.min),
        expiry=Expiry(column="expirDate", format=_DATES),
        strike=Strike(column="strike"),
        quotes=(_near_eod("call", spot), _near_eod("put", spot)),
    )


def _snapshot(name: str, at: str) -> Mapping:
    return Mapping(
        name=name,
        root=Root(column="ticker"),
        stamp=Stamp(column=at),
        expiry=Expiry(column="expirDate", format=_DATES),
        strike=Strike(column="strike"),
        quotes=(_minute("call"), _minute("put")),
    )


ORATS = Tabular(
    "orats",
    (
        _snapshot("one-minute", "snapShotDate"),
        _snapshot("delayed", "updatedAt"),
        _daily("near-eod", "trade_date", "spot_px"),
        _daily("near-eod-without-spot", "trade_date", "stkPx"),
        _daily("near-eod-camel", "tradeDate", "stkPx"),
    ),
)
