"""What the broker lists today, read once a session: chains of the products traded, levels of their futures.

Read on a session of its own that may only read; whatever does not answer is named, with what to do.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tomking.adapters.clock import wall_now
from tomking.adapters.tastytrade import chains
from tomking.adapters.tastytrade.reference import Reference
from tomking.adapters.tastytrade.rest import Answered, ask
from tomking.adapters.tastytrade.session import GuardedSession
from tomking.adapters.tastytrade.symbols import Listed, underlying
from tomking.adapters.tastytrade.words import UnknownWord
from tomking.app.exits import Exit
from tomking.app.problems import problem
from tomking.domain.products import PRODUCTS, UnknownProduct
from tomking.execution.wire import Outcome

NOT_LISTED = 404
AGAIN, SLOW = 5, {"timeout", "reset", "502", "503", "504"}
OpenSession = Callable[[], GuardedSession]
Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listings:
    """One session's."""

    listed: tuple[Listed, ...]
    levels: Mapping[str, str]
    """Streamer symbol of the active month, by family of futures."""
    absent: tuple[str, ...]
    """Underlyings that this venue does not list."""

    @property
    def products(self) -> tuple[str, ...]:
        return tuple(sorted({one.contract.product for one in self.listed}))


def load_listings(
    open_session: OpenSession, products: Iterable[str], kept: Reference | None = None
) -> Listings:
    """The chains of these products' underlyings.  ``Problems`` (4, 5) when they cannot be read.

    kept  what was read before and still lasts; without it everything is asked for
    """
    wanted = sorted({underlying(one) for one in products if _is_known(one)})
    paths = [_chain_path(one) for one in wanted]
    codes = [one[1:] for one in wanted if one.startswith("/") and PRODUCTS[one[1:]].family != "SPX"]
    paths += [f"/instruments/futures?product-code[]={code}" for code in codes]
    answers = _patiently(kept or Reference(open_session, wall_now), paths)
    chained, futures = answers[: len(wanted)], answers[len(wanted) :]
    listed: list[Listed] = []
    absent = []
    for one, answered in zip(wanted, chained, strict=True):
        if answered.status == NOT_LISTED:
            absent.append(one)
            continue
        listed += _listed(one, answered)
    levels = {
        PRODUCTS[code].family: level
        for code, answered in zip(codes, futures, strict=True)
        if (level := _active(answered))
    }
    return Listings(tuple(listed), levels, tuple(absent))


def read(open_session: OpenSession, *paths: str) -> list[Answered]:
    """GETs on one session, in this order.  ``Problems`` (4, 5) for what has no answer."""
    return asyncio.run(_read(open_session, paths))


def _patiently(kept: Reference, paths: Sequence[str]) -> list[Answered]:
    """A long listing may take longer than a request may: it only reads, and is asked for again."""
    answers = kept.read(paths)
    for _ in range(AGAIN):
        if not any(_is_slow(one) for one in answers):
            break
        answers = kept.read(paths)  # what was answered is kept
    return [_fit(path, one) for path, one in zip(paths, answers, strict=True)]


def _is_slow(answered: Answered) -> bool:
    return answered.outcome is not Outcome.ACCEPTED and answered.code in SLOW


async def _read(open_session: OpenSession, paths: Sequence[str]) -> list[Answered]:
    async with open_session() as session:
        return [_fit(path, await _asked(session, path)) for path in paths]


async def _asked(session: GuardedSession, path: str) -> Answered:
    answered = await ask(session, "GET", path, about_an_order=False)
    for _ in range(AGAIN):
        if not _is_slow(answered):
            break
        answered = await ask(session, "GET", path, about_an_order=False)
    return answered


def _fit(path: str, answered: Answered) -> Answered:
    if answered.outcome is Outcome.ACCEPTED or answered.status == NOT_LISTED:
        return answered
    place = path.partition("?")[0]
    if answered.code == "login":
        # What the broker says of the secrets themselves, and not that nobody answers.
        refused = "secrets set" in answered.text
        fix = answered.text.replace(
            "; then store it with `tomking secrets set`", "; a sandbox prints its words when it starts"
        )
        raise problem(Exit.SECRET if refused else Exit.UNAVAILABLE, f"no login: {fix}")
    raise problem(
        Exit.UNAVAILABLE,
        f"{place} was not answered ({answered.status or answered.code}); is the venue still there?",
    )


def _chain_path(one: str) -> str:
    if one.startswith("/"):
        return f"/futures-option-chains/{one[1:]}/nested"
    return f"/option-chains/{one}/nested"


def _listed(one: str, answered: Answered) -> list[Listed]:
    try:
        if one.startswith("/"):
            return chains.futures_chain(answered.data)
        return chains.equity_chain(answered.items)
    except UnknownWord as error:
        raise problem(Exit.DATA, f"the chain of {one} cannot be read: {error}") from None


def _active(answered: Answered) -> str | None:
    rows = [one for one in answered.items if isinstance(one, Mapping)]
    found = [one for one in rows if one.get("active-month")]
    return str(found[0]["streamer-symbol"]) if found and found[0].get("streamer-symbol") else None


def _is_known(product: str) -> bool:
    try:
        return bool(PRODUCTS[product].key)
    except UnknownProduct:
        return False
