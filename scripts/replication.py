"""Write docs/replication.md: `make replication`, about two minutes.

Everything that is a number in it is worked out here; the words about what was found are checked by a reader.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from itertools import pairwise
from math import pi, sqrt
from pathlib import Path
from textwrap import fill

import numpy as np

from tomking.adapters.history import load_history
from tomking.app.replicate.published import DIVIDENDS, PUT_DAYS
from tomking.app.replicate.rules import BXM, CNDR, INDEXES, PUT, IndexRules, Price
from tomking.app.replicate.run import (
    FIRST,
    LAST,
    WARM_UP,
    Agreement,
    Comparison,
    Floats,
    World,
    compared,
    correlation,
    play,
    returns,
)
from tomking.app.replicate.text import as_text
from tomking.sim.quoting import DIVIDEND_YIELD

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "replication.md"
SEEDS = range(1, 31)
FEW = SEEDS[:5]
"""Seeds that a variant of the rules is played on."""
RULES = (
    ("rule", "BXM", "PUT", "CNDR"),
    ("held", "the stocks, dividends included [1]", "Treasury bills [2]", "Treasury bills [4]"),
    ("sold", "1 call [1]", "1 put [2]", "put of delta -0.20, call of 0.20 [4]"),
    ("bought", "", "", "put of delta -0.05, call of 0.05 [4]"),
    ("strike", "first at or above the index [1]", "first at or below it [3]", "next to the delta (assumed)"),
    ("steps of strikes", *["5 points (assumed)"] * 3),
    ("how many", "1 a share [1]", "bills at expiry = strike [2]", "bills at expiry = 10 x worst [4]"),
    (
        "price",
        "average of a window from 11:30 [1]; here the mid at 11:00",
        "window average [3]; here the mid at 11:00",
        "bid of what is sold, ask of what is bought, 11:00 (assumed)",
    ),
    ("roll", "third Friday [1]", "third Friday [2]", "third Friday, 11:00 [4]"),
    ("bills", "", "1 and 3 months [2]; here the 3-month rate", "1 month [4]; here the 3-month rate"),
)
"""What each index does, and from which source it is known."""
ERAS = ((1991, 1999), (2000, 2009), (2010, 2024))
OPEN, FINE = time(9, 30), Decimal("0.05")
BXM_VARIANTS = {
    "roll at 10:00": replace(BXM, roll_at=time(10)),
    "roll at 12:30": replace(BXM, roll_at=time(12, 30)),
    "strikes without a step": replace(BXM, strike_step=FINE),
}
PUT_VARIANTS = {
    "roll at 10:00": replace(PUT, roll_at=time(10)),
    "roll at 12:30": replace(PUT, roll_at=time(12, 30)),
    "strikes without a step": replace(PUT, strike_step=FINE),
}
CNDR_VARIANTS = {
    "sold and bought at mids": replace(CNDR, price=Price.MID),
    "bills for 8 times the worst": replace(CNDR, cover=8),
    "bills for 12 times the worst": replace(CNDR, cover=12),
    "roll at 12:30": replace(CNDR, roll_at=time(12, 30)),
}
PARITY = {
    "as the rules are": (PUT, BXM),
    "strikes without a step": (replace(PUT, strike_step=FINE), replace(BXM, strike_step=FINE)),
    "both rolled at the settlement, 09:30": (replace(PUT, roll_at=OPEN), replace(BXM, roll_at=OPEN)),
    "both": (
        replace(PUT, roll_at=OPEN, strike_step=FINE),
        replace(BXM, roll_at=OPEN, strike_step=FINE),
    ),
}


@dataclass(frozen=True, slots=True)
class Played:
    """One index on all seeds, the first few of them, and the first alone."""

    rules: IndexRules
    model: Floats

    def of(self, seeds: int) -> Comparison:
        return compared(self.rules.symbol, tuple(SEEDS[:seeds]), self.model[:seeds])

    @property
    def all(self) -> Comparison:
        return self.of(len(SEEDS))


def main() -> None:
    """Plays everything and writes the document."""
    played = {rules.id: Played(rules, returns(SEEDS, tell, rules)) for rules in INDEXES.values()}
    DOCUMENT.write_text(document(**played), encoding="utf-8")


def tell(done: int, total: int, what: str) -> None:
    """Where it is."""
    print(f"{done}/{total} {what}", flush=True)


def document(bxm: Played, put: Played, cndr: Played) -> str:
    """The whole text."""
    text = f"""# Replication: published option indexes by their rules

`tomking replicate bxm`, `put` and `cndr` play the published rules of three Cboe indexes on the kernel and the
modelled market and compare calendar years with those Cboe published: the S&P 500 BuyWrite Index (BXM), the
PutWrite Index (PUT) and the Iron Condor Index (CNDR). Nothing in the market was fitted to any of them. This
page is written by `make replication`; a test replays seed 1 of each and fails when the page is not current.

| index | years compared | correlation | mean absolute error | mean deviation | median of single seeds |
|---|---|---|---|---|---|
{_overview(bxm, put, cndr)}

{_goals(bxm.all)}

## What is played

Each index is one set of data (`app/replicate/rules.py`), played by one strategy (`app/replicate/rolled.py`).
Each month is one position of the book. On the third Friday (the session before, when that is a holiday) the
old options settle at the 09:30 level; at 11:00 New York the next third Friday's are sold, of all the money
there is, without fees. With v the money, c the premium of a unit, w the most a unit can cost at its
settlement, d the price of 1 at expiry and m times cover, N = v / (m w d - c) units. Only the rolls and the
last sessions of years are visited, as nothing happens between them. How shares, dividends and morning
settlement came in: [decision 501](decisions/501-index-rules-on-the-kernel.md).

{_table(RULES)}

Sources: [1] Cboe, Description of the CBOE S&P 500 BuyWrite Index (BXM), 2010; Whaley, Return and Risk of CBOE
Buy Write Monthly Index, Journal of Derivatives, Winter 2002. [2] CBOE, Methodology of the CBOE S&P 500
PutWrite Index (PUT), July 2014. [3] CBOE, benchmark index roll information, PUT, 16 April 2021:
reference 4178.75, strike 4175, price a volume-weighted average. [4] Cboe, index dashboard and product page of
CNDR. The dashboard also describes CNDR as at the money with wings 5 % away, which are the rules of its
sister index BFLY; the deltas are those of its product page and of Cboe's article of 26 July 2021. The text
of CNDR's own methodology was not found: that "ten times the maximum loss" counts the wider side without the
premium, as PUT counts its strike, and that options trade at the far side of their quotes, are assumptions.
What they are worth is in the table of variants below.

Published years: BXM from the collection that the tests compare them with. PUT and CNDR from year-end levels
in Cboe's daily files, read from copies in public repositories (`app/replicate/published.py` names them). The
file of PUT is daily only from 2007 on; for {FIRST} to 2007 no published return of PUT is at hand, and the
modelled years stand alone; the single days that the file has before are compared below.

{_since(bxm.all, put.all, cndr.all)}

## BXM

```
{as_text(bxm.all)}
```

{_chance(bxm.all)}

**The level of the call's volatility.** A point of volatility in a one-month option at the money is worth
about 1.4 percentage points of return a year. The market takes it from VIX by the surface of
[fidelity.md](fidelity.md). A positive mean deviation says that its options are too dear, a negative one that
they are too cheap. By era: {_eras(bxm.all)}; since {ERAS[-1][0]} that is {_vol_points(bxm.all):+.1f}
volatility points, if all of it is volatility. Deviations correlate {_with_vix(bxm.all):+.2f} with the year's
mean VIX.

**Dividends in the forward.** The market's forwards assume {DIVIDEND_YIELD:.1%} in every year; calls of
years that paid more are too dear by half the difference: {_dividends(1991, 1999):+.2f} points a year over
1991 to 1999, {_dividends(2000, 2009):+.2f} over 2000 to 2009, {_dividends(2010, 2024):+.2f} since. The
dividends that the holder receives are each year's own (what reinvesting them added to the S&P 500), spread
evenly over its days.

**The opening.** Real options settle at the special opening quotation, made of each stock's first trade; the
model takes its 09:30 level, which is drawn by a law fitted to the opens of SPY. On days of large gaps the
two differ. This holds for all three indexes.

**The hour of the roll.** The index chooses the strike by the level before 11:00 and takes the option's
average price over a window from 11:30; the model does both at 11:00. What that may be worth, on
{len(FEW)} seeds:

{_variants(bxm, BXM_VARIANTS)}

**The index's own history.** BXM was computed back from 1988 to 2002 by Whaley's paper, by rules that differ
from today's: other prices than a window's average, and until late in 1992 options that settled at the
close. None of these older rules is modelled; 1991 and 1992 are the least comparable years. VIX of 1990 and
1991 is known by its close only.

**The last session.** The history ends on 2024-12-30: the model's 2024 lacks 31 December, on which the S&P
500 lost 0.4 %. This holds for all three indexes.

**Not modelled.** Sums below a unit (0.01 % of net liq and less) and dividends within a month lie as cash
until the next roll; Cboe reinvests dividends at once.

## PUT

```
{as_text(put.all)}
```

{_chance(put.all)}

By era the mean deviation is {_eras(put.all)}; since {ERAS[-1][0]} it is worth {_vol_points(put.all):+.1f}
volatility points, if all of it is volatility. Bought bills earn the 3-month rate of the session before the
roll (after June 2024 the federal funds rate) until the next roll; Cboe holds 1-month bills beside them in two
months of three. Variants, on {len(FEW)} seeds:

{_variants(put, PUT_VARIANTS)}

**Before 2008.** Cboe's file has single days of PUT. Between them, percent a year, the mean of
{len(FEW)} seeds:

| from | to | model | published |
|---|---|---|---|
{_between_days()}

## PUT and BXM: put-call parity

A check that needs no published return. A share less its call is, by parity, the strike's bill less the put:
played on the same paths, the two indexes should earn the same but for what their rules do differently. On
{len(FEW)} seeds and all years, PUT less BXM, percentage points a year:

| rules | correlation | mean | mean absolute | greatest |
|---|---|---|---|---|
{_parity(put, bxm)}

Two differences of the rules explain most of it. Between the settlement at 09:30 and the roll at 11:00 the
BuyWrite holds the index without a call and the PutWrite holds nothing: the ninety minutes of twelve
mornings are the most of a year's difference. And the call's strike is rounded up, the put's down. Without
both, what is left follows the year's dividends ({_parity_dividends():+.2f} is the correlation with what they
were above the {DIVIDEND_YIELD:.1%} that the market's forwards assume), of which only BXM receives
the real ones.

## CNDR

```
{as_text(cndr.all)}
```

{_chance(cndr.all)}

By era the mean deviation is {_eras(cndr.all)}. A condor lives of the tails of the month, not of its middle:
how far its four strikes lie is decided by the skew that the surface gives each day, and few mornings a year
decide its return. What the assumptions are worth, on {len(FEW)} seeds:

{_variants(cndr, CNDR_VARIANTS)}

Real strikes of one month lie further apart than 5 points where deltas are 0.05, most of all in the early
years; that is not modelled. Cboe computed CNDR back to 1986; how it priced the options of those years is
not known here.

## What this does not show

BXM and PUT hold one-month options at the money: they say nothing of deep puts, of days to expiry, of stops.
CNDR says something of deltas 0.20 and 0.05 and of the spread, at one month and at one hour of the day. A mean
over seeds is smoother than any one path; the seeds one by one are in the summaries above.

## One path alone

`tomking replicate bxm --seeds 1`:

```
{as_text(bxm.of(1))}
```

`tomking replicate put --seeds 1`:

```
{as_text(put.of(1))}
```

`tomking replicate cndr --seeds 1`:

```
{as_text(cndr.of(1))}
```
"""
    return "\n\n".join(map(_wrapped, text.split("\n\n")))


def _table(rows: tuple[tuple[str, ...], ...]) -> str:
    lines = [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows]
    return "\n".join((lines[0], "|---" * len(rows[0]) + "|", *lines[1:]))


def _wrapped(paragraph: str) -> str:
    """Text in lines of 110; headings, tables and what is printed by the command stay as they are."""
    printed = tuple(f"{rules.symbol} {FIRST}" for rules in INDEXES.values())
    if paragraph.startswith(("#", "|", "```", "year", *printed)):
        return paragraph
    return fill(" ".join(paragraph.split()), 110, break_long_words=False, break_on_hyphens=False)


def _agreement(result: Comparison) -> Agreement:
    assert result.agreement is not None, f"{result.index} has published years"
    return result.agreement


def _overview(*indexes: Played) -> str:
    return "\n".join(_overview_row(one.all) for one in indexes)


def _overview_row(result: Comparison) -> str:
    near = _agreement(result)
    like, far = np.median(near.each_correlation), np.median(near.each_error)
    return (
        f"| {result.index} | {near.years[0]} to {near.years[-1]} | {near.correlation:.3f} "
        f"| {near.mean_absolute_error:.2f} | {near.bias:+.2f} | {like:.3f}, {far:.2f} |"
    )


def _goals(result: Comparison) -> str:
    near, many = _agreement(result), len(result.seeds)
    met = near.correlation > 0.97 and near.mean_absolute_error < 2
    each = sum(c > 0.97 and e < 2 for c, e in zip(near.each_correlation, near.each_error, strict=True))
    return (
        f"Model returns are the mean over {many} seeds. The goals for BXM were a correlation above 0.97 "
        f"and a mean absolute error under 2 percentage points: {'met' if met else 'not met'} by the mean "
        f"over {many} seeds, and by {each} of them alone. There were none for the others."
    )


def _chance(result: Comparison) -> str:
    """How much of the deviation the drawn minutes of the day may explain."""
    near = [(y.year, y.deviation, y.spread) for y in result.years if y.deviation is not None]
    deviation, spread = (np.array([one[i] for one in near]) for i in (1, 2))
    rms, drawn = sqrt(np.mean(deviation**2)), sqrt(np.mean(spread**2))
    far = ", ".join(f"{year} ({off:+.1f})" for year, off, by in near if abs(off) > 2 * by)
    count = sum(abs(off) > 2 * by for _, off, by in near)
    return (
        f"**The minutes of the day are drawn.** The old options settle, and the new ones are sold, at levels "
        f"of a morning of which only the day's high, low and close are real. Were the published year one "
        f"more draw, the mean of {len(result.seeds)} seeds would miss it by "
        f"{np.mean(spread) * sqrt(2 / pi):.2f} points on average (root mean square {drawn:.2f}); it misses "
        f"by {np.abs(deviation).mean():.2f} "
        f"({rms:.2f}). What is not chance is about {sqrt(max(rms**2 - drawn**2, 0)):.1f} points a year. "
        f"{count} of {len(near)} years lie beyond two spreads{': ' if far else ''}{far}."
    )


def _mean(result: Comparison, era: tuple[int, int]) -> float | None:
    found = [y.deviation for y in result.years if era[0] <= y.year <= era[1] and y.deviation is not None]
    return float(np.mean(found)) if found else None


def _eras(result: Comparison) -> str:
    first = _agreement(result).years[0]
    return ", ".join(
        f"{max(era[0], first)} to {era[1]} {mean:+.2f}"
        for era in ERAS
        if (mean := _mean(result, era)) is not None
    )


def _since(*results: Comparison) -> str:
    means = ", ".join(f"{one.index} {_mean(one, ERAS[-1]) or 0.0:+.2f}" for one in results)
    return (
        f"What the three have in common is the market's level of volatility. Since {ERAS[-1][0]} their mean "
        f"deviations are {means} percentage points a year: of one sign, they say that its options are too "
        f"dear (+) or too cheap (-); of different signs, that it is the skew or the rules."
    )


def _between_days() -> str:
    world, days = World.load(), sorted(PUT_DAYS)
    closes = [play(world, PUT, seed, WARM_UP, days[-1], days) for seed in FEW]
    rows = []
    for first, last in pairwise(days):
        years = (last - first).days / 365.25
        model = np.mean([float(one[last] / one[first]) ** (1 / years) for one in closes])
        published = (PUT_DAYS[last] / PUT_DAYS[first]) ** (1 / years)
        rows.append(f"| {first} | {last} | {(model - 1) * 100:.2f} | {(published - 1) * 100:.2f} |")
    return "\n".join(rows)


def _vol_points(result: Comparison) -> float:
    """Volatility points that the mean deviation of the last era is worth: 1.4 points of return each."""
    return (_mean(result, ERAS[-1]) or 0.0) / (0.4 * sqrt(12))


def _with_vix(result: Comparison) -> float:
    vix = load_history().vix
    years = vix.day.astype("datetime64[Y]").astype(int) + 1970
    near = [y for y in result.years if y.deviation is not None]
    means = [vix.close[years == y.year].mean() for y in near]
    return correlation(np.array(means), np.array([y.deviation for y in near], np.float64))


def _dividends(first: int, last: int) -> float:
    """Percentage points a year by which a forward without the year's own dividends makes calls dear."""
    return float(np.mean([DIVIDENDS[y] - 100 * DIVIDEND_YIELD for y in range(first, last + 1)])) / 2


def _variants(played: Played, variants: dict[str, IndexRules]) -> str:
    base = played.of(len(FEW))
    near = _agreement(base)
    head = (
        "| variant | correlation | mean absolute error | mean change of a year | mean absolute change |",
        "|---|---|---|---|---|",
        f"| as above | {near.correlation:.4f} | {near.mean_absolute_error:.2f} | | |",
    )
    return "\n".join((*head, *_rows(base, variants)))


def _rows(base: Comparison, variants: dict[str, IndexRules]) -> Iterable[str]:
    before = np.array([year.model for year in base.years])
    for name, rules in variants.items():
        other = compared(rules.symbol, tuple(FEW), returns(FEW, tell, rules))
        near, change = _agreement(other), np.array([year.model for year in other.years]) - before
        yield (
            f"| {name} | {near.correlation:.4f} | {near.mean_absolute_error:.2f} | {change.mean():+.2f} "
            f"| {np.abs(change).mean():.2f} |"
        )


def _parity(put: Played, bxm: Played) -> str:
    rows = []
    for name, (one, other) in PARITY.items():
        same = (one, other) == (put.rules, bxm.rules)
        pair = (
            (put.model[: len(FEW)], bxm.model[: len(FEW)])
            if same
            else (returns(FEW, tell, one), returns(FEW, tell, other))
        )
        apart = pair[0] - pair[1]
        rows.append(
            f"| {name} | {correlation(pair[0].ravel(), pair[1].ravel()):.4f} | {apart.mean():+.2f} "
            f"| {np.abs(apart).mean():.2f} | {np.abs(apart).max():.2f} |"
        )
    return "\n".join(rows)


def _parity_dividends() -> float:
    """How what parity leaves follows the dividends that the market's forwards do not know."""
    one, other = PARITY["both"]
    apart = (returns(FEW, tell, one) - returns(FEW, tell, other)).mean(axis=0)
    more = np.array([DIVIDENDS[year] - 100 * DIVIDEND_YIELD for year in range(FIRST, LAST + 1)])
    return correlation(apart, more)


if __name__ == "__main__":
    main()
