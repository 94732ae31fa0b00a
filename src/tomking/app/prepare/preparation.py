"""The desk between the gate and the orders: an opening order waits here until a person has approved it.

1. The gate says yes.  The order is built, the account after it is worked out, the broker is asked (D.9).
2. What the broker does not refuse is shown in the account's folder; an armed strategy's is approved by that.
3. A yes from outside makes the strategy be looked at anew.  Does it still wish to enter, and does the gate
   say yes to that very order again, at these units and prices, it goes out; else it lapses, with the reason.
4. Before the first byte the wire's guard compares it once more (``guards``).

Closes never come here.  What becomes of each order is a note of the book before it is believed, so that a
restart finds those that wait, and sends nothing twice.  The folder is for people; the journal decides.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Protocol

from tomking.adapters.consent import Answer
from tomking.app.prepare.candidates import Candidate, Key, State, content_of, key_of, note_of, restored
from tomking.app.prepare.preview import page, plain_of, preview_of
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import new_york
from tomking.domain.chain import net_quote
from tomking.domain.intent import Approved, Breach, Open, Refused, Verdict
from tomking.execution.plan import opening_order
from tomking.execution.preview import Intent, as_approved, changed, intent_of, pinned
from tomking.execution.wire import DryRun, Effect, Outcome, Reply, Request
from tomking.kernel import Risk
from tomking.ports import Notifier
from tomking.risk import rollout
from tomking.risk.ahead import Ahead, ahead
from tomking.risk.rollout import Evidence
from tomking.risk.settings import Settings
from tomking.view import View

CODE = "WAIT"
"""A refusal's code while an order waits, and when what was approved is not to be had any more."""
TRIES = 3
ASKED_AGAIN = timedelta(seconds=12)
"""A dry run without an answer is asked for again: the line gives up after ten seconds."""
SOON, LOOKS_EVERY = timedelta(seconds=1), timedelta(seconds=2)
PASSING = frozenset({"DATA", "LIQ"})
"""Refusals that the next quotes may end, with all that follows from them: an approval outlives them."""
QUIET = timedelta(minutes=2)
"""After an order has lapsed none of the same entry is prepared, as after one that was not filled."""
PREFIX = "dry-run-"


class Consents(Protocol):
    """Where orders are shown and answers come from (``adapters.consent``)."""

    def offer(self, hash_: str, content: Mapping[str, Any]) -> None: ...

    def answer(self, hash_: str) -> Answer | None: ...

    def offers(self) -> list[Mapping[str, Any]]: ...


Deadline = Callable[[str, str, View], datetime]
"""When (strategy, entry) of this session ends."""


class Preparation:
    """See the module."""

    def __init__(  # noqa: PLR0917 - each is needed once
        self,
        instance: str,
        venue: str,
        account: str,
        settings: Settings,
        consents: Consents,
        notifier: Notifier,
        *,
        armed: Collection[str] = (),
        lifetime: timedelta = timedelta(minutes=10),
        room: Decimal = Decimal("0.05"),
        evidence: Evidence,
    ) -> None:
        """Of ``armed`` strategies orders need nobody's approval.

        lifetime  of an order that waits
        room      share of its first limit by which the market may move until it is sent
        evidence  for the roll-out, as far as the journal goes
        """
        self.instance = instance
        self._venue, self._account = venue, account
        self._settings, self._consents, self._notifier = settings, consents, notifier
        self._armed, self._lifetime, self._room = frozenset(armed), lifetime, room
        self._evidence = evidence
        self._open: dict[Key, Candidate] = {}
        self._denied: dict[tuple[object, ...], str] = {}
        """What the broker has refused: final for that order (D.9)."""
        self._quiet: dict[Key, datetime] = {}
        self._granted: list[Intent] = []
        self._news: list[ev.Event] = []
        self._questions = count(1)
        self._is_restored = False
        self._replies: dict[str, Reply] = {}
        self.ends: Deadline = lambda _s, _e, view: view.session.close
        self.send: Callable[[Request, datetime], None] | None = None
        """Set by the wire's guard."""

    # ------------------------------------------------------------------ the first step

    def _restore(self, book: Book, now: datetime) -> None:
        """Takes up those that waited before a restart, as far as the journal agrees; the others end."""
        self._is_restored = True
        for content in self._consents.offers():
            if content.get("state") not in {State.WAITING, State.APPROVED}:
                continue
            one = restored(content)
            known = "" if one is None else book.notes.get(one.note, "")
            if one is not None and known == _said(one, State.WAITING) and now < one.intent.until:
                self._open[one.key] = one
            elif one is not None and known == _said(one, State.APPROVED) and now < one.intent.until:
                one.state, one.by = State.APPROVED, str(content.get("by", ""))
                self._open[one.key] = one
            else:
                said = {"state": State.LAPSED, "why": "the engine ended before it was sent"}
                self._show({**content, **said}, now)

    # ------------------------------------------------------------------ the gate's yes

    def judge(  # noqa: PLR0917 - as the port has it
        self,
        gate: Risk,
        wish: Open,
        book: Book,
        view: View,
        net_liq: Decimal,
        said: Collection[str],
    ) -> Verdict:
        """The gate's answer, held back until it is approved."""
        if not book.levels.get(rollout.LEVEL):
            return _refused(wish, "SYS", "rollout", "no stage of the roll-out is in the journal")
        one = self._open.get(key_of(wish))
        if one is None:
            quiet = self._is_quiet(wish, book, view)
            if quiet:
                return _refused(wish, CODE, "approval", quiet)
            verdict = gate.judge(wish, book, view, net_liq, said)
            return verdict if isinstance(verdict, Refused) else self._prepare(verdict, book, view, net_liq)
        if one.state is State.APPROVED and wish is one.wish:
            return self._send(one, gate.judge(wish, book, view, net_liq), view)
        return _refused(wish, CODE, "approval", _waits(one))

    def _is_quiet(self, wish: Open, book: Book, view: View) -> str:
        """Why nothing is prepared for this entry now; empty: it is."""
        if book.notes.get(note_of(wish), "").endswith(_no(view.now)):
            return "an order of this entry was rejected by a person today"
        until = self._quiet.get(key_of(wish))
        return "" if until is None or view.now >= until else "an order of this entry lapsed a moment ago"

    def _prepare(self, approved: Approved, book: Book, view: View, net_liq: Decimal) -> Refused:
        """Builds the order, and asks the broker what it would do."""
        wish, now = approved.wish, view.now
        denied = self._denied.get(_order(approved))
        if denied is not None:
            return _refused(wish, "BROKER", "dry run", denied)
        quote = net_quote(wish.structure, view.quotes(wish.structure.contracts))
        if quote is None:
            return _refused(wish, "LIQ", "approval", f"no two-sided quote of {wish.structure}")
        until = min(now + self._lifetime, self.ends(wish.strategy, wish.entry, view), view.session.close)
        intent = intent_of(approved, quote, account=self.instance, room=self._room, at=now, until=until)
        after = ahead(approved, book, view, net_liq, self._settings, worst_net=intent.floor)
        if after is None:
            return _refused(
                wish, "DATA", "approval", "the account after it cannot be worked out: no mid or no VIX"
            )
        one = self._candidate(intent, approved, view, after)
        self._open[one.key] = one
        self._ask(one, now)
        return _refused(wish, CODE, "approval", f"{one.hash} is prepared; the broker is asked first")

    def _candidate(self, intent: Intent, approved: Approved, view: View, after: Ahead) -> Candidate:
        wish = pinned(approved.wish, intent)
        preview = preview_of(intent, approved, view, after, venue=self._venue, account=self._account)
        quote = net_quote(wish.structure, view.quotes(wish.structure.contracts))
        assert quote is not None, "it was there a moment ago"
        order = opening_order("0", replace(approved, wish=wish), quote, wish.targets)
        content = content_of(order, wish, view.now, plain_of(preview))
        return Candidate(intent, wish, content, State.CHECKING, preview)

    def _ask(self, one: Candidate, now: datetime) -> None:
        one.question, one.asked, one.tries = f"{PREFIX}{next(self._questions)}", now, one.tries + 1
        intent = one.intent
        assert self.send is not None, "there is a wire"
        self.send(DryRun(one.question, intent.legs, intent.units, intent.first), now)

    def _send(self, one: Candidate, verdict: Verdict, view: View) -> Verdict:
        """The order that was approved, if the gate still says yes to it and the market is the same."""
        if isinstance(verdict, Refused):
            if all(breach.code not in PASSING for breach in verdict.breaches):
                self.lapse(one, "; ".join(map(str, verdict.breaches)), view.now)
            return verdict
        structure = one.wish.structure
        quote = net_quote(structure, view.quotes(structure.contracts))
        if quote is None:
            return _refused(one.wish, "LIQ", "approval", f"no two-sided quote of {structure}")
        wrong = changed(one.intent, verdict, quote, view.now)
        if wrong:
            self.lapse(one, "; ".join(wrong), view.now)
            return _refused(
                one.wish, CODE, "approval", f"{one.hash} is not what was approved: {'; '.join(wrong)}"
            )
        self._end(one, State.SENT, "", view.now)
        self._granted = [*(old for old in self._granted if view.now < old.until), one.intent]
        verdict = as_approved(one.intent, verdict)
        return replace(verdict, warnings=(*verdict.warnings, f"intent {one.hash}, approved by {one.by}"))

    # ------------------------------------------------------------------ what the strategies ask

    def approved(self, strategy: str) -> tuple[Candidate, ...]:
        """Those of a strategy that may go out now."""
        return tuple(
            one
            for one in self._open.values()
            if one.wish.strategy == strategy and one.state is State.APPROVED
        )

    def lapse(self, one: Candidate, why: str, now: datetime) -> None:
        """Nothing comes of it any more."""
        self._end(one, State.LAPSED, why, now)
        self._quiet[one.key] = now + QUIET
        self._news.append(ev.Declined(now, one.wish.strategy, one.wish.entry, CODE, (f"{one.hash}: {why}",)))
        self._notifier.notify("warning", f"prepared order {one.hash} is not sent: {why}", now)

    # ------------------------------------------------------------------ each step

    def heed(self, book: Book, now: datetime) -> list[ev.Event]:
        """What has come in since: the broker's word, a person's word, the end of its time."""
        if not self._is_restored:
            self._restore(book, now)
        for one in tuple(self._open.values()):
            if now >= one.intent.until:
                self.lapse(one, f"it expired, {one.state}", now)
            elif one.state is State.CHECKING:
                self._checked(one, now)
            elif one.state is State.WAITING:
                self._answered(one, now)
        down = rollout.fallen(self._evidence, now)
        if down is not None and book.levels.get(rollout.LEVEL, "") == down.before:
            self._news.append(down)
            self._notifier.notify("critical", f"roll-out: {down.before} to {down.after}: {down.detail}", now)
        return self.told()

    def told(self) -> list[ev.Event]:
        """The events that are due, each once."""
        news, self._news = self._news, []
        return news

    def follow(self, book: Book, event: ev.Event) -> None:
        """Sees each event after it was believed."""
        self._evidence = rollout.follow(self._evidence, book, event, self._settings)

    def next_look(self, now: datetime) -> datetime | None:
        """When there is something to look for again; None: nothing waits."""
        states = {one.state for one in self._open.values()}
        if State.CHECKING in states or self._news:
            return now + SOON
        return now + LOOKS_EVERY if State.WAITING in states else None

    def _checked(self, one: Candidate, now: datetime) -> None:
        reply = self._replies.pop(one.question, None)
        if reply is None and one.asked is not None and now < one.asked + ASKED_AGAIN:
            return
        if reply is None or reply.outcome is Outcome.UNKNOWN:
            if one.tries < TRIES:
                self._ask(one, now)
            else:
                self.lapse(one, f"the broker did not answer {TRIES} dry runs", now)
            return
        denied = _denial(reply)
        if denied:
            self._denied[_order_of(one)] = denied
            self.lapse(one, f"the broker's dry run: {denied}", now)
            return
        assert reply.effect is not None, "an accepted dry run has an effect"
        self._offer(one, reply.effect, now)

    def _offer(self, one: Candidate, effect: Effect, now: datetime) -> None:
        """Shows it; an armed strategy's is approved."""
        assert one.preview is not None, "of this process, as its dry run is"
        preview = replace(one.preview, effect=effect)
        one.content |= {"preview": plain_of(preview), "text": page(preview)}
        if one.wish.strategy in self._armed:
            self._become(one, State.APPROVED, "the configuration (live.armed)", now)
            return
        self._become(one, State.WAITING, "", now)
        words = f"{one.wish.strategy} {one.wish.entry}: {one.intent.units} x {one.wish.structure}"
        self._notifier.notify("warning", f"{words} waits for you: tomking approve {one.hash}", now)

    def _answered(self, one: Candidate, now: datetime) -> None:
        answer = self._consents.answer(one.hash)
        if answer is None:
            return
        if answer.accepts:
            self._become(one, State.APPROVED, answer.by, now)
        else:
            why = f" ({answer.why})" if answer.why else ""
            self.lapse(one, f"rejected by {answer.by}{why}", now)
            self._news.append(ev.Noted(now, one.note, f"{one.hash} {_no(now)}"))

    def _become(self, one: Candidate, state: State, by: str, now: datetime) -> None:
        one.state, one.by = state, by
        self._news.append(ev.Noted(now, one.note, _said(one, state)))
        self._show({**one.content, "state": state, "by": by}, now)

    def _end(self, one: Candidate, state: State, why: str, now: datetime) -> None:
        one.state = state
        self._open.pop(one.key, None)
        left = _said(one, state) if state is State.SENT else ""
        self._news.append(ev.Noted(now, one.note, left))
        self._show({**one.content, "state": state, "by": one.by, "why": why}, now)

    def _show(self, content: Mapping[str, Any], now: datetime) -> None:
        try:
            self._consents.offer(str(content["hash"]), content)
        except OSError as error:
            # Nobody can approve what is not shown; the journal has the rest.
            self._notifier.notify("warning", f"a prepared order is not shown: {error.strerror}", now)

    # ------------------------------------------------------------------ what the wire's guard asks

    def heard(self, reply: Reply) -> bool:
        """Whether an answer is one to a dry run of ours."""
        if not reply.key.startswith(PREFIX):
            return False
        self._replies[reply.key] = reply
        return True

    def granted(self) -> list[Intent]:
        """What may go out: each is taken away by the order that uses it."""
        return self._granted

    def refused_at_the_wire(self, words: str, now: datetime) -> None:
        """Somebody tried to send what nobody approved."""
        self._notifier.notify("critical", words, now)


def _refused(wish: Open, code: str, limit: str, detail: str) -> Refused:
    return Refused(wish, (Breach(code, limit, detail),))


def _waits(one: Candidate) -> str:
    if one.state is State.CHECKING:
        return f"{one.hash} is prepared; the broker is asked first"
    if one.state is State.APPROVED:
        return f"{one.hash} is approved and goes out first"
    return f"{one.hash} waits for approval: tomking approve {one.hash}"


def _said(one: Candidate, state: State) -> str:
    return f"{one.hash} {state}"


def _no(now: datetime) -> str:
    """Ends the note of an entry that a person does not want today."""
    return f"rejected {new_york(now).date()}"


def _order(approved: Approved) -> tuple[object, ...]:
    return (approved.wish.structure.legs, approved.units)


def _order_of(one: Candidate) -> tuple[object, ...]:
    return (one.intent.legs, one.intent.units)


def _denial(reply: Reply) -> str:
    """Why the broker would not have it; empty: it would."""
    if reply.outcome is Outcome.REJECTED or reply.effect is None:
        return reply.text or reply.code or "refused without words"
    if reply.effect.left < 0:
        return f"it leaves ${reply.effect.left:,.2f} of buying power"
    return ""
