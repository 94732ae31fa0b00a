"""Positions that are left to expire: cash settlement and delivered futures, by the integer ledger.

In the default run nothing expires: every rule closes before.  Here the 0DTE rules are told to hold on.
"""

from decimal import Decimal

import pytest
from tests.scenarios.accounts import Listening, played, request
from tests.scenarios.ledger import ON_FUTURES, Ledger, exact_cents

from tomking.domain import events as ev
from tomking.domain.contract import Future

pytestmark = pytest.mark.slow

HOLD = (
    "risk.closes_before_delivery=no",
    "risk.zero_dte_loss_share_max=0.05",
    "friday_0dte.vix_gate=off",
    "friday_0dte.vix_max=100",
    "friday_0dte.target_share=0.95",
    "friday_0dte.stop_credits=10",
    "friday_0dte.defend_credits=10",
    "friday_0dte.noon_share=1",
    "friday_0dte.late_share=1",
    "friday_0dte.late_near_share=0",
    "friday_0dte.condor_credit_share=0",
    "friday_0dte.vertical_credit_share=0",
    "friday_0dte.late=16:00",
    "friday_0dte.exit_time=16:00",
    "friday_0dte.backstop=16:00",
)


@pytest.mark.parametrize("product", ["SPXW", "ES"])
def test_what_expires_is_paid_to_the_cent_and_what_is_delivered_is_closed(product: str) -> None:
    # Alone: two LT112 would block it (ruling 13).
    only = ("friday_0dte",)
    asked = request("2009-09-01", "2010-02-26", *HOLD, f"friday_0dte.product={product}", strategies=only)
    journal = Listening()
    book = played(asked, journal=journal).kernel.book
    ledger, cash = Ledger(), Decimal(0)
    for event in journal.events:
        ledger.take(event)
        cash += event.dollars - event.fees if isinstance(event, ev.Settled) else 0
    settled = [e for e in journal.events if isinstance(e, ev.Settled)]
    assert settled, "something expired"
    assert any(e.dollars for e in settled), "and some of it in the money"
    assert ledger.cash == exact_cents(book.cash)
    # A future comes with its price: an assigned call brings the strike in, an assigned put takes it out.
    assert product in ON_FUTURES or cash < 0, "what was sold settles against us"
    delivered = [leg.contract for e in settled for leg in e.delivered]
    assert bool(delivered) == (product in ON_FUTURES)
    # An exercise's future is closed at the next open; none is left but of the last day.
    held = [contract for held in ledger.holdings().values() for contract in held]
    assert not any(isinstance(contract, Future) for contract in held)
