"""``tomking version``."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "numba", "pyarrow", "exchange-calendars")


def print_version(*, as_json: bool) -> None:
    """Ours, Python's, and those of the libraries that the numbers depend on."""
    found = {"tomking": _ours(), "python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print("\n".join(f"{name} {number}" for name, number in found.items()))


def _ours() -> str:
    try:
        return version("tomking")
    except PackageNotFoundError:
        return "not installed (run from its source)"
