"""What is published where: Cboe's index histories and the rates of the Federal Reserve Bank of St. Louis.

Both are free to read for one's own use; neither may be passed on without asking its publisher.
"""

from dataclasses import dataclass

CBOE = "https://cdn.cboe.com"
FRED = "https://fred.stlouisfed.org"
_PRICES = ("OPEN", "HIGH", "LOW", "CLOSE")


@dataclass(frozen=True, slots=True)
class Published:
    """One daily series as its publisher writes it."""

    name: str
    what: str
    host: str
    path: str
    date_format: str
    headers: tuple[tuple[str, ...], ...]
    """The header rows that are known, in capitals."""
    first_year: int
    """A history that starts later has lost its beginning."""
    licence: str
    optional: bool = False
    """Not published at all times: its absence is no failure."""

    def address(self, base: str | None = None) -> str:
        """Where it is; ``base`` stands in for the publisher's host."""
        return (base or self.host).rstrip("/") + self.path


def _cboe(name: str, what: str, first_year: int, *, optional: bool = False) -> Published:
    return Published(
        name=name,
        what=what,
        host=CBOE,
        path=f"/api/global/us_indices/daily_prices/{name}_History.csv",
        date_format="%m/%d/%Y",
        headers=(("DATE", *_PRICES), ("DATE", name)),
        first_year=first_year,
        licence="Cboe Global Indices: own use only",
        optional=optional,
    )


def _fred(name: str, what: str, first_year: int) -> Published:
    return Published(
        name=name,
        what=what,
        host=FRED,
        path=f"/graph/fredgraph.csv?id={name}",
        date_format="%Y-%m-%d",
        headers=(("OBSERVATION_DATE", name), ("DATE", name)),
        first_year=first_year,
        licence="FRED, Federal Reserve Bank of St. Louis: public data, cite the source",
    )


SERIES: dict[str, Published] = {
    one.name: one
    for one in (
        _cboe("VIX", "Cboe Volatility Index, 30 days", 1990),
        _cboe("VIX9D", "9-day volatility index", 2011),
        _cboe("VIX3M", "3-month volatility index", 2009),
        _cboe("VVIX", "volatility of the VIX", 2007),
        _cboe("SKEW", "SKEW index", 1990),
        _cboe("OVX", "crude-oil volatility index", 2010),
        _cboe("GVZ", "gold volatility index", 2010),
        _cboe("SPX", "S&P 500 index", 2010, optional=True),
        _fred("DFF", "effective federal funds rate, percent", 1955),
        _fred("DGS3MO", "3-month Treasury yield, percent", 1982),
        _fred("DGS2", "2-year Treasury yield, percent", 1977),
        _fred("DGS10", "10-year Treasury yield, percent", 1963),
    )
}
"""By the publisher's own name."""

GROUPS: dict[str, tuple[str, ...]] = {
    "vix": tuple(name for name, one in SERIES.items() if one.host == CBOE),
    "rates": tuple(name for name, one in SERIES.items() if one.host == FRED),
    "all": tuple(SERIES),
}
"""What may be asked for by one word."""
