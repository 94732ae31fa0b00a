"""The folder between the engine and the person: nothing that cannot be read is a yes."""

import json
from pathlib import Path

import pytest

from tomking.adapters.consent import KEPT, Answer, ConsentFolder
from tomking.domain.errors import BadData

HASH, OTHER = "7c1ea65fe40e", "09cca3a0e863"
YES = Answer(True, "anna: tomking approve")


@pytest.fixture
def folder(tmp_path: Path) -> ConsentFolder:
    made = ConsentFolder(tmp_path)
    made.offer(HASH, {"hash": HASH, "state": "waiting"})
    return made


def test_an_answer_arrives_as_it_was_given(folder: ConsentFolder) -> None:
    assert folder.answer(HASH) is None
    folder.reply(HASH, Answer(False, "anna", "looks wrong"))
    assert folder.answer(HASH) == Answer(False, "anna", "looks wrong")


def test_the_first_answer_stands(folder: ConsentFolder) -> None:
    folder.reply(HASH, Answer(False, "anna"))
    with pytest.raises(BadData, match="answered already: rejected by anna"):
        folder.reply(HASH, YES)
    assert folder.answer(HASH) == Answer(False, "anna")
    assert [file.name for file in folder.path.iterdir() if file.suffix not in {".json", ".answer"}] == []


@pytest.mark.parametrize(
    "content",
    [b"", b"yes", b"{}", b"[]", b"\xff", b'{"accepts": true}', b"null"],
)
def test_what_cannot_be_read_is_no_answer(folder: ConsentFolder, content: bytes) -> None:
    (folder.path / f"{HASH}.answer").write_bytes(content)
    assert folder.answer(HASH) is None


@pytest.mark.parametrize("field", ["accepts", "by", "why", "hash", "format", "check"])
def test_an_answer_that_was_changed_is_none(folder: ConsentFolder, field: str) -> None:
    folder.reply(HASH, Answer(False, "anna"))
    file = folder.path / f"{HASH}.answer"
    plain = json.loads(file.read_text())
    plain[field] = True
    file.write_text(json.dumps(plain))
    assert folder.answer(HASH) is None


def test_an_answer_cut_short_at_any_byte_is_none(folder: ConsentFolder) -> None:
    folder.reply(HASH, YES)
    file = folder.path / f"{HASH}.answer"
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert folder.answer(HASH) is None
    file.write_bytes(whole)
    assert folder.answer(HASH) == YES


def test_an_answer_under_another_name_is_none(folder: ConsentFolder) -> None:
    folder.reply(HASH, YES)
    (folder.path / f"{OTHER}.answer").write_bytes((folder.path / f"{HASH}.answer").read_bytes())
    assert folder.answer(OTHER) is None


def test_offers_that_cannot_be_read_are_left_out(folder: ConsentFolder) -> None:
    (folder.path / f"{OTHER}.json").write_text("{")
    (folder.path / "aaaa.json").write_text('{"hash": "aaaa", "format": 99}')
    assert [one["hash"] for one in folder.offers()] == [HASH]


def test_what_ended_long_ago_is_forgotten_and_what_waits_never(folder: ConsentFolder) -> None:
    for n in range(KEPT + 3):
        folder.offer(f"{n:012x}", {"hash": f"{n:012x}", "state": "lapsed"})
    left = [one["hash"] for one in folder.offers()]
    assert HASH in left
    assert len(left) == KEPT + 1


@pytest.mark.parametrize("name", ["../latch", "a/b", "", "a b", "ä"])
def test_a_name_that_is_no_hash_reaches_no_file(folder: ConsentFolder, name: str) -> None:
    with pytest.raises(AssertionError, match="no hash"):
        folder.answer(name)


def test_a_folder_that_nobody_made_is_empty(tmp_path: Path) -> None:
    empty = ConsentFolder(tmp_path / "nowhere")
    assert empty.offers() == []
    assert empty.answer(HASH) is None
    with pytest.raises(BadData, match="nothing was answered"):
        empty.reply(HASH, YES)
