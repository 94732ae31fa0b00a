"""Option trades in bars: what was traded and the underlying beside it, no quotes.

Such rows have no bid and no ask; verification sets them aside as nobody's quote, the underlying's price is
kept.  Source: header of the sample (PyPI pyqstrat); stamps are New York.
"""

from tomking.adapters.importers.mapping import Expiry, Mapping, Quote, Right, Stamp, Strike
from tomking.adapters.importers.tabular import Tabular

BARS = Mapping(
    name="bars",
    stamp=Stamp(column="timestamp"),
    expiry=Expiry(column="expiration"),
    strike=Strike(column="strike"),
    right=Right(column="type"),
    quotes=(Quote(volume="volume", spot="underlying_mid"),),
)

TRADES = Tabular("trades", (BARS,))
