"""How every command starts and ends: one line per problem on stderr, and a documented exit code."""

import io
import os
import signal
import sys
from collections.abc import Sequence
from itertools import takewhile
from types import FrameType
from typing import Any, NoReturn

import typer

from tomking.adapters.redaction import redacted
from tomking.app.cli.commands import app
from tomking.app.exits import Exit
from tomking.app.problems import Problems, did_you_mean
from tomking.domain.errors import BadData


def run(arguments: Sequence[str]) -> int:
    """Run one command line, without the program's name, and return its exit code.

    ``--debug`` anywhere shows the traceback of an unexpected error.
    """
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without our arrows and dashes gets question marks, not the end of a long run.
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, _terminate)
    command = typer.main.get_command(app)
    try:
        ended = command.main(
            [a for a in arguments if a != "--debug"], prog_name="tomking", standalone_mode=False
        )
        sys.stdout.flush()
    except Problems as found:
        _say(found.lines)
        return int(found.code)
    except BadData as found:
        _say(found.problems)
        return int(Exit.DATA)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            return _reader_left()
        raise
    except typer.TyperException as error:
        _say([_usage_line(error, arguments)])
        return int(Exit.USAGE)
    except Exception as error:
        if debug:
            raise
        _say([f"unexpected error: {type(error).__name__}: {error}; run again with --debug for the traceback"])
        return int(Exit.BUG)
    return _interrupted() if ended == Exit.INTERRUPTED else int(ended or 0)


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        # The text of an exception may hold what it was about: a token, an account.
        print(f"tomking: {redacted(' '.join(line.split()))}", file=sys.stderr)


def _interrupted() -> int:
    _say([Exit.INTERRUPTED.meaning])
    return int(Exit.INTERRUPTED)


def _reader_left() -> int:
    """The reader (``| head``) has what it wanted: no error; and the interpreter's end must not see one."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return int(Exit.OK)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    _say([Exit.TERMINATED.meaning])
    raise SystemExit(int(Exit.TERMINATED))


def _usage_line(error: typer.TyperException, arguments: Sequence[str]) -> str:
    """What the command line's parser says, in one line with the nearest known word."""
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else _command_of(arguments)
    option = getattr(error, "option_name", None)
    if option is not None and type(error).__name__ == "NoSuchOption":
        known = [o for p in context.command.params for o in p.opts]
        return f"{option}: unknown option; {did_you_mean(option, [*known, '--help'])} (see {path} -h)"
    return f"{error.format_message()} (see {path} -h)"


def _command_of(arguments: Sequence[str]) -> str:
    """The command that was meant, where the parser's complaint does not tell: the words before any option."""
    words = takewhile(lambda word: not word.startswith("-"), arguments)
    return " ".join(["tomking", *words])
