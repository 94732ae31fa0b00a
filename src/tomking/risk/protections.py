"""Numbers of the protections: groups, Greeks, breakers, emergency levels, earned phases (A.2, C.4 to C.9).

A base of the risk ``Settings``.  Tables by group are in the order of ``groups.GROUPS``; tables by level
run from level 1 to 4; a share is of net liq.
"""

from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.settings import setting
from tomking.risk.coordination import shares
from tomking.risk.precautions import Precautions


@dataclass(frozen=True, slots=True, kw_only=True)
class Protections(Precautions):
    """See the module."""

    # ------------------------------------------------------------------------- earned phases
    threshold_rate: Decimal = setting(
        Decimal("1.27"),
        low=Decimal("0.5"),
        high=Decimal(3),
        source="0.2, A.1",
        doc="Dollars to the pound for thresholds stated in pounds: a constant, never a market rate.",
    )
    threshold_currency: str = setting(
        "usd", choices=("usd", "gbp"), source="0.2, ruling 4", doc="Which of the two lists of floors holds."
    )
    phase_floors_gbp: tuple[Decimal, ...] = setting(
        shares("0 35000 50000 75000 100000"),
        low=Decimal(0),
        high=Decimal(10_000_000),
        source="A.1",
        doc="Net liq in pounds, at the threshold rate, from which each phase begins.",
    )
    phase_gating: str = setting(
        "value",
        choices=("value", "full_size", "earned"),
        source="A.2, rulings 4 and 5",
        doc="What criteria earned by trading gate: full-size contracts, promotions too, or nothing.",
    )
    earned_trades: tuple[int, ...] = setting(
        (0, 0, 20, 50, 100), low=0, high=1000, source="A.2", doc="Closed trades that a phase is earned with."
    )
    earned_win_shares: tuple[float, ...] = setting(
        (0.0, 0.0, 0.60, 0.65, 0.70), low=0.0, high=1.0, source="A.2", doc="Win rate that it is earned with."
    )
    earned_months: tuple[int, ...] = setting(
        (0, 0, 2, 3, 4), low=0, high=60, source="A.2", doc="Months in the phase below."
    )
    earned_drawdown_shares: tuple[Decimal, ...] = setting(
        shares("1 1 0.15 0.12 0.10"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="A.2",
        doc="Greatest drawdown in the phase below.",
    )
    # ---------------------------------------------------------------------- correlation groups
    group_max: tuple[Decimal, ...] = setting(
        shares("2 3 2 2 2 1 2 1 2"),
        low=Decimal(0),
        high=Decimal(3),
        source="C.5",
        doc="Positions in one correlation group from P3 on: A1 A2 B1 B2 C1 C2 D1 D2 E.",
    )
    group_max_phase_2: tuple[Decimal, ...] = setting(
        shares("2 2 2 2 2 1 2 1 2"), low=Decimal(0), high=Decimal(3), source="C.5", doc="The same in P2."
    )
    group_max_phase_1: tuple[Decimal, ...] = setting(
        shares("1 2 1 1 1 1 1 1 1"), low=Decimal(0), high=Decimal(3), source="C.5", doc="The same in P1."
    )
    group_max_phase_0: tuple[Decimal, ...] = setting(
        shares("1 1 1 1 1 1 1 1 1"), low=Decimal(0), high=Decimal(3), source="C.5", doc="The same in P0."
    )
    group_high_vix: float = setting(
        30.0,
        low=15.0,
        high=60.0,
        source="C.5",
        doc="From this VIX on every group holds one less, at least 1.",
    )
    equity_positions_max: Decimal = setting(
        Decimal(3), low=Decimal(1), high=Decimal(3), source="C.5", doc="Positions in A1 and A2 together."
    )
    short_vol_max: int = setting(
        5, low=1, high=5, source="C.5", doc="Short-volatility positions in all groups."
    )
    correlation_weights: str = setting(
        "default",
        choices=("default", "strict"),
        source="C.5",
        doc="What a position counts in its group: calendars and diagonals a half, or everything 1.",
    )
    correlation_days: int = setting(
        60, low=20, high=250, source="C.5", doc="Daily returns that a correlation is measured on."
    )
    correlation_share_max: float = setting(
        0.70, low=0.5, high=0.95, source="C.5", doc="Correlation above which two families count as one group."
    )
    correlation_share_watched: float = setting(
        0.50, low=0.3, high=0.95, source="C.5", doc="Correlation above which that is said."
    )
    bullish_stack_max: int = setting(
        4,
        low=1,
        high=20,
        source="C.5",
        doc="LT112, LEAP-put income and IPMCC together at which it is warned.",
    )
    # ------------------------------------------------------------------------------- Greeks
    delta_shares_max: tuple[Decimal, ...] = setting(
        shares("75 300 500 750 1000"),
        low=Decimal(1),
        high=Decimal(2000),
        source="A.3",
        doc="Delta of the equity complex either way by phase, in SPY shares at SPX 5,500.",
    )
    delta_net_liq_multiple: Decimal = setting(
        Decimal("1.5"),
        low=Decimal("0.1"),
        high=Decimal(3),
        source="A.3, C.6",
        doc="And at most this multiple of net liq over SPY.",
    )
    delta_event_share: Decimal = setting(
        Decimal("0.5"),
        low=Decimal("0.1"),
        high=Decimal(1),
        source="C.6, C.10",
        doc="Share of the delta limit on the day of an FOMC announcement or a CPI release.",
    )
    gamma_shares_max: tuple[Decimal, ...] = setting(
        shares("5 10 20 30 40"),
        low=Decimal(1),
        high=Decimal(200),
        source="A.3, C.6",
        doc="Overnight gamma either way by phase: SPY shares of delta per dollar of SPY, at SPX 5,500.",
    )
    short_vega_usd_max: tuple[Decimal, ...] = setting(
        shares("250 500 750 1000 1500"),
        low=Decimal(1),
        high=Decimal(20_000),
        source="A.3",
        doc="Short vega by phase, dollars per point of implied volatility.",
    )
    theta_usd_target: tuple[Decimal, ...] = setting(
        shares("50 100 200 350 500"),
        low=Decimal(1),
        high=Decimal(20_000),
        source="A.3",
        doc="Theta a day by phase that is aimed at; half as much again is warned of.",
    )
    theta_share_watched: Decimal = setting(
        Decimal("0.005"),
        low=Decimal("0.0005"),
        high=Decimal("0.05"),
        source="C.6",
        doc="Theta a day of net liq above which too much has been sold: a warning.",
    )
    greeks_watched_share: Decimal = setting(
        Decimal("0.80"),
        low=Decimal("0.1"),
        high=Decimal(1),
        source="C.6",
        doc="Share of a limit that is said.",
    )
    spx_strategies_max: int = setting(
        3, low=1, high=10, source="C.6", doc="Strategies that hold risk on the S&P 500 at once."
    )
    # ------------------------------------------------------------------------- floors and streaks
    expectancy_gbp_min: Decimal = setting(
        Decimal(100),
        low=Decimal(0),
        high=Decimal(10_000),
        source="C.2",
        doc="Average net of a closed trade, in pounds at the threshold rate; below it sizes are halved.",
    )
    expectancy_full_gbp: Decimal = setting(
        Decimal(75_000),
        low=Decimal(1),
        high=Decimal(10_000_000),
        source="C.2",
        doc="Net liq in pounds below which that floor shrinks in proportion.",
    )
    expectancy_trades_min: int = setting(
        30, low=1, high=1000, source="C.2", doc="Closed trades before the expectancy floor counts."
    )
    expectancy_size_share: Decimal = setting(
        Decimal("0.5"), low=Decimal(0), high=Decimal(1), source="C.2", doc="Size below the expectancy floor."
    )
    win_share_min: float = setting(
        0.60, low=0.0, high=1.0, source="C.2", doc="Win rate below which a strategy is suspended."
    )
    win_trades_min: int = setting(
        20, low=1, high=1000, source="C.2", doc="Closed trades before the win-rate floor counts."
    )
    win_floor: str = setting(
        "warn",
        choices=("warn", "suspend"),
        source="C.2, decision 212",
        doc="Below the win-rate floor: say so, or open nothing until a human looks; live always suspends.",
    )
    losing_run_half: int = setting(
        3, low=1, high=20, source="C.4", doc="Losing closes in a row from which sizes are halved."
    )
    losing_run_pause: int = setting(
        5, low=1, high=20, source="C.4", doc="Losing closes in a row that pause entries for a session."
    )
    losing_run_size_share: Decimal = setting(
        Decimal("0.5"), low=Decimal(0), high=Decimal(1), source="C.4", doc="Size during a losing run."
    )
    loss_rate_max: float = setting(
        0.5, low=0.0, high=1.0, source="C.4", doc="Share of a day's closes that may lose."
    )
    loss_rate_closes_min: int = setting(
        3, low=1, high=20, source="C.4", doc="Closes in a day before that counts."
    )
    zero_dte_loss_share_max: Decimal = setting(
        Decimal("0.02"),
        low=Decimal("0.001"),
        high=Decimal("0.05"),
        source="C.4",
        doc="Loss of the open 0DTE against the prior close that closes it.",
    )
    closes_before_delivery: bool = setting(
        True,  # noqa: FBT003 - the default of a switch
        source="D.4, S2",
        doc="Short options in the money on their last day are closed half an hour before the close.",
        research=True,
    )
    day_high_share_max: Decimal = setting(
        Decimal("0.03"),
        low=Decimal("0.005"),
        high=Decimal("0.2"),
        source="C.4",
        doc="Fall from the day's high that pauses entries.",
    )
    day_high_pause_minutes: int = setting(60, low=1, high=390, source="C.4", doc="How long it pauses them.")
    month_gain_share_watched: Decimal = setting(
        Decimal("0.12"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="C.4",
        doc="Projected gain of a month that is warned of: a sign of trading too much.",
    )
    # ----------------------------------------------------------------------------- VIX flags
    vix_spike_points: float = setting(
        5.0, low=1.0, high=20.0, source="C.1", doc="Rise of the VIX within the minutes below: SPIKE."
    )
    vix_spike_minutes: int = setting(
        30, low=5, high=390, source="C.1", doc="Minutes looked back, and the pause after a SPIKE."
    )
    vix_crash_points: float = setting(
        10.0, low=2.0, high=50.0, source="C.1, C.8", doc="Rise of the VIX in a session: CRASH and breaker."
    )
    vix_crash_share: float = setting(
        0.5, low=0.1, high=2.0, source="C.1, C.8", doc="The same as a share of where the session began."
    )
    vix_jump_share_max: float = setting(
        0.40, low=0.1, high=1.0, source="C.11", doc="Jump of the VIX that one more reading must confirm."
    )
    loosen_minutes: int = setting(
        15, low=1, high=390, source="C.1", doc="Minutes a point past the boundary that loosen a VIX regime."
    )
    # ------------------------------------------------------------------------- circuit breakers
    rapid_loss_shares: tuple[Decimal, ...] = setting(
        shares("0.02 0.02 0.03 0.03 0.03"),
        low=Decimal("0.005"),
        high=Decimal("0.10"),
        source="C.8",
        doc="Breaker by phase: loss within the minutes below; P0 and P1 use the strict set.",
    )
    rapid_loss_minutes: int = setting(5, low=1, high=60, source="C.8", doc="Minutes of the rapid loss.")
    correlation_breaker_shares: tuple[float, ...] = setting(
        (0.80, 0.80, 0.90, 0.90, 0.90),
        low=0.3,
        high=1.0,
        source="C.8",
        doc="Breaker by phase: average correlation between the held complexes.",
    )
    correlation_breaker_days: int = setting(
        20, low=10, high=60, source="C.8", doc="Daily returns it is measured on."
    )
    correlation_reset_share: float = setting(
        0.60, low=0.0, high=0.9, source="C.8", doc="Correlation below which a breaker may recover."
    )
    margin_breaker_shares: tuple[Decimal, ...] = setting(
        shares("0.80 0.80 0.80 0.70 0.60 0.60 0.50"),
        low=Decimal("0.1"),
        high=Decimal(1),
        source="C.1, C.8",
        doc="Breaker: margin over net liq by VIX, with the next bounds.",
    )
    margin_breaker_bounds: tuple[float, ...] = setting(
        (13.0, 18.0, 20.0, 30.0, 35.0, 40.0),
        low=5.0,
        high=150.0,
        source="C.1",
        doc="VIX bounds of that table.",
    )
    margin_breaker_strict_share: Decimal = setting(
        Decimal("0.60"),
        low=Decimal("0.1"),
        high=Decimal(1),
        source="C.8",
        doc="The same in P0 and P1, at most.",
    )
    losses_breaker: tuple[int, ...] = setting(
        (2, 2, 3, 3, 3), low=1, high=20, source="C.8", doc="Breaker by phase: losing closes in a day."
    )
    breaker_low_vix: float = setting(
        13.0, low=8.0, high=20.0, source="C.8", doc="Below this VIX the loss and VIX breakers are tighter."
    )
    breaker_low_vix_share: Decimal = setting(
        Decimal("0.67"), low=Decimal("0.3"), high=Decimal(1), source="C.8", doc="By this share."
    )
    breaker_warn_share: Decimal = setting(
        Decimal("0.80"),
        low=Decimal("0.5"),
        high=Decimal(1),
        source="C.8",
        doc="Share of a threshold: level 1.",
    )
    breaker_flatten_share: Decimal = setting(
        Decimal("1.50"),
        low=Decimal(1),
        high=Decimal(2),
        source="C.8",
        doc="Multiple of a threshold: level 3.",
    )
    breaker_hours: int = setting(
        24, low=24, high=240, source="C.8", doc="Cool-down after a breaker, and at least to the next session."
    )
    breaker_vix_max: float = setting(
        25.0, low=15.0, high=40.0, source="C.8", doc="VIX below which a breaker may recover."
    )
    breaker_ramp_shares: tuple[Decimal, ...] = setting(
        shares("0.25 0.50 0.75"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.8",
        doc="Sizes after a recovery, each for the sessions below.",
    )
    breaker_ramp_sessions: int = setting(5, low=1, high=60, source="C.8", doc="Sessions of each step.")
    breaker_phase_sessions: int = setting(
        5, low=0, high=60, source="A.2", doc="Sessions on the limits of P1 after level 3."
    )
    warned_size_share: Decimal = setting(
        Decimal("0.5"), low=Decimal(0), high=Decimal(1), source="C.8", doc="Size while a breaker warns."
    )
    # ----------------------------------------------------------------------- emergency levels
    emergency_loss_shares: tuple[Decimal, ...] = setting(
        shares("0.05 0.10 0.15 0.20"),
        low=Decimal("0.01"),
        high=Decimal("0.5"),
        source="C.9",
        doc="Loss of the day that brings each level.",
    )
    emergency_vix_alone: tuple[float, ...] = setting(
        (25.0, 35.0, 40.0), low=15.0, high=100.0, source="C.9", doc="VIX that brings levels 1 to 3 by itself."
    )
    emergency_vix_losing: tuple[float, ...] = setting(
        (25.0, 30.0, 35.0, 40.0), low=15.0, high=100.0, source="C.9", doc="VIX that does on a losing day."
    )
    emergency_losing_shares: tuple[Decimal, ...] = setting(
        shares("0.02 0.02 0.02 0.05"),
        low=Decimal("0.001"),
        high=Decimal("0.2"),
        source="C.9",
        doc="What makes a losing day, for each level.",
    )
    emergency_correlations: tuple[float, ...] = setting(
        (0.70, 0.80, 0.85, 0.90), low=0.3, high=1.0, source="C.9", doc="Average correlation that brings each."
    )
    emergency_minutes: int = setting(
        30, low=5, high=390, source="C.9", doc="Minutes below its trigger that end levels 1 and 2."
    )
    emergency_stop_share: Decimal = setting(
        Decimal("0.75"),
        low=Decimal("0.25"),
        high=Decimal(1),
        source="C.9",
        doc="Share of its planned loss from which a loser is closed at levels 2 and 3.",
    )
    watch_minutes: int = setting(
        5, low=1, high=60, source="E.5", doc="Between looks at the book while an emergency level holds."
    )
    emergency_ramp_sessions: int = setting(
        5, low=0, high=60, source="C.12", doc="Sessions at reduced size after level 2 or more."
    )
    emergency_ramp_share: Decimal = setting(
        Decimal("0.5"), low=Decimal(0), high=Decimal(1), source="C.12", doc="Size during them."
    )
    black_swan_share: float = setting(
        0.05, low=0.02, high=0.2, source="C.9", doc="Move of the index in a day that stops entries."
    )
    black_swan_hours: int = setting(24, low=24, high=240, source="C.9", doc="For how long.")
    manual_vix: float = setting(
        50.0,
        low=35.0,
        high=150.0,
        source="C.9, ruling 9",
        doc="From this VIX on closing only, until released.",
    )


PROTECTIONS_BY_PHASE = (
    "phase_floors_gbp",
    "earned_trades",
    "earned_win_shares",
    "earned_months",
    "earned_drawdown_shares",
    "delta_shares_max",
    "gamma_shares_max",
    "short_vega_usd_max",
    "theta_usd_target",
    "rapid_loss_shares",
    "correlation_breaker_shares",
    "losses_breaker",
)
BY_GROUP = ("group_max", "group_max_phase_2", "group_max_phase_1", "group_max_phase_0")
GROUP_COUNT = 9
BY_LEVEL = {
    "emergency_loss_shares": 4,
    "emergency_vix_alone": 3,
    "emergency_vix_losing": 4,
    "emergency_losing_shares": 4,
    "emergency_correlations": 4,
}
