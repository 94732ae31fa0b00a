"""``tomking data`` as a user types it: what it says and what it leaves; broken files leave nothing."""

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.broken_files import HEADER, IS_SUPERUSER, KINDS, Kind, row

from tomking.adapters.download import fetch
from tomking.adapters.download import run as downloads
from tomking.app.cli import data
from tomking.app.cli.shell import run
from tomking.app.exits import Exit

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/data"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the data samples are not here")
ROOTS = {"optionsdx": "SPY"}
"""Given where the layout does not name the root, so that the file breaks on what it is meant to break on."""

WORDS = {"folder instead of a file": ("file below this folder; check the path",)}
"""Where the command says it otherwise: it takes folders too."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's own directory; the data directory is ``data`` in it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TOMKING_HOME", str(folder))
    monkeypatch.setattr(data, "QUIET_SECONDS", 3600.0)  # no progress, however slow the machine
    return folder


class Said(str):
    """What a command printed on stdout."""

    __slots__ = ("code", "problems")
    code: int
    problems: str


def tomking(capsys: pytest.CaptureFixture[str], *words: object) -> Said:
    code = run(["data", *(str(word) for word in words)])
    out, err = capsys.readouterr()
    said = Said(out)
    said.code, said.problems = code, err
    return said


def good_file(folder: Path, name: str = "good.csv", strikes: Sequence[int] = (2060, 2065, 2070)) -> Path:
    """Three strikes at 10:00 on a Friday in 2016, calls and puts."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        row(strike=f"{k}.0", right=right, bid=bid, ask=ask)
        for k in strikes
        for right, bid, ask in (("C", f"{2075 - k + 1}.4", f"{2075 - k + 2}.0"), ("P", "2.1", "2.4"))
    ]
    path = folder / name
    path.write_text(HEADER + "".join(lines))
    return path


def crossed_file(folder: Path) -> Path:
    path = good_file(folder, "crossed.csv")
    path.write_text(path.read_text() + row(strike="2075.0", bid="7.0", ask="6.5"))
    return path


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its hash."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


# ----------------------------------------------------------------------------------------------- import


def test_an_import_prints_read_kept_and_quarantined_with_the_reason(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tomking(capsys, "import", crossed_file(tmp_path / "in"))
    assert (said.code, said.problems) == (Exit.OK, "")
    assert "1 file of format datashop" in said
    assert next(line for line in said.splitlines() if "crossed.csv" in line).split()[-4:] == [
        "7",
        "6",
        "0",
        "1",
    ]
    assert "crossed" in said
    assert "with a bid above the ask" in said
    assert "2016-04-29 C2075 seen 2016-04-29 14:00 UTC: bid 7, ask 6.5" in " ".join(said.split())
    assert f"stored in {home / 'data'}" in " ".join(said.split())


def test_the_same_as_json(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tomking(capsys, "import", crossed_file(tmp_path / "in"), "--licence", "own purchase", "--json")
    plain = json.loads(said)
    assert plain["totals"] == {"read": 7, "kept": 6, "already": 0, "quarantined": 1}
    assert plain["sources"][0]["quarantined"] == {"crossed": 1}
    assert plain["months"] == [{"kind": "quotes", "name": "SPXW", "month": "2016-04", "added": 6, "rows": 6}]
    assert [(f["kind"], f["severity"], f["count"]) for f in plain["findings"]] == [
        ("crossed", "quarantined", 1)
    ]
    shown = json.loads(tomking(capsys, "show", "SPXW", "--json"))
    assert shown["sources"][0]["licence"] == "own purchase"


def test_a_second_import_says_nothing_new_and_writes_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = crossed_file(tmp_path / "in")
    tomking(capsys, "import", path)
    before = files(home)
    again = tomking(capsys, "import", path)
    assert (again.code, again) == (Exit.OK, "1 file of format datashop, imported before: nothing new\n")
    elsewhere = tmp_path / "copy" / "renamed.csv"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(path.read_bytes())
    assert "nothing new" in tomking(capsys, "import", elsewhere)
    assert files(home) == before


def test_strict_refuses_what_would_be_quarantined(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tomking(capsys, "import", "--strict", crossed_file(tmp_path / "in"))
    assert (said.code, said) == (Exit.DATA, "")
    assert "crossed.csv: line 8: crossed" in said.problems
    assert "nothing was stored" in said.problems
    assert not (home / "data").exists()


def test_a_dry_run_says_all_and_changes_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tomking(capsys, "import", "--dry-run", crossed_file(tmp_path / "in"))
    assert "dry run: nothing was changed" in first
    assert not home.exists()
    tomking(capsys, "import", good_file(tmp_path / "in"))
    before = files(home)
    second = json.loads(tomking(capsys, "import", "--dry-run", "--json", crossed_file(tmp_path / "in")))
    # Against what is in the store: six rows are there before.
    assert second["totals"] == {"read": 7, "kept": 0, "already": 6, "quarantined": 1}
    assert (second["dry_run"], second["changed"]) == (True, True)
    assert files(home) == before


def test_the_store_may_be_elsewhere(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    tomking(capsys, "import", good_file(tmp_path / "in"), "--store", other)
    assert (other / "catalogue.json").exists()
    assert not home.exists()
    assert "SPXW" in tomking(capsys, "list", "--store", other)


def test_a_mapping_reads_any_other_table(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("When,Exp,K,CP,B,A\n2016-04-29 10:00,2016-06-17,2070,C,40.1,40.9\n")
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        'name = "mine"\nstamp = "When"\nexpiry = { column = "Exp" }\nstrike = { column = "K" }\n'
        'right = { column = "CP" }\n\n[[quotes]]\nbid = "B"\nask = "A"\n'
    )
    said = tomking(capsys, "import", table, "--mapping", mapping, "--product", "spxw", "--json")
    assert said.code == Exit.OK, said.problems
    assert json.loads(said)["totals"]["kept"] == 1
    mapping.write_text('name = "mine"\nstrik = 3\n')
    bad = tomking(capsys, "import", table, "--mapping", mapping)
    assert bad.code == Exit.CONFIG
    assert "strik" in bad.problems


@pytest.mark.parametrize(
    "case",
    [
        (["import", "nothing.csv"], Exit.DATA, "nothing.csv: no such file or folder"),
        (["import", "GOOD", "--format", "datashp"], Exit.USAGE, 'did you mean "datashop"?'),
        (["import", "GOOD", "--format", "yahoo", "--mapping", "x.toml"], Exit.USAGE, "exclude each other"),
        (["import", "GOOD", "--at", "Friday"], Exit.USAGE, "--at Friday: not a moment"),
        (["import", "GOOD", "--at", "2016-04-29 10:00"], Exit.USAGE, "datashop files have their own times"),
        (["import", "GOOD", "--zone", "Europe/Lundon"], Exit.USAGE, "one is Europe/London"),
        (["import", "GOOD", "--product", "../x"], Exit.USAGE, "not an option root"),
        (["import"], Exit.USAGE, "Missing argument 'PATH...'"),
        (["improt"], Exit.USAGE, "Did you mean 'import'?"),
        (["show", "SPWX"], Exit.DATA, 'did you mean "SPXW"?'),
        (["show", "VIX"], Exit.DATA, "known: SPXW"),
        (["show", "SPXW", "2016-4"], Exit.DATA, "write it like 2016-04"),
        (["show", "SPXW", "2016-05"], Exit.DATA, "nothing stored; there is 2016-04"),
        (["verify", "SPY"], Exit.DATA, "SPY: not in the store"),
        (["list", "--store", "nowhere"], Exit.DATA, "--store nowhere: there is no such directory"),
        (["import", "GOOD", "--store", "GOOD"], Exit.DATA, "good.csv: is a file; name the directory"),
        (["list", "--store", "GOOD"], Exit.DATA, "good.csv: is a file; name the directory"),
        (["download", "vix3"], Exit.USAGE, 'did you mean "VIX3M"?'),
        (["download", "VIX", "--from", "x"], Exit.USAGE, "it starts with http:// or https://"),
    ],
)
def test_a_typo_gets_one_line_with_the_way_out(
    case: tuple[list[str], Exit, str], home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, code, said = case
    good = good_file(tmp_path / "in")
    tomking(capsys, "import", good)
    answer = tomking(capsys, *(good if word == "GOOD" else word for word in words))
    assert (answer.code, answer) == (code, "")
    assert said in answer.problems
    assert len(answer.problems.splitlines()) == 1


def test_a_thousand_files_of_another_format_are_not_a_thousand_lines(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(130):
        good_file(tmp_path / "in", f"{n:03}.csv")
    said = tomking(capsys, "import", tmp_path / "in", "--format", "orats")
    lines = said.problems.splitlines()
    assert (said.code, len(lines)) == (Exit.DATA, 101)
    assert "000.csv: row 1" in lines[0]
    assert lines[-2] == "tomking: and 30 more like these"
    assert "129.csv: row 1" in lines[-1]


def test_a_moment_that_nobody_said_is_not_taken_in_silence(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A chain of 10:52, saved under its day alone: stamped with the close, and the import says so.
    header = "expiration,type,strike,bid,ask,open_interest,volume\n"
    path = tmp_path / "spxw_20160429.csv"
    path.write_text(header + "2016-06-17,C,2070,40.1,40.9,1,1\n")
    said = tomking(capsys, "import", path, "--product", "SPXW", "--dry-run")
    assert "a day and no time, so the quotes are stamped with that day's close" in " ".join(said.split())
    plain = json.loads(tomking(capsys, "import", path, "--product", "SPXW", "--dry-run", "--json"))
    assert plain["assumed_at_close"] == [str(path)]
    told = tomking(capsys, "import", path, "--product", "SPXW", "--at", "2016-04-29 10:52")
    assert "day's close" not in " ".join(told.split())
    assert "10:52" in tomking(capsys, "show", "SPXW", "2016-04")


def test_files_of_several_formats_are_named_with_theirs(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = good_file(tmp_path / "in")
    other = tmp_path / "in" / "spxw_20160429.csv"
    other.write_text("expiration,type,strike,bid,ask,open_interest,volume\n2016-06-17,C,2070,40.1,40.9,1,1\n")
    for paths in ([good, other], [tmp_path / "in"]):
        said = tomking(capsys, "import", *paths)
        assert said.code == Exit.USAGE
        assert f"{good} is datashop" in said.problems
        assert f"{other} is yahoo" in said.problems


def test_a_store_that_cannot_be_made_is_one_line(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    said = tomking(capsys, "import", good_file(tmp_path / "in"), "--store", tmp_path / "file" / "store")
    assert said.code == Exit.DATA
    assert f"{tmp_path / 'file' / 'store'}: Not a directory" in said.problems
    assert len(said.problems.splitlines()) == 1


def test_what_takes_long_says_so_on_stderr_only(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(data, "QUIET_SECONDS", 0.0)
    said = tomking(capsys, "import", good_file(tmp_path / "in"), "--json")
    assert said.problems == "tomking: importing ...\n"
    assert json.loads(said)["totals"]["kept"] == 6
    assert tomking(capsys, "verify", "--json").problems == "tomking: verifying ...\n"


# ----------------------------------------------------------------------------------------- broken files


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three strikes in it."""
    folder = tmp_path_factory.mktemp("filled")
    assert run(["data", "import", str(good_file(folder / "in")), "--store", str(folder / "store")]) == Exit.OK
    return folder / "store"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_broken_file_ends_with_6_and_an_untouched_store(
    kind: Kind, filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind.root_reads_it and IS_SUPERUSER:
        pytest.skip("a superuser may read any file")
    before = files(filled)
    path = kind.write(tmp_path)
    product = ["--product", ROOTS[kind.format]] if kind.format in ROOTS else []
    capsys.readouterr()
    said = tomking(capsys, "import", path, "--format", kind.format, *product, "--store", filled)
    assert (said.code, said) == (Exit.DATA, ""), said.problems
    assert str(path) in said.problems
    for word in WORDS.get(kind.name, kind.words):
        assert " ".join(word.split()) in said.problems
    assert files(filled) == before
    assert "catalogue.json" in before


def test_a_broken_file_among_good_ones_refuses_them_all(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "in" / "broken.csv"
    good = good_file(tmp_path / "in")
    broken.write_text(HEADER + row(bid="six"))
    said = tomking(capsys, "import", tmp_path / "in")
    assert said.code == Exit.DATA
    assert f"{broken}: row 2, column bid" in said.problems
    assert str(good) not in said.problems
    assert not (home / "data").exists() or files(home) == {}


# -------------------------------------------------------------------------------- list, show and verify


def test_an_empty_store_says_how_to_fill_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["list"], ["verify"]):
        said = tomking(capsys, *words)
        assert (said.code, said.problems) == (Exit.OK, "")
        assert "`tomking data import PATH` brings them in" in said
    assert json.loads(tomking(capsys, "list", "--json"))["there"] == []
    assert not home.exists()


def test_verify_counts_files_of_which_every_row_was_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tomking(capsys, "import", good_file(tmp_path / "in"))
    worthless = tmp_path / "in" / "crossed.csv"
    worthless.write_text(HEADER + row(strike="2075.0", bid="7.0", ask="6.5"))
    tomking(capsys, "import", worthless)
    assert "of their files in quarantine: crossed 1" in tomking(capsys, "verify")


def test_list_and_show_say_what_there_is(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tomking(capsys, "import", good_file(tmp_path / "in"), "--licence", "own purchase")
    line = next(line for line in tomking(capsys, "list").splitlines() if line.startswith(" SPXW"))
    assert line.split()[:6] == ["SPXW", "quotes", "2016-04-29", "2016-04-29", "1", "1"]
    months = tomking(capsys, "show", "spxw")
    assert "2016-04" in months
    assert "own purchase" in months
    sessions = tomking(capsys, "show", "SPXW", "2016-04")
    assert "2016-04-29 Fri" in sessions
    assert "10:00" in sessions
    assert "missing sessions: 2016-04-01, 2016-04-04" in sessions
    one = json.loads(tomking(capsys, "show", "SPXW", "2016-04", "--json"))["months"]["2016-04"]
    assert (one["rows"], one["sessions"][0]["day"]) == (6, "2016-04-29")


def test_verify_finds_damage_and_ends_with_6(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tomking(capsys, "import", good_file(tmp_path / "in"))
    whole = tomking(capsys, "verify")
    assert (whole.code, whole.problems) == (Exit.OK, "")
    assert "SPXW: 6 quotes examined" in whole
    file = home / "data" / "chains" / "SPXW" / "2016-04" / "quotes.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    damaged = tomking(capsys, "verify")
    assert damaged.code == Exit.DATA
    assert f"{file}: damaged" in damaged.problems
    assert "put it back from a backup" in damaged.problems
    assert json.loads(tomking(capsys, "verify", "--json"))["damage"][0]["path"] == str(file)


def test_verify_with_strict_ends_with_6_on_a_warning(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A put 10 points above the next, bid above its ask: a vertical for a riskless gain.
    path = good_file(tmp_path / "in")
    path.write_text(path.read_text() + row(strike="2055.0", right="P", bid="9.0", ask="9.3"))
    tomking(capsys, "import", path)
    assert tomking(capsys, "verify", "SPXW").code == Exit.OK
    strict = tomking(capsys, "verify", "SPXW", "--strict", "--json")
    assert strict.code == Exit.DATA
    (vertical,) = [f for f in json.loads(strict)["findings"] if f["kind"] == "vertical"]
    assert (vertical["session"], vertical["count"]) == ("2016-04-29", 1)
    assert "P2055 9/9.3 beside 2060 2.1/2.4" in vertical["example"]


# --------------------------------------------------------------------------------------- the real samples


@needs_samples
def test_the_lean_week_has_the_crossed_bars_that_its_readme_names(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = SAMPLES / "lean" / "indexoption" / "usa" / "minute" / "spxw"
    plain = json.loads(tomking(capsys, "import", folder, "--json"))
    crossed = {Path(s["path"]).name[:8]: s["quarantined"].get("crossed", 0) for s in plain["sources"]}
    assert crossed == {"20210105": 0, "20210106": 7, "20210107": 1, "20210108": 48}
    assert "nothing new" in tomking(capsys, "import", folder)


@needs_samples
def test_the_zero_dte_friday_keeps_all_but_its_stale_quotes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads(
        tomking(capsys, "import", SAMPLES / "chains" / "spxw_15min_20160429_0dte.csv.gz", "--json")
    )
    assert plain["totals"] == {"read": 128844, "kept": 128476, "already": 0, "quarantined": 368}
    assert plain["sources"][0]["quarantined"] == {"expired": 368}
    assert json.loads(tomking(capsys, "verify", "--json"))["findings"] == []


# ---------------------------------------------------------------------------------------------- download


class _Publisher(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"DATE,VIX\n01/02/1990,17.24\n01/03/1990,18.19\n" if "VIX_History" in self.path else b"<html>"
        self.send_response(200 if body[:1] == b"D" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Publisher)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.enable_socket
def test_a_download_is_told_listed_and_not_repeated(
    publisher: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tomking(capsys, "download", "VIX", "--from", publisher)
    assert (first.code, first.problems) == (Exit.OK, "")
    path = home / "data" / "daily" / "VIX.csv"
    assert first == f"VIX: 2 days 1990-01-02 to 1990-01-03, new; {path}\n"
    assert tomking(capsys, "download", "VIX", "--from", publisher).startswith("VIX: nothing new, 2 days")
    (listed,) = json.loads(tomking(capsys, "list", "--json"))["daily"]
    assert (listed["name"], listed["last"], listed["rows"]) == ("VIX", "1990-01-03", 2)
    assert "0 hours old" in tomking(capsys, "list")


@pytest.mark.enable_socket
def test_what_fails_is_told_after_what_came_and_ends_with_5(
    publisher: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(downloads, "PAUSE_SECONDS", 0.0)
    said = tomking(capsys, "download", "VIX", "SPX", "VIX9D", "--from", publisher, "--json")
    assert said.code == Exit.UNAVAILABLE
    assert [one["outcome"] for one in json.loads(said)] == ["fetched", "absent", "failed"]
    assert "404 (Not Found)" in said.problems
    assert "VIX9D: there is no cached copy" in said.problems


@pytest.mark.enable_socket
def test_offline_ends_with_5_and_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch, "FIRST_PAUSE_SECONDS", 0.0)
    said = tomking(capsys, "download", "rates", "--from", "http://127.0.0.1:9")
    assert (said.code, said) == (Exit.UNAVAILABLE, "")
    first, second, third, *_ = said.problems.splitlines()
    assert first.endswith("check the network connection and any proxy, 3 times; try again later")
    assert second == "tomking: DFF: there is no cached copy"
    assert (
        third == "tomking: DGS3MO: not tried, http://127.0.0.1:9 cannot be reached; there is no cached copy"
    )


def test_packed_files_are_read_as_they_are(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = good_file(tmp_path / "in")
    packed = path.with_name("good.csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert json.loads(tomking(capsys, "import", packed, "--json"))["totals"]["kept"] == 6
