"""Every number of the risk gate, with its source: the one home of them (docs/risk.md is tested on it).

Tables by phase have five entries, P0 to P4.  Tables by VIX have one entry more than their bounds:
entry i holds from bound i-1 (included) to bound i (excluded).  Shares are of net liq: 0.02 is 2 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from tomking.domain.settings import setting
from tomking.risk.ceilings import CEILINGS_BY_PHASE, Ceilings
from tomking.risk.coordination import shares

PHASES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Ceilings):
    """``ValueError`` names every table that does not fit its bounds or its phases."""

    # ---------------------------------------------------------------------------------- phases
    phase_floors_usd: tuple[Decimal, ...] = setting(
        shares("0 44500 63500 95250 127000"),
        low=Decimal(0),
        high=Decimal(10_000_000),
        source="A.1",
        doc="Net liq from which each phase begins (profile seed_usd).",
    )
    phase_edge_share: Decimal = setting(
        Decimal("0.0025"),
        low=Decimal(0),
        high=Decimal("0.05"),
        source="A.1",
        doc="How far below a floor the first classification still counts it as reached.",
    )
    promotion_closes: int = setting(
        5,
        low=1,
        high=60,
        source="A.2",
        doc="Consecutive closes at or above the next floor before a promotion.",
    )
    promotion_sessions: int = setting(
        20, low=0, high=260, source="A.2", doc="Sessions between a change of phase and the next promotion."
    )
    demotion_share: Decimal = setting(
        Decimal("0.933"),
        low=Decimal("0.5"),
        high=Decimal(1),
        source="A.2",
        doc="Share of the phase's floor below which closes count towards a demotion.",
    )
    demotion_closes: int = setting(
        2, low=1, high=60, source="A.2", doc="Consecutive closes below that share before a demotion."
    )
    # ------------------------------------------------------------------------------ counts
    positions_max: tuple[int, ...] = setting(
        (2, 3, 5, 7, 10), low=0, high=20, source="A.3", doc="Open positions by phase."
    )
    entries_a_day_max: tuple[int, ...] = setting(
        (2, 3, 5, 7, 10), low=0, high=20, source="A.3", doc="New positions in a session by phase."
    )
    entries_high_vix: float = setting(
        30.0,
        low=10.0,
        high=100.0,
        source="A.3",
        doc="Above this VIX three quarters of the entries, at least 2.",
    )
    entries_crisis_vix: float = setting(
        40.0, low=10.0, high=100.0, source="A.3", doc="Above this VIX half of the entries, at least 1."
    )
    entering_max: tuple[int, ...] = setting(
        (1, 2, 3, 3, 3),
        low=0,
        high=20,
        source="A.3",
        doc="Strategies with an opening order at work at once, by phase.",
    )
    entry_spacing_minutes: int = setting(
        5, low=0, high=120, source="A.3, B.0", doc="Minutes since another strategy's last entry."
    )
    same_expiry_max: int = setting(
        2, low=1, high=10, source="C.2", doc="Positions with short legs on one expiration date."
    )
    expiry_week_max: int = setting(
        2, low=1, high=10, source="B.2", doc="Positions with short legs in one calendar week of expirations."
    )
    naked_put_delta_max: float = setting(
        0.15,
        low=0.05,
        high=0.20,
        source="B.2",
        doc="Delta of an LT112's naked put from which nothing more is opened on an equity index.",
    )
    # ------------------------------------------------------------------------- loss and capital
    trade_loss_share_max: Decimal = setting(
        Decimal("0.02"),
        low=Decimal("0.001"),
        high=Decimal("0.05"),
        source="A.3, C.2",
        doc="Loss of a position at its planned stop, slippage and fees included.",
    )
    heat_share_max: Decimal = setting(
        Decimal("0.10"),
        low=Decimal("0.01"),
        high=Decimal("0.40"),
        source="C.2",
        doc="Sum of planned stop losses.",
    )
    position_capital_share_max: Decimal = setting(
        Decimal("0.05"),
        low=Decimal("0.005"),
        high=Decimal("0.15"),
        source="A.3, C.2",
        doc="Capital of one position.",
    )
    family_margin_share_max: Decimal = setting(
        Decimal("0.15"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="C.2, ruling 13",
        doc="Margin of one underlying.",
    )
    strategy_margin_share_max: Decimal = setting(
        Decimal("0.30"), low=Decimal("0.01"), high=Decimal(1), source="C.2", doc="Margin of one strategy."
    )
    expiry_margin_share_max: Decimal = setting(
        Decimal("0.25"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="C.2",
        doc="Margin on one expiration date.",
    )
    margin_share_max: tuple[Decimal, ...] = setting(
        shares("0.25 0.30 0.50 0.65 0.80"),
        low=Decimal(0),
        high=Decimal(1),
        source="A.3",
        doc="All margin, by phase.",
    )
    capital_share_max: tuple[Decimal, ...] = setting(
        shares("0.40 0.50 0.65 0.75 0.80"),
        low=Decimal(0),
        high=Decimal(1),
        source="A.3",
        doc="All capital in use, by phase.",
    )
    reserve_share: Decimal = setting(
        Decimal("0.20"),
        low=Decimal(0),
        high=Decimal("0.9"),
        source="C.1",
        doc="Net liq that stays free of capital use.",
    )
    # ------------------------------------------------------------------------------ VIX regimes
    vix_bounds: tuple[float, ...] = setting(
        (13.0, 18.0, 25.0, 30.0, 35.0, 40.0),
        low=5.0,
        high=150.0,
        source="C.1",
        doc="Bounds of the VIX regimes.",
    )
    vix_capital_share_max: tuple[Decimal, ...] = setting(
        shares("0.45 0.65 0.75 0.50 0.25 0.25 0.15"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.1",
        doc="Capital in use by VIX regime.",
    )
    closing_only_vix: float = setting(
        35.0, low=20.0, high=100.0, source="C.1", doc="From this VIX on no new short premium."
    )
    vix_size_bounds: tuple[float, ...] = setting(
        (25.0, 30.0, 35.0),
        low=5.0,
        high=150.0,
        source="C.1, B.0.2",
        doc="VIX at which the size multiplier bends, with the next table.",
    )
    vix_size_shares: tuple[Decimal, ...] = setting(
        shares("1 0.75 0.5"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.1, B.0.2",
        doc="Size multiplier at those VIX, linear between them.",
    )
    vix_size_share_extreme: Decimal = setting(
        Decimal("0.25"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.1",
        doc="Size multiplier from the last bound to VIX 40.",
    )
    buffer_vix_bounds: tuple[float, ...] = setting(
        (20.0, 30.0, 40.0), low=5.0, high=150.0, source="C.1", doc="VIX bounds of the margin buffer."
    )
    buffer_shares: tuple[Decimal, ...] = setting(
        shares("0.20 0.35 0.50 0.70"),
        low=Decimal(0),
        high=Decimal(2),
        source="C.1",
        doc="Free net liq beside margin, as a share of the margin.",
    )
    # ------------------------------------------------------------------------------------ Kelly
    kelly_gate: str = setting(
        "warn",
        choices=("warn", "block"),
        source="C.3, ruling 12",
        doc="Whether a Kelly of zero warns or refuses.",
    )
    kelly_factor: Decimal = setting(
        Decimal("0.25"),
        low=Decimal("0.25"),
        high=Decimal("0.25"),
        source="C.3, ruling 16",
        doc="Share of full Kelly.",
    )
    kelly_share_max: Decimal = setting(
        Decimal("0.05"),
        low=Decimal("0.01"),
        high=Decimal("0.05"),
        source="C.3",
        doc="Quarter Kelly is capped here.",
    )
    kelly_prior_weight: int = setting(
        10, low=0, high=100, source="C.3", doc="Trades that the prior win rate counts for after the sample."
    )
    zero_dte_prior_wins: float = setting(
        0.80, low=0.0, high=1.0, source="C.3", doc="Prior win rate of the 0DTE: the claim less 8 points."
    )
    zero_dte_prior_payoff: float = setting(
        0.5 / 1.5, low=0.01, high=10.0, source="C.3", doc="Prior average win / average loss of the 0DTE."
    )
    zero_dte_sample: int = setting(
        50, low=1, high=500, source="C.3", doc="Closed 0DTE trades before the own record counts."
    )
    lt112_prior_wins: float = setting(
        0.65, low=0.0, high=1.0, source="C.3", doc="Prior win rate of the LT112: the claim less 8 points."
    )
    lt112_prior_payoff: float = setting(
        0.9 / 1.5, low=0.01, high=10.0, source="C.3", doc="Prior average win / average loss of the LT112."
    )
    lt112_sample: int = setting(
        20, low=1, high=500, source="C.3", doc="Closed LT112 trades before the own record counts."
    )
    # ------------------------------------------------------------------------- drawdown and losses
    yellow_share: Decimal = setting(
        Decimal("0.10"),
        low=Decimal("0.02"),
        high=Decimal("0.5"),
        source="C.4",
        doc="Drawdown that halves new sizes.",
    )
    orange_share: Decimal = setting(
        Decimal("0.15"),
        low=Decimal("0.02"),
        high=Decimal("0.5"),
        source="C.4",
        doc="Drawdown that stops entries.",
    )
    red_share: Decimal = setting(
        Decimal("0.20"),
        low=Decimal("0.02"),
        high=Decimal("0.5"),
        source="C.4",
        doc="Drawdown that closes short premium.",
    )
    terminal_share: Decimal = setting(
        Decimal("0.30"),
        low=Decimal("0.02"),
        high=Decimal("0.9"),
        source="C.4",
        doc="Drawdown that stops for good.",
    )
    terminal_peak: str = setting(
        "all_time",
        choices=("all_time", "since_reset"),
        source="C.4",
        doc="The peak TERMINAL is measured from: the highest ever, or the highest since a restart from RED.",
    )
    yellow_leave_share: Decimal = setting(
        Decimal("0.08"),
        low=Decimal(0),
        high=Decimal("0.5"),
        source="C.4",
        doc="Below it YELLOW ends, at two closes.",
    )
    orange_leave_share: Decimal = setting(
        Decimal("0.12"),
        low=Decimal(0),
        high=Decimal("0.5"),
        source="C.4",
        doc="Below it ORANGE ends, at two closes.",
    )
    leave_closes: int = setting(
        2, low=1, high=20, source="C.4", doc="Consecutive closes needed to leave a level."
    )
    yellow_size_share: Decimal = setting(
        Decimal("0.5"), low=Decimal(0), high=Decimal(1), source="C.4", doc="Size multiplier in YELLOW."
    )
    orange_close_share: Decimal = setting(
        Decimal("0.5"),
        low=Decimal("0.1"),
        high=Decimal(1),
        source="C.4",
        doc="Share of the stop from which ORANGE closes.",
    )
    orange_keep_share: Decimal = setting(
        Decimal("0.25"), low=Decimal("0.05"), high=Decimal(1), source="C.4", doc="Profit targets in ORANGE."
    )
    red_lock_days: int = setting(
        14, low=14, high=365, source="C.4", doc="Calendar days without entries after RED."
    )
    restart_after_red: bool = setting(
        True,  # noqa: FBT003 - the default of a switch
        source="C.4",
        doc="A backtest has no human: it restarts by itself when the lock ends.",
        research=True,
    )
    ramp_sessions: int = setting(
        20, low=0, high=260, source="C.4", doc="Sessions at reduced size after a restart."
    )
    ramp_size_share: Decimal = setting(
        Decimal("0.5"), low=Decimal(0), high=Decimal(1), source="C.4", doc="Size multiplier during them."
    )
    confirm_seconds: int = setting(
        30,
        low=0,
        high=600,
        source="C.4",
        doc="How long a drawdown or loss must persist intraday before it acts.",
    )
    daily_loss_share_max: Decimal = setting(
        Decimal("0.05"),
        low=Decimal("0.005"),
        high=Decimal("0.05"),
        source="C.4",
        doc="Loss against the prior close.",
    )
    weekly_loss_share_max: Decimal = setting(
        Decimal("0.10"),
        low=Decimal("0.01"),
        high=Decimal("0.5"),
        source="C.4",
        doc="Loss since the week began.",
    )
    monthly_loss_share_max: Decimal = setting(
        Decimal("0.15"),
        low=Decimal("0.01"),
        high=Decimal("0.5"),
        source="C.4",
        doc="Loss since the month began.",
    )
    losing_closes_max: int = setting(
        3, low=1, high=20, source="C.4", doc="Losing closes that end a day's entries."
    )
    # ------------------------------------------------------------------------------ data validity
    vix_age_minutes_max: int = setting(5, low=1, high=5, source="C.11", doc="Age of the VIX.")
    vix_low: float = setting(
        5.0, low=1.0, high=10.0, source="C.11", doc="A VIX at or below it is not believed."
    )
    vix_high: float = setting(
        150.0, low=90.0, high=500.0, source="C.11", doc="A VIX at or above it is not believed."
    )
    quote_age_seconds_max: int = setting(60, low=1, high=300, source="C.11", doc="Age of a leg's quote.")
    leg_spread_share_max: Decimal = setting(
        Decimal("0.20"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="C.11",
        doc="A leg's bid-ask spread over its mid.",
    )
    cheap_spread_points: Decimal = setting(
        Decimal("0.10"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.11",
        doc="Spread always allowed on a cheap leg.",
    )
    cheap_spread_ticks: int = setting(
        4, low=0, high=10, source="decision 206", doc="The same in ticks, where that is more."
    )
    cheap_leg_points: Decimal = setting(
        Decimal(1), low=Decimal(0), high=Decimal(10), source="C.11", doc="Mid below which a leg is cheap."
    )
    future_spread_ticks: int = setting(
        2, low=1, high=20, source="C.11", doc="Spread always allowed on an option on a future."
    )
    zero_bid_points: Decimal = setting(
        Decimal("0.05"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.11",
        doc="Ask up to which a long leg may have no bid.",
    )
    structure_spread_share_max: Decimal = setting(
        Decimal("0.15"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="C.11",
        doc="Sum of half spreads over the credit.",
    )
    daily_bars_min: int = setting(
        60, low=30, high=500, source="C.11", doc="Daily bars, the last one of the previous session."
    )
    spot_share_max: float = setting(
        0.15,
        low=0.05,
        high=0.25,
        source="C.11",
        doc="Move of the index from its prior close that is believed.",
    )
    chain_sigmas: float = setting(
        3.0,
        low=1.0,
        high=6.0,
        source="C.11",
        doc="Standard deviations around the forward that are looked at.",
    )
    chain_valid_share_min: float = setting(
        0.80, low=0.5, high=1.0, source="C.11", doc="Share of the quotes in there that must be valid."
    )
    chain_side_strikes_min: int = setting(
        10, low=1, high=50, source="C.11, decision 207", doc="Valid out-of-the-money strikes on each side."
    )
    leg_iv_max: float = setting(
        5.0, low=1.0, high=5.0, source="C.11", doc="Implied volatility of a leg, 1 is 100 %."
    )
    exit_dte: int = setting(
        21, low=21, high=21, source="ruling 10", doc="Short legs opened above it close at it."
    )
    # ------------------------------------------------------------------------------------- costs
    cost_share_max: Decimal = setting(
        Decimal("0.25"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="D.6",
        doc="Costs over the gain at target.",
    )
    cost_share_max_micro: Decimal = setting(
        Decimal("0.45"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="D.6",
        doc="The same for micro futures options.",
    )
    # ------------------------------------------------------------------------------------ margin
    scan_share: float = setting(
        0.06,
        low=0.02,
        high=0.25,
        source="B.2, decision 201",
        doc="Price scan range of index futures up to VIX 20.",
    )
    scan_vix: float = setting(
        20.0,
        low=10.0,
        high=40.0,
        source="decision 201",
        doc="Above it the range grows with the square root of VIX.",
    )
    vol_scan_share: float = setting(
        0.25, low=0.0, high=1.0, source="decision 201", doc="Relative move of implied volatility in the scan."
    )
    extreme_multiple: float = setting(
        3.0, low=1.0, high=4.0, source="decision 201", doc="The extreme scenarios' move in scan ranges."
    )
    extreme_cover: float = setting(
        0.33, low=0.0, high=1.0, source="decision 201", doc="Share of an extreme scenario's loss that counts."
    )
    short_minimum_share: float = setting(
        0.01,
        low=0.0,
        high=0.2,
        source="decision 201",
        doc="Least margin of a short option, of the scan range.",
    )
    uncovered_share: float = setting(
        0.25,
        low=0.10,
        high=1.0,
        source="ruling 18",
        doc="Uncovered index option: share of the underlying less OTM.",
    )
    uncovered_share_min: float = setting(
        0.15, low=0.05, high=1.0, source="ruling 18", doc="And at least this share of it."
    )

    equity_uncovered_share: float = setting(
        0.20,
        low=0.10,
        high=1.0,
        source="B.6, Cboe margin manual",
        doc="Uncovered option on shares: share of the underlying less OTM.",
    )
    equity_uncovered_share_min: float = setting(
        0.10,
        low=0.05,
        high=1.0,
        source="B.6, Cboe margin manual",
        doc="And at least this share of the strike (puts) or of the underlying (calls).",
    )

    stock_share: float = setting(
        0.50, low=0.15, high=2.0, source="Regulation T", doc="Delivered shares: share of their value."
    )

    def __post_init__(self) -> None:
        faults = [*_wrong_lengths(self), *_wrong_orders(self)]
        if faults:
            raise ValueError("; ".join(faults))


BY_PHASE = (
    "phase_floors_usd",
    *CEILINGS_BY_PHASE,
    "positions_max",
    "entries_a_day_max",
    "entering_max",
    "margin_share_max",
    "capital_share_max",
)
BY_VIX = (
    ("vix_bounds", "vix_capital_share_max", 1),
    ("vix_size_bounds", "vix_size_shares", 0),
    ("buffer_vix_bounds", "buffer_shares", 1),
    ("dynamic_vix_bounds", "dynamic_vix_factors", 1),
)
"""Bounds, their table, and how many more entries it has."""
REGIMES = 7
"""Rows of C.1's table; they have names in ``risk.regime``."""


def _wrong_lengths(settings: Settings) -> Iterator[str]:
    for name in BY_PHASE:
        if (count := len(getattr(settings, name))) != PHASES:
            yield f"{name} has {count} entries; write one for each of the {PHASES} phases"
    for bounds, table, more in BY_VIX:
        wanted = len(getattr(settings, bounds)) + more
        if (count := len(getattr(settings, table))) != wanted:
            yield f"{table} has {count} entries; with these {bounds} write {wanted}"
    if (count := len(settings.vix_capital_share_max)) != REGIMES:
        yield f"vix_capital_share_max has {count} entries; write one for each of the {REGIMES} regimes"


def _wrong_orders(settings: Settings) -> Iterator[str]:
    for name in ("phase_floors_usd", *(bounds for bounds, _, _ in BY_VIX)):
        values = getattr(settings, name)
        if any(later <= earlier for earlier, later in pairwise(values)):
            yield f"{name} must ascend"
    if settings.phase_floors_usd[:1] != (Decimal(0),):
        yield "phase_floors_usd must begin with 0"
    depths = (settings.yellow_share, settings.orange_share, settings.red_share, settings.terminal_share)
    if any(later <= earlier for earlier, later in pairwise(depths)):
        yield "yellow_share, orange_share, red_share and terminal_share must ascend"
    if settings.yellow_leave_share >= settings.yellow_share:
        yield "yellow_leave_share must be below yellow_share"
    if settings.orange_leave_share >= settings.orange_share:
        yield "orange_leave_share must be below orange_share"
