"""Settlement of expired contracts: cash, the future beneath the option, or shares (methodology D.4)."""

from decimal import Decimal

from tomking.domain.calendar import Sessions, third_friday
from tomking.domain.contract import Contract, Future, Option, Share
from tomking.domain.expiries import underlying_future
from tomking.domain.fees import EXERCISE
from tomking.domain.money import ZERO, cents
from tomking.domain.products import PRODUCTS, Cycle, Settlement
from tomking.ports import Expiry

QUARTER_MONTHS = (3, 6, 9, 12)


def expire(contract: Contract, price: Decimal, sessions: Sessions, exercise: Decimal = EXERCISE) -> Expiry:
    """What one long contract turns into at a settlement price of its underlying.

    In the money by any amount is exercised (exchange by exception; futures options have no contrary
    instruction), options on shares by a cent, the grid of their quotes (OCC).  A call buys the future or the
    shares at the strike, a put sells them.  The same where it is exercised early.

    exercise: dollars per contract exercised or assigned.
    """
    assert not isinstance(contract, Share), f"{contract} never expires"
    if isinstance(contract, Future):
        return Expiry(contract, price, cents(price * contract.multiplier), None, ZERO)
    settlement = PRODUCTS[contract.product].settlement
    intrinsic = contract.intrinsic(price)
    if intrinsic == 0 or (settlement is Settlement.SHARES and intrinsic < contract.tick):
        return Expiry(contract, price, ZERO, None, ZERO)
    if settlement is Settlement.CASH:
        return Expiry(contract, price, cents(intrinsic * contract.multiplier), None, exercise)
    what = shares_of(contract) if settlement is Settlement.SHARES else future_of(contract, sessions)
    return Expiry(
        contract,
        price,
        cents(-int(contract.right) * contract.strike * contract.multiplier),
        (what, int(contract.right)),
        exercise,
    )


def shares_of(option: Option) -> Share:
    """The lot that one option delivers: as many shares as its multiplier says."""
    return Share(option.product, option.multiplier, option.tick)


def future_of(option: Option, sessions: Sessions) -> Future:
    """The future beneath a futures option, of the option's own size (``domain.expiries``).

    For an equity index the first quarterly one that expires after it: an option that expires on a quarterly
    third Friday (EYC) delivers the next quarter's (B.1).
    """
    product = PRODUCTS[option.product]
    expiry = underlying_future(product, option.expiry, sessions)
    if expiry is None and product.cycle is Cycle.THIRD_FRIDAY:
        # The sessions end before it does; the calendar knows the day all the same, but for a holiday.
        months = (divmod(option.expiry.year * 12 + option.expiry.month - 1 + n, 12) for n in range(5))
        fridays = (third_friday(year, month + 1) for year, month in months if month + 1 in QUARTER_MONTHS)
        expiry = next(friday for friday in fridays if friday > option.expiry)
    assert expiry is not None, f"the calendar ends before the future beneath {option}"
    return Future(option.product, expiry, option.multiplier, option.tick)
