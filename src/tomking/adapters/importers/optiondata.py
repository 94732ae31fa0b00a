"""historicaloptiondata.com: end-of-day chains, level 1 to 3, and the two forms public packages keep them in.

Source: the vendor's file format pages.  ``DataDate`` is MM/DD/YYYY, in later years with the time of the
snapshot; a date alone is stamped with the session's close.  Old monthly expiries are
Saturdays there, and here the session before.
The option symbol carries the root (it differs from the underlying for SPXW and adjusted contracts).
"""

from tomking.adapters.importers.mapping import Expiry, Mapping, Quote, Right, Root, Strike, at_close
from tomking.adapters.importers.tabular import Tabular

VENDOR = Mapping(
    name="vendor",
    symbol="optionsymbol",
    stamp=at_close("datadate", ("%m/%d/%Y", "%m/%d/%Y %H:%M", "iso")),
    quotes=(
        Quote(bid="bid", ask="ask", volume="volume", open_interest="openinterest", spot="underlyingprice"),
    ),
)

WITH_ROOT = Mapping(
    name="root",
    root=Root(column="root"),
    stamp=at_close("quote_date"),
    expiry=Expiry(column="expiration"),
    strike=Strike(column="strike"),
    right=Right(column="type"),
    quotes=(
        Quote(bid="bid", ask="ask", volume="volume", open_interest="open_interest", spot="underlying_last"),
    ),
)

WITH_SYMBOL = Mapping(
    name="symbol",
    root=Root(column="symbol"),
    stamp=at_close("quote_date"),
    expiry=Expiry(column="expiration"),
    strike=Strike(column="strike"),
    right=Right(column="option_type"),
    quotes=(Quote(bid="bid", ask="ask", volume="volume", open_interest="open_interest", spot="spot_price"),),
)

OPTIONDATA = Tabular("optiondata", (VENDOR, WITH_ROOT, WITH_SYMBOL))
