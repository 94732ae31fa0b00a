"""Stage 4 of a start: the account is there, and may trade what is traded here."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from tomking.app.exits import Exit
from tomking.app.live.listings import OpenSession, read
from tomking.app.problems import Problem, Problems, problem

FORBIDS = {
    "is-closed": "it is closed",
    "is-frozen": "it is frozen",
    "is-closing-only": "it may only close",
    "is-in-margin-call": "it has a margin call",
}
"""Flags of the trading status under which nothing may be opened."""


def check_broker(
    account: str,
    accounts: Sequence[object],
    status: object,
    balances: object,
    told: Callable[[str, str], None],
) -> Decimal:
    """Dollars of cash.  ``Problems`` (3, 5) with everything that stands in the way."""
    numbers = [number for one in accounts if (number := _number_of(one))]
    if account not in numbers:
        shown = ", ".join(f"..{number[-4:]}" for number in numbers) or "none"
        line = f"--account ..{account[-4:]} is not one of this login's accounts ({shown})"
        raise problem(Exit.CONFIG, line)
    if any(_number_of(one) == account and _authority(one) == READ_ONLY for one in accounts):
        line = f"account ..{account[-4:]}: this login may only read it; make a grant of its owner's"
        raise problem(Exit.SECRET, line)
    flags = status if isinstance(status, Mapping) else {}
    stops = [words for flag, words in FORBIDS.items() if flags.get(flag)]
    if not flags:
        stops.append("its trading status cannot be read")
    if stops:
        line = f"account ..{account[-4:]}"
        raise Problems(Problem(Exit.UNAVAILABLE, f"{line}: {one}; settle that there") for one in stops)
    cash = _cash(balances)
    level = flags.get("options-level", "")
    told("broker", f"account ..{account[-4:]}, options level {level}, cash ${cash:,.2f}")
    return cash


def _number_of(one: object) -> str:
    account = one.get("account") if isinstance(one, Mapping) else None
    return str(account.get("account-number", "")) if isinstance(account, Mapping) else ""


READ_ONLY = "read-only"
"""An authority over an account that sends no orders."""


def _authority(one: object) -> str:
    return str(one.get("authority-level", "")) if isinstance(one, Mapping) else ""


def _cash(balances: object) -> Decimal:
    text = balances.get("cash-balance") if isinstance(balances, Mapping) else None
    try:
        return Decimal(str(text))
    except InvalidOperation:
        line = f"the balances cannot be read: cash-balance is {text!r}"
        raise problem(Exit.UNAVAILABLE, line) from None


HIGHEST_RATE = 0.25


def risk_free(open_session: OpenSession) -> float | None:
    """The broker's risk-free rate, continuous; None where it does not tell one that can be meant."""
    try:
        (answered,) = read(open_session, "/margin-requirements-public-configuration")
    except Problems:
        return None
    said = answered.data.get("risk-free-rate") if isinstance(answered.data, Mapping) else None
    try:
        rate = float(str(said))
    except ValueError:
        return None
    return rate if 0 <= rate < HIGHEST_RATE else None
