"""The fault matrix: each fault has tests, and every test that is named exists."""

import pytest
from rel.matrix import FAULTS, Row, covers, problems, rows
from rel.sim import ROWS


def test_every_fault_has_a_row() -> None:
    assert tuple(row.id for row in rows()) == FAULTS


def test_every_fault_has_a_test() -> None:
    assert [row.id for row in rows() if not covers(row)] == []


def test_every_test_that_is_named_exists() -> None:
    assert [text for text in problems(rows()) if "does not exist" in text] == []


def test_what_is_named_as_played_by_seeds_is_played_by_seeds() -> None:
    assert {row.id for row in rows() if "rel.sim" in row.tests} <= set(ROWS)


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
