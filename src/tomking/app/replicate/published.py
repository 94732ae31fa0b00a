"""What was published: the indexes' calendar-year returns and the dividends of the S&P 500.

All are public facts.  Those of BXM and the dividends are compared by tests with the collection they were
taken from.  The levels of PUT and CNDR are the year's last closes in Cboe's own daily files (PUT_History.csv
and CNDR_History.csv of cdn.cboe.com/api/global/us_indices/daily_prices), read from copies of those files in
the public GitHub repositories ahsub/regime-test and pgs00/TP-Final-VIX-Pablo-Salerno in November 2026, not
from Cboe itself.  Cboe's file of PUT is daily from 2007 on and has seven single days before: 2008 is its
first whole year.
"""

import math
from collections.abc import Mapping
from datetime import date

BXM: dict[int, float] = {
    1990: 3.99, 1991: 24.40, 1992: 11.52, 1993: 14.10, 1994: 4.49, 1995: 20.97, 1996: 15.50,
    1997: 26.64, 1998: 18.95, 1999: 21.17, 2000: 7.40, 2001: -10.92, 2002: -7.64, 2003: 19.37,
    2004: 8.30, 2005: 4.25, 2006: 13.33, 2007: 6.59, 2008: -28.65, 2009: 25.91, 2010: 5.86,
    2011: 5.72, 2012: 5.20, 2013: 13.26, 2014: 5.64, 2015: 5.24, 2016: 7.07, 2017: 13.00,
    2018: -4.77, 2019: 15.68, 2020: -2.75, 2021: 20.47, 2022: -11.37, 2023: 11.82, 2024: 20.12,
}  # fmt: skip
"""Cboe S&P 500 BuyWrite Index, total return of the calendar year, percent."""

PUT_LEVELS: dict[int, float] = {
    2007: 1010.61, 2008: 740.10, 2009: 973.28, 2010: 1061.04, 2011: 1126.54, 2012: 1218.24,
    2013: 1367.79, 2014: 1455.01, 2015: 1548.16, 2016: 1668.39, 2017: 1849.34, 2018: 1739.67,
    2019: 1974.62, 2020: 2016.70, 2021: 2456.08, 2022: 2267.98, 2023: 2592.76, 2024: 3055.40,
}  # fmt: skip
"""Cboe S&P 500 PutWrite Index, last close of the year."""

PUT_DAYS: dict[date, float] = {
    date(1991, 3, 4): 153.50, date(1991, 8, 7): 163.67, date(1994, 9, 27): 234.31,
    date(1997, 2, 3): 343.44, date(1997, 11, 18): 406.31, date(2001, 1, 12): 697.96,
    date(2004, 3, 16): 694.53, date(2007, 12, 31): 1010.61,
}  # fmt: skip
"""The single days before 2007 in Cboe's file of PUT, and the last of 2007: closes."""

CNDR_LEVELS: dict[int, float] = {
    1990: 150.56, 1991: 176.23, 1992: 199.88, 1993: 227.92, 1994: 259.99, 1995: 284.45, 1996: 316.70,
    1997: 347.85, 1998: 353.75, 1999: 401.55, 2000: 485.14, 2001: 461.31, 2002: 461.83, 2003: 496.28,
    2004: 546.38, 2005: 601.11, 2006: 683.34, 2007: 716.76, 2008: 688.17, 2009: 774.79, 2010: 737.18,
    2011: 750.00, 2012: 727.15, 2013: 721.77, 2014: 683.99, 2015: 755.12, 2016: 739.75, 2017: 750.57,
    2018: 710.94, 2019: 720.17, 2020: 676.18, 2021: 683.65, 2022: 676.27, 2023: 693.91, 2024: 764.30,
}  # fmt: skip
"""Cboe S&P 500 Iron Condor Index, last close of the year."""


def returns_of(levels: Mapping[int, float]) -> dict[int, float]:
    """Percent, of every year whose year before has a level too.

    >>> {year: round(value, 2) for year, value in returns_of({2007: 1010.61, 2008: 740.10}).items()}
    {2008: -26.77}
    """
    return {
        year: (level / levels[year - 1] - 1) * 100 for year, level in levels.items() if year - 1 in levels
    }


PUBLISHED: dict[str, dict[int, float]] = {
    "BXM": BXM, "PUT": returns_of(PUT_LEVELS), "CNDR": returns_of(CNDR_LEVELS),
}  # fmt: skip
"""By symbol: total return of the calendar year, percent, of the years that are known."""

DIVIDENDS: dict[int, float] = {
    1990: 3.70, 1991: 3.30, 1992: 3.02, 1993: 2.83, 1994: 2.90, 1995: 2.59, 1996: 2.24,
    1997: 1.80, 1998: 1.51, 1999: 1.27, 2000: 1.16, 2001: 1.33, 2002: 1.65, 2003: 1.82,
    2004: 1.73, 2005: 1.85, 2006: 1.91, 2007: 1.89, 2008: 2.42, 2009: 2.43, 2010: 2.02,
    2011: 2.11, 2012: 2.29, 2013: 2.15, 2014: 2.06, 2015: 2.12, 2016: 2.21, 2017: 2.02,
    2018: 1.98, 2019: 2.03, 2020: 1.84, 2021: 1.43, 2022: 1.65, 2023: 1.66, 2024: 1.39,
}  # fmt: skip
"""What reinvested dividends added to the S&P 500 in the year, percent: total over price return,
``(1 + TR) / (1 + PR) - 1``."""


def dividend_yield(previous: date, day: date) -> float:
    """Dividends between two sessions as a share of the index level, the year's spread evenly."""
    return math.log1p(DIVIDENDS[day.year] / 100) * (day - previous).days / 365
