"""Looking up a product, and what may not be traded; the rows themselves are in ``domain.catalogue``."""

import re
from difflib import get_close_matches

from tomking.domain.catalogue import ROWS, single_name_row
from tomking.domain.product import Cycle, FutureSpec, Hours, Kind, Listing, Product, Settlement, Style, Venue

__all__ = [
    "MICROS_PER_FULL",
    "PRODUCTS",
    "Cycle",
    "FutureSpec",
    "Hours",
    "Kind",
    "Listing",
    "Product",
    "Settlement",
    "Style",
    "UnknownProduct",
    "Venue",
    "micro_of",
    "never_traded",
    "product",
]

MICROS_PER_FULL = 10
"""Of every pair in the table (methodology C.13)."""

_TICKER = re.compile(r"[A-Z]{1,5}(\.[A-Z])?")
"""Letters, at most five, and perhaps a share class (BRK.B).  A digit means a future or an adjusted option."""

_OTHER_ROOTS = {
    "an index": "DJX MRUT NANOS NDX NDXP OEX RUT RUTW SPXPM VIXW XEO",
    "a future": "BTC CC CT DX ETH GF HE HG HO KC LBS LE M2K M6A M6B MYM NG OJ PA PL QM RB RTY SB SI SIL UB YM"
    " ZC ZF ZL ZM ZO ZR ZS ZT ZW",
}
"""Roots that exist and have no row: an option on one must not pass for one on a stock of those letters."""

_NEVER = {
    "DX": "dollar index futures",
    "LBS": "lumber",
    "OJ": "orange juice",
    "PA": "palladium",
    "VX": "VIX futures",
    "ZR": "rice",
}


class UnknownProduct(KeyError):
    """No product, and no plausible ticker.  Says what was probably meant."""

    def __str__(self) -> str:
        return str(self.args[0])


class _Products(dict[str, Product]):
    """The table.  A plausible stock ticker that is not in it is looked up all the same, and not added."""

    def __missing__(self, key: str) -> Product:
        return _single_name(key)


PRODUCTS: dict[str, Product] = _Products((row.key, row) for row in ROWS)
"""By root.  Iteration and ``in`` know the table's rows only; ``[]`` also single names, as ``product``."""


def product(key: str) -> Product:
    """The row of a root, or the generic row of a single name's ticker (AAPL, TWX, BRK.B).

    Where a stock and a future share their letters (CL, ES) it is the future.  ``UnknownProduct`` (a
    ``KeyError``) where ``key`` is neither, with the nearest known root.
    """
    return PRODUCTS[key]


def micro_of(key: str) -> str | None:
    """The micro contract of which ten make one ``key``; None without one."""
    return next((row.key for row in ROWS if row.full == key), None)


def never_traded(key: str) -> str | None:
    """Why the methodology never trades this root (A.5), None where it may be traded.

    VX is in the table because VIX options are priced on it.
    """
    what = _NEVER.get(key)
    return None if what is None else f"{key} ({what}) is never traded (methodology A.5)"


def _single_name(key: str) -> Product:
    found = _SINGLE_NAMES.get(key)
    if found is None:
        found = _SINGLE_NAMES[key] = _checked_single_name(key)
    return found


_SINGLE_NAMES: dict[str, Product] = {}
"""Rows already made: one ticker, one row."""


def _checked_single_name(key: str) -> Product:
    for what, roots in _OTHER_ROOTS.items():
        if key in roots.split():
            raise UnknownProduct(
                f"{key} is the root of {what} without a row in the product table: {_known()}"
            )
    if _TICKER.fullmatch(key) is None:
        raise UnknownProduct(
            f"no product {key!r}: not in the table ({_known()}) and no stock ticker of one to five capitals"
            f"{_meant(key)}"
        )
    return single_name_row(key)


def _meant(key: str) -> str:
    capitals = key.strip().upper()
    near = get_close_matches(capitals, PRODUCTS, n=1, cutoff=0.5)
    if not near and _TICKER.fullmatch(capitals):
        near = [capitals]
    return f"; did you mean {near[0]}?" if near else ""


def _known() -> str:
    return ", ".join(PRODUCTS)
