"""Where the backup passphrase comes from: a file, the environment, the keyring; never an argument.

Arguments are seen by every user of the machine, and kept in the shell's history.
"""

from collections.abc import Mapping
from pathlib import Path

import keyring
from keyring.errors import KeyringError

from tomking.domain.errors import BadData

VARIABLE = "TOMKING_BACKUP_PASSPHRASE"
FILE_VARIABLE = "TOMKING_BACKUP_PASSPHRASE_FILE"
SERVICE, USER = "tomking", "backup-passphrase"
"""Its place in the keyring: ``keyring set tomking backup-passphrase`` asks for it."""
LEAST_LENGTH = 12

_NONE = (
    f"no backup passphrase: put one into the keyring (keyring set {SERVICE} {USER}), into {VARIABLE}, or "
    f"into a file of yours only that {FILE_VARIABLE} or --passphrase-file names; and keep a copy elsewhere: "
    "without it no backup can be restored"
)


class NoPassphrase(BadData):
    """There is none, or none that may be used."""


def backup_passphrase(environment: Mapping[str, str], file: Path | None = None) -> str:
    """The passphrase: of the named file, else of the environment, else of the keyring.

    ``NoPassphrase`` says where it was looked for and how to set one; and when a file can be read by others,
    or the passphrase is shorter than 12 characters.
    """
    if file is not None:
        return _long_enough(_in_file(file), str(file))
    if VARIABLE in environment:
        return _long_enough(environment[VARIABLE], VARIABLE)
    if FILE_VARIABLE in environment:
        named = Path(environment[FILE_VARIABLE])
        return _long_enough(_in_file(named), f"{FILE_VARIABLE} ({named})")
    try:
        found = keyring.get_password(SERVICE, USER)
    except (KeyringError, RuntimeError):  # no keyring on this machine
        found = None
    if found is None:
        raise NoPassphrase([_NONE])
    return _long_enough(found, "the keyring")


def _in_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & 0o077:
            raise NoPassphrase([f"{path}: others on this machine can read it; chmod 600 {path.name}"])
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NoPassphrase([f"{path}: the passphrase cannot be read ({error})"]) from error


def _long_enough(text: str, where: str) -> str:
    if len(text) < LEAST_LENGTH:
        raise NoPassphrase([f"{where}: a backup passphrase has {LEAST_LENGTH} characters or more"])
    return text
