"""Where the account stands: every limit that a number can be measured against, and how much of it is used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book
from tomking.domain.money import ZERO
from tomking.risk.account import Account
from tomking.risk.case import reserved
from tomking.risk.drawdown import drawdown
from tomking.risk.expansion import cells, needs_of, stressed_margins
from tomking.risk.exposure import groups_of, lines_of
from tomking.risk.groups import counted, group_limit
from tomking.risk.phases import phase_of
from tomking.risk.regime import capital_cap
from tomking.risk.settings import Settings
from tomking.risk.shocks import EQUITY_GROUPS, S5, S10, S20, grid, shock_table
from tomking.risk.stress import Stressed, stressed
from tomking.view import View

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """One limit: what is used of it."""

    name: str
    used: float
    limit: float
    unit: str
    """``$``, ``%`` (shares: 0.02 is 2 %) or ``positions``."""
    source: str
    """Methodology paragraph."""

    @property
    def share(self) -> float:
        """Of the limit, 1 is all of it."""
        return self.used / self.limit if self.limit > 0 else (0.0 if self.used <= 0 else float("inf"))


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The book at one instant, stressed."""

    table: Stressed
    """In C.7's shocks."""
    steep: Stressed
    """The same with the put skew a fifth steeper: the second column."""
    grid: Stressed
    """In every cell, days outermost, then moves, then VIX points."""
    margins: Floats
    """Dollars the broker would ask for in each of ``expansion.cells``."""
    readings: tuple[Reading, ...]
    """The fullest first."""
    bets: float
    """Effective number of bets."""

    def fullest(self, prefix: str = "") -> Reading | None:
        return next((one for one in self.readings if one.name.startswith(prefix) and one.used > 0), None)


GROUP = "group "
"""Begins the readings of correlation groups."""


def standing(
    book: Book, view: View, account: Account, settings: Settings, extra: Sequence[Reading] = ()
) -> Standing | None:
    """Book, market and settings as one page; None without a VIX: there are no shocks then."""
    vix = view.vix
    if vix is None:
        return None
    lines = tuple(lines_of(book))
    shocks = shock_table(vix, settings)
    table = stressed(lines, view, shocks, settings)
    inside = stressed(lines, view, cells(settings), settings)
    margins = stressed_margins(tuple(needs_of(book)), inside, view, vix, settings).book
    readings = [
        *_stress_readings(table, account, phase_of(book), settings),
        _expansion(inside, margins, account, settings),
        *_account_readings(book, account, vix, settings),
        *_group_readings(book, view, settings),
        *extra,
    ]
    return Standing(
        table=table,
        steep=stressed(lines, view, shocks, settings, steep=settings.put_skew_steepening),
        grid=stressed(lines, view, grid(settings), settings),
        margins=margins,
        readings=tuple(sorted(readings, key=lambda one: -one.share)),
        bets=effective_bets(inside),
    )


def _stress_readings(found: Stressed, account: Account, phase: int, settings: Settings) -> Iterator[Reading]:
    caps = {
        S5: (settings.stress_5_share_max, "C.7"),
        S10: (settings.stress_10_share_max[phase], "A.3, C.7"),
        S20: (settings.stress_20_share_max[phase], "A.3, C.7"),
    }
    lost = found.losses(found.held)
    for name, (share, source) in caps.items():
        limit = float(share * account.net_liq)
        yield Reading(f"stress {name}", float(lost[found.column(name)]), limit, "$", source)
    limit = float(settings.stress_group_share_max * account.net_liq)
    for group, loss in found.group_losses().items():
        yield Reading(f"{GROUP}{group} stress", loss, limit, "$", "C.5")


def _expansion(inside: Stressed, margins: Floats, account: Account, settings: Settings) -> Reading:
    """The cell whose margin is the greatest share of the net liq left there."""
    left = float(account.net_liq) - inside.losses(inside.held)
    shares = np.where(left > 0, margins / np.maximum(left, 1e-9), np.where(margins > 0, np.inf, 0.0))
    most = float(settings.stressed_margin_share_max)
    return Reading("margin expansion", float(shares.max(initial=0.0)), most, "%", "decision 210")


def _account_readings(book: Book, account: Account, vix: float, settings: Settings) -> Iterator[Reading]:
    phase, net_liq, coming = phase_of(book), account.net_liq, reserved(book, settings)

    def dollars(name: str, used: Decimal, share: Decimal, source: str) -> Reading:
        return Reading(name, float(used), float(share * net_liq), "$", source)

    cap, _ = capital_cap(book, vix, settings)
    capital_share = min(cap, settings.capital_share_max[phase], 1 - settings.reserve_share)
    yield dollars("margin", account.margin + coming, settings.margin_share_max[phase], "A.3")
    yield dollars("capital in use", account.capital + coming, capital_share, "A.3, C.1")
    yield dollars("heat", account.heat, settings.heat_share_max, "C.2")
    for family, used in account.by_family.items():
        yield dollars(f"margin on {family}", used, settings.family_margin_share_max, "C.2")
    for strategy, used in account.by_strategy.items():
        yield dollars(f"margin of {strategy}", used, settings.strategy_margin_share_max, "C.2")
    depth = max(ZERO, drawdown(book, net_liq))
    yield Reading("drawdown", float(depth), float(settings.red_share), "%", "C.4")
    day = max(ZERO, 1 - net_liq / book.prior_close) if book.prior_close > 0 else ZERO
    yield Reading("loss today", float(day), float(settings.daily_loss_share_max), "%", "C.4")


def _group_readings(book: Book, view: View, settings: Settings) -> Iterator[Reading]:
    rows = [row for row in counted(book, settings) if row.group and row.weight]
    for group in dict.fromkeys(row.group for row in rows):
        total = sum((row.weight for row in rows if row.group == group), ZERO)
        most = group_limit(group, phase_of(book), view.vix, settings)
        yield Reading(f"{GROUP}{group} positions", float(total), float(most), "positions", "C.5")


def effective_bets(found: Stressed) -> float:
    """How many independent bets the positions amount to: 1 when all lose and gain together, at most n.

    With P the gains of n positions in every cell of the grid, ``(sum l)^2 / sum l^2`` over the eigenvalues
    ``l`` of P P' (their participation ratio).  Products outside equities move alone: each group's own shocks
    are cells of their own.  0 without positions.
    """
    gains = found.gains
    owners = [line.position for line in found.exposure.lines]
    names = list(dict.fromkeys(owners))
    if not names:
        return 0.0
    columns = _independent(found, gains)
    rows = np.array([columns[[owner == name for owner in owners]].sum(axis=0) for name in names])
    square = rows @ rows.T
    whole = float((square**2).sum())
    return float(np.trace(square)) ** 2 / whole if whole > 0 else 0.0


def _independent(found: Stressed, gains: Floats) -> Floats:
    own = [i for i, shock in enumerate(found.shocks) if shock.others]
    kept = [gains[:, [i for i in range(len(found.shocks)) if i not in own]]]
    groups = sorted(set(groups_of(found.exposure.lines)) - EQUITY_GROUPS)
    for group in groups:
        mine = found.of_group(group)
        kept.append(np.where(mine[:, None], gains[:, own], 0.0))
    columns: Floats = np.concatenate(kept, axis=1)
    return columns
