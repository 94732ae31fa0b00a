"""Put spreads after a VIX spike: what the sources call their opportunity.  Off by default, on purpose.

Source: docs/strategies/vix_spike_puts.md (methodology B.13).  Sold in three tranches on three days, and only
once the VIX has fallen a fifth from its peak and closed lower twice: it contradicts the rules that pause
entries on a spike, and says so wherever it trades.
"""

from datetime import date, time
from itertools import pairwise

from tomking.rules import entry as when
from tomking.rules import exits as out
from tomking.rules import ledger
from tomking.rules.life import Life
from tomking.rules.schedule import EVERY_SESSION, Days, Window
from tomking.rules.strategy import Claim, Condition, Entry, Fact, Strategy, Watch
from tomking.strategies.vix_spike_puts import spread
from tomking.strategies.vix_spike_puts.settings import Settings
from tomking.view import Own, View

__all__ = ["Settings", "strategy"]

ID = "vix_spike_puts"
EVERY = 30
"""Minutes between looks into the window: its conditions are those of a day."""
WARNING = (
    "vix_spike_puts is on: selling puts after a VIX spike contradicts the pause on spikes (S1), "
    "the reduction at high VIX (C.9) and the never-disable list (S4)"
)


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="VIX-spike puts (off by default, against C.9)",
        priority=10,
        claim=Claim(None, "none"),
        facts=(Fact("warning", Window(time(9, 30), time(15, 59)), Days(0, weeks=(1,)), _warning),),
        entries=(
            Entry(
                spread.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                EVERY_SESSION,
                every=EVERY,
                when=(
                    _calm_account(),
                    when.has_market(),
                    when.enough_bars(settings.spike_sessions, "VIX"),
                    _after_the_peak(settings),
                    _tranche_left(settings),
                ),
                build=lambda view, own: spread.wish(settings, view, own, WARNING),
            ),
        ),
        exits=(
            ledger.keeping(),
            out.days_left("21 DTE", settings.exit_dte, settings.exit_from),
            out.stop_loss("stop", settings.stop_credits),
            out.target_without_order(settings.target),
        ),
        life=Life(ways={"OPEN": ()}, reading=lambda _view, _own, _position: ("OPEN", "held")),
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from,)),
        covered=("",),
        default_on=False,
    )


def _warning(view: View) -> str:
    """Written into the journal on the first Monday of each month, as long as it is on."""
    return WARNING


def _after_the_peak(settings: Settings) -> Condition:
    """There was a spike, the VIX has fallen far enough from it, and its last closes fell."""

    def check(view: View, own: Own) -> str | None:
        vix = when.known(view.vix)
        top = max(vix, peak(settings, view)[1])
        if top <= settings.spike_vix:
            return f"no spike: highest VIX of {settings.spike_sessions} sessions is {top:.2f}"
        if vix >= settings.vix_max:
            return f"VIX {vix:.2f}, no entry from {settings.vix_max:g} on"
        if vix > (1 - settings.fallen_share) * top:
            fallen = 1 - vix / top
            return (
                f"VIX {vix:.2f} has fallen {fallen:.0%} from {top:.2f}, {settings.fallen_share:.0%} is needed"
            )
        closes = view.bars("VIX").close[-settings.falling_closes - 1 :]
        falls = all(later < before for before, later in pairwise(closes))
        return None if falls else f"the last {settings.falling_closes} closes of the VIX do not fall"

    return Condition("VIX", check)


def peak(settings: Settings, view: View) -> tuple[date, float]:
    """Day and level of the highest VIX of the last sessions; of equal ones the latest."""
    bars = view.bars("VIX")
    high, days = bars.high[-settings.spike_sessions :], bars.day[-settings.spike_sessions :]
    row = len(high) - 1 - int(high[::-1].argmax())
    return date.fromisoformat(str(days[row])), float(high[row])


def _calm_account() -> Condition:
    """Drawdown below its first level; what the emergency level says of a day's loss is the gate's."""

    def check(view: View, own: Own) -> str | None:
        level = own.drawdown_level
        return None if level == "GREEN" else f"drawdown level {level}: below its first level is wanted"

    return Condition("SYS", check)


def _tranche_left(settings: Settings) -> Condition:
    """So many tranches after one peak, each on a day of its own."""

    def check(view: View, own: Own) -> str | None:
        since = peak(settings, view)[0]
        days = sorted(day for day in ledger.opened_days(own) if day > since)
        if len(days) < settings.tranches:
            return None
        return f"{len(days)} tranches since the peak of {since}, {settings.tranches} are allowed"

    return Condition("CAP", check)
