"""The desk's orders, and which of them need a look: most ended long ago, or wait for evidence."""

from collections.abc import Collection, Mapping
from datetime import datetime

from tomking.domain.book import Book, Working
from tomking.execution.protocol.course import Course
from tomking.execution.protocol.lookout import FOREVER


class Courses(dict[str, Course]):
    """Courses by order id.

    One that rests is passed over until it, or the book's part in it, is another object, or a clock may show
    something new.
    """

    def __init__(self) -> None:
        super().__init__()
        self.moving: dict[str, Course] = {}
        """Those that have not ended, or whose end leaves something to be done."""
        self._rested: dict[str, tuple[Working, bool]] = {}
        """The book's part in each that rests, and whether the book holds it as working."""
        self._awake: set[str] = set()
        self._clocks: dict[str, datetime] = {}
        """When a clock may show something new of one that rests; none: never."""
        self._of: tuple[Mapping[str, Working], Mapping[str, Working]] = ({}, {})
        """The orders of the book as they were looked at last."""

    def __setitem__(self, id_: str, course: Course) -> None:
        if self.get(id_) is course:
            return
        super().__setitem__(id_, course)
        self._wake(id_)
        if course.is_over and not course.is_restless and course.uneven is None:
            self.moving.pop(id_, None)
        else:
            self.moving[id_] = course

    def __delitem__(self, id_: str) -> None:
        super().__delitem__(id_)
        self._wake(id_)
        self._awake.discard(id_)
        self.moving.pop(id_, None)

    def rest(self, id_: str, working: Working, until: datetime, *, works: bool) -> None:
        """It need not be looked at until then, while it and the book's part in it are these very objects."""
        self._rested[id_] = working, works
        self._awake.discard(id_)
        if until is FOREVER:
            self._clocks.pop(id_, None)
        else:
            self._clocks[id_] = until

    def to_look_at(self, book: Book, now: datetime) -> Collection[str]:
        """All but those that rest."""
        if self._of[0] is not book.orders or self._of[1] is not book.ended:
            self._of = book.orders, book.ended
            for id_, (was, works) in tuple(self._rested.items()):
                if _is_other(book, id_, was, works=works):
                    self._wake(id_)
        due = [id_ for id_, until in self._clocks.items() if now >= until]
        return {*self._awake, *due} if due else self._awake

    def _wake(self, id_: str) -> None:
        self._rested.pop(id_, None)
        self._clocks.pop(id_, None)
        self._awake.add(id_)


def _is_other(book: Book, id_: str, was: Working, *, works: bool) -> bool:
    if works:
        return book.orders.get(id_) is not was
    return book.ended.get(id_) is not was or id_ in book.orders
