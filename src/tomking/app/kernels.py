"""Where compiled kernels are kept: a folder named after the source they were compiled from.

Numba looks only at the file a kernel stands in.  A kernel that calls one in another module would go on
with that module's old numbers after an update; a folder per source digest cannot.
"""

import hashlib
import os
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
RINGS = ("pricing", "risk", "sim")
"""Where kernels are."""


def keep_compiled_kernels() -> None:
    """Points Numba at the folder of this source; a place the user has chosen stays."""
    os.environ[VARIABLE] = str(place())


def place() -> Path:
    """The folder of compiled kernels: the user's, or the one of this source."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return Path(chosen)
    import platformdirs  # noqa: PLC0415 - the core's tests run where it is not installed

    return platformdirs.user_cache_path("tomking") / "kernels" / source_digest()


def source_digest() -> str:
    """Of every module that holds kernels or numbers they use: 16 hexadecimal digits."""
    package = Path(__file__).parents[1]
    total = hashlib.sha256()
    for file in sorted(file for ring in RINGS for file in package.glob(f"{ring}/*.py")):
        total.update(f"{file.relative_to(package)}\0".encode())
        total.update(file.read_bytes())
    return total.hexdigest()[:16]
