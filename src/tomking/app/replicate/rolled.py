"""A month of an option index as a strategy on the kernel: one position, of all the money there is.

Number of units N.  With ``v`` the value of the portfolio after the settlement, ``c`` what a unit brings in at
the roll (points, negative for a share less its call), ``w`` the most a unit can cost at its settlement, ``d``
the price of 1 paid at expiry and ``m`` times cover:

    (v + N c) / d = m N w        so        N = v / (m w d - c)

The bills at expiry, premium included, are ``m`` times the worst settlement: for a put ``w`` is the strike,
for a condor its wider side.  A share less a call cannot settle below zero: ``w = 0``, N is ``v / (S - C)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tomking.app.replicate.rules import PRODUCT, SHARE_ROLE, Backing, IndexRules, Price
from tomking.domain.book import Position
from tomking.domain.calendar import Session, Sessions
from tomking.domain.chain import Chain, NetQuote, net_quote
from tomking.domain.contract import Share
from tomking.domain.intent import Close, Intent, Open, Part, Pass, Urgency
from tomking.domain.money import ZERO
from tomking.domain.structure import Leg, Structure, merged
from tomking.sim.listing import moved, third_friday
from tomking.view import Own, View

ROLL = "roll"


def is_roll_day(day: date, sessions: Sessions) -> bool:
    """Whether the month's SPX options settle on the morning of this session."""
    return moved(third_friday(day.year, day.month), sessions) == day


def parts_of(rules: IndexRules, chain: Chain, level: float) -> tuple[Part, ...]:
    """One unit of the month that begins at this index level: the share, if one is held, and the options."""
    legs = tuple(Leg(one.option(chain, level, rules.strike_step), one.ratio) for one in rules.options)
    options = Part(rules.role, Structure(rules.role, legs))
    if rules.backing is Backing.BILLS:
        return (options,)
    share = Share(PRODUCT, chain.multiplier, chain.tick)
    return (Part(SHARE_ROLE, Structure(SHARE_ROLE, (Leg(share, 1),))), options)


def money_per_unit(rules: IndexRules, parts: Sequence[Part], credit: Decimal, discount: float) -> Decimal:
    """Points of net liq that one unit takes: ``m w d - c`` of the module's formula, > 0."""
    least = merged(rules.id, [part.structure for part in parts]).least_payoff()
    assert least is not None, f"{rules.symbol} sells nothing without cover"
    return rules.cover * -least * Decimal(str(discount)) - credit


def credit_at(price: Price, quote: NetQuote) -> Decimal:
    """Points received for a unit when its options are deemed to trade there."""
    return quote.mid if price is Price.MID else quote.natural


@dataclass(frozen=True, slots=True)
class Rolled:
    """The ``Strategy`` of one index: at the roll the old position out and the next one in."""

    rules: IndexRules
    sessions: Sessions

    @property
    def id(self) -> str:
        return self.rules.id

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        """Its positions have no life of their own."""
        return ()

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        """The roll, once, from its hour on."""
        due = is_roll_day(view.today, self.sessions) and view.now >= view.session.at(self.rules.roll_at)
        if not due or ROLL in own.entered:
            return ()
        wish = self._wish(view, own)
        if isinstance(wish, Pass):
            return (wish,)
        return (*(self._sold(position) for position in own.positions), wish)

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        """There is nothing to guard: what is sold is covered."""
        return ()

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        roll = session.at(self.rules.roll_at)
        return roll if now < roll and is_roll_day(session.date, self.sessions) else None

    def _sold(self, position: Position) -> Close:
        reason = "the call it covered has settled"
        return Close(self.id, position.id, (SHARE_ROLE,), Urgency.RULE, ROLL, reason)

    def _wish(self, view: View, own: Own) -> Open | Pass:
        expiry = next(iter(view.expiries(PRODUCT)), None)
        chain = None if expiry is None else view.chain(PRODUCT, expiry)
        level = view.spot()
        if chain is None or level is None:
            return Pass(self.id, ROLL, "DATA", f"no {PRODUCT} options on {view.today}")
        parts = parts_of(self.rules, chain, level)
        whole = merged(self.id, [part.structure for part in parts])
        quote = net_quote(whole, view.quotes(whole.contracts))
        if quote is None:
            return Pass(self.id, ROLL, "DATA", f"no two-sided quote of {whole}")
        credit = credit_at(self.rules.price, quote)
        each = money_per_unit(self.rules, parts, credit, chain.discount)
        return Open(
            strategy=self.id,
            entry=ROLL,
            parts=parts,
            ceiling=int(own.net_liq / (each * chain.multiplier)),
            planned_loss=each,
            target_gain=max(credit, ZERO),
            least_net=quote.natural - each,  # whatever it brings in, the index has it
            reason=f"index {level}, {parts[-1].structure} for {credit}",
        )
