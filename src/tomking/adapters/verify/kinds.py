"""Every kind of finding: what it means, what becomes of the rows, and what to do.  One table, one home.

The rule behind the severities: a row is quarantined when no reader could use it without guessing (the
numbers contradict themselves, the contract, or the calendar).  What may be true but is worth a look is
kept and said.  docs/verifying.md is tested against this table.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad, and so what happens."""

    QUARANTINED = "quarantined"
    """The rows are kept out of the store, in its quarantine; ``--strict`` refuses the file."""
    WARNING = "warning"
    """Kept; a backtest on these rows may be wrong."""
    NOTE = "note"
    """Kept; true of good data too."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding."""

    name: str
    severity: Severity
    meaning: str
    """Completes "rows ...": a phrase without a full stop."""
    advice: str
    """What to do, as one sentence without a full stop."""


_Q, _W, _N = Severity.QUARANTINED, Severity.WARNING, Severity.NOTE

_ROWS = (
    Kind("incomplete", _Q, "without root, time, expiry, right or strike", "complete the row at its source"),
    Kind(
        "adjusted_root",
        _Q,
        "of an adjusted contract (a digit in the root): it delivers something else than 100 shares",
        "leave it out: tomking trades standard contracts only",
    ),
    Kind(
        "wrong_multiplier",
        _Q,
        "whose multiplier is not the one the exchange lists for the root",
        "check the root (minis and adjusted series have their own) or the mapping's multiplier column",
    ),
    Kind(
        "bad_strike",
        _Q,
        "with a strike of zero or less, or beyond a million points",
        "check the strike's scale",
    ),
    Kind(
        "strike_off_grid",
        _Q,
        "with a strike that the exchange's finest interval for the root does not contain",
        "check the strike's scale (LEAN writes x10000, OSI symbols x1000) and the root",
    ),
    Kind(
        "not_a_number",
        _Q,
        "with NaN or infinity as bid or ask",
        "leave the cell empty where there was no quote",
    ),
    Kind(
        "negative",
        _Q,
        "with a negative bid, ask, volume or open interest",
        "leave the cell empty where there was no quote",
    ),
    Kind(
        "crossed",
        _Q,
        "with a bid above the ask",
        "nothing to do for a few; for many check that bid and ask are not swapped",
    ),
    Kind(
        "zero_ask",
        _Q,
        "with an ask of zero: nobody gives an option away, vendors write 0 for no quote",
        "nothing to do, unless the ask stands in another column",
    ),
    Kind(
        "impossible_price",
        _Q,
        "that no market pays: a put bid above its strike, a call bid above the underlying,"
        " or an offer of ten times as much",
        "check the scale of prices and strikes, and that calls and puts are not swapped",
    ),
    Kind(
        "absurd_size",
        _Q,
        "with a negative size, or sizes or volumes beyond any day's trading",
        "check the columns of the sizes",
    ),
    Kind(
        "off_grid",
        _Q,
        "with a price between the counts of the exchange's finest quote grid",
        "prices must be quotes, not mids or averages; check the mapping's columns and scale",
    ),
    Kind(
        "from_the_future",
        _Q,
        "stamped after the moment of the import",
        "check the format of the dates (day before month?), --zone, and this machine's clock",
    ),
    Kind(
        "expired",
        _Q,
        "of contracts that had expired when they were quoted: stale",
        "nothing to do; for many check --zone and the expiry column",
    ),
    Kind(
        "no_session",
        _Q,
        "stamped on a day on which the exchange was shut",
        "check the date column and --zone",
    ),
    Kind(
        "duplicate",
        _Q,
        "that repeat another row of the same contract and time with the same values; the first is kept",
        "nothing to do",
    ),
    Kind(
        "contradiction",
        _Q,
        "of the same contract and time with different values: all are kept out, for none can be believed",
        "check whether two roots (SPX and SPXW) or two sources were mixed under one name",
    ),
    Kind("locked", _N, "with bid equal to ask", "nothing to do"),
    Kind(
        "no_ask",
        _N,
        "with a bid but no ask, or with neither",
        "nothing to do: such a contract cannot be traded then",
    ),
    Kind(
        "coarse_grid",
        _N,
        "priced on the fine grid where the exchange quotes on the coarse one",
        "nothing to do for a few; for many the prices are mids or composites",
    ),
    Kind(
        "outside_hours",
        _W,
        "stamped outside the regular session of their day",
        "nothing to do for overnight quotes; else check --zone",
    ),
    Kind(
        "unknown_root",
        _N,
        "of a root without exchange facts here: taken as options on shares (100 per contract, cents)",
        "check the root's spelling",
    ),
)

_SESSIONS = (
    Kind(
        "missing_sessions",
        _W,
        "sessions between the first and the last without any quote",
        "import the missing days",
    ),
    Kind(
        "hole",
        _W,
        "snapshots missing inside a session",
        "import the missing part, or know that stops rest there",
    ),
    Kind(
        "thin_snapshot",
        _N,
        "snapshots with less than half of the session's usual contracts",
        "nothing to do for a few",
    ),
    Kind(
        "stuck",
        _W,
        "contracts whose quote stands still while most of their expiry moves",
        "do not trade the contract on that day; ask the vendor when there are many",
    ),
    Kind(
        "frozen",
        _W,
        "snapshots of a whole expiry that repeat the one before",
        "the feed had stopped: leave that stretch out",
    ),
    Kind(
        "parity",
        _W,
        "strikes where call and put contradict the expiry's forward by more than their spreads",
        "stale or mixed quotes (SPX under SPXW): do not trade that expiry on that day",
    ),
    Kind(
        "vertical",
        _W,
        "neighbouring strikes that could be traded as a vertical for a riskless gain",
        "one of the two quotes is stale",
    ),
    Kind(
        "butterfly",
        _W,
        "neighbouring strikes that could be traded as a butterfly for a riskless gain",
        "one of the three quotes is stale",
    ),
    Kind(
        "wrong_zone",
        _W,
        "sessions whose times fit the exchange's only when moved by whole hours",
        "import again with the --zone that the times are in",
    ),
    Kind(
        "split",
        _W,
        "sessions between which the level jumps by a split's ratio",
        "keep the months before and after apart: contracts before it are of the old share",
    ),
    Kind(
        "scale",
        _W,
        "sessions whose levels or strikes are a whole multiple of the true ones",
        "import again with the right scale",
    ),
    Kind(
        "level",
        _W,
        "sessions whose level is outside the daily history's range of that day",
        "check the date column, --zone and the underlying's column",
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in (*_ROWS, *_SESSIONS)}
"""By name; of the quarantining row kinds the first that holds is a row's reason."""

ROW_REASONS = tuple(kind.name for kind in _ROWS if kind.severity is _Q)
"""Reasons in ``Checked.quarantined``, in the order in which they are asked."""
