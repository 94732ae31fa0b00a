"""The broker's secrets: in the keyring, else in a file of the user's own, else in the environment.

Never in arguments, which every user of the machine sees, in configuration, in logs or in the journal (X19).
Each environment has its own, so that a token of the test system never meets real money.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from stat import S_ISREG

import keyring
from keyring.errors import KeyringError, PasswordDeleteError

from tomking.adapters.tastytrade.session import Environment, Secrets
from tomking.domain.errors import BadData

SERVICE = "tomking"
OTHERS = 0o077
"""Permissions of a file that anybody but its owner has."""


class NoSecret(BadData):
    """There is none, or none that may be used."""


class Name(Enum):
    """What logs in."""

    CLIENT_SECRET = "client-secret"  # noqa: S105 - its name, not itself
    REFRESH_TOKEN = "refresh-token"  # noqa: S105


_VARIABLES = {
    (Environment.LIVE, Name.CLIENT_SECRET): "TT_SECRET",
    (Environment.LIVE, Name.REFRESH_TOKEN): "TT_REFRESH",
    (Environment.CERT, Name.CLIENT_SECRET): "TT_CERT_SECRET",
    (Environment.CERT, Name.REFRESH_TOKEN): "TT_CERT_REFRESH",
}
"""The SDK's own names, and beside them those of the test system.  The local venue needs none."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a secret is, and never what it is."""

    name: Name
    where: str
    """Empty: nowhere."""


def broker_secrets(of: Environment, environment: Mapping[str, str]) -> Secrets:
    """Both secrets of an environment; ``NoSecret`` says of each that is missing where it was looked for.

    environment  the process's variables
    """
    problems: list[str] = []
    values: dict[Name, str] = {}
    for name in Name:
        try:
            values[name] = _looked_up(of, name, environment)[0]
        except NoSecret as missing:
            problems += missing.problems
    if problems:
        raise NoSecret(problems)
    return Secrets(values[Name.CLIENT_SECRET], values[Name.REFRESH_TOKEN])


def found_secrets(of: Environment, environment: Mapping[str, str]) -> list[Found]:
    """Where each would be taken from."""
    found = []
    for name in Name:
        try:
            where = _looked_up(of, name, environment)[1]
        except NoSecret:
            where = ""
        found.append(Found(name, where))
    return found


def store_secret(of: Environment, name: Name, value: str) -> None:
    """Puts one into the keyring; ``NoSecret`` where there is no keyring or it cannot be one."""
    _checked(value, "what was typed")
    try:
        keyring.set_password(SERVICE, _user(of, name), value)
        why = "" if keyring.get_password(SERVICE, _user(of, name)) == value else "it keeps nothing"
    except (KeyringError, RuntimeError) as error:
        why = type(error).__name__
    if why:
        words = (
            f"no keyring on this machine ({why}): put the {name.value} into a file that only you can read "
            f"(chmod 600) and name it in {_VARIABLES[of, name]}_FILE"
        )
        raise NoSecret([words])


def remove_secret(of: Environment, name: Name) -> bool:
    """Takes one out of the keyring; whether it was there."""
    try:
        keyring.delete_password(SERVICE, _user(of, name))
    except PasswordDeleteError:
        return False
    except (KeyringError, RuntimeError) as error:
        raise NoSecret([f"no keyring on this machine ({type(error).__name__})"]) from None
    return True


def _looked_up(of: Environment, name: Name, environment: Mapping[str, str]) -> tuple[str, str]:
    """The secret and where it was found."""
    kept = _kept(of, name)
    if kept is not None:
        return _checked(kept, "the keyring"), "keyring"
    variable = _VARIABLES[of, name]
    file = environment.get(f"{variable}_FILE")
    if file:
        return _checked(_in_file(Path(file)), file), f"{variable}_FILE"
    if environment.get(variable):
        return _checked(environment[variable], variable), variable
    words = (
        f"no {name.value} for {of.value}: run `tomking secrets set {name.value} --environment {of.value}`, "
        f"or name a file that only you can read in {variable}_FILE, or set {variable}"
    )
    raise NoSecret([words])


def _kept(of: Environment, name: Name) -> str | None:
    try:
        return keyring.get_password(SERVICE, _user(of, name))
    except (KeyringError, RuntimeError):  # no keyring on this machine
        return None


def _user(of: Environment, name: Name) -> str:
    return f"tastytrade-{of.value}-{name.value}"


def _in_file(path: Path) -> str:
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise NoSecret([f"{path}: not a file"])
        if status.st_mode & OTHERS:
            raise NoSecret([f"{path}: others on this machine can read it; chmod 600 {path.name}"])
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NoSecret([f"{path}: it cannot be read ({type(error).__name__})"]) from None


def _checked(value: str, where: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value or not value:
        raise NoSecret([f"{where}: a secret is one word of letters, digits and signs, and not empty"])
    return value
