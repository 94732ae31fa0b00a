"""``tomking status``, ``positions``, ``orders`` and ``why``: what the journal of a paper run says."""

import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tomking.app.amounts import money, net
from tomking.app.cli.configuration import read_assignments
from tomking.app.exits import Exit
from tomking.app.live.folder import Folder, journals, none_below
from tomking.app.live.picture import Holding, Ticket, holdings_of, tickets_of
from tomking.app.live.reading import Read, read, reasons, sessions_of
from tomking.app.problems import Problems, did_you_mean, problem
from tomking.domain.book import Working
from tomking.domain.calendar import new_york
from tomking.domain.events import RunStarted
from tomking.execution.marking import Marks, Values

WIDTH = 140


def print_status(journal: Path | None, *, as_json: bool) -> None:
    """Where the account stands, whether trading is allowed, and how old that knowledge is."""
    found = read(journal, os.environ)
    plain = _status(found)
    if as_json:
        print(json.dumps(plain, indent=2))
        return
    for name, value in plain.items():
        print(f"{name.replace('_', ' '):<16} {_shown(name, value)}")


def _shown(name: str, value: object) -> str:
    """For a person: dollars with their sign, levels to two places, nothing as a dash."""
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "-"
    if value in {"", None}:
        return "-"
    if name in {"net_liq", "day_gain", "cash"}:
        return money(_decimal(value))
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _status(found: Read) -> dict[str, Any]:
    book, shown = found.book, found.shown or {}
    worth = shown.get("net_liq")
    return {
        "mode": found.folder.path.parent.name,
        "account": found.folder.path.name,
        "journal": str(found.folder.journal),
        "trading": found.latch.words,
        "last_event": f"{new_york(found.at):%Y-%m-%d %H:%M:%S} New York",
        "last_picture": _wall(shown.get("at")),
        "session": f"{book.day.session}{' (ended)' if book.day.ended else ''}",
        "net_liq": worth if worth is not None else "",
        "day_gain": shown.get("day_gain", ""),
        "cash": str(book.cash),
        "vix": shown.get("vix"),
        "positions": len(book.positions),
        "working_orders": len(book.orders),
        "levels": {name: value for name, value in book.levels.items() if value},
        "not_ours": {str(contract): count for contract, count in book.foreign.items()},
    }


def _wall(at: object) -> str:
    from datetime import datetime

    return f"{new_york(datetime.fromisoformat(str(at))):%Y-%m-%d %H:%M:%S} New York" if at else ""


def print_positions(journal: Path | None, *, as_json: bool) -> None:
    """What is held, part by part; marks are those of the engine's last picture."""
    found = read(journal, os.environ)
    rows = holdings_of(found.book, _marks(found), found.at)
    if as_json:
        print(json.dumps([_plain_holding(one) for one in rows], indent=2))
        return
    if not rows:
        print("no positions")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("position", "state", "part", "units", "days", "entry", "now", "P&L", "works"):
        table.add_column(name, justify="right" if name in {"units", "days", "P&L"} else "left")
    for one in rows:
        total = "" if one.gain is None else money(one.gain)
        table.add_row(
            f"{one.strategy} {one.id}", f"{one.state} {one.stage}".strip(), "", "", "", "", "", total
        )
        for part in one.parts:
            now = "-" if part.closing is None else net(part.closing)
            gain = "-" if part.gain is None else money(part.gain)
            what = f"{part.role}: {part.legs}"
            cells = (what, str(part.units), str(part.days), net(part.entry), now, gain, part.state)
            table.add_row("", "", *cells)
    Console(width=WIDTH).print(table)
    print(f"marks of {_wall((found.shown or {}).get('at')) or 'no engine'}")


def _marks(found: Read) -> Marks:
    """As the engine last showed them."""
    values = {}
    for holding in (found.shown or {}).get("holdings", []):
        for part in holding["parts"]:
            if part["closing"] is not None:
                values[holding["id"], part["role"]] = _decimal(part["closing"])
    return Marks(found.book.cash, Values.told(values))


def _decimal(text: object) -> Any:  # noqa: ANN401 - a Decimal
    from decimal import Decimal

    return Decimal(str(text))


def _plain_holding(one: Holding) -> Mapping[str, Any]:
    from dataclasses import asdict

    plain: dict[str, Any] = json.loads(json.dumps(asdict(one), default=str))
    return plain


def print_orders(journal: Path | None, *, as_json: bool) -> None:
    """What works, and what ended in the session under way, each with its reason."""
    found = read(journal, os.environ)
    working = tickets_of(found.book, found.at)
    ended = [(id_, one) for id_, one in found.book.ended.items()]
    if as_json:
        plain = {
            "working": [json.loads(json.dumps(_ticket(one), default=str)) for one in working],
            "ended": [_plain_ended(id_, one) for id_, one in ended],
        }
        print(json.dumps(plain, indent=2))
        return
    print(f"{len(working)} working")
    for ticket in working:
        done, limit = f"{ticket.filled}/{ticket.units}", net(ticket.limit)
        print(f"  {ticket.id} {ticket.what} {ticket.strategy} {done} at {limit}, step {ticket.step}")
        print(f"      {ticket.legs}\n      {ticket.reason}")
    print(f"{len(ended)} ended in session {found.book.day.session}")
    for id_, one in ended:
        row = _plain_ended(id_, one)
        print(f"  {id_} {row['what']} {row['strategy']} {row['outcome']} at {net(one.limit)}")
        print(f"      {row['legs']}\n      {row['reason']}")


def _ticket(one: Ticket) -> Mapping[str, Any]:
    from dataclasses import asdict

    return asdict(one)


def _plain_ended(id_: str, one: Working) -> dict[str, Any]:
    order = one.order
    outcome = (
        "refused" if one.refused else f"filled {one.filled}/{order.units}" if one.filled else "not filled"
    )
    return {
        "id": id_,
        "strategy": order.strategy,
        "what": "opened" if order.opens else "closed",
        "outcome": outcome,
        "limit": str(one.limit),
        "legs": str(order.structure),
        "reason": order.reason,
    }


def print_why(words: list[str], journal: Path | None, *, as_json: bool) -> None:
    """Every decision of a day and what it was for."""
    found = read(journal, os.environ)
    day, strategy = _asked(words, found)
    rows = reasons(found, day, strategy)
    if as_json:
        plain = [{"at": r.at.isoformat(), "strategy": r.strategy, "text": r.text} for r in rows]
        print(json.dumps(plain, indent=2))
        return
    who = f" of {strategy}" if strategy else ""
    print(f"{day}{who}: {len(rows)} decisions and events")
    for row in rows:
        print(f"{new_york(row.at):%H:%M:%S}  {row.text}")


def _asked(words: list[str], found: Read) -> tuple[date, str | None]:
    """The day and the strategy of `why [DATE] [STRATEGY]`, either of which may be left out."""
    day, strategy = found.day, None
    traded = {name for e in found.events if isinstance(e, RunStarted) for name in e.strategies}
    for word in words:
        try:
            day = date.fromisoformat(word)
        except ValueError:
            strategy = word.lower()
            if strategy not in traded:
                raise problem(Exit.USAGE, _not_traded(word, strategy, traded)) from None
    known = sessions_of(found.events)
    if day not in known:
        near = min(known, key=lambda one: abs(one - day))
        raise problem(Exit.DATA, f"{day}: nothing was journalled on that day; the nearest is {near}")
    return day, strategy


def _not_traded(word: str, strategy: str, traded: set[str]) -> str:
    from tomking.strategies import ALL

    if strategy in ALL:
        return f"{word}: not traded in this journal; traded were {', '.join(sorted(traded))}"
    return f"{word}: neither a day (YYYY-MM-DD) nor a strategy; {did_you_mean(word, traded)}"


def print_today(journal: Path | None, config: Path | None, assignments: list[str], *, as_json: bool) -> None:
    """The plan of the journal's session, strategy by strategy."""
    from dataclasses import asdict
    from datetime import timedelta

    from tomking.adapters.calendars import load_sessions
    from tomking.app.live.agenda import plan
    from tomking.app.live.stages import configure

    overrides, problems = read_assignments(assignments)
    if problems:
        raise Problems(problems)
    found = read(journal, os.environ)
    started = next(e for e in reversed(found.events) if isinstance(e, RunStarted))
    configured = configure(config, overrides, started.strategies)
    month = timedelta(days=31)
    rows = plan(found, configured.strategies, load_sessions(found.day - month, found.day + month), found.day)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print(f"{found.day:%A} {found.day}, trading {found.latch.words}")
    if configured.config.digest() != started.config_digest:
        print("(windows of other settings than the run's: give it the run's --set and --config)")
    for row in rows:
        print(f"{row.strategy}: {', '.join(row.windows) or 'no window'}")
        print(f"    {row.said}")
        for held in row.holds:
            print(f"    holds {held}")


def print_reconcile(venue: str, port: int | None, account: str | None, *, as_json: bool) -> int:
    """The differences, and the exit code.  Without a port that of the last run is taken."""
    from tomking.app.control import state_folder
    from tomking.app.live.asked import PORT, asked_again
    from tomking.app.live.comparing import compare

    folder = _folder_of(venue, account, state_folder(os.environ))
    found = read(folder.journal, os.environ)
    if port is None:
        port = int((found.shown or {}).get("port", PORT))
    wanted = asked_again(folder.path, port, os.environ)
    shown = compare(wanted, found.book)
    if as_json:
        rows = [{"sort": one.sort.value, "text": one.text, "family": one.family} for one in shown.differences]
        plain = {"at": shown.at.isoformat(), "positions": shown.positions, "differences": rows}
        print(json.dumps(plain, indent=2))
    else:
        print(f"{new_york(shown.at):%Y-%m-%d %H:%M:%S} New York: {shown.positions} contracts held")
        print(
            "\n".join(f"{one.sort.value}: {one.text}" for one in shown.differences) or "book and broker agree"
        )
    return int(Exit.MISMATCH if shown.differences else Exit.OK)


def _folder_of(venue: str, account: str | None, state: Path) -> Folder:
    """Of that venue, and account where it is named, the one written last; ``Problems`` (2, 6)."""
    known = {"sandbox": "sandbox", "cert": "cert", "production": "live"}
    if venue not in known:
        raise problem(Exit.USAGE, f"--venue {venue}: unknown; {did_you_mean(venue, known)}")
    begins = f"{known[venue]}-{account or ''}"
    found = [
        one
        for one in journals(state)
        if (one.parent.name == begins if account else one.parent.name.startswith(begins))
    ]
    if not found:
        raise none_below(state / ("live" if venue == "production" else "paper"))
    return Folder(found[-1].parent)
