"""What scenarios hold at their start, put into the book by fiat."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from tomking.app.scenario.stage import Stage, at
from tomking.domain.contract import Right
from tomking.domain.intent import Open, Part
from tomking.domain.structure import Leg, Structure, merged
from tomking.risk.availability import PLACES
from tomking.rules import select
from tomking.rules.strategy import Strategy
from tomking.strategies import ALL, build
from tomking.strategies.lt112 import Settings as Lt112
from tomking.strategies.lt112 import strategy as lt112_of


def everything() -> tuple[Strategy, ...]:
    """Every strategy that trades unless the configuration says otherwise, in priority order."""
    found = [build(name) for name in ALL if name in PLACES]
    return tuple(sorted((s for s in found if s.default_on), key=lambda s: s.priority))


def some(*names: str) -> tuple[Strategy, ...]:
    return tuple(sorted((build(name) for name in names), key=lambda s: s.priority))


def without_weeklies() -> Strategy:
    """LT112 that sells no weekly calls."""
    return lt112_of(replace(Lt112(), weekly_sale="off"))


def lt112_at(days: int) -> Strategy:
    """LT112 that is built about ``days`` before its expiry, whatever it brings and in any phase."""
    return lt112_of(
        replace(
            Lt112(),
            entry_dte=days,
            second_week_phase=0,
            dte_tolerance=60,
            mes_dte_min=22,
            mes_dte_max=250,
            np_otm_share=0.04,
            net_credit_min=Decimal(0),
            np_credit_min=Decimal(0),
        )
    )


def begin(stage: Stage, day: date, wall: str = "09:31") -> datetime:
    """Plays the first minutes of ``day``, so that phase and levels exist; the instant then."""
    stage.play(day, until=wall)
    return at(day, wall)


def hold_lt112(stage: Stage, now: datetime, product: str, units: int, days: int = 120) -> str:
    return stage.hold(lt112_at(days), "1-1-2", now, units=units, product=product)


def hold_ipmcc(stage: Stage, now: datetime) -> str:
    return stage.hold("ipmcc", "LEAP and weekly", now)


def hold_rungs(stage: Stage, now: datetime, count: int) -> list[str]:
    return [stage.hold("leap_put_hedge", "rung", now) for _ in range(count)]


def strangle(stage: Stage, now: datetime, product: str, days: int = 90, delta: float = 0.06) -> Open:
    """A short strangle as B.4 has it: 5 to 7 delta each side, about 90 days out."""
    view = stage.view(now)
    expiry = min(view.expiries(product), key=lambda e: abs((e - view.today).days - days))
    chain = view.chain(product, expiry)
    assert chain is not None
    put = select.nearest_delta(chain, Right.PUT, delta)
    call = select.nearest_delta(chain, Right.CALL, delta)
    assert put is not None
    assert call is not None
    parts = tuple(
        Part(name, Structure(name, (Leg(short, -1),))) for name, short in (("put", put), ("call", call))
    )
    structure = merged("strangle", [part.structure for part in parts])
    quote = select.priced(view, structure)
    assert quote is not None
    return Open(
        strategy="futures_strangle",
        entry="strangle",
        parts=parts,
        ceiling=5,
        planned_loss=2 * quote.mid,
        target_gain=quote.mid / 2,
        least_net=structure.tick,
        reason="scenario",
    )


def hold_strangle(stage: Stage, now: datetime, product: str, units: int = 1) -> str:
    return stage.take(strangle(stage, now, product), now, units)


def usd(amount: float) -> Decimal:
    return Decimal(str(amount))
