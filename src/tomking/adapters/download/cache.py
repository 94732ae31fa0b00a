"""The folder of downloaded files: each as its publisher sent it, its SHA-256 and its story beside it.

VIX.csv          the bytes
VIX.csv.sha256   as ``sha256sum -c`` reads it; written after the bytes, so that a killed download shows
VIX.csv.json     address, time, ETag and Last-Modified; written last
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from tomking.adapters.download.series import Published


@dataclass(frozen=True, slots=True)
class Story:
    """How a file came."""

    address: str
    fetched: datetime
    """When its bytes came, aware UTC."""
    confirmed: datetime
    """When the publisher last said that they are the newest."""
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Cached:
    """A file of the folder whose bytes are those of its checksum."""

    path: Path
    body: bytes
    digest: str
    story: Story | None
    """None where the story is missing or unreadable: then nothing is asked conditionally."""

    def age(self, now: datetime) -> str:
        """``3 days old``, from when it was last confirmed."""
        if self.story is None:
            return "of unknown age"
        hours = int((now - self.story.confirmed).total_seconds()) // 3600
        count, unit = (hours // 24, "day") if hours >= 48 else (hours, "hour")
        return f"{count} {unit}{'' if count == 1 else 's'} old"


class Cache:
    """The downloads of one data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, series: Published) -> Path:
        return self.folder / f"{series.name}.csv"

    def find(self, series: Published) -> Cached | None:
        """The file, None where there is none or its bytes are not those of its checksum."""
        path = self.path(series)
        try:
            body = path.read_bytes()
            told = _beside(path, "sha256").read_text(encoding="ascii").split()[0]
        except (OSError, IndexError, UnicodeDecodeError):
            return None
        digest = hashlib.sha256(body).hexdigest()
        return Cached(path, body, digest, _story(path)) if digest == told else None

    def keep(self, series: Published, body: bytes, story: Story) -> Cached:
        """Replaces the file: the old one stands until the new one is whole on disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path, digest = self.path(series), hashlib.sha256(body).hexdigest()
        _replace(path, body)
        _replace(_beside(path, "sha256"), f"{digest}  {path.name}\n".encode("ascii"))
        self.note(series, story)
        return Cached(path, body, digest, story)

    def note(self, series: Published, story: Story) -> None:
        """Writes the story anew, of a file that stays."""
        plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(story).items()}
        _replace(_beside(self.path(series), "json"), json.dumps(plain, indent=1).encode())


def _story(path: Path) -> Story | None:
    try:
        plain = json.loads(_beside(path, "json").read_text(encoding="utf-8"))
        times = {name: datetime.fromisoformat(plain[name]) for name in ("fetched", "confirmed")}
        return Story(plain["address"], **times, etag=plain["etag"], last_modified=plain["last_modified"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def _replace(path: Path, body: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)
