"""Databento: CSV or Parquet of cbbo, cmbp-1, tcbbo, bbo, tbbo and mbp-1, with symbols mapped.

Source: Databento's schema pages.  Prices are whole numbers of 1e-9 (``pretty_px``: decimals), 2**63 - 1 where
there is none; stamps are nanoseconds since 1970 UTC (``pretty_ts``: ISO).  ``ts_recv`` is when a quote was
seen: of an interval schema its end.  OPRA symbols are OSI (``map_symbols``).  Options on futures are not:
for them join the definition's columns (strike_price, expiration, instrument_class) and the root as ``asset``.
The venue books (bbo, tbbo, mbp-1) must be of one publisher: regional books are no national quote.
"""

from tomking.adapters.importers.mapping import Expiry, Mapping, Multiplier, Quote, Right, Root, Stamp, Strike
from tomking.adapters.importers.tabular import Tabular

_AT = Stamp(column="ts_recv", format=("epoch-ns", "iso"))
_TOP = Quote(bid="bid_px_00", ask="ask_px_00", bid_size="bid_sz_00", ask_size="ask_sz_00")
_PLACES = 9


def _national(symbol: str) -> Mapping:
    """Consolidated schemas: the columns of the publishers of bid and ask tell them."""
    return Mapping(
        name=f"consolidated-{symbol}",
        stamp=_AT,
        symbol=symbol,
        quotes=(_TOP,),
        zone="UTC",
        fixed_point=_PLACES,
        marks=("bid_pb_00",),
    )


def _of_one_venue(symbol: str) -> Mapping:
    return Mapping(
        name=f"venue-{symbol}",
        stamp=_AT,
        symbol=symbol,
        quotes=(_TOP,),
        zone="UTC",
        fixed_point=_PLACES,
        one_value=("publisher_id",),
    )


DEFINED = Mapping(
    name="defined",
    stamp=_AT,
    root=Root(column="asset"),
    expiry=Expiry(column="expiration", format=("epoch-ns", "iso")),
    strike=Strike(column="strike_price"),
    right=Right(column="instrument_class"),
    multiplier=Multiplier(column="contract_multiplier"),
    quotes=(_TOP,),
    zone="UTC",
    fixed_point=_PLACES,
    may_lack=("contract_multiplier",),
)

DATABENTO = Tabular(
    "databento",
    (
        DEFINED,
        _national("raw_symbol"),
        _national("symbol"),
        _of_one_venue("raw_symbol"),
        _of_one_venue("symbol"),
    ),
)
