"""``tomking halt``, ``reduce``, ``resume``, ``flatten``: what is asked of the person, and the receipt."""

import json
import os
import sys

from tomking.adapters.clock import wait, wall_now
from tomking.adapters.latch import LatchFile
from tomking.app import control
from tomking.app.exits import Exit
from tomking.app.problems import problem
from tomking.domain.calendar import new_york
from tomking.domain.trading import Latch, Trading
from tomking.execution.flattening import Said

EFFECT = {
    Trading.HALTED: "No order that opens anything leaves any more. Exits and cancels still do.",
    Trading.REDUCING: "Closing only: no order opens anything any more. Exits and cancels go on.",
    Trading.ACTIVE: "Orders may open again. What drawdown, breakers or limits stopped stays stopped.",
}
UNDO = {
    Trading.HALTED: "Undo: tomking resume    Close everything: tomking flatten",
    Trading.REDUCING: "Undo: tomking resume    Stop everything: tomking halt",
    Trading.ACTIVE: "Undo: tomking halt",
}


def run_halt(reason: str, *, as_json: bool) -> None:
    _print(control.halt(_latch(), control.actor("halt"), reason, wall_now()), as_json=as_json)


def run_reduce(reason: str, *, as_json: bool) -> None:
    _print(control.reduce(_latch(), control.actor("reduce"), reason, wall_now()), as_json=as_json)


def run_resume(reason: str, *, confirmed: bool, as_json: bool) -> None:
    latch = _latch()
    shown = latch.read()
    if not confirmed:
        print(f"Trading is {shown.words}.", file=sys.stderr)
        _confirm("RESUME", "let orders open again", "--yes-resume-trading")
    receipt = control.resume(latch, shown, control.actor("resume"), reason, wall_now())
    _print(receipt, as_json=as_json)


def run_flatten(*, shares: bool, confirmed: bool, as_json: bool) -> int:
    """The latch at once; the rest once it is confirmed, over the broker that is configured."""
    latch, by = _latch(), control.actor("flatten")
    receipt = control.halt(latch, by, "before flattening", wall_now())
    print(f"Trading is {receipt.now.words}. Undo: tomking resume", file=sys.stderr)
    from tomking.app.live import flat

    with flat.broker_line(os.environ, lambda text: print(f"!  {text}", file=sys.stderr)) as line:
        if not confirmed:
            _confirm(
                "FLATTEN", "cancel every order and close every option and future", "--yes-flatten-everything"
            )
        done = control.flatten(
            line.latch or latch,
            line,
            by,
            clock=line.clock or wall_now,
            wait=line.wait or wait,
            tell=_tell,
            wall=wall_now,
            shares=shares,
        )
    if as_json:
        said = [{"at": one.at.isoformat(), "text": one.text} for one in done.said]
        print(
            json.dumps(
                {"flat": done.is_flat, "seconds": done.seconds, "left": done.left, "said": said}, indent=2
            )
        )
    else:
        what = "The account is flat" if done.is_flat else "THE ACCOUNT IS NOT FLAT"
        print("\n".join([f"{what} after {done.seconds:.0f} s. Trading stays HALTED.", *done.left]))
    return int(Exit.OK if done.is_flat else Exit.MISMATCH)


def _latch() -> LatchFile:
    return LatchFile(control.state_folder(os.environ))


def _confirm(word: str, what: str, flag: str) -> None:
    """The word itself, typed by a person; without a terminal nobody is asked, and the flag must say it."""
    if not sys.stdin.isatty():
        raise problem(Exit.APPROVAL, f"to {what}, confirm with {flag}: there is no terminal to ask at")
    print(f"Type {word} to {what}: ", end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline().strip()
    if typed != word:
        raise problem(Exit.APPROVAL, f"nothing was changed: {typed!r} is not {word}")


def _print(receipt: control.Receipt, *, as_json: bool) -> None:
    if as_json:
        plain = {**_plain(receipt.now), "was": _plain(receipt.was), "file": str(receipt.path)}
        print(json.dumps(plain, indent=2))
        return
    state = receipt.now.state
    print("\n".join([receipt.now.words, f"was {receipt.was.words}", EFFECT[state], UNDO[state]]))


def _plain(latch: Latch) -> dict[str, str | None]:
    since = latch.since.isoformat() if latch.since else None
    return {"state": latch.state.value, "since": since, "by": latch.by, "why": latch.why}


def _tell(one: Said) -> None:
    print(f"{new_york(one.at):%H:%M:%S}  {one.text}", file=sys.stderr, flush=True)
