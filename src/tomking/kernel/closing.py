"""Closing components, and 5. Rest: open ones without a closing order get their profit-taking order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import is_

from tomking.domain import events as ev
from tomking.domain.book import Component, Position
from tomking.domain.chain import net_quote
from tomking.domain.intent import Close, Target, Urgency
from tomking.domain.lifecycle import State
from tomking.execution.ladder import limit_at, step_at
from tomking.execution.plan import closing_order, first_in_turn, groups_by_units, target_order, target_price
from tomking.kernel.belief import rests
from tomking.kernel.holdings import EXIT
from tomking.kernel.tending import Tending, lingers
from tomking.view import View

REFUSED_WAITS = timedelta(seconds=30)


class Closing(Tending):
    """Ends components."""

    def _close(self, close: Close, view: View) -> None:
        """Ends components: what else works on them goes first, then one order closes what is left.

        A component without a two-sided quote keeps its resting target; the others do not wait for it.
        """
        position = self.book.positions.get(close.position)
        if position is None:
            return
        components = self._quoted(close, self._closable(position, close), view)
        self._asked.update((close.position, one.role) for one in components)
        for id_ in self._in_the_way(position, components):
            self._cancel(id_, close.reason, view.now)
            self._press(id_, close, view)
        self._absorb_answers(view.now)
        position = self.book.positions.get(close.position)
        if position is None or self._in_the_way(position, []) or self._was_refused(position.id, view.now):
            return
        roles = {one.role for one in components}
        free = [c for c in position.open_components if c.role in roles and not c.closing and not c.target]
        groups = groups_by_units(free)
        if groups:
            self._say_exit(position, free, close, view.now)
        working = [c for c in position.open_components if c.closing]
        for group in first_in_turn(groups, working):
            self._send_closing(position, group, close, view)

    def _was_refused(self, position: str, now: datetime) -> bool:
        """A close that the broker refused a moment ago is not sent again at once."""
        refusals = (
            w.refused for w in self.book.ended.values() if w.order.position == position and not w.order.opens
        )
        refused = any(at is not None and now < at + REFUSED_WAITS for at in refusals)
        self._unquoted |= refused
        return refused

    def _press(self, id_: str, close: Close, view: View) -> None:
        """A resting order of unknown fate cannot make way: it takes the limits of the exit behind it."""
        working = self.book.orders[id_]
        if lingers(working) and rests(working) and working.doubt is not None:
            structure = working.order.structure
            quote = net_quote(structure, view.quotes(structure.contracts))
            if quote is None:
                return
            step = step_at(view.now - working.doubt)
            limit = limit_at(close.urgency, step, quote, structure.tick, working.order.floor)
            if limit != working.limit:
                self.record(ev.OrderRepriced(view.now, id_, limit))
                self._at.broker.reprice(id_, limit, view.now)
                self._sent = True

    def _closable(self, position: Position, close: Close) -> list[Component]:
        """The open ones that no rule exit works on; a stop overrides a rule exit's patience."""
        chosen = (position.components.get(role) for role in close.roles)
        return [
            one
            for one in chosen
            if one is not None
            and one.is_open
            and (one.closing is None or self._overrides(close, one.closing))
        ]

    def _overrides(self, close: Close, closing: str) -> bool:
        """Not one whose fate is unknown: that is repeated by whoever sends it, never doubled here."""
        working = self.book.orders[closing]
        overrides = close.urgency is Urgency.STOP and working.order.urgency is Urgency.RULE
        return overrides and working.doubt is None

    def _quoted(self, close: Close, components: list[Component], view: View) -> list[Component]:
        """Those that can be priced now; for the others it is said, and looked again in a minute."""
        priced = []
        for one in components:
            quotes = view.quotes(one.structure.contracts)
            one_sided = None not in quotes and self._sound.knows(one.structure)
            if one_sided or net_quote(one.structure, quotes) is not None:
                priced.append(one)
                continue
            self._unquoted = True
            detail = f"{close.position} {one.role}: a leg of {one.structure} has no two-sided quote"
            self._decline(close.strategy, f"{EXIT}{close.trigger}", "DATA", (detail,), view.now)
        return priced

    def _in_the_way(self, position: Position, components: Sequence[Component]) -> list[str]:
        """Orders that must end before components may be closed: the position's own opening order, the
        components' resting targets and the rule exits a stop overrides.
        """
        opening = [
            id_ for id_, w in self.book.orders.items() if w.order.opens and w.order.position == position.id
        ]
        return [*opening, *dict.fromkeys(id_ for c in components for id_ in (c.target, c.closing) if id_)]

    def _say_exit(self, position: Position, leaving: list[Component], close: Close, now: datetime) -> None:
        """The state that this close brings the position into."""
        if close.units is not None and any(one.units > close.units for one in leaving):
            return  # fewer units of the same
        roles = {one.role for one in leaving}
        left = [c for c in position.open_components if c.role not in roles and c.closing is None]
        if close.defends and left:
            self._become(position, State.DEFENDING, close.trigger, now)
        elif not left:
            self._become(position, State.EXITING, close.trigger, now)

    def _send_closing(
        self, position: Position, components: list[Component], close: Close, view: View
    ) -> None:
        order = closing_order(str(self.book.sequence), position, components, close)
        limit = self._limit(order, 0, view.now, view)
        if limit is None:  # a live market may answer differently a moment later
            self._unquoted = True
            return
        order = order.priced(limit)
        self.record(ev.OrderSubmitted(view.now, order))
        self._at.broker.submit(order, view.now)
        self._sent = True
        self._absorb(view.now)

    def _rest(self, view: View) -> None:
        """Places the profit-taking orders that should rest and do not; tightens those that do."""
        facts = (self.book.positions, self.book.orders, self.book.levels)
        if not self._asked and len(self._rested_of) == len(facts) and all(map(is_, self._rested_of, facts)):
            return
        waits = False
        for position in tuple(self.book.positions.values()):
            if position.state not in (State.ACTIVE, State.DEFENDING):
                continue
            for target in position.targets:
                waits |= self._rest_one(position, target, view)
        if not self._asked and not waits:
            self._rested_of = (self.book.positions, self.book.orders, self.book.levels)

    def _rest_one(self, position: Position, target: Target, view: View) -> bool:
        """Whether it waits for a market: nothing is sent to one that shows no quote of it at all."""
        components = [position.components[role] for role in target.roles]
        keep = self._at.risk.keep(self.book, target.keep)
        if any(not c.is_open or c.closing or (position.id, c.role) in self._asked for c in components):
            return False
        if len({c.units for c in components}) > 1:
            return False  # partly closed apart: the strategy's own rules see to the rest
        resting = components[0].target
        if resting is None and self._was_refused(position.id, view.now):
            return True
        if resting is None and all(c.target is None for c in components):
            quotes = view.quotes([leg.contract for c in components for leg in c.structure.legs])
            if all(quote is None for quote in quotes):
                return True
            order = target_order(str(self.book.sequence), position, components, target, keep)
            self.record(ev.OrderSubmitted(view.now, order))
            self._at.broker.submit(order, view.now)
            self._sent = True
        elif resting is not None:
            limit = target_price(components, keep)
            if limit != self.book.orders[resting].limit:
                self.record(ev.OrderRepriced(view.now, resting, limit))
                self._at.broker.reprice(resting, limit, view.now)
                self._sent = True
        return False
