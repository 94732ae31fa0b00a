"""Compiled kernels are loaded before the market needs them: the first of everything takes seconds.

A session of the packaged history is played as far as its first entry, with the run's own strategies and
risk settings, one of its chains is read as a live one is, and what that day does not need (margins of
futures, volatility of what has no index) is asked for by itself.  What comes of it is thrown away.
"""

from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal

import numpy as np

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal
from tomking.app.markets import model_market
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.app.wiring import backtest_kernel
from tomking.domain.chain import Chain
from tomking.domain.events import CashMoved
from tomking.pricing.realised import estimated_volatility
from tomking.pricing.snapshot import Instant, read_instant
from tomking.pricing.terms import RATE_SD
from tomking.risk.scan import scans_into
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy

DAY = date(2022, 9, 16)
"""A Friday with an entry."""
TIMES = (time(9, 30), time(9, 35), time(10, 30), time(10, 31), time(10, 32))
LISTED_AHEAD = timedelta(days=760)
CASH = Decimal(200_000)


def warm_up(strategies: Sequence[Strategy], risk: Settings) -> None:
    """Takes about half a minute at the first start of a version, and one or two seconds later."""
    sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
    market = model_market(load_history(), sessions, 1, real_sizes=True)
    session = sessions.on(DAY)
    assert session is not None, f"{DAY} is a session of the packaged history"
    kernel = backtest_kernel(
        strategies=tuple(strategies), risk=risk, market=market, sessions=sessions, journal=MemoryJournal()
    )
    kernel.record(CashMoved(session.open, CASH, "warm-up"))
    for wall in TIMES:
        kernel.step(session.at(wall))
    chain = market.chain("SPXW", DAY, session.at(TIMES[2]))
    if chain is not None:
        _read(chain)
    one = np.ones(1)
    scans_into(one, np.ones((1, 1)), np.ones((1, 3)), one, (0.1, 20.0, 0.1, 0.1, 0.1, 0.1), np.empty(1))
    estimated_volatility(np.linspace(1.0, 2.0, 100))


def _read(chain: Chain) -> None:
    count = len(chain.right)
    prices = [np.where(side < 0, np.nan, side * float(chain.tick)) for side in (chain.bid, chain.ask)]
    read_instant(
        Instant(
            spot=chain.forward,
            rate=0.02,
            rate_sd=RATE_SD,
            years=np.array([chain.years]),
            calendar_years=np.array([chain.years]),
            row_expiry=np.zeros(count, dtype=np.int64),
            strike=np.array(
                chain.strikes
            ),  # a kernel compiled for columns that may be written is another one
            right=chain.right.astype(np.float64),
            bid=prices[0],
            ask=prices[1],
        )
    )
