"""Quarter Kelly answers yes or no: methodology C.3's table."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.domain.record import Record
from tomking.risk.kelly import Prior, belief, kelly, priors, quarter_kelly
from tomking.risk.settings import Settings

SETTINGS = Settings()


@pytest.mark.parametrize(
    ("wins", "payoff", "full"),
    [(0.88, 0.25, 0.400), (0.80, 0.25, 0.0), (0.73, 0.45, 0.130), (0.72, 0.25, -0.400), (0.72, 0.50, 0.160)],
)
def test_the_worked_table(wins: float, payoff: float, full: float) -> None:
    assert kelly(wins, payoff) == pytest.approx(full, abs=5e-4)


def test_three_wins_in_four_of_200_against_losses_of_600_are_no_edge() -> None:
    assert kelly(0.75, 1 / 3) == pytest.approx(0.0, abs=1e-12)


def test_the_priors_of_both_strategies_have_an_edge() -> None:
    # 0DTE: (0.80 / 3 - 0.20) x 3 = 0.20, a quarter is the cap of 5 %.
    # LT112: (0.65 x 0.6 - 0.35) / 0.6 = 0.0667, a quarter is 1.67 %.
    known = priors(SETTINGS)
    assert quarter_kelly(Record(), known["friday_0dte"], SETTINGS) == Decimal("0.05")
    assert float(quarter_kelly(Record(), known["lt112"], SETTINGS)) == pytest.approx(0.25 / 15)


def test_below_the_sample_the_record_does_not_count() -> None:
    prior = Prior(0.65, 0.6, 20)
    terrible = Record(trades=19, wins=0, won=Decimal(0), lost=Decimal(10_000))
    assert belief(terrible, prior, SETTINGS) == (0.65, 0.6)


def test_after_the_sample_the_win_rate_is_shrunk_towards_the_prior() -> None:
    # 12 of 20 with a prior of 0.65 that weighs 10: (12 + 6.5) / 30; $100 won against $200 lost: 0.5.
    record = Record(trades=20, wins=12, won=Decimal(1200), lost=Decimal(1600))
    wins, payoff = belief(record, Prior(0.65, 0.6, 20), SETTINGS)
    assert wins == pytest.approx(18.5 / 30)
    assert payoff == pytest.approx(0.5)
    assert quarter_kelly(record, Prior(0.65, 0.6, 20), SETTINGS) == 0


@given(st.floats(0, 1), st.floats(0.01, 10), st.integers(0, 100), st.integers(0, 100))
def test_it_stays_between_nothing_and_five_per_cent(wins: float, payoff: float, won: int, lost: int) -> None:
    record = Record(trades=won + lost, wins=won, won=Decimal(100 * won), lost=Decimal(150 * lost))
    assert 0 <= quarter_kelly(record, Prior(wins, payoff, 20), SETTINGS) <= Decimal("0.05")
