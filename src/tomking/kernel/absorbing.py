"""1. Absorb: the broker's news, recorded first and then believed; what a process that died left behind."""

from datetime import datetime

from tomking.domain import events as ev
from tomking.kernel.alarm import RareNews, alarm, is_new
from tomking.kernel.belief import HALFWAY, Belief
from tomking.kernel.holdings import behind, is_halfway


class Absorbing(Belief):
    """Hears the broker."""

    def hear(self, now: datetime) -> None:
        """What the broker tells, and nothing else: at the end of a process nothing more is sent."""
        self._absorb(now)

    def _follow(self, now: datetime) -> None:
        """Outside the session: the fate of what was still open at its close, and nothing else."""
        if self.book.orders and self._at.broker.next_wake(now) is not None:
            self._absorb(now)

    def _absorb(self, now: datetime) -> None:
        told = self._at.broker.news(self.book, now)
        for news in told:
            self._absorb_one(news)
        if any(isinstance(news, ev.OrderRetried) for news in told):
            # It is durable now: what waited for that may go out.
            self._absorb(now)

    def _absorb_answers(self, now: datetime) -> None:
        """The broker's answers to what this step sent, where it answers at once."""
        if self._sent:
            self._absorb(now)

    def _absorb_one(self, news: ev.BrokerNews) -> None:
        """Records what the book does not know yet; everything else is a repetition."""
        if not isinstance(news, ev.OrderFilled | ev.OrderAccepted | ev.OrderCancelled | ev.OrderRejected):
            self._absorb_rare(news)
            return
        id_ = news.fill.order if isinstance(news, ev.OrderFilled) else news.order
        working = self.book.orders.get(id_)
        if working is None or (isinstance(news, ev.OrderFilled) and news.fill.id in working.fills):
            return
        self.record(news)
        filled = isinstance(news, ev.OrderFilled) and not working.order.opens
        halfway = filled and is_halfway(self.book.positions.get(working.order.position))
        self._live_on(working.order.position, HALFWAY if halfway else working.order.trigger, news.at)

    def _absorb_rare(self, news: RareNews) -> None:
        """What no simulated market tells: doubt, uneven legs, late prints, and differences of the account."""
        if not is_new(self.book, news):
            return
        self.record(news)
        said = alarm(news)
        if said is not None:
            self._at.notifier.notify(*said, news.at)
        if isinstance(news, ev.Settled):
            self._live_on(news.position, "settlement", news.at)
            self._clear_oversized(news.position, news.at)
        if isinstance(news, ev.LateFill):
            order = self.book.ended[news.order].order
            self._live_on(order.position, order.trigger, news.at)
            self._clear_oversized(order.position, news.at)

    def _clear_oversized(self, id_: str, now: datetime) -> None:
        """After a late print no order may go on closing more than is held."""
        position = self.book.positions.get(id_)
        for one in position.components.values() if position is not None else ():
            for order in filter(None, (one.target, one.closing)):
                working = self.book.orders[order]
                if working.order.units - working.filled > one.units:
                    self._cancel(order, "a late print closed a part of it", now)

    def _catch_up(self, now: datetime) -> None:
        """What fell behind: a process may have died between a fill and the transition it causes, or between
        writing down that an order is to end and telling the broker.
        """
        self._cancel_again(now)
        for id_ in behind(self.book.positions):
            self._live_on(id_, "restart", now)

    def _cancel_again(self, now: datetime) -> None:
        """In the first step of a process; cancelling what has ended already does no harm."""
        for id_, working in tuple(self.book.orders.items()) if self._is_fresh else ():
            if working.cancelling:
                self._at.broker.cancel(id_, now)
                self._sent = True
        self._is_fresh = False
