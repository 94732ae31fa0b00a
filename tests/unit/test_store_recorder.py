"""Recording live chains: on the disk at once, torn ends cut, missed times marked, then rolled in."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.storeworlds import OPEN, accept, calendar, contents
from tests.worlds import ScriptedMarket

from tomking.adapters.importers.raw import Source
from tomking.adapters.store import Store
from tomking.adapters.store.frames import Frame, FrameFile, Torn, read_frames
from tomking.adapters.store.questions import scan, scan_levels
from tomking.adapters.store.recorder import Observed, Recorder
from tomking.adapters.store.recordings import RecordingImporter, marks_of, roll
from tomking.adapters.store.reports import ImportReport
from tomking.domain.chain import NO_QUOTE, Chain
from tomking.domain.errors import BadData

FIVE = timedelta(minutes=5)
FRIDAY = date(2031, 3, 7)
FILE = "recordings/2031-03-03.frames"


def chain(
    expiry: date, as_of: datetime, bid: Sequence[int] = (22, NO_QUOTE, 30), strike_unit: str = "5"
) -> Chain:
    """Two puts and a call of 5,700 and 5,705."""
    n = len(bid)
    return Chain(
        product="SPXW",
        expiry=expiry,
        as_of=as_of,
        multiplier=Decimal(100),
        tick=Decimal("0.05"),
        strike_unit=Decimal(strike_unit),
        forward=5700.0,
        discount=1.0,
        years=0.01,
        right=np.array([-1, -1, 1], dtype=np.int8)[:n],
        strike=np.array([1140, 1141, 1140])[:n],
        bid=np.array(bid),
        ask=np.array([23, 1, 32])[:n],
        iv=np.full(n, 0.2),
        delta=np.full(n, 0.5),
    )


@dataclass
class Live(ScriptedMarket):
    """A market whose chains are told: the age of each expiry's quotes, None where there is no chain."""

    age: dict[date, timedelta | None] = field(default_factory=lambda: {FRIDAY: timedelta(0)})

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return tuple(self.age) if product == "SPXW" else ()

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        age = self.age[expiry]
        return None if age is None else chain(expiry, now - age)


def live(**said: object) -> Live:
    return replace(Live(mid=lambda contract, now: None), **said)  # type: ignore[arg-type]


def rolled(folder: Path) -> tuple[ImportReport, ...]:
    return roll(Store(folder), check=accept, calendar=calendar)


def record(
    folder: Path, *minutes: int, market: Live | None = None, products: tuple[str, ...] = ("SPXW",)
) -> list[Observed]:
    with Recorder(folder, products=products, every=FIVE) as recorder:
        return [recorder.observe(market or live(), OPEN + timedelta(minutes=m)) for m in minutes]


def test_a_recorded_session_is_in_the_store_after_rolling(tmp_path: Path) -> None:
    record(tmp_path, 0, 5, 10)
    (report,) = rolled(tmp_path)
    assert report.sources[0].quotes.kept == 9
    rows = scan(Store(tmp_path), "SPXW").collect()
    assert rows.filter(pl.col("at") == OPEN).select(
        "right", "strike", "bid", "ask", "spot", "multiplier"
    ).rows() == [
        (-1, 5700.0, 1.1, 1.15, 5750.0, 100.0),
        (-1, 5705.0, None, 0.05, 5750.0, 100.0),
        (1, 5700.0, 1.5, 1.6, 5750.0, 100.0),
    ]
    assert not (tmp_path / FILE).exists()
    (source,) = Store(tmp_path).sources("SPXW")
    assert (source.importer, source.licence) == ("recording", "own recording")


def test_levels_of_the_index_and_the_vix_are_recorded_as_printed(tmp_path: Path) -> None:
    record(tmp_path, 0, 5)
    rolled(tmp_path)
    store = Store(tmp_path)
    assert scan_levels(store, "SPX").select("last").collect().to_series().to_list() == [5750.0, 5750.0]
    assert scan_levels(store, "VIX").select("at", "last").collect().rows()[0] == (OPEN, 24.0)


def test_every_observation_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    with Recorder(tmp_path, products=("SPXW",), every=FIVE) as recorder:
        for n in range(3):
            recorder.observe(live(), OPEN + n * FIVE)
            instants = {f.at for _, f in read_frames(tmp_path / FILE) if isinstance(f, Frame)}
            assert len(instants) == n + 1


def test_a_missed_interval_is_marked(tmp_path: Path) -> None:
    last = record(tmp_path, 0, 5, 17)[-1]
    assert [(m.start, m.end) for m in last.marks] == [
        (OPEN + timedelta(minutes=5), OPEN + timedelta(minutes=17))
    ]
    rolled(tmp_path)
    (mark,) = Store(tmp_path).marks("SPXW")
    assert mark.why == "no observation within 0:05:00"


def test_a_restart_is_marked_even_when_no_interval_was_missed(tmp_path: Path) -> None:
    record(tmp_path, 0)
    record(tmp_path, 5)
    rolled(tmp_path)
    assert [(m.start, m.end, m.why) for m in Store(tmp_path).marks("SPXW")] == [
        (OPEN, OPEN + FIVE, "the recorder was restarted")
    ]


def test_old_quotes_are_not_recorded_under_a_new_time(tmp_path: Path) -> None:
    market = live(
        age={FRIDAY: timedelta(minutes=5), date(2031, 3, 10): timedelta(minutes=6), date(2031, 3, 11): None}
    )
    (only,) = record(tmp_path, 0, market=market)
    assert only.rows == 3
    assert only.marks[0].why == (
        "1 of 3 expiries have no chain; 1 of 3 expiries have quotes older than 0:05:00"
    )


def test_a_product_without_chains_is_marked_over_the_whole_time(tmp_path: Path) -> None:
    record(tmp_path, 0, 5, 10, products=("SPXW", "ES"))
    assert set(marks_of(tmp_path / FILE)) == {"ES"}
    (mark,) = marks_of(tmp_path / FILE)["ES"]
    assert (mark.start, mark.end, mark.why) == (OPEN, OPEN + timedelta(minutes=10), "no expiry is listed")


def test_nothing_at_all_is_an_observation_too(tmp_path: Path) -> None:
    (only,) = record(tmp_path, 0, market=live(age={}, vix_level=None))
    assert (only.rows, only.levels) == (0, 1)
    rolled(tmp_path)
    assert Store(tmp_path).overview()[0].name == "SPX"


@pytest.mark.parametrize("cut", [1, 7, 40, 400])
def test_a_torn_end_is_cut_and_marked(tmp_path: Path, cut: int) -> None:
    record(tmp_path, 0, 5)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-cut])
    record(tmp_path, 10)
    frames = [f for _, f in read_frames(tmp_path / FILE)]
    assert not any(isinstance(f, Torn) for f in frames)
    (mark,) = marks_of(tmp_path / FILE)["SPXW"]
    assert "an unfinished write of" in mark.why
    rolled(tmp_path)
    at = scan(Store(tmp_path), "SPXW").select("at").unique().sort("at").collect().to_series().to_list()
    assert at[0] == OPEN
    assert at[-1] == OPEN + timedelta(minutes=10)


def test_a_torn_end_is_no_obstacle_to_rolling(tmp_path: Path) -> None:
    record(tmp_path, 0, 5)
    whole = (tmp_path / FILE).read_bytes()
    # The levels of the second observation, the last frame, are torn.
    (tmp_path / FILE).write_bytes(whole[:-3])
    (report,) = rolled(tmp_path)
    assert report.sources[0].quotes.kept == 6
    (mark,) = Store(tmp_path).marks("SPXW")
    assert mark.why.endswith("bytes at its end were never finished")


def test_damage_in_the_middle_loses_that_frame_only(tmp_path: Path) -> None:
    record(tmp_path, 0, 5, 10)
    whole = bytearray((tmp_path / FILE).read_bytes())
    stops = [stop for stop, _ in read_frames(tmp_path / FILE)]
    whole[stops[1] + 60] ^= 0xFF  # in the quotes of 09:35
    (tmp_path / FILE).write_bytes(whole)
    (report,) = rolled(tmp_path)
    assert report.sources[0].quotes.kept == 6
    (mark,) = Store(tmp_path).marks("SPXW")
    assert (mark.start, mark.why.split(" ", 1)[1]) == (OPEN, "bytes of the recording are damaged")


def test_one_process_records_a_session_at_a_time(tmp_path: Path) -> None:
    with Recorder(tmp_path, products=("SPXW",), every=FIVE) as recorder:
        recorder.observe(live(), OPEN)
        with pytest.raises(BadData, match="another process records"):
            record(tmp_path, 5)
        # What is being recorded is not rolled.
        assert rolled(tmp_path) == ()
        assert (tmp_path / FILE).exists()
    assert len(rolled(tmp_path)) == 1


def test_the_evening_begins_the_next_sessions_file(tmp_path: Path) -> None:
    with Recorder(tmp_path, products=("SPXW",), every=FIVE) as recorder:
        recorder.observe(live(), OPEN)
        recorder.observe(live(), datetime(2031, 3, 3, 23, 0, tzinfo=UTC))
    assert sorted(p.name for p in (tmp_path / "recordings").iterdir()) == [
        "2031-03-03.frames",
        "2031-03-04.frames",
    ]
    assert len(rolled(tmp_path)) == 2


def test_a_session_that_goes_on_after_rolling_is_completed(tmp_path: Path) -> None:
    record(tmp_path, 0, 5)
    rolled(tmp_path)
    record(tmp_path, 10, 15)
    rolled(tmp_path)
    assert Store(tmp_path).months("SPXW")["2031-03"].sessions[0].snapshots == 4


class Killed(BaseException):
    """As sudden as a signal."""


def test_a_kill_while_rolling_loses_and_doubles_nothing(tmp_path: Path) -> None:
    record(tmp_path, 0, 12)
    said: list[str] = []
    roll(Store(tmp_path), check=accept, calendar=calendar, step=said.append)
    expected = contents(tmp_path)
    assert said[-1] == "forget 2031-03-03.frames"
    for number in range(len(said)):
        folder = tmp_path.with_name(f"{tmp_path.name}-{number}") / tmp_path.name
        record(folder, 0, 12)
        left = number

        def kill(action: str) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1

        with pytest.raises(Killed):
            roll(Store(folder), check=accept, calendar=calendar, step=kill)
        rolled(folder)
        assert set(contents(folder)) == set(expected)
        assert [o.rows for o in Store(folder).overview()] == [o.rows for o in Store(tmp_path).overview()]
        assert Store(folder).marks("SPXW") == Store(tmp_path).marks("SPXW")
        assert Store(folder).verify() == ()


def test_a_session_that_cannot_be_stored_is_kept_and_does_not_hold_up_the_others(tmp_path: Path) -> None:
    record(tmp_path, 0)
    rolled(tmp_path)
    month = tmp_path / Store(tmp_path).months("SPXW")["2031-03"].file
    month.write_bytes(month.read_bytes()[:-1])
    record(tmp_path, 5)
    record(tmp_path, 60 * 24 * 40)
    with pytest.raises(BadData, match=r"2031-03-03\.frames: .*quotes\.parquet: damaged.*; it is kept"):
        rolled(tmp_path)
    assert [p.name for p in (tmp_path / "recordings").iterdir()] == ["2031-03-03.frames"]
    assert list(Store(tmp_path).months("SPXW")) == ["2031-03", "2031-04"]


def test_time_does_not_run_backwards_in_a_recording(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="observations go forward"):
        record(tmp_path, 5, 5)


def test_unknown_products_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="cannot record GPXW; known products: SPX, SPXW"):
        Recorder(tmp_path, products=("GPXW",), every=FIVE)


def test_strikes_too_fine_for_the_store_are_marked(tmp_path: Path) -> None:
    @dataclass
    class Fine(Live):
        def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
            return chain(expiry, now, strike_unit="0.000001")

    (only,) = record(tmp_path, 0, market=Fine(mid=lambda contract, now: None))
    assert (only.rows, only.marks[0].why) == (0, "1 of 1 expiries have strikes finer than 0.00001")


def test_recordings_are_recognised_by_their_first_bytes(tmp_path: Path) -> None:
    record(tmp_path, 0)
    importer = RecordingImporter()
    assert importer.recognises(tmp_path / FILE)
    assert importer.files(tmp_path / "recordings") == (tmp_path / FILE,)
    (tmp_path / "other.frames").write_text("at,bid\n")
    assert not importer.recognises(tmp_path / "other.frames")
    batches: Iterator[int] = (b.position for b in importer.read(Source(tmp_path / FILE)))
    assert list(batches)[-1] == (tmp_path / FILE).stat().st_size


def test_frames_of_any_bytes_come_back_and_a_magic_inside_one_is_no_frame(tmp_path: Path) -> None:
    payloads = [b"", b"\x89TKF\r\n\x1a\n" * 3, bytes(range(256)) * 50]
    with FrameFile(tmp_path / "x.frames") as file:
        file.append([Frame(b"Q", n, p) for n, p in enumerate(payloads)])
        assert file.last == 2
    found = [f for _, f in read_frames(tmp_path / "x.frames")]
    assert [f.payload for f in found if isinstance(f, Frame)] == payloads


PROGRAM = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_store_recorder as own

with own.Recorder(Path(sys.argv[1]), products=("SPXW",), every=own.FIVE) as recorder:
    for n in range(3):
        recorder.observe(own.live(), own.OPEN + n * own.FIVE)
    os.write(recorder._file._handle, b"\\x89TKF\\r\\n\\x1a\\nhalf a frame")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_real_kill_in_the_middle_of_a_write_keeps_every_observation_before(tmp_path: Path) -> None:
    here = Path(__file__).resolve()
    paths = os.pathsep.join([str(here.parents[2]), str(here.parents[2] / "src")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(here.parent)],
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    record(tmp_path, 15)
    (report,) = rolled(tmp_path)
    assert report.sources[0].quotes.kept == 12
    (mark,) = Store(tmp_path).marks("SPXW")
    assert mark.why == "the recorder was restarted, an unfinished write of 20 bytes was cut off"


def test_a_store_that_never_recorded_has_nothing_to_roll(tmp_path: Path) -> None:
    assert roll(Store(tmp_path / "new"), check=accept, calendar=calendar) == ()
