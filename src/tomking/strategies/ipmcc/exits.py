"""The ways out of an IPMCC: the weekly call by itself, and both when the LEAP ends."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from tomking.domain.book import Component
from tomking.domain.calendar import dte
from tomking.domain.intent import Urgency
from tomking.domain.products import PRODUCTS
from tomking.rules import exits as out
from tomking.rules.schedule import data_time
from tomking.rules.strategy import Exit, Held
from tomking.strategies.ipmcc.parts import LEAP, SALE_DAYS, both, call_of, lost_share, the_weekly
from tomking.strategies.ipmcc.settings import Settings
from tomking.strategies.ipmcc.weekly import sold_key
from tomking.view import Own, View

STOP, ROLL, DOWN = "LEAP stop", "LEAP roll", "downtrend"


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.leave(STOP, Urgency.STOP, _lost(settings.leap_stop), guardian=True, which=both, confirm=True),
        out.leave(ROLL, Urgency.RULE, _leap_is_old(settings), guardian=True, which=both),
        out.leave(
            DOWN, Urgency.STOP, _lost(settings.down_none), guardian=True, which=the_weekly, confirm=True
        ),
        out.leave("pre-expiry", Urgency.RULE, _near_assignment(settings), guardian=True, which=the_weekly),
        out.leave("weekly roll", Urgency.RULE, _week_is_over(settings), guardian=True, which=the_weekly),
        out.leave("weekly target", Urgency.RULE, _time_value_won(settings), which=the_weekly),
    )


def _lost(share: Decimal) -> out.Reason:
    """Of the LEAP's cost."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        lost = lost_share(own, held.position) if held.position.components[LEAP].is_open else None
        return (
            None
            if lost is None or lost < share
            else f"the LEAP lost {lost:.0%} of its cost, {share:.0%} or more"
        )

    return why


def _leap_is_old(settings: Settings) -> out.Reason:
    """On a day of sale, so that the next one is bought with its call in the same morning."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        left = dte(view.today, held.position.components[LEAP].expiry)
        if left > settings.leap_roll_dte or not _is_sale_day(view):
            return None
        return f"the LEAP has {left} days left, it is rolled at {settings.leap_roll_dte}"

    return why


def _near_assignment(settings: Settings) -> out.Reason:
    """In the money on its last day, or on any day without time value: somebody may exercise it."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        call = call_of(chosen[0])
        level = view.forward(call.product, call.expiry)
        if level is None or level <= float(call.strike):
            return None
        following = view.sessions.after(view.today)
        last = following is None or following.date > call.expiry
        due = min(view.session.at(settings.pre_expiry_from), view.session.close - timedelta(hours=1))
        if last and data_time(view) >= due:
            return f"{call} is in the money on its last day, at {level:.2f}"
        left = extrinsic(own, held, chosen[0], level)
        least = settings.extrinsic_usd_min * call.tick / PRODUCTS[call.product].tick
        if left is None or left >= least:
            return None
        return f"{call} is in the money with {left:.2f} of time value, under {least:.2f}"

    return why


def _week_is_over(settings: Settings) -> out.Reason:
    """The call of this week makes room for the next: never two against one LEAP."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        week = chosen[0].expiry.isocalendar()[:2] == view.today.isocalendar()[:2]
        if not week or not _is_sale_day(view) or view.now < view.session.at(settings.roll_from):
            return None
        return f"expires {chosen[0].expiry}, the next week's is sold today"

    return why


def _time_value_won(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        sold, left = chosen[0], dte(view.today, chosen[0].expiry)
        level = view.forward(held.position.product, sold.expiry)
        now = None if level is None else extrinsic(own, held, sold, level)
        then = sold_extrinsic(own, held, sold)
        if now is None or then <= 0:
            return None
        early = left >= settings.weekly_early_days
        share = settings.weekly_early_target if early else settings.weekly_target
        won = (then - now) / then
        return f"{won:.0%} of the time value of {then:.2f} is won, {left} days left" if won >= share else None

    return why


def extrinsic(own: Own, held: Held, sold: Component, level: float) -> Decimal | None:
    """Points of time value that buying it back pays for."""
    net = own.closing_net(held.position, sold)
    return None if net is None else -net - call_of(sold).intrinsic(Decimal(repr(level)))


def sold_extrinsic(own: Own, held: Held, sold: Component) -> Decimal:
    """Points of time value it was sold for; all of its credit where the level then is not known."""
    day, _, level = own.notes.get(sold_key(held.position.product), "").partition(" ")
    known = day == sold.expiry.isoformat()
    return sold.entry_net - (call_of(sold).intrinsic(Decimal(level)) if known else 0)


def _is_sale_day(view: View) -> bool:
    return SALE_DAYS.meant(view.today, view.sessions) is not None
