"""What was published: the index's calendar-year returns and the dividends of the S&P 500.

Both are public facts; tests compare them with the collection they were taken from.
"""

import math
from datetime import date

BXM: dict[int, float] = {
    1990: 3.99, 1991: 24.40, 1992: 11.52, 1993: 14.10, 1994: 4.49, 1995: 20.97, 1996: 15.50,
    1997: 26.64, 1998: 18.95, 1999: 21.17, 2000: 7.40, 2001: -10.92, 2002: -7.64, 2003: 19.37,
    2004: 8.30, 2005: 4.25, 2006: 13.33, 2007: 6.59, 2008: -28.65, 2009: 25.91, 2010: 5.86,
    2011: 5.72, 2012: 5.20, 2013: 13.26, 2014: 5.64, 2015: 5.24, 2016: 7.07, 2017: 13.00,
    2018: -4.77, 2019: 15.68, 2020: -2.75, 2021: 20.47, 2022: -11.37, 2023: 11.82, 2024: 20.12,
}  # fmt: skip
"""Cboe S&P 500 BuyWrite Index, total return of the calendar year, percent."""

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
