"""Downloads against a real server on this machine: what it answers, and what then stands in the cache."""

import csv
import gzip
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tomking.adapters.download import (
    GROUPS,
    SERIES,
    Absent,
    Cache,
    Failed,
    Fetched,
    Outcome,
    Unchanged,
    download,
    read_table,
)
from tomking.adapters.download import fetch as fetching
from tomking.adapters.download.table import compare
from tomking.domain.errors import BadData

NOW = datetime(2031, 3, 7, 18, 0, tzinfo=UTC)
VIX = SERIES["VIX"]
SAMPLES = Path(__file__).resolve().parents[2] / "../shared/data/daily"
pytestmark = pytest.mark.enable_socket


def vix_csv(days: int = 300, **changed: str) -> bytes:
    """A VIX history of consecutive days from 1990-01-02; ``d1990_01_05="x"`` puts a row's values."""
    lines = ["DATE,OPEN,HIGH,LOW,CLOSE"]
    for i in range(days):
        day = date(1990, 1, 2) + timedelta(days=i)
        row = changed.get(f"d{day:%Y_%m_%d}", "17.24,17.24,17.24,17.24")
        lines.append(f"{day:%m/%d/%Y},{row}")
    return ("\r\n".join(lines) + "\r\n").encode()


def dff_csv() -> bytes:
    return b"observation_date,DFF\n1954-07-01,1.13\n1954-07-02,.\n1954-07-03,\n1954-07-04,1.25\n"


class Clock:
    """Time that passes only when it is waited for."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.at = NOW
        self.step = 0.0

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        self.step += 0.01
        return self.step

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)


Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Answers each request with the next of its answers; the last one stays."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers.items())))
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def answer(body: bytes = b"", status: int = 200, **headers: str) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def cut_off(body: bytes) -> Answer:
    """Promises all and sends half."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return send


def silent(seconds: float) -> Answer:
    return lambda _: time.sleep(seconds)  # noqa: TID251 - a server that does not answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    one = Server()
    thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def get(server: Server, folder: Path, clock: Clock, *names: str) -> list[Outcome]:
    return download(names or ("VIX",), Cache(folder), clock, base=server.base)


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())} if folder.exists() else {}


def test_a_first_download_is_kept_as_sent_with_its_checksum(
    server: Server, tmp_path: Path, clock: Clock
) -> None:
    body = vix_csv()
    server.answers = [answer(body, ETag='"a1"', Last_Modified="Fri, 07 Mar 2031 02:00:00 GMT")]
    (one,) = get(server, tmp_path / "new", clock)
    assert isinstance(one, Fetched)
    assert (one.rows, one.first, one.last, one.added) == (300, date(1990, 1, 2), date(1990, 10, 28), 300)
    kept = files(tmp_path / "new")
    assert list(kept) == ["VIX.csv", "VIX.csv.json", "VIX.csv.sha256"]
    assert kept["VIX.csv"] == body
    assert kept["VIX.csv.sha256"].decode() == f"{hashlib.sha256(body).hexdigest()}  VIX.csv\n"
    path, headers = server.seen[0]
    assert path == "/api/global/us_indices/daily_prices/VIX_History.csv"
    assert headers["User-Agent"].startswith("tomking/")
    assert "If-None-Match" not in headers


def test_the_second_asks_only_whether_it_changed(server: Server, tmp_path: Path, clock: Clock) -> None:
    server.answers = [
        answer(vix_csv(), ETag='"a1"', Last_Modified="Fri, 07 Mar 2031 02:00:00 GMT"),
        answer(status=304),
    ]
    get(server, tmp_path, clock)
    clock.at += timedelta(days=3)
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Unchanged)
    assert server.seen[1][1]["If-None-Match"] == '"a1"'
    assert server.seen[1][1]["If-Modified-Since"] == "Fri, 07 Mar 2031 02:00:00 GMT"
    story = json.loads((tmp_path / "VIX.csv.json").read_text())
    assert story["fetched"] == NOW.isoformat()
    assert story["confirmed"] == (NOW + timedelta(days=3)).isoformat()
    assert story["etag"] == '"a1"'


def test_the_same_bytes_without_a_tag_are_no_news_either(
    server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(vix_csv())]
    get(server, tmp_path, clock)
    assert isinstance(get(server, tmp_path, clock)[0], Unchanged)


def test_new_days_and_small_corrections_replace_the_copy(
    server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(vix_csv()), answer(vix_csv(305, d1990_01_05="17.24,17.24,17.24,17.30"))]
    get(server, tmp_path, clock)
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Fetched)
    assert (one.added, one.revised) == (
        5,
        ("1990-01-05: 17.24/17.24/17.24/17.24 -> 17.24/17.24/17.24/17.3",),
    )


@pytest.mark.parametrize(
    ("newer", "said"),
    [
        (vix_csv(200), "ends on 1990-07-20, the cached one on 1990-10-28"),
        (vix_csv(305, d1990_01_05="1724,1724,1724,1724"), "1724/1724/1724/1724 is no correction"),
        (
            vix_csv(305, **{f"d1990_02_{d:02}": "17.3,17.3,17.3,17.3" for d in range(1, 21)}),
            "20 older days differ, the first 1990-02-01",
        ),
        (vix_csv().replace(b"DATE,OPEN,HIGH,LOW,CLOSE", b"DATE,VIX").replace(b",17.24,17.24,17.24", b""),
         "columns VIX where there were OPEN, HIGH, LOW, CLOSE"),
    ],
)  # fmt: skip
def test_a_file_that_contradicts_history_is_refused_with_the_differences(
    newer: bytes, said: str, server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(vix_csv()), answer(newer)]
    get(server, tmp_path, clock)
    before = files(tmp_path)
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert not one.offline
    assert any(said in problem for problem in one.problems), one.problems
    assert any(f"remove {tmp_path / 'VIX.csv'} and download again" in p for p in one.problems)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><html><body>Sorry</body></html>", "a web page came instead of the CSV file"),
        (b"\n <html>", "a web page"),
        (b"", "the answer is empty"),
        (b"\x00\xff\xfe\x81", "is not UTF-8 text"),
        (b"date;close\n", "line 1: header 'date;close', expected DATE,OPEN,HIGH,LOW,CLOSE or DATE,VIX"),
        (b"DATE,OPEN,HIGH,LOW,CLOSE\n", "no rows below the header"),
        (
            b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,17.24,17.24,17.24\n",
            "line 2, 4 fields where the header has 5",
        ),
        (b"DATE,OPEN,HIGH,LOW,CLOSE\n1990-01-02,1,1,1,1\n", "line 2, column DATE: '1990-01-02' is no date"),
        (b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,1,1,x,1\n", "line 2, column LOW: 'x' is no number"),
        (b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,1,1,1,inf\n", "column CLOSE: 'inf' is no number"),
        (
            b"DATE,OPEN,HIGH,LOW,CLOSE\n01/03/1990,1,1,1,1\n01/02/1990,1,1,1,1\n",
            "line 3, column DATE: 1990-01-02 does not follow 1990-01-03",
        ),
        (
            b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2020,1,1,1,1\n",
            "starts on 2020-01-02, but VIX goes back to 1990",
        ),
    ],
)
def test_what_is_no_history_never_replaces_one(
    body: bytes, said: str, server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(vix_csv()), answer(body)]
    get(server, tmp_path, clock)
    before = files(tmp_path)
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert not one.offline
    assert said in one.problems[0]
    assert server.base in one.problems[0]
    assert files(tmp_path) == before


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again_with_growing_pauses(
    status: int, server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(status=status), answer(status=status), answer(vix_csv())]
    assert isinstance(get(server, tmp_path, clock)[0], Fetched)
    assert clock.waits == [2.0, 4.0]


def test_retry_after_is_honoured_in_seconds_and_as_a_date(
    server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [
        answer(status=429, Retry_After="7"),
        answer(status=503, Retry_After="Fri, 07 Mar 2031 18:00:30 GMT"),  # 30 seconds after the start
        answer(vix_csv()),
    ]
    assert isinstance(get(server, tmp_path, clock)[0], Fetched)
    assert clock.waits == [7.0, 23.0]


def test_a_server_that_wants_an_hour_is_left_alone(server: Server, tmp_path: Path, clock: Clock) -> None:
    server.answers = [answer(status=429, Retry_After="3600")]
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert one.offline
    assert "it asks to wait 3600 seconds: try again then" in one.problems[0]
    assert (clock.waits, len(server.seen)) == ([], 1)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "404 (Not Found); the publisher moved it"),
        (403, "403 (Forbidden); the publisher refuses programs"),
    ],
)
def test_a_clear_no_is_not_asked_twice(
    status: int, said: str, server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(b"<html>no</html>", status=status)]
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert one.offline
    assert said in one.problems[0]
    assert one.problems[1] == "VIX: there is no cached copy"
    assert (len(server.seen), files(tmp_path)) == (1, {})


def test_what_is_not_always_published_may_be_absent(server: Server, tmp_path: Path, clock: Clock) -> None:
    server.answers = [answer(status=404)]
    assert isinstance(get(server, tmp_path, clock, "SPX")[0], Absent)


def test_a_file_cut_off_on_the_way_leaves_the_old_one(server: Server, tmp_path: Path, clock: Clock) -> None:
    server.answers = [answer(vix_csv()), cut_off(vix_csv(305))]
    get(server, tmp_path, clock)
    before = files(tmp_path)
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert one.offline
    assert "broke off in the middle of the file, 3 times" in one.problems[0]
    assert files(tmp_path) == before


def test_a_silent_server_is_given_up(
    server: Server, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.05)
    server.answers = [silent(0.3)]
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert "no answer within 0 seconds, 3 times" in one.problems[0]


def test_a_server_that_drips_is_given_up(server: Server, tmp_path: Path, clock: Clock) -> None:
    clock.seconds = iter([0.0, 1000.0] * 3).__next__  # type: ignore[method-assign]
    server.answers = [answer(vix_csv())]
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert "still not whole after 120 seconds" in one.problems[0]


def test_a_flood_is_cut(
    server: Server, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LARGEST_BYTES", 1_000)
    server.answers = [answer(vix_csv())]
    (one,) = get(server, tmp_path, clock)
    assert isinstance(one, Failed)
    assert "that is another file" in one.problems[0]


def test_offline_says_what_where_what_to_do_and_how_old_the_copy_is(
    server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(vix_csv())]
    get(server, tmp_path, clock)
    clock.at += timedelta(days=3, hours=5)
    nobody = "http://127.0.0.1:9"
    (one,) = download(["VIX"], Cache(tmp_path), clock, base=nobody)
    assert isinstance(one, Failed)
    assert one.offline
    assert one.problems[0] == (
        f"{nobody}{VIX.path}: cannot reach 127.0.0.1: check the network connection and any proxy, 3 times;"
        " try again later"
    )
    assert one.problems[1] == f"VIX: the cached copy stays, 3 days old: {tmp_path / 'VIX.csv'}"


def test_a_host_that_cannot_be_reached_is_tried_for_one_series_only(tmp_path: Path, clock: Clock) -> None:
    found = download(["VIX", "VVIX", "SKEW"], Cache(tmp_path), clock, base="http://127.0.0.1:9")
    assert all(isinstance(one, Failed) and one.offline for one in found)
    assert clock.waits == [2.0, 4.0]
    assert isinstance(found[1], Failed)
    assert found[1].problems == (
        "VVIX: not tried, http://127.0.0.1:9 cannot be reached; there is no cached copy",
    )


def test_a_damaged_copy_is_no_copy(server: Server, tmp_path: Path, clock: Clock) -> None:
    server.answers = [answer(vix_csv(), ETag='"a1"')]
    get(server, tmp_path, clock)
    (tmp_path / "VIX.csv").write_bytes(b"cut")
    (broken,) = download(["VIX"], Cache(tmp_path), clock, base="http://127.0.0.1:9")
    assert isinstance(broken, Failed)
    assert "is not what its checksum says" in broken.problems[-1]
    assert isinstance(get(server, tmp_path, clock)[0], Fetched)
    assert "If-None-Match" not in server.seen[1][1]


def test_several_go_one_after_the_other_and_one_failure_stops_no_other(
    server: Server, tmp_path: Path, clock: Clock
) -> None:
    server.answers = [answer(status=404), answer(dff_csv()), answer(vix_csv())]
    found = get(server, tmp_path, clock, "VIX9D", "DFF", "VIX")
    assert [type(one) for one in found] == [Failed, Fetched, Fetched]
    assert clock.waits == [1.0, 1.0]
    assert server.seen[1][0] == "/graph/fredgraph.csv?id=DFF"


def test_a_folder_that_cannot_be_written_is_said(server: Server, tmp_path: Path, clock: Clock) -> None:
    server.answers = [answer(vix_csv())]
    (tmp_path / "file").write_text("in the way")
    (one,) = get(server, tmp_path / "file", clock)
    assert isinstance(one, Failed)
    assert "cannot write to" in one.problems[0]


def test_days_without_a_value_are_kept_as_such() -> None:
    table = read_table(dff_csv(), SERIES["DFF"], "DFF.csv")
    assert list(table.rows.values()) == [(1.13,), (None,), (None,), (1.25,)]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the data samples are not here")
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("vix_ohlc", "VIX"),
        ("vix9d_ohlc", "VIX9D"),
        ("vix3m_ohlc", "VIX3M"),
        ("vvix", "VVIX"),
        ("skew", "SKEW"),
        ("ovx", "OVX"),
        ("gvz", "GVZ"),
    ],
)
def test_the_real_histories_are_read_whole_and_continue_their_older_editions(file: str, name: str) -> None:
    with gzip.open(SAMPLES / f"{file}_daily.csv.gz", "rt") as opened:
        header, *rows = csv.reader(opened)
    heads = ["DATE", *(["OPEN", "HIGH", "LOW", "CLOSE"] if len(header) == 5 else [name])]
    lines = [",".join([f"{date.fromisoformat(day):%m/%d/%Y}", *values]) for day, *values in rows]
    editions = ["\n".join([",".join(heads), *some]).encode() for some in (lines[:-100], lines)]
    old, new = (read_table(body, SERIES[name], name) for body in editions)
    assert len(new.rows) == len(rows)
    change = compare(old, new)
    assert (change.added, change.revised, change.contradictions) == (100, (), ())
    assert compare(new, old).contradictions != ()


def test_a_value_that_vanishes_is_no_correction() -> None:
    old = read_table(vix_csv(), VIX, "old")
    gone = read_table(vix_csv(d1990_01_05=",,,"), VIX, "new")
    assert compare(old, gone).contradictions == (
        "1990-01-05: 17.24/17.24/17.24/17.24 -> none/none/none/none is no correction",
    )


def test_many_bad_lines_are_told_in_few() -> None:
    with pytest.raises(BadData) as found:
        read_table(vix_csv().replace(b"17.24", b"?"), VIX, "x.csv")
    assert len(found.value.problems) == 6
    assert found.value.problems[-1] == "x.csv: and 1195 more such cells"


def test_the_groups_are_whole() -> None:
    assert set(GROUPS["all"]) == set(SERIES) == {*GROUPS["vix"], *GROUPS["rates"]}
