"""docs/evidence/006-study.md from the figures, and the same as JSON, one line a row."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isnan

from tomking.app.study import words
from tomking.app.study.figures import TAIL, Bought, Estimate, Paths, Spread, bought_by, spread_of
from tomking.app.study.lines import Line
from tomking.app.study.paths import SYNTHETIC
from tomking.app.study.rows import ALL_OFF, ALL_ON, ALONE, BY_KEY, ROWS
from tomking.app.study.run import CAPITAL, Plan, span
from tomking.app.study.words import bullets, wrapped


@dataclass(frozen=True, slots=True)
class Study:
    """Everything the document says."""

    plan: Plan
    lines: Sequence[Line]
    commit: str
    code: str
    """Digest of the package."""
    minutes: float | None
    """That this run took; None where it only went on from lines that were there."""
    processes: int

    @property
    def years(self) -> dict[str, Line]:
        """By row."""
        if self.plan.years is None:
            return {}
        name = span(*self.plan.years)
        return {line.row: line for line in self.lines if line.path == name}

    @property
    def paths(self) -> list[Line]:
        return [line for line in self.lines if line.path.isdecimal()]

    def columns(self) -> dict[str, Paths]:
        """By row; empty without paths."""
        lines = self.paths
        return {row: Paths.of(lines, row) for row in self.plan.rows} if lines else {}

    def alone(self) -> dict[str, Paths]:
        """All off, each protection alone, all on, over the paths that have been played so; or empty."""
        count = min(self.plan.alone, self.plan.paths)
        lines = [line for line in self.paths if int(line.path) < count]
        keys = [ALONE[row].key for row in self.plan.rows if row in ALONE]
        return {row: Paths.of(lines, row) for row in (ALL_OFF.key, *keys, ALL_ON.key)} if lines else {}


def page(study: Study) -> str:
    """Markdown, 120 columns but for tables."""
    columns = study.columns()
    spreads = {key: spread_of(one, key) for key, one in columns.items()}
    bought = {
        key: bought_by(columns[ALL_ON.key], one, key) for key, one in columns.items() if key != ALL_ON.key
    }
    parts = [
        "# Evidence for issue 6: what each protection buys",
        _about(study),
        "## What it says",
        bullets(_said(study, spreads, bought)),
    ]
    if study.years:
        parts += [f"## The real years, {span(*(study.plan.years or (0, 0)))}", _years(study)]
    if columns:
        parts += [
            f"## {study.plan.paths:,} quarters",
            _quarters(spreads.values()),
            "## What each rule buys, path by path",
            wrapped(words.BOUGHT),
            _bought(bought.values()),
            "## By kind of quarter",
            _kinds(columns),
        ]
    if alone := study.alone():
        count = len(alone[ALL_OFF.key].results)
        parts += [
            f"## Each rule alone, the first {count} of these quarters",
            wrapped(words.ALONE),
            _alone(alone),
        ]
    parts += [
        "## What is switched off, and how",
        _how(study.plan.rows),
        "## How the quarters are made",
        wrapped(words.MADE),
    ]
    parts += ["## What is weaker than it looks", bullets(words.WEAK)]
    return "\n\n".join(parts) + "\n"


def as_json(study: Study) -> Iterator[str]:
    """One line a row: the figures of the tables."""
    columns = study.columns()
    for key in study.plan.rows:
        found: dict[str, object] = {"row": key, "commit": study.commit, "seed": study.plan.seed}
        if key in study.years:
            found["years"] = {"span": study.years[key].path, **asdict(study.years[key].outcome)}
        if key in columns:
            found["paths"] = asdict(spread_of(columns[key], key))
            if key != ALL_ON.key:
                found["bought"] = asdict(bought_by(columns[ALL_ON.key], columns[key], key))
        yield json.dumps(found)
    alone = study.alone()
    for key, one in alone.items():
        against = asdict(bought_by(one, alone[ALL_OFF.key], key))
        yield json.dumps({"row": key, "alone": asdict(spread_of(one, key)), "against_off": against})


# ---------------------------------------------------------------------------------- the words


def _about(study: Study) -> str:
    core = sum(line.seconds for line in study.lines)
    played = sum(line.played for line in study.lines)
    took = "" if study.minutes is None else f"{study.minutes:.0f} minutes on {study.processes} cores; "
    run = (
        f"`make study` wrote this page and 006-study.jsonl: seed {study.plan.seed}, commit "
        f"{study.commit}, package {study.code[:12]}. {took}{played:,} accounts played in "
        f"{core / 60:.0f} minutes of one core, {len(study.lines) - played:,} more are all-on's to the cent, "
        "because nothing that the row switches off did anything on the path."
    )
    return f"{wrapped(run)}\n\n{wrapped(words.ACCOUNT.format(capital=CAPITAL))}"


def _said(study: Study, spreads: dict[str, Spread], bought: dict[str, Bought]) -> Iterator[str]:
    """What the figures say, in sentences that hold whatever they are."""
    for key, how in ((ALL_ON.key, "With everything on"), (ALL_OFF.key, "With all of them off")):
        if key in study.years:
            line = study.years[key]
            one = line.outcome
            yield (
                f"{how}, {line.path}: worst day {_pct(one.worst_day)} ({one.worst_on}), worst drawdown "
                f"{_pct(-one.drawdown)}, {_total(one.result)} in all."
            )
        if key in spreads:
            yield f"{how}, {spreads[key].paths:,} quarters: {_spread(spreads[key])}."
    single = [one for key, one in bought.items() if key != ALL_OFF.key]
    helps = [one for one in single if one.tail.low > 0]
    costs = [one for one in single if one.mean.high < 0]
    nothing = [one for one in single if not one.changed]
    unclear = [one for one in single if one.changed and one not in helps and one not in costs]
    for found, what in (
        (helps, "make the worst twentieth of quarters clearly better: the interval leaves zero out"),
        (costs, "clearly cost in the mean of these quarters"),
        (unclear, "change results, but neither the tail for the better nor the mean for the worse clearly"),
        (nothing, "changed no path: while the others are on, another rule always comes first"),
    ):
        if found:
            yield f"{_and([BY_KEY[one.key].title for one in found])}: {what}."
    if single:
        saved, caused = sum(one.saved for one in single), sum(one.caused for one in single)
        yield f"One at a time, the rules save {saved} paths from RED and bring {caused} there."


def _spread(one: Spread) -> str:
    return (
        f"worst day {_pct(one.worst_day)}, worst drawdown {_pct(-one.drawdown)}, RED in "
        f"{_share(one.red)} of them, mean {_pct(one.mean)}, worst twentieth {_pct(one.tail)}"
    )


# ---------------------------------------------------------------------------------- the tables


def _years(study: Study) -> str:
    head = (
        "row",
        "result",
        "a year",
        "worst day",
        "on",
        "worst drawdown",
        "RED",
        "TERMINAL",
        "closed trades",
    )
    first, last = study.plan.years or (0, 0)
    body = []
    for key, line in study.years.items():
        one = line.outcome
        yearly = (1 + one.result) ** (1 / (last - first + 1)) - 1 if one.result > -1 else float("nan")
        body.append((
            BY_KEY[key].title, _total(one.result), _pct(yearly), _pct(one.worst_day), one.worst_on,
            _pct(-one.drawdown), "yes" if one.is_red else "no", "yes" if one.is_terminal else "no",
            f"{one.trades:,}",
        ))  # fmt: skip
    return _table(head, body)


def _quarters(spreads: Iterable[Spread]) -> str:
    head = (
        "row", "worst day", "worst drawdown", "1 in 20 beyond", "RED (95 %)", "TERMINAL", "mean", "median",
        f"worst {TAIL:.0%}", "trades",
    )  # fmt: skip
    body = [
        (
            BY_KEY[one.key].title, _pct(one.worst_day), _pct(-one.drawdown), _pct(-one.deep), _share(one.red),
            f"{one.terminal}", _pct(one.mean), _pct(one.median), _pct(one.tail), f"{one.trades:.1f}",
        )
        for one in spreads
    ]  # fmt: skip
    return _table(head, body)


def _bought(bought: Iterable[Bought]) -> str:
    head = (
        "without", "paths changed", "mean", "quiet quarters", "crash quarters", f"worst {TAIL:.0%}",
        "drawdown", "RED saved / caused",
    )  # fmt: skip
    body = [
        (
            BY_KEY[one.key].title, f"{one.changed:,}", _gain(one.mean), _gain(one.quiet), _gain(one.crash),
            _gain(one.tail), _gain(one.drawdown), f"{one.saved} / {one.caused}",
        )
        for one in bought
    ]  # fmt: skip
    return _table(head, body)


def _alone(columns: dict[str, Paths]) -> str:
    head = (
        "only this is on", "worst day", "worst drawdown", "RED (95 %)", "TERMINAL", "mean",
        f"worst {TAIL:.0%}", "trades", "against all off: mean", "RED saved / caused",
    )  # fmt: skip
    off, body = columns[ALL_OFF.key], []
    for key, paths in columns.items():
        one, against = spread_of(paths, key), bought_by(paths, off, key)
        body.append((
            {ALL_OFF.key: "none", ALL_ON.key: "all"}.get(key, BY_KEY[key].title), _pct(one.worst_day),
            _pct(-one.drawdown), _share(one.red), f"{one.terminal}", _pct(one.mean), _pct(one.tail),
            f"{one.trades:.1f}", _gain(against.mean), f"{against.saved} / {against.caused}",
        ))  # fmt: skip
    return _table(head, body)


def _kinds(columns: dict[str, Paths]) -> str:
    head = ("row", "quarters", "paths", "worst day", "worst drawdown", "RED", "mean", f"worst {TAIL:.0%}")
    body = []
    for key in (ALL_ON.key, ALL_OFF.key):
        if key not in columns:
            continue
        one = columns[key]
        for kind, what in (("quiet", "no crash"), ("episode", "real episode"), (SYNTHETIC, SYNTHETIC)):
            rows = one.kind(kind)
            if not rows.any():
                continue
            some = spread_of(one.only(rows), key)
            body.append((
                BY_KEY[key].title, what, f"{some.paths}", _pct(some.worst_day), _pct(-some.drawdown),
                _share(some.red), _pct(some.mean), _pct(some.tail),
            ))  # fmt: skip
    return _table(head, body)


def _how(keys: Sequence[str]) -> str:
    body = []
    for row in ROWS:
        if row.key not in keys or row is ALL_ON:
            continue
        settings = "" if row is ALL_OFF else ", ".join(f"`{name}`" for name in row.settings)
        body.append((row.title, row.source, row.how, settings))
    return _table(("row", "methodology", "off", "settings that never bind"), body)


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    rows = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row) for row in body)]
    return "\n".join(f"| {row} |" for row in rows)


def _pct(share: float) -> str:
    return "–" if isnan(share) else f"{100 * share:+.1f} %".replace("-", "−")


def _total(share: float) -> str:
    digits = 0 if abs(share) >= 1 else 1
    return f"{100 * share:+,.{digits}f} %".replace("-", "−")


def _gain(one: Estimate) -> str:
    if isnan(one.value):
        return "–"
    if one.value == one.low == one.high == 0:
        return "0"
    text = f"{100 * one.value:+.2f} ({100 * one.low:+.2f} to {100 * one.high:+.2f})"
    return (f"**{text}**" if one.is_clear else text).replace("-", "−")


def _share(one: Estimate) -> str:
    return f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})".replace("%", " %")


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
