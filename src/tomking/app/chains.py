"""What ``--chains`` names: our own recording file, files that an importer knows, or a chain store.

Files that are no recording of ours are imported into a store that is thrown away after the run: what is read
of them, and what is kept out, is what ``tomking data import`` says.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from tomking.adapters.download import WallWaiting
from tomking.adapters.importers.known import importers
from tomking.adapters.recorded import RecordedChains, load_recorded
from tomking.adapters.recorded_csv import COLUMNS, header_of
from tomking.adapters.recorded_store import StoredRecording, stored_levels
from tomking.adapters.store import Store
from tomking.adapters.store.records import NAME
from tomking.adapters.store.reports import ImportReport
from tomking.app.data import Asked, bring_in, choose, data_path
from tomking.domain.bars import History
from tomking.domain.calendar import Sessions
from tomking.domain.errors import BadData
from tomking.domain.products import PRODUCTS, UnknownProduct
from tomking.risk.availability import PLACES

STORE_WORD = Path("store")
"""The user's own store; a file of that name is meant by ``./store``."""


class Kind(Enum):
    """What is there."""

    RECORDING = "recording"
    FILES = "files"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Opened:
    """A recorded market, and what makes its data known again."""

    market: RecordedChains
    digest: str
    """Hex SHA-256 over all quotes and levels that were read."""


def place_of(chains: Path) -> Path:
    """The path that is meant; ``store`` is the user's data directory."""
    return data_path(os.environ) if chains == STORE_WORD else chains


def kind_of(chains: Path) -> Kind:
    """What a path that exists is, by its name, catalogue or header.

    What nobody knows is taken for a recording: its reader says what is missing.
    """
    place = place_of(chains)
    if chains == STORE_WORD or (place / NAME).exists():
        return Kind.STORE
    if place.is_dir():
        return Kind.FILES
    ours = set(COLUMNS) <= set(header_of(place))
    return Kind.RECORDING if ours or not _is_recognised(place) else Kind.FILES


def is_readable(folder: Path) -> bool:
    """Whether a folder is a store, or one that an importer reads."""
    return (folder / NAME).exists() or _is_recognised(folder)


def _is_recognised(path: Path) -> bool:
    return any(importer.recognises(path) for importer in importers().values())


@contextmanager
def opened(
    chains: Path,
    wanted: Iterable[str],
    *,
    span: tuple[date | None, date | None],
    sessions: Sessions,
    history: History,
) -> Iterator[Opened]:
    """The market of what is there, as long as it is needed.

    ``wanted`` are the roots that the strategies may trade: of a store with several only these are read.
    ``span`` limits the months of a store.  ``BadData`` with every problem.
    """
    place = place_of(chains)
    match kind_of(chains):
        case Kind.RECORDING:
            market = load_recorded(place, sessions=sessions, history=history)
            yield Opened(market, _digest([place.read_bytes()]))
        case Kind.STORE:
            yield _of_store(Store(place), wanted, span, sessions, history, ())
        case Kind.FILES:
            with tempfile.TemporaryDirectory(prefix="tomking-chains-") as folder:
                store, notes = _imported(place, Path(folder) / "data")
                yield _of_store(store, wanted, span, sessions, history, notes)


def wanted_roots(strategies: Iterable[str], settings: Iterable[object]) -> frozenset[str]:
    """What the strategies may trade in any phase, and what their settings name."""
    allowed = {p for s in strategies if s in PLACES for phase in PLACES[s].products for p in phase}
    named = {text for one in settings for text in _texts(one)}
    return frozenset(allowed | named)


def _texts(settings: object) -> Iterator[str]:
    for name in getattr(type(settings), "__slots__", ()):
        value: Any = getattr(settings, name, ())
        values = value if isinstance(value, tuple) else (value,)
        yield from (one for one in values if isinstance(one, str))


def _of_store(  # noqa: PLR0917 - the world they are opened in
    store: Store,
    wanted: Iterable[str],
    span: tuple[date | None, date | None],
    sessions: Sessions,
    history: History,
    notes: tuple[str, ...],
) -> Opened:
    known = [root for root in store.catalogue.quotes if _is_known(root)]
    roots = sorted(set(known) & set(wanted)) or sorted(known)
    if not roots:
        there = ", ".join(store.catalogue.quotes) or "nothing"
        raise BadData(
            [f"{store.folder}: no quotes of a product that is traded here; there is {there}; import some"]
        )
    recordings = [StoredRecording(store, root, sessions, *span) for root in roots]
    full = [recording for recording in recordings if recording.minutes]
    if not full:
        raise BadData([_nothing(store, roots, span)])
    left = sorted(set(store.catalogue.quotes) - set(roots))
    said = (f"of the store also {', '.join(left)}: not read",) if left else ()
    market = RecordedChains(
        full,
        notes=(*notes, *said),
        sessions=sessions,
        history=history,
        levels=stored_levels(store, roots),
    )
    return Opened(market, _digest(_parts(store, roots)))


def _is_known(root: str) -> bool:
    try:
        return PRODUCTS[root].lists_options
    except UnknownProduct:
        return False


def _nothing(store: Store, roots: list[str], span: tuple[date | None, date | None]) -> str:
    """Where the quotes of these roots are, when none is in the span."""
    days = [s.day for root in roots for m in store.months(root).values() for s in m.sessions]
    first, last = (day or "the beginning" for day in span)
    there = f"{', '.join(roots)} from {min(days)} to {max(days)}"
    return f"{store.folder}: no quotes in trading hours from {first} to {last}; there is {there}"


def _imported(path: Path, folder: Path) -> tuple[Store, tuple[str, ...]]:
    """A store of its own for what an importer reads there."""
    try:
        chosen = choose(Asked(paths=(path,)))
        report = bring_in(folder, chosen, now=WallWaiting().now(), progress=lambda _progress: None)
    except BadData as error:
        raise BadData([_with_the_way(line) for line in error.problems]) from error
    return Store(folder), tuple(_import_notes(report))


_ONLY_THERE = re.compile(r"--(product|format|zone|at|mapping)\b")


def _with_the_way(problem: str) -> str:
    """A remedy that is an option of the import leads there: a backtest has no such option."""
    if not _ONLY_THERE.search(problem):
        return problem
    return f"{problem}; that is an option of tomking data import: import it, then run with --chains store"


def _import_notes(report: ImportReport) -> Iterator[str]:
    totals = report.totals
    yield f"imported for this run: {totals.read:,} rows read, {totals.kept:,} kept"
    reasons: dict[str, int] = {}
    for source in report.sources:
        for reason, count in dict(source.reasons).items():
            reasons[reason] = reasons.get(reason, 0) + count
    if totals.quarantined:
        why = ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items()))
        yield f"left out: {totals.quarantined:,} rows ({why}); see tomking data import"


def _parts(store: Store, roots: list[str]) -> Iterator[bytes]:
    catalogue = store.catalogue
    keys = {key for root in roots for key in (root, PRODUCTS[root].family)} | {"VIX"}
    for kind, names in ((catalogue.quotes, set(roots)), (catalogue.levels, keys)):
        for name in sorted(names & kind.keys()):
            yield from (record.digest.encode() for record in kind[name].values())


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()
