"""Settlement of expired contracts: cash for index options, the future for futures options (D.4)."""

from calendar import FRIDAY
from datetime import date, timedelta
from decimal import Decimal

from tomking.domain.contract import Contract, Future, Option, Share
from tomking.domain.fees import EXERCISE
from tomking.domain.money import ZERO, cents
from tomking.domain.products import PRODUCTS, Settlement
from tomking.ports import Expiry

QUARTER_MONTHS = (3, 6, 9, 12)


def expire(contract: Contract, price: Decimal, exercise: Decimal = EXERCISE) -> Expiry:
    """What one long contract turns into at a settlement price of its underlying.

    In the money by any amount is exercised (exchange by exception; futures options have no
    contrary instruction).  A call on a future buys it at the strike, a put sells it.

    exercise: dollars per contract exercised or assigned.
    """
    assert not isinstance(contract, Share), f"{contract} never expires"
    if isinstance(contract, Future):
        return Expiry(contract, price, cents(price * contract.multiplier), None, ZERO)
    intrinsic = contract.intrinsic(price)
    if intrinsic == 0:
        return Expiry(contract, price, ZERO, None, ZERO)
    if PRODUCTS[contract.product].settlement is Settlement.CASH:
        return Expiry(contract, price, cents(intrinsic * contract.multiplier), None, exercise)
    return Expiry(
        contract,
        price,
        cents(-int(contract.right) * contract.strike * contract.multiplier),
        (future_of(contract), int(contract.right)),
        exercise,
    )


def future_of(option: Option) -> Future:
    """The quarterly future beneath a futures option: the first that expires after it.

    An option that expires on a quarterly third Friday (EYC) delivers the next quarter's (B.1).
    """
    day = option.expiry
    for months in range(5):
        month = day.month + months
        year, month = day.year + (month - 1) // 12, (month - 1) % 12 + 1
        if month in QUARTER_MONTHS and third_friday(year, month) > day:
            return Future(option.product, third_friday(year, month), option.multiplier, option.tick)
    raise AssertionError(f"no quarterly future after {day}")


def third_friday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(FRIDAY - first.weekday()) % 7 + 14)
