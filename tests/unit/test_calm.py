"""Between the bounds of ``calm_of`` the drawdown guard has nothing to say; at a limit it is asked itself."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tomking.domain.book import Book, Day
from tomking.risk import drawdown
from tomking.risk.calm import calm_of
from tomking.risk.settings import Settings

SETTINGS = Settings()
FRIDAY = date(2031, 3, 7)
NOW = datetime(2031, 3, 7, 16, tzinfo=UTC)
NOTES = {"risk.weekly_loss": "2031-W10 100000", "risk.monthly_loss": "2031-03 100000"}
BOOK = Book(
    peak=Decimal(100_000),
    prior_close=Decimal(100_000),
    levels={"vix_regime": "NORMAL", "drawdown": "GREEN"},
    notes=NOTES,
    day=Day(session=FRIDAY),
)

dollars = st.decimals(60_000, 120_000, places=2)
levels = st.sampled_from(drawdown.LEVELS)
regimes = st.sampled_from(["COMPLACENT", "NORMAL", "ELEVATED", "HIGH", "EXTREME"])


@given(net_liq=dollars, prior=dollars, level=levels, regime=regimes, vix=st.floats(9, 45))
def test_while_it_holds_the_guard_says_nothing(
    net_liq: Decimal, prior: Decimal, level: str, regime: str, vix: float
) -> None:
    book = replace(BOOK, prior_close=prior, levels={"vix_regime": regime, "drawdown": level})
    calm = calm_of(book, SETTINGS)
    assert calm is not None
    if calm.holds(net_liq, vix):
        assert drawdown.guard(book, net_liq, NOW, SETTINGS, vix=vix) == []


def test_it_ends_a_hair_above_the_nearest_limit() -> None:
    calm = calm_of(BOOK, SETTINGS)
    assert calm is not None
    # Of 100,000: each limit leaves (1 - its share), the nearest is the greatest of them.
    shares = (
        SETTINGS.daily_loss_share_max,
        SETTINGS.weekly_loss_share_max,
        SETTINGS.monthly_loss_share_max,
        SETTINGS.yellow_share,
    )
    limit = 100_000 * (1 - min(shares))
    assert not calm.holds(limit, 16.0)
    assert calm.holds(limit + 1, 16.0)
    assert calm.holds(limit + 1, None)


def test_a_waiting_first_sight_and_a_period_without_a_beginning_are_not_calm() -> None:
    assert calm_of(replace(BOOK, notes={**NOTES, "risk.seen.daily_loss": NOW.isoformat()}), SETTINGS) is None
    assert calm_of(replace(BOOK, notes={}), SETTINGS) is None
    assert calm_of(replace(BOOK, levels={}), SETTINGS) is None
    assert calm_of(replace(BOOK, day=Day(session=date(2031, 3, 10))), SETTINGS) is None  # another week
