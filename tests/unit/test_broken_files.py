"""Every broken file ends in one error that names the file, the row, the column and what to do."""

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.broken_files import HEADER, IS_SUPERUSER, KINDS, Kind, frame, row, text

from tomking.adapters.importers.known import TABULAR
from tomking.adapters.importers.raw import Batch, Source
from tomking.adapters.importers.tabular import Tabular
from tomking.domain.errors import BadData

BY_NAME = {importer.name: importer for importer in TABULAR}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_broken_file_is_refused_with_file_row_column_and_fix(kind: Kind, tmp_path: Path) -> None:
    if kind.root_reads_it and IS_SUPERUSER:
        pytest.skip("a superuser may read any file")
    path = kind.write(tmp_path)
    source = Source(path, root=kind.product)
    with pytest.raises(BadData) as raised:
        list(BY_NAME[kind.format].read(source))
    said = "\n".join(raised.value.problems)
    assert str(path) in said
    assert all(str(path) in line for line in raised.value.problems)
    for word in kind.words:
        assert word in said
    assert len(said) < 4000, "a person reads it"


def test_there_are_more_than_forty_kinds_and_no_name_twice() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 40


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_asking_what_a_broken_file_is_never_fails(kind: Kind, tmp_path: Path) -> None:
    path = kind.write(tmp_path)
    for importer in TABULAR:
        assert importer.recognises(path) in (True, False)


def test_everything_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    lines = row(bid="x") + row(ask="y", right="Z") + row(bid="z") + row(volume="1,1") + row(strike="-1")
    path = text(HEADER + lines)(tmp_path)
    with pytest.raises(BadData) as raised:
        list(BY_NAME["datashop"].read(Source(path)))
    said = raised.value.problems
    assert len(said) == 5
    assert any("row 2, column bid: 'x'" in line and "(2 such rows)" in line for line in said)
    assert any("row 3, column ask" in line for line in said)
    assert any("row 3, column option_type" in line for line in said)
    assert any("row 5: has more fields" in line for line in said)
    # Rows are counted as an editor counts them, also below the row that was too long.
    assert any("row 6, column strike" in line for line in said)


def test_nothing_is_yielded_after_the_first_problem(tmp_path: Path) -> None:
    many = "".join(row(strike=f"{k}.0") for k in range(1000, 3000))
    path = text(HEADER + row(bid="x") + many)(tmp_path)
    seen: list[Batch] = []
    with pytest.raises(BadData):
        seen.extend(BY_NAME["datashop"].read(Source(path)))
    assert seen == []


def test_a_file_of_nothing_but_problems_is_answered_in_a_page(tmp_path: Path) -> None:
    lines = "".join(row(at=f"day {i}", expiry=f"{i}", bid=f"b{i}", right=f"{i}") for i in range(5000))
    with pytest.raises(BadData) as raised:
        list(BY_NAME["datashop"].read(Source(text(HEADER + lines)(tmp_path))))
    assert len(raised.value.problems) <= 5


def _packed(kind: str) -> bytes:
    content = (HEADER + "".join(row(strike=f"{2000 + i}.5", bid=f"{i / 7:.2f}") for i in range(40))).encode()
    buffer = io.BytesIO()
    match kind:
        case "gzip":
            return gzip.compress(content, mtime=0)
        case "zstd":
            made: bytes = pa.compress(content, codec="zstd", asbytes=True)
            return made
        case "zip" | "zip of lzma":
            method = zipfile.ZIP_DEFLATED if kind == "zip" else zipfile.ZIP_LZMA
            with zipfile.ZipFile(buffer, "w", method) as archive:
                archive.writestr("chain.csv", content)
            return buffer.getvalue()
        case "parquet":
            frame().write_parquet(buffer, compression="uncompressed")
            return buffer.getvalue()
        case _:
            return content


def _problems(importer: Tabular, path: Path) -> tuple[str, ...]:
    try:
        list(importer.read(Source(path)))
    except BadData as error:
        return error.problems
    return ()


_edits = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 9), st.binary(max_size=12)), min_size=1, max_size=4
)


@settings(max_examples=150)
@given(kind=st.sampled_from(["csv", "gzip", "zstd", "zip", "zip of lzma", "parquet"]), edits=_edits)
def test_however_a_file_is_damaged_it_is_read_or_refused(
    kind: str, edits: list[tuple[int, int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = _packed(kind)
    for place, cut, put in edits:
        at = place % (len(raw) + 1)
        raw = raw[:at] + put + raw[at + cut :]
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    path.write_bytes(raw)
    importer = BY_NAME["datashop"]
    importer.recognises(path)
    assert all(line.startswith(str(path)) for line in _problems(importer, path))
