"""Yahoo-like chains: one moment, which the file does not say.

It is given with ``--at``, or stands in the file's name as YYYYMMDD, perhaps with _HHMM New York; a date alone
means that session's close.  The plain form does not name the root either (``--product``): Yahoo lists SPX and
SPXW under one symbol.  Source: headers of chains saved by public packages.
"""

from tomking.adapters.importers.mapping import Expiry, Mapping, Quote, Right, Stamp, Strike
from tomking.adapters.importers.tabular import Tabular

NAMED_FOR_ITS_MOMENT = r"(?P<date>(?:19|20)\d\d-?[01]\d-?[0-3]\d)(?:[T_-]?(?P<time>[0-2]\d:?[0-5]\d))?(?!\d)"

_AT = Stamp(name_pattern=NAMED_FOR_ITS_MOMENT)


def _symbols(name: str) -> Mapping:
    """As yfinance names the columns of ``option_chain``."""
    return Mapping(
        name=name,
        stamp=_AT,
        symbol="contractSymbol",
        quotes=(Quote(bid="bid", ask="ask", volume="volume", open_interest="openInterest"),),
    )


PLAIN = Mapping(
    name="plain",
    stamp=_AT,
    expiry=Expiry(column="expiration"),
    strike=Strike(column="strike"),
    right=Right(column="type"),
    quotes=(Quote(bid="bid", ask="ask", volume="volume", open_interest="open_interest"),),
    without=("quote_date", "quote_datetime", "timestamp", "date", "root", "symbol"),
)

YAHOO = Tabular("yahoo", (_symbols("symbols"), PLAIN))
