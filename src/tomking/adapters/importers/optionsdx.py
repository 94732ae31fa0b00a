"""OptionsDX: a row has a strike's call and put; header names in brackets, fields after ", ".

Source: the header of the vendor's text files (spy_eod_YYYYMM.txt, spx_15x_YYYYMM.txt).  READTIME is New York
wall time and agrees with UNIXTIME.  The files do not name the root: SPX files hold SPX and SPXW under one.
The second layout is a monthly extract of them with two moments on a row (README of the sample).
"""

from tomking.adapters.importers.mapping import Expiry, Mapping, Quote, Stamp, Strike, at_close
from tomking.adapters.importers.tabular import Tabular


def _side(side: str) -> Quote:
    letter = side[0]
    return Quote(
        side="call" if side == "call" else "put",
        bid=f"{letter}_bid",
        ask=f"{letter}_ask",
        sizes=f"{letter}_size",
        volume=f"{letter}_volume",
        spot="underlying_last",
    )


CHAIN = Mapping(
    name="chain",
    stamp=Stamp(column="quote_readtime", format=("%Y-%m-%d %H:%M", "iso")),
    expiry=Expiry(column="expire_date"),
    strike=Strike(column="strike"),
    quotes=(_side("call"), _side("put")),
    may_lack=("c_size", "p_size", "c_volume", "p_volume"),
)

MONTHLY = Mapping(
    name="monthly-puts",
    expiry=Expiry(column="expiration"),
    strike=Strike(column="strike"),
    quotes=(
        Quote(side="put", stamp=at_close("entry_date"), bid="bid", ask="ask", spot="spot"),
        Quote(
            side="put",
            stamp=at_close("later_date", optional=True),
            bid="later_bid",
            ask="later_ask",
            spot="later_spot",
        ),
    ),
)

OPTIONSDX = Tabular("optionsdx", (CHAIN, MONTHLY))
