"""A comparison in words: for the terminal, and for machines."""

from collections.abc import Iterator, Mapping
from statistics import median

from tomking.app.replicate.run import Comparison


def as_text(result: Comparison) -> str:
    """Plain lines, no markup; returns in percent, deviations in percentage points."""
    return "\n".join((*_table(result), "", *_summary(result)))


def _table(result: Comparison) -> Iterator[str]:
    yield "year    model  published  deviation  spread"
    for year in result.years:
        spread = f"{year.spread:6.2f}" if len(result.seeds) > 1 else "     -"
        yield (f"{year.year}  {year.model:7.2f}    {year.published:7.2f}    {year.deviation:+7.2f}  {spread}")


def _summary(result: Comparison) -> Iterator[str]:
    first, last, many = result.years[0].year, result.years[-1].year, len(result.seeds) > 1
    drawn = f"{len(result.seeds)} seeds, {result.seeds[0]} to {result.seeds[-1]}"
    yield f"{result.index} {first} to {last}, {drawn if many else f'seed {result.seeds[0]}'}:"
    yield f"  correlation of the yearly returns  {result.correlation:.4f}"
    yield f"  mean absolute error                {result.mean_absolute_error:.2f} percentage points"
    yield f"  mean deviation                     {result.bias:+.2f} percentage points"
    if many:
        near, far = result.each_correlation, result.each_error
        yield "  model is the mean over the seeds, spread their standard deviation; each seed alone:"
        yield f"    correlation          median {median(near):.4f}, from {min(near):.4f} to {max(near):.4f}"
        yield f"    mean absolute error  median {median(far):.2f}, from {min(far):.2f} to {max(far):.2f}"


def as_facts(result: Comparison) -> Mapping[str, object]:
    """What ``--json`` prints."""
    return {
        "index": result.index,
        "seeds": list(result.seeds),
        "correlation": result.correlation,
        "mean_absolute_error": result.mean_absolute_error,
        "mean_deviation": result.bias,
        "correlation_by_seed": list(result.each_correlation),
        "mean_absolute_error_by_seed": list(result.each_error),
        "years": [
            {
                "year": year.year,
                "model": year.model,
                "published": year.published,
                "deviation": year.deviation,
                "spread": year.spread if len(result.seeds) > 1 else None,
            }
            for year in result.years
        ],
    }
