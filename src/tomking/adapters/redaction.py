"""Nothing that is logged, printed or raised may show a secret or a whole account number (X21, X23).

Two nets: what this process was told is secret (``learn``), wherever it turns up, and what looks like a token
or an account wherever it comes from.  ``install`` puts both where every record of every library passes, and
where exceptions nobody caught are printed.
"""

import logging
import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from types import TracebackType

HIDDEN = "[hidden]"
LEAST = 6
"""Characters: shorter words are no secrets, and hiding them would make every text unreadable."""
_KNOWN: deque[str] = deque(maxlen=256)
"""Newest last: a day has two hundred access tokens, and old ones are dead."""
_LOCK = threading.Lock()

_TOKENS = re.compile(
    r"(?P<before>\bBearer\s+|(?:access[_-]token|refresh[_-]token|client[_-]secret|auth[_-]token|password|"
    r"token)['\"]?\s*[:=]\s*['\"]?(?:Bearer\s+)?)(?P<hidden>[^\s'\",;&}\]]{6,})",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+){1,2}")
_ACCOUNT = re.compile(
    # The folder of a sandbox's account is a place to look, and its number nobody's.
    r"(?P<before>/accounts/|\b(?<!/sandbox-))(?P<number>5W[A-Z0-9]\d{5})\b|/accounts/(?P<other>\w{5,})"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x1b\u2028\u2029]")


def learn(*secrets: str) -> None:
    """Hides these words from now on; what is too short to be one is passed over."""
    with _LOCK:
        for one in secrets:
            if len(one) >= LEAST and one not in _KNOWN:
                _KNOWN.append(one)


def redacted(text: str) -> str:
    """The text without what must not be seen; account numbers keep their last four characters."""
    with _LOCK:
        known = sorted(_KNOWN, key=len, reverse=True)
    for one in known:
        text = text.replace(one, HIDDEN)
    text = _JWT.sub(HIDDEN, text)
    text = _TOKENS.sub(lambda found: f"{found['before']}{HIDDEN}", text)
    return _ACCOUNT.sub(_last_four, text)


def install() -> None:
    """From now on, for this process: log records, and exceptions that nobody catches."""
    if not isinstance(logging.getLogRecordFactory(), _Factory):
        logging.setLogRecordFactory(_Factory(logging.getLogRecordFactory()))
    logging.getLogger("tastytrade").setLevel(logging.INFO)
    sys.excepthook = _print_exception
    threading.excepthook = _print_thread_exception


class _Factory:
    """Makes records as before, and takes out what must not be seen before anybody has them."""

    def __init__(self, inner: Callable[..., logging.LogRecord]) -> None:
        self._inner = inner

    def __call__(self, *args: object, **more: object) -> logging.LogRecord:
        record = self._inner(*args, **more)
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - whatever somebody's arguments do, a log must not end a session
            said = f"{record.msg!r} with arguments that do not fit"
        record.msg, record.args = one_line(redacted(said)), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redacted("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None  # nobody is to format it again
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return record


def one_line(text: str) -> str:
    """With what could begin a line of its own, or paint the terminal, spelt out."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _last_four(found: re.Match[str]) -> str:
    number = found["number"] or found["other"]
    before = found["before"] if found["number"] else "/accounts/"
    return f"{before}***{number[-4:]}"


def _print_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))


def _print_thread_exception(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        _print_exception(found.exc_type, found.exc_value, found.exc_traceback)
