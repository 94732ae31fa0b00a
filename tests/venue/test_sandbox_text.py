"""docs/sandbox.md lists what the venue answers, and what of the SDK it does not."""

import inspect
import re
from pathlib import Path

import tastytrade
from tastytrade import (
    account,
    instruments,
    market_data,
    market_sessions,
    metrics,
    paper,
    search,
    streamer,
    watchlists,
)
from tastytrade import session as sdk_session
from tests.venue.venueserver import a_house

from tomking.venue.faults import AFTER, ANSWERS, CUTS, STREAMS
from tomking.venue.rest import Rest
from tomking.venue.tokens import Tokens

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
SOURCES = (
    account,
    instruments,
    market_data,
    market_sessions,
    metrics,
    paper,
    search,
    sdk_session,
    streamer,
    watchlists,
)


def listed(text: str) -> set[tuple[str, str]]:
    """(method, path) of every row that begins with an endpoint."""
    rows = re.findall(r"^\| `([A-Z, ]+) (/[^`]*)` \|", text, re.MULTILINE)
    return {(method, path) for methods, path in rows for method in methods.split(", ")}


def served() -> set[tuple[str, str]]:
    tokens = Tokens("", "", lambda: 0.0, lambda: "")
    pages = Rest(a_house(), tokens, dxlink_url=lambda: "").endpoints()
    paths = {(m, re.sub(r":\w+\}", "}", one.path)) for one in pages for m in one.methods}
    own = {("GET", "/_sandbox"), ("POST", "/_sandbox"), ("GET", "/_sandbox/events")}
    return {*paths, *own, ("POST", "/oauth/token"), ("WS", "/streamer"), ("WS", "/realtime")}


COVERED, NOT_BUILT = (listed(part) for part in TEXT.split("Not built, answered"))


def test_the_table_is_what_is_served_and_no_more() -> None:
    assert served() == COVERED
    assert not served() & NOT_BUILT


def test_every_path_of_the_sdk_is_in_one_of_the_tables() -> None:
    known = {re.sub(r"\{[^}]*\}", "*", path) for _, path in COVERED | NOT_BUILT}
    found = {
        re.sub(r"\{[^}]*\}", "*", path)
        for module in SOURCES
        for path in re.findall(r'f?"(/[a-z][^"? ]*)"', inspect.getsource(module))
    }
    assert len(found) > 50, tastytrade.__version__
    asked = {path for path in found if path not in {"/dry-run", "/delayed"}}  # ends of other paths
    assert asked - known == set()


def test_every_fault_is_named() -> None:
    missing = [name for name in {*ANSWERS, *AFTER, *STREAMS, *CUTS} if f'"{name}"' not in TEXT]
    assert missing == []
