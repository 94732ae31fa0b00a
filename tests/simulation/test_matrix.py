"""The fault matrix: each fault has tests that exist, and what has none is named here with the reason."""

import pytest
from rel.matrix import FAULTS, Row, covers, problems, rows
from rel.sim import ROWS

UNCOVERED = {
    "F40": "the watchdog (app/live, issue 8) has no test yet; rel.sim plays a program that stands still",
    "F41": "nothing compares the wall's clock with another one yet (issue 8)",
    "F44": "starts are not counted yet (issue 8); rel.sim plays the crash loop itself",
    "F49": "what notifies has no second channel yet (no issue brings it)",
    "F59": "tokens are the adapter's (issue 8): its tests come with branch live",
    "F60": "market data's connection is the adapter's (issue 8): its tests come with branch live",
    "F61": "sockets are the adapter's (issue 8): its tests come with branch live",
    "F62": "accounts are told apart by the adapter (issue 8): its tests come with branch live",
}
"""Nothing else may be without a test; a row that has got one leaves this list."""


def test_every_fault_has_a_row() -> None:
    assert tuple(row.id for row in rows()) == FAULTS


def test_only_what_is_named_here_has_no_test() -> None:
    bare = {row.id for row in rows() if not covers(row)}
    # Rows that wait for a branch have their tests once it is merged.
    waiting = {row.id for row in rows() if row.later and not row.tests}
    assert bare <= UNCOVERED.keys()
    assert UNCOVERED.keys() - bare <= waiting


def test_every_test_that_is_named_exists() -> None:
    assert [text for text in problems(rows()) if "does not exist" in text] == []


def test_what_is_named_as_played_by_seeds_is_played_by_seeds() -> None:
    assert {row.id for row in rows() if "rel.sim" in row.tests} <= set(ROWS)


def test_a_row_without_a_test_says_what_is_missing() -> None:
    assert all(row.missing for row in rows() if not covers(row))


@pytest.mark.parametrize(
    ("tests", "later", "said"),
    [
        ((), (), "F1 has no test: it breaks"),
        (("tests/none.py::test_x",), (), "F1 names tests/none.py::test_x, which does not exist"),
        ((), ("tests/none.py::test_x",), "F1 has no test: it breaks"),
        (("rel.sim", "rel.nothing"), (), "F1 names rel.nothing, which does not exist"),
    ],
)
def test_what_a_row_lacks_is_said(tests: tuple[str, ...], later: tuple[str, ...], said: str) -> None:
    row = Row("F1", "it breaks", "it is mended", ("I1",), tests, later, "")
    assert [text for text in problems((row,)) if text.startswith("F1 ")] == [said]
