"""Option trades in bars: what was traded and the underlying beside it, no quotes.

Such rows have no bid and no ask: they are kept, and nobody can trade on them; they bring the volume and the
underlying's price.  Source: header of the sample (PyPI pyqstrat).  Stamps are New York, and of a bar its
start: the night's last is 09:10 where trading stops at 09:15, the day's first 09:30, and the afternoon's last
full one 16:10, where trading stops at 16:15.
"""

from tomking.adapters.importers.mapping import Expiry, Mapping, Quote, Right, Stamp, Strike
from tomking.adapters.importers.tabular import Tabular

BARS = Mapping(
    name="bars",
    stamp=Stamp(column="timestamp", bar_minutes=5),
    expiry=Expiry(column="expiration"),
    strike=Strike(column="strike"),
    right=Right(column="type"),
    quotes=(Quote(volume="volume", spot="underlying_mid"),),
)

TRADES = Tabular("trades", (BARS,))
