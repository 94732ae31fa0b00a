"""The broker's secrets for a command: none is exit code 4, with where it was looked for."""

import os

from tomking.adapters.secrets import NoSecret, broker_secrets
from tomking.adapters.tastytrade.session import Environment, Secrets
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems


def secrets_of(environment: Environment) -> Secrets:
    """Those of cert or live; ``Problems`` with the fix.  The local venue's are its own words."""
    assert environment is not Environment.SANDBOX, "the local venue has fixed words"
    try:
        return broker_secrets(environment, os.environ)
    except NoSecret as missing:
        raise Problems(Problem(Exit.SECRET, line) for line in missing.problems) from None
