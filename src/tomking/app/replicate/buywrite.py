"""The rules of the Cboe S&P 500 BuyWrite Index (BXM) as a strategy.

Source: Cboe, "Description of the CBOE S&P 500 BuyWrite Index (BXM)", 2010; Whaley, "Return and Risk of CBOE
Buy Write Monthly Index", Journal of Derivatives, Winter 2002.

* Hold the stocks of the S&P 500, dividends included.
* On each third Friday (the session before, when that is a holiday) the call that was sold settles against the
  opening prices.  Here the market settles it, at the 09:30 level.
* Later that morning sell one call per unit of the index: the next third Friday's, with the closest strike at
  or above the last index level before 11:00 New York.  The index takes the average price of the call over a
  window that begins at 11:30; here both happen at 11:00.
* What the call brings in and the month's dividends buy more of the index.

Daily return = (S + Div - C) / (S' - C'), which is that of the position ``+1 share, -1 call``.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_CEILING, Decimal

from tomking.domain.book import Position
from tomking.domain.calendar import Session, Sessions
from tomking.domain.contract import Option, Right, Share
from tomking.domain.intent import Close, Intent, Open, Part, Pass, Urgency
from tomking.domain.structure import Leg, Structure
from tomking.sim.listing import moved, third_friday
from tomking.view import Own, View

PRODUCT = "SPX"
STRIKE_STEP = Decimal(5)
"""Points between the strikes of SPX options of the next month, in every year of the history."""
ROLL_AT = time(11)
"""New York."""
INDEX, CALL, ROLL = "index", "call", "roll"


def is_roll_day(day: date, sessions: Sessions) -> bool:
    """Whether the month's SPX options settle on the morning of this session."""
    return moved(third_friday(day.year, day.month), sessions) == day


def strike_at_or_above(level: float, step: Decimal = STRIKE_STEP) -> Decimal:
    """The closest listed strike equal to or greater than the index.

    >>> strike_at_or_above(1271.99), strike_at_or_above(1275.0)
    (Decimal('1275'), Decimal('1275'))
    """
    return (Decimal(str(level)) / step).to_integral_value(rounding=ROUND_CEILING) * step


@dataclass(frozen=True, slots=True)
class BuyWrite:
    """One position a month, of all the money there is: part "index" and part "call"."""

    sessions: Sessions
    roll_at: time = ROLL_AT
    strike_step: Decimal = STRIKE_STEP
    """Both are varied only to measure how much depends on them (scripts/replication.py)."""
    id: str = "bxm"

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        """It has no life of its own."""
        return ()

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        """The roll, once, from 11:00 on: the old shares out, new shares and a new call in."""
        due = is_roll_day(view.today, self.sessions) and view.now >= view.session.at(self.roll_at)
        if not due or ROLL in own.entered:
            return ()
        wish = self._wish(view, own)
        if isinstance(wish, Pass):
            return (wish,)
        return (*(self._sold(position) for position in own.positions), wish)

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        """There is nothing to guard: the call is covered."""
        return ()

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        roll = session.at(self.roll_at)
        return roll if now < roll and is_roll_day(session.date, self.sessions) else None

    def _sold(self, position: Position) -> Close:
        reason = "the call it covered has settled"
        return Close(self.id, position.id, (INDEX,), Urgency.RULE, ROLL, reason)

    def _wish(self, view: View, own: Own) -> Open | Pass:
        expiry = next(iter(view.expiries(PRODUCT)), None)
        chain = None if expiry is None else view.chain(PRODUCT, expiry)
        spot = view.spot()
        if expiry is None or chain is None or spot is None:
            return Pass(self.id, ROLL, "DATA", f"no {PRODUCT} options on {view.today}")
        size = (chain.multiplier, chain.tick)
        call = Option(PRODUCT, expiry, Right.CALL, strike_at_or_above(spot, self.strike_step), *size)
        share = Share(PRODUCT, *size)
        level, premium = (None if quote is None else quote.mid for quote in view.quotes((share, call)))
        if level is None or premium is None:
            return Pass(self.id, ROLL, "DATA", f"no two-sided quote of {call}")
        parts = (
            Part(INDEX, Structure(INDEX, (Leg(share, 1),))),
            Part(CALL, Structure(CALL, (Leg(call, -1),))),
        )
        return Open(
            strategy=self.id,
            entry=ROLL,
            parts=parts,
            ceiling=int(own.net_liq / ((level - premium) * chain.multiplier)),
            planned_loss=level - premium,
            target_gain=premium,
            least_net=-level,
            reason=f"index {level}, {call} at {premium}",
        )
