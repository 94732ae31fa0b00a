"""What each event does to the book; orders and positions have a module each."""

from dataclasses import replace
from typing import assert_never

from tomking.domain import events as ev
from tomking.domain.day import Day
from tomking.domain.draft import Draft
from tomking.domain.folding_orders import (
    cancelling,
    doubted,
    filled,
    filled_late,
    out_of_doubt,
    refused,
    reopened,
    repriced,
    retried,
    submitted,
    without_order,
)
from tomking.domain.folding_positions import paid, settled, staged, transitioned

REOPEN = "reopen"
"""The action of ``LegsUneven`` that lets an order which had ended work again."""


def happen(draft: Draft, event: ev.Event) -> None:
    """Puts one more event into the book.  Assertions guard what no event may do."""
    draft.sequence += 1
    draft.just_closed = ()
    match event:  # what comes most often first
        case ev.Noted(_, key, value):
            draft.put_note(key, value)
        case ev.Declined(_, strategy, entry, code, _):
            declined = (*draft.day.declined, (strategy, entry, code))
            draft.day = replace(draft.day, declined=declined)
        case (
            ev.OrderRepriced()
            | ev.OrderSubmitted()
            | ev.OrderAccepted()
            | ev.OrderFilled()
            | ev.OrderCancelled()
            | ev.OrderRejected()
            | ev.CancelRequested()
            | ev.OrderUnknown()
            | ev.OrderParked()
            | ev.OrderRetried()
            | ev.LegsUneven()
            | ev.LegsUnwound()
            | ev.LateFill()
        ):
            _order(draft, event)
        case ev.Transitioned(_, position, before, after, _):
            transitioned(draft, position, before, after)
        case ev.Staged(_, position, before_stage, after_stage, _, _):
            staged(draft, position, before_stage, after_stage)
        case ev.Settled():
            settled(draft, event)
        case ev.Paid():
            paid(draft, event)
        case _:
            _account(draft, event)


OfOrders = ev.OrderNews | ev.OrderSubmitted | ev.OrderRepriced | ev.CancelRequested


def _order(draft: Draft, event: OfOrders) -> None:  # noqa: C901, PLR0912 - one case per event
    match event:
        case ev.OrderRepriced(_, order, limit):
            repriced(draft, order, limit)
        case ev.OrderFilled(_, fill):
            filled(draft, fill)
        case ev.OrderSubmitted(at, sent):
            submitted(draft, sent, at)
        case ev.OrderAccepted(_, order):
            out_of_doubt(draft, order)
        case ev.OrderCancelled(_, order):
            without_order(draft, order)
        case ev.OrderRejected(at, order, _):
            refused(draft, order, at)
        case ev.CancelRequested(_, order, _):
            cancelling(draft, order)
        case ev.OrderUnknown(at, order):
            doubted(draft, order, at)
        case ev.OrderParked(at, order):
            doubted(draft, order, at, parked=True)
        case ev.OrderRetried(_, order, attempt):
            retried(draft, order, attempt)
        case ev.LegsUneven(_, order, action):
            if action == REOPEN:
                reopened(draft, order)
        case ev.LegsUnwound(_, order, dollars, fees):
            draft.cash += dollars - fees
            draft.fees += fees
            without_order(draft, order)
        case ev.LateFill(_, fill):
            filled_late(draft, fill)
        case _:
            assert_never(event)


OfAccount = (
    ev.RunStarted
    | ev.SessionBegan
    | ev.SessionEnded
    | ev.CashMoved
    | ev.DeclinedAgain
    | ev.EntryApproved
    | ev.LevelChanged
    | ev.PeakReset
    | ev.Quarantined
    | ev.Reconciled
    | ev.ForeignChanged
)


def _account(draft: Draft, event: OfAccount) -> None:
    match event:
        case ev.SessionBegan(_, day):
            draft.day = Day(session=day, began=draft.sequence)
            draft.ended = {}
            draft.lent.discard("ended")
        case ev.SessionEnded(_, _, net_liq):
            draft.day = replace(draft.day, ended=True)
            draft.prior_close = net_liq
            draft.peak = max(draft.peak, net_liq)
        case ev.CashMoved(_, dollars, _):
            draft.cash += dollars
            draft.deposits += dollars
            draft.prior_close += dollars
            draft.peak += dollars
        case ev.LevelChanged(_, name, before, after, _):
            assert draft.levels.get(name, "") == before, f"{name} is not {before!r}"
            draft.put_level(name, after)
        case ev.PeakReset(_, net_liq):
            draft.peak = net_liq
        case ev.Quarantined(_, strategy, _):
            draft.quarantined |= {strategy}
        case ev.ForeignChanged(_, contract, quantity):
            draft.put_foreign(contract, quantity)
        case ev.RunStarted() | ev.DeclinedAgain() | ev.EntryApproved() | ev.Reconciled():
            """Told for whoever reads the journal: the book does not change."""
        case _:
            assert_never(event)
