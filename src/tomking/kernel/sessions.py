"""0. The begin and the end of a session: what expired is settled, the day is valued and written."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import Component, Position, Working
from tomking.domain.calendar import Session
from tomking.domain.contract import Contract, Option
from tomking.domain.money import cents
from tomking.domain.products import PRODUCTS, Settlement, Style
from tomking.domain.structure import Leg
from tomking.execution.collar import LastSound
from tomking.kernel.absorbing import Absorbing
from tomking.kernel.belief import rests
from tomking.ports import Expiry
from tomking.view import View


class InSessions(Absorbing):
    """Begins and ends sessions."""

    def _end_what_was_left_open(self, session: Session, now: datetime) -> None:
        """After downtime over a close: that session ends first, at what is known now."""
        day = self.book.day.session
        left = None if day is None or day >= session.date else self._at.sessions.on(day)
        if left is not None and not self.book.day.ended:
            self._absorb(now)
            self._end(View(now, left, self._at.sessions, self._at.market, self._at.events))

    def _begin(self, session: Session, now: datetime) -> None:
        self._again.clear()
        self._sound = LastSound()
        self.record(ev.SessionBegan(now, session.date))
        self._settle(View(now, session, self._at.sessions, self._at.market, self._at.events))
        self._record_all(self._at.risk.begin(self.book, self.value(now).net_liq, now))

    def _settle_late(self, view: View) -> None:
        """What expired before and was not confirmed yet; looked for at every step until it is."""
        if self._unsettled:
            self._settle(view)

    def _end(self, view: View) -> None:
        """The close: day orders end, what expired settles, the day is valued and written."""
        for id_, working in tuple(self.book.orders.items()):
            if not rests(working) or self._expires_today(working, view):
                self._cancel(id_, "the session ends", view.now)
        self._absorb(view.now)
        self._settle(view)
        for (strategy, entry, code), times in self._again.items():
            self.record(ev.DeclinedAgain(view.now, strategy, entry, code, times))
        snapshot, following = self._at.risk.end(self.book, view, self.value(view.now).net_liq)
        self.record(snapshot)
        self._record_all(following)
        self._at.journal.commit()

    def _expires_today(self, working: Working, view: View) -> bool:
        return any(
            leg.contract.expiry <= view.today for part in working.order.parts for leg in part.structure.legs
        )

    def _settle(self, view: View) -> None:
        """Books the settlement of everything that has expired, as far as it is confirmed.

        At the session's begin for what settles at the open, at its end for all.
        """
        expired = {c for c in self.book.held() if c.expiry <= view.today}
        sold = self._assignable(view)
        self._unsettled = False
        if not expired and not sold:
            return
        outcomes = {e.contract: e for e in self._at.broker.expired(expired, view.now)} if expired else {}
        over = view.now >= view.session.close
        self._unsettled = any(c not in outcomes and (over or c.expiry < view.today) for c in expired)
        assigned = {e.contract: e for e in self._at.broker.assigned(sold, view.now)} if sold else {}
        self._clear_the_way(assigned, view.now)
        for position in tuple(self.book.positions.values()):
            for one in position.open_components:
                ended = [leg for leg in one.structure.legs if leg.contract in outcomes]
                if not one.closing and not one.target:
                    ended += [leg for leg in one.structure.legs if leg.is_short and leg.contract in assigned]
                if ended:
                    self.record(_settlement(position, one, ended, {**outcomes, **assigned}, view.now))
            self._live_on(position.id, "settlement", view.now)

    def _assignable(self, view: View) -> set[Contract]:
        """Sold options that their holders may exercise early: asked for once a session, at its close."""
        if view.now < view.session.close:
            return set()
        sold = (leg.contract for p in self.book.positions.values() for leg, _ in p.legs() if leg.is_short)
        return {c for c in sold if isinstance(c, Option) and _may_be_assigned(c, view.today)}

    def _clear_the_way(self, assigned: Mapping[Contract, Expiry], now: datetime) -> None:
        """No order may go on working on a leg that is no longer there."""
        for position in tuple(self.book.positions.values()) if assigned else ():
            for one in position.open_components:
                if any(leg.is_short and leg.contract in assigned for leg in one.structure.legs):
                    for id_ in filter(None, (one.target, one.closing)):
                        self._cancel(id_, "assigned", now)
        if assigned:
            self._absorb(now)


def _may_be_assigned(option: Option, today: date) -> bool:
    product = PRODUCTS[option.product]
    american = product.style is Style.AMERICAN and product.settlement is Settlement.SHARES
    return american and option.expiry > today


def _settlement(
    position: Position,
    one: Component,
    ended: Iterable[Leg],
    outcomes: Mapping[Contract, Expiry],
    now: datetime,
) -> ev.Settled:
    """The settlement of one component's expired or assigned legs, all its units."""
    dollars = fees = Decimal(0)
    expired: list[Contract] = []
    delivered: list[Leg] = []
    price = Decimal(0)
    for leg in ended:
        outcome = outcomes[leg.contract]
        expired.append(leg.contract)
        price = outcome.price
        dollars += leg.ratio * one.units * outcome.dollars
        fees += abs(leg.ratio) * one.units * outcome.fee
        if outcome.delivered is not None:
            what, side = outcome.delivered
            delivered.append(Leg(what, side * leg.ratio))
    return ev.Settled(
        now, position.id, one.role, tuple(expired), price, cents(dollars), cents(fees), tuple(delivered)
    )
