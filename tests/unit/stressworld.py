"""Methodology B.2's fixture surface as a market: F 5,500, 120 days, rate 4.5 %, 14.55 % at the money.

Volatilities of the sources are of calendar years; chains are on the variance clock, whose years are
shorter: the same total volatility is spread over 1.409 times as many of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
from tests.worlds import FRIDAY, ScriptedMarket, at, session_on, weekdays

from tomking.domain.book import Book, Component, Day, Position
from tomking.domain.chain import Chain
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Open, Part
from tomking.domain.lifecycle import State
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Structure
from tomking.pricing.black import black
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.risk.account import Account
from tomking.risk.case import Case
from tomking.risk.gate import case_of
from tomking.risk.settings import Settings
from tomking.view import View

SETTINGS = Settings()
FORWARD, RATE = 5500.0, 0.045
EXPIRY = FRIDAY + timedelta(days=120)
ZERO = Decimal(0)
Floats = np.ndarray


def fixture_vol(k: Floats) -> Floats:
    return 0.1455 - 0.30 * k


@dataclass
class Surface(ScriptedMarket):
    """Every product and expiry has a chain of one smile in ln(K/F), on strikes from 40 % to 180 %."""

    vol: Callable[[Floats], Floats] = fixture_vol

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        ratio = float(PRODUCTS[product].index_ratio)
        strikes = np.arange(int(440 * ratio), int(1980 * ratio)) if ratio == 1 else np.arange(220, 990)
        unit = 5.0 if ratio == 1 else 1.0
        forward = self.level * ratio
        years = max((expiry - FRIDAY).days, 0.25) / 365
        vols = np.tile(np.maximum(0.03, self.vol(np.log(strikes * unit / forward))), 2)
        right = np.repeat(np.array([-1, 1], np.int8), strikes.size)
        return Chain(
            product=product,
            expiry=expiry,
            as_of=now,
            multiplier=PRODUCTS[product].multiplier,
            tick=PRODUCTS[product].tick,
            strike_unit=Decimal(str(unit)),
            forward=forward,
            discount=float(np.exp(-RATE * years)),
            years=years * CALENDAR_YEAR,
            right=right,
            strike=np.tile(strikes, 2),
            bid=np.zeros(right.size, np.int64),
            ask=np.ones(right.size, np.int64),
            iv=vols / CALENDAR_YEAR**0.5,
            delta=right.astype(np.float64) * 0.5,
        )


def surface(vol: Callable[[Floats], Floats] = fixture_vol, vix: float | None = 16.0) -> Surface:
    def mid(contract: Contract, now: object) -> float | None:
        if not isinstance(contract, Option):
            return FORWARD * float(PRODUCTS[contract.product].index_ratio)
        forward = FORWARD * float(PRODUCTS[contract.product].index_ratio)
        years = max((contract.expiry - FRIDAY).days, 0.25) / 365
        strike = float(contract.strike)
        smile = float(np.maximum(0.03, vol(np.log(np.array([strike / forward]))))[0])
        paid = float(np.exp(-RATE * years))
        return float(
            black(
                forward=forward,
                strike=strike,
                years=years,
                vol=smile,
                discount=paid,
                right=int(contract.right),
            ).price
        )

    return Surface(mid, level=FORWARD, vix_level=vix, vol=vol)


def view(market: ScriptedMarket | None = None) -> View:
    return View(
        at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market or surface()
    )


def lt112(product: str = "MES", expiry: date = EXPIRY) -> tuple[Part, ...]:
    spread = Structure.parse("PDS", f"+1 {product} {expiry} P5200 / -1 {product} {expiry} P5150")
    return Part("PDS", spread), Part("NP", Structure.parse("NP", f"-2 {product} {expiry} P4590"))


def wish(*parts: Part, strategy: str = "lt112", **changes: object) -> Open:
    opening = Open(
        strategy=strategy,
        entry="test",
        parts=parts,
        ceiling=1_000,
        planned_loss=Decimal(56),
        target_gain=Decimal(25),
        least_net=ZERO,
        reason="test",
    )
    return replace(opening, **changes)  # type: ignore[arg-type]


def one_part(text: str, name: str = "part") -> Part:
    return Part(name, Structure.parse(name, text))


def book_of(*held: tuple[str, Part, int], phase: int = 4, net_liq: int = 200_000) -> Book:
    """Positions of one component each: strategy, part, units."""
    cash = Decimal(net_liq)
    positions = {}
    for number, (strategy, part, units) in enumerate(held):
        component = Component(
            role=part.role,
            trade=f"P{number}",
            kind="test",
            structure=part.structure,
            units=units,
            filled_units=units,
            entry_net=Decimal(10),
            opened=at("10:00"),
            opened_dte=120,
            dollars=ZERO,
            fees=ZERO,
        )
        positions[f"P{number}"] = Position(
            id=f"P{number}",
            strategy=strategy,
            product=part.structure.product,
            state=State.ACTIVE,
            opened=at("10:00"),
            components={part.role: component},
            units=units,
            margin=Decimal(1_000) * units,
            planned_loss=Decimal(100),
        )
    return Book(
        cash=cash,
        deposits=cash,
        prior_close=cash,
        peak=cash,
        levels={"phase": str(phase)},
        day=Day(session=FRIDAY),
        positions=positions,
    )


def case(
    opening: Open,
    book: Book | None = None,
    *,
    net_liq: int = 200_000,
    phase: int = 4,
    market: ScriptedMarket | None = None,
    settings: Settings = SETTINGS,
) -> Case:
    book = book or book_of(phase=phase, net_liq=net_liq)
    account = Account(Decimal(net_liq), ZERO, ZERO, ZERO, {}, {}, {})
    return case_of(opening, book, view(market), account, settings)
