"""What must hold before an LT112 or its weekly calls are built."""

from tomking.domain.book import Component, Position
from tomking.domain.calendar import nth_weekday
from tomking.domain.contract import Option
from tomking.rules import entry as when
from tomking.rules import select
from tomking.rules.schedule import Days
from tomking.rules.strategy import Condition
from tomking.strategies.lt112.settings import Settings
from tomking.view import Own, View

WEDNESDAYS = Days(weekday=2, weeks=(1, 2, 3))


def phase_allows(settings: Settings) -> Condition:
    """Which Wednesday of the month the session stands for decides the phase it needs."""
    phases = {1: settings.first_week_phase, 2: settings.second_week_phase, 3: settings.third_week_phase}

    def check(view: View, own: Own) -> str | None:
        meant = WEDNESDAYS.meant(view.today, view.sessions)
        week = nth_weekday(meant or view.today)
        need = max(phases[week], settings.first_week_phase)
        return (
            None
            if own.phase >= need
            else f"Wednesday {week} of the month from phase {need}, this is {own.phase}"
        )

    return Condition("PHASE", check)


def trend_up(settings: Settings) -> Condition:
    rising = when.trend_up(settings.ema_fast, settings.ema_slow)
    return Condition("TECH", lambda view, own: None if settings.trend == "none" else rising.check(view, own))


def not_stretched(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        means = when.averages(view, settings.ema_fast, settings.ema_slow)
        if means is not None and means[0] <= means[1] * (1 + settings.weekly_trend_share):
            return None
        return f"EMA{settings.ema_fast} over EMA{settings.ema_slow}: {_pair(means)}, too far up"

    return Condition("TECH", check)


def _pair(means: tuple[float, float] | None) -> str:
    return "too few bars" if means is None else f"{means[0]:.2f} and {means[1]:.2f}"


def put_delta(view: View, own: Own, position: Position, pair: Component) -> float | None:
    """The naked put's delta; looked up only when the pair costs more than it brought.

    From 5 delta at 120 days to 20 delta at 21 a put's price grows 2.2-fold at one volatility; to be there
    and still cost less than it brought, its volatility would have to fall by more than half.
    """
    net = own.closing_net(position, pair)
    if net is None or -net <= pair.entry_net:
        return None
    put = pair.structure.contracts[0]
    if not isinstance(put, Option):
        return None
    chain = view.chain(position.product, put.expiry)
    return None if chain is None else select.delta_of(chain, put)
