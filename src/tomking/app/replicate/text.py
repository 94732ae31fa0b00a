"""A comparison in words: for the terminal, and for machines."""

from collections.abc import Iterator, Mapping
from statistics import median

from tomking.app.replicate.run import Agreement, Comparison


def as_text(result: Comparison) -> str:
    """Plain lines, no markup; returns in percent, deviations in percentage points."""
    return "\n".join((*_table(result), "", *_summary(result)))


def _table(result: Comparison) -> Iterator[str]:
    yield "year    model  published  deviation  spread"
    for year in result.years:
        published = "      -" if year.published is None else f"{year.published:7.2f}"
        deviation = "      -" if year.deviation is None else f"{year.deviation:+7.2f}"
        spread = f"{year.spread:6.2f}" if len(result.seeds) > 1 else "     -"
        yield f"{year.year}  {year.model:7.2f}    {published}    {deviation}  {spread}"


def _summary(result: Comparison) -> Iterator[str]:
    first, last, many = result.years[0].year, result.years[-1].year, len(result.seeds) > 1
    drawn = f"{len(result.seeds)} seeds, {result.seeds[0]} to {result.seeds[-1]}"
    yield f"{result.index} {first} to {last}, {drawn if many else f'seed {result.seeds[0]}'}:"
    near = result.agreement
    if near is None:
        yield "  no published returns at hand"
    else:
        if len(near.years) < len(result.years):
            yield f"  published returns at hand: {near.years[0]} to {near.years[-1]}; over these years"
        yield from _agreement(near, many=many)


def _agreement(near: Agreement, *, many: bool) -> Iterator[str]:
    yield f"  correlation of the yearly returns  {near.correlation:.4f}"
    yield f"  mean absolute error                {near.mean_absolute_error:.2f} percentage points"
    yield f"  mean deviation                     {near.bias:+.2f} percentage points"
    if many:
        like, far = near.each_correlation, near.each_error
        yield "  model is the mean over the seeds, spread their standard deviation; each seed alone:"
        yield f"    correlation          median {median(like):.4f}, from {min(like):.4f} to {max(like):.4f}"
        yield f"    mean absolute error  median {median(far):.2f}, from {min(far):.2f} to {max(far):.2f}"


def as_facts(result: Comparison) -> Mapping[str, object]:
    """What ``--json`` prints; null where no published year is at hand."""
    near = result.agreement
    return {
        "index": result.index,
        "seeds": list(result.seeds),
        "correlation": near and near.correlation,
        "mean_absolute_error": near and near.mean_absolute_error,
        "mean_deviation": near and near.bias,
        "correlation_by_seed": near and list(near.each_correlation),
        "mean_absolute_error_by_seed": near and list(near.each_error),
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
