"""A dry run in tastytrade's words: the order as it would be posted, and what the answer says of the account.

Amounts of theirs are unsigned beside an effect, "Debit" or "Credit"; a debit of buying power is less of it.
A 4xx with an error in it, or an answer that lists errors, is a refusal, and certain: nothing was placed.
Everything else that is no answer is UNKNOWN and may be asked for again: a dry run moves nothing.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from http import HTTPStatus

from tomking.adapters.redaction import redacted
from tomking.adapters.tastytrade import words
from tomking.adapters.tastytrade.rest import Answered
from tomking.adapters.tastytrade.symbols import Directory
from tomking.adapters.tastytrade.words import UnknownWord
from tomking.execution.wire import DryRun, Effect, Outcome, Place

FOR_NOW = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Refusals of the moment, and not of the order."""
SIGNS = {"Credit": 1, "Debit": -1, "None": 0}


def body(run: DryRun, directory: Directory) -> dict[str, object]:
    """Of ``POST /accounts/{n}/orders/dry-run``.  ``UnknownSymbol`` for a contract no chain has shown."""
    return words.placing(Place(run.key, run.key, run.legs, run.units, run.limit, opens=True), directory)


def judged(answered: Answered) -> tuple[Outcome, Effect | None, str, str]:
    """Outcome, effect, code and words of an answer."""
    if answered.outcome is not Outcome.ACCEPTED:
        status = answered.status
        refused = status is not None and 400 <= status < 500 and status not in FOR_NOW
        outcome = Outcome.REJECTED if refused else Outcome.UNKNOWN
        return outcome, None, answered.code, answered.text
    data = answered.data
    errors = _said(data, "errors")
    if errors:
        return Outcome.REJECTED, None, "dry_run", "; ".join(errors)
    try:
        return Outcome.ACCEPTED, effect_of(data), "", ""
    except UnknownWord as error:
        return Outcome.UNKNOWN, None, "unreadable", str(error)


def effect_of(data: object) -> Effect:
    """The figures of a dry run; ``UnknownWord`` where one that is needed is missing."""
    power = data.get("buying-power-effect") if isinstance(data, Mapping) else None
    if not isinstance(power, Mapping):
        raise UnknownWord("a dry run without a buying-power-effect")
    fees = data.get("fee-calculation") if isinstance(data, Mapping) else None
    return Effect(
        margin=-_amount(power, "change-in-margin-requirement"),
        buying_power=_amount(power, "change-in-buying-power"),
        left=_amount(power, "new-buying-power"),
        fees=-_amount(fees, "total-fees") if isinstance(fees, Mapping) else None,
        warnings=tuple(_said(data, "warnings")),
    )


def _amount(found: Mapping[str, object], name: str) -> Decimal:
    """Signed: a credit is more for us."""
    word, text = found.get(f"{name}-effect"), str(found.get(name))
    sign = SIGNS.get(word) if isinstance(word, str) else None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise UnknownWord(f"a dry run whose {name} is {text!r}") from None
    if not amount.is_finite() or (amount and not sign):
        raise UnknownWord(f"a dry run whose {name} is {text} {word}")
    return abs(amount) * (sign or 0)


def _said(data: object, name: str) -> list[str]:
    """The words of a list of warnings or errors."""
    found = data.get(name) if isinstance(data, Mapping) else None
    rows = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    return [redacted(str(one.get("message") or one.get("code") or "no words")) for one in rows]
