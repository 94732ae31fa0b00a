"""One import of a file in OptionsDX's layout, checked as the command does; what it took, as JSON.

A process of its own, so that its peak memory is the import's:  python -m benchmarks.store_once CSV FOLDER
"""

import json
import sys
import time
from pathlib import Path

from tomking.adapters.importers.optionsdx import OPTIONSDX
from tomking.adapters.importers.raw import Source
from tomking.adapters.store import Store
from tomking.adapters.store.importing import import_sources
from tomking.adapters.verify import check, load_context


def only_import(source: Path, folder: Path) -> None:
    """One import, as JSON on standard output."""
    context = load_context()
    start_mb = _peak_mb()
    started = time.perf_counter()
    report = import_sources(
        Store(folder), OPTIONSDX, [Source(source, root="SPXW")], check=lambda rows, _: check(rows, context)
    )
    counts = report.sources[0].quotes
    said = {
        "seconds": time.perf_counter() - started,
        "start_mb": start_mb,
        "peak_mb": _peak_mb(),
        "read": counts.read,
        "kept": counts.kept,
        "quarantined": counts.quarantined,
        "reasons": dict(report.sources[0].reasons),
        "bytes": sum(o.bytes for o in Store(folder).overview()),
        "changed": report.changed,
    }
    print(json.dumps(said))


def _peak_mb() -> float:
    """The most that was resident, of this program only: getrusage counts the parent that forked it too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    only_import(Path(sys.argv[1]), Path(sys.argv[2]))
