"""A market that moves by the minute: its quotes come together, and are waited for before a decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FRESH, WITHIN = timedelta(seconds=10), timedelta(seconds=20)
"""Quotes this old are new; older ones are waited for so long from the minute on, then it goes on anyway."""


@dataclass(slots=True)
class MinuteQuotes:
    """Where quotes come all the time nothing is waited for."""

    _frames: int = 0
    _last: datetime | None = None
    """Both at the last look."""
    _came: bool = False
    """Whether this minute's come after a pause."""

    def is_coming(self, now: datetime, last: datetime | None, frames: int) -> bool:
        """Whether the minute's quotes are not there yet, or are just coming in.

        last    when the stream was last heard of; None: there is no connection
        frames  of it so far
        """
        minute = now.replace(second=0, microsecond=0)
        before, self._frames = self._frames, frames
        earlier, self._last = self._last, last
        if last is None or now >= minute + WITHIN:
            self._came = False
        elif last < minute:
            self._came = self._came or now - last > FRESH
        elif frames == before:
            self._came = False  # the burst is over
        elif earlier is not None and last - earlier > FRESH:
            self._came = True  # it began between two looks
        return self._came
