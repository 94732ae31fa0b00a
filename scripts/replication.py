"""Write docs/replication.md: `make replication`, a few minutes.

Everything that is a number in it is worked out here; the words about what was found are checked by a reader.
"""

from collections.abc import Callable, Iterable
from datetime import time
from decimal import Decimal
from functools import partial
from math import pi, sqrt
from pathlib import Path
from textwrap import fill

import numpy as np

from tomking.adapters.history import load_history
from tomking.app.replicate.buywrite import BuyWrite
from tomking.app.replicate.published import DIVIDENDS
from tomking.app.replicate.run import Comparison, compared, returns
from tomking.app.replicate.text import as_text
from tomking.domain.calendar import Sessions
from tomking.sim.quoting import DIVIDEND_YIELD

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "replication.md"
SEEDS = range(1, 31)
FEW = SEEDS[:5]
"""Seeds that a variant of the rules is played on."""
ERAS = ((1991, 1999), (2000, 2009), (2010, 2024))
VARIANTS: dict[str, Callable[[Sessions], BuyWrite]] = {
    "roll at 10:00": partial(BuyWrite, roll_at=time(10)),
    "roll at 12:30": partial(BuyWrite, roll_at=time(12, 30)),
    "strikes without a step": partial(BuyWrite, strike_step=Decimal("0.05")),
}


def main() -> None:
    """Plays everything and writes the document."""
    model = returns(SEEDS, tell)
    result, one, few = (compared(tuple(SEEDS[:n]), model[:n]) for n in (len(SEEDS), 1, len(FEW)))
    variants = {name: compared(tuple(FEW), returns(FEW, tell, rules)) for name, rules in VARIANTS.items()}
    DOCUMENT.write_text(document(result, one, few, variants), encoding="utf-8")


def tell(_done: int, _total: int, what: str) -> None:
    """Where it is."""
    print(what, flush=True)


def document(result: Comparison, one: Comparison, few: Comparison, variants: dict[str, Comparison]) -> str:
    """The whole text."""
    deviation = np.array([year.deviation for year in result.years])
    spread = np.array([year.spread for year in result.years])
    rms, drawn = sqrt(np.mean(deviation**2)), sqrt(np.mean(spread**2))
    far = [year for year in result.years if abs(year.deviation) > 2 * year.spread]
    text = f"""# Replication: the BuyWrite index by its rules

`tomking replicate bxm` plays the published rules of the Cboe S&P 500 BuyWrite Index (BXM) on the kernel and
the modelled market, without friction, and compares calendar years with those Cboe published. Nothing in the
market was fitted to BXM. This page is written by `make replication`;
a test replays seed 1 and fails when the page is not current.

{_goals(result)}

```
{as_text(result)}
```

## What is played

Hold the S&P 500; on each third Friday the old call settles in the morning; at 11:00 New York sell the next
third Friday's SPX call with the first strike, in steps of 5 points, at or above the index; premium and
dividends buy more of the index at that moment. Each month is one position of the book: a part "index" and a
part "call", sized to all of net liq, filled at mids, without fees. Rules and sources:
`app/replicate/buywrite.py`; how shares, dividends and morning settlement came in: [decision
501](decisions/501-index-rules-on-the-kernel.md).

## Where the deviations come from

**The minutes of the day are drawn.** The old call settles, and the new one is sold, at levels of a morning
of which only the day's high, low and close are real. Were the published year one more draw, the mean of
{len(result.seeds)} seeds would miss it by {np.mean(spread) * sqrt(2 / pi):.2f} points on average (root mean
square {drawn:.2f}); it misses by {result.mean_absolute_error:.2f} ({rms:.2f}). What is not chance is about
{sqrt(max(rms**2 - drawn**2, 0)):.1f} points a year. {len(far)} of {len(result.years)} years lie beyond two
spreads: {", ".join(f"{y.year} ({y.deviation:+.1f})" for y in far)}.

**The level of the call's volatility.** A point of volatility in a one-month call at the money is worth about
1.4 percentage points of return a year. The market takes it from VIX by the surface of
[fidelity.md](fidelity.md), which is fitted to quotes of few days and few years. A positive mean deviation
says that its calls are too dear, a negative one that they are too cheap. By era: {_eras(result)}; since
{ERAS[-1][0]} that is {_vol_points(result):+.1f} volatility points, if all of it is volatility. Deviations
correlate {_with_vix(result):+.2f} with the year's mean VIX.

**Dividends in the forward.** The market's forwards assume {DIVIDEND_YIELD:.1%} in every year; calls of
years that paid more are too dear by half the difference: {_dividends(1991, 1999):+.2f} points a year over
1991 to 1999, {_dividends(2000, 2009):+.2f} over 2000 to 2009, {_dividends(2010, 2024):+.2f} since. The
dividends that the holder receives are each year's own (what reinvesting them added to the S&P 500), spread
evenly over its days.

**The opening.** Real calls settle at the special opening quotation, made of each stock's first trade; the
model takes its 09:30 level, which is drawn by a law fitted to the opens of SPY. On days of large gaps the
two differ.

**The hour of the roll.** The index chooses the strike by the level before 11:00 and takes the call's
average price over a window from 11:30; the model does both at 11:00. What that may be worth, on
{len(few.seeds)} seeds:

| variant | correlation | mean absolute error | mean change of a year | mean absolute change |
|---|---|---|---|---|
| as above | {few.correlation:.4f} | {few.mean_absolute_error:.2f} | | |
{_variants(few, variants)}

**The index's own history.** BXM was computed back from 1988 to 2002 by Whaley's paper, by rules that differ
from today's: other prices than a window's average, and until late in 1992 options that settled at the
close. None of these older rules is modelled; 1991 and 1992 are the least comparable years. VIX of 1990 and
1991 is known by its close only.

**The last session.** The history ends on 2024-12-30: the model's 2024 lacks 31 December, on which the S&P
500 lost 0.4 %.

**Not modelled.** Sums below a unit (0.01 % of net liq and less) and dividends within a month lie as cash
until the next roll; Cboe reinvests dividends at once.

## What this does not show

BXM holds one-month calls at the money: it says nothing of deep puts, of days to expiry, of bid and ask, of
stops. A mean over seeds is smoother than any one path; the seeds one by one are in the summary above. The
put-write and iron-condor indexes are not replicated: no published years of theirs are at hand to compare
with.

One path alone, `tomking replicate bxm --seeds 1`:

```
{as_text(one)}
```
"""
    return "\n\n".join(map(_wrapped, text.split("\n\n")))


def _wrapped(paragraph: str) -> str:
    """Text in lines of 110; headings, tables and what is printed by the command stay as they are."""
    if paragraph.startswith(("#", "|", "```", "year", "BXM 1")):
        return paragraph
    return fill(" ".join(paragraph.split()), 110, break_long_words=False, break_on_hyphens=False)


def _goals(result: Comparison) -> str:
    met = result.correlation > 0.97 and result.mean_absolute_error < 2
    each = sum(c > 0.97 and e < 2 for c, e in zip(result.each_correlation, result.each_error, strict=True))
    return (
        f"The goals were a correlation above 0.97 and a mean absolute error under 2 percentage points: "
        f"{'met' if met else 'not met'} by the mean over {len(result.seeds)} seeds, and by {each} of the "
        f"{len(result.seeds)} seeds alone."
    )


def _mean(result: Comparison, era: tuple[int, int]) -> float:
    return float(np.mean([y.deviation for y in result.years if era[0] <= y.year <= era[1]]))


def _eras(result: Comparison) -> str:
    return ", ".join(f"{era[0]} to {era[1]} {_mean(result, era):+.2f}" for era in ERAS)


def _vol_points(result: Comparison) -> float:
    """Volatility points that the mean deviation of the last era is worth: 1.4 points of return each."""
    return _mean(result, ERAS[-1]) / (0.4 * sqrt(12))


def _with_vix(result: Comparison) -> float:
    vix = load_history().vix
    years = vix.day.astype("datetime64[Y]").astype(int) + 1970
    means = [vix.close[years == y.year].mean() for y in result.years]
    return float(np.corrcoef(means, [y.deviation for y in result.years])[0, 1])


def _dividends(first: int, last: int) -> float:
    """Percentage points a year by which a forward without the year's own dividends makes calls dear."""
    return float(np.mean([DIVIDENDS[y] - 100 * DIVIDEND_YIELD for y in range(first, last + 1)])) / 2


def _variants(few: Comparison, variants: dict[str, Comparison]) -> str:
    base = np.array([year.model for year in few.years])
    return "\n".join(_rows(base, variants))


def _rows(base: np.ndarray, variants: dict[str, Comparison]) -> Iterable[str]:
    for name, other in variants.items():
        change = np.array([year.model for year in other.years]) - base
        yield (
            f"| {name} | {other.correlation:.4f} | {other.mean_absolute_error:.2f} | {change.mean():+.2f} "
            f"| {np.abs(change).mean():.2f} |"
        )


if __name__ == "__main__":
    main()
