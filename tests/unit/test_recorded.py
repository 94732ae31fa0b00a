"""Recorded chains as a market: what is known when, what is kept out, and what a bad file is told."""

import gzip
import math
import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from datetime import time as wall
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.unit.test_limits import case, wish

from tomking.adapters import recorded
from tomking.adapters.recorded import RecordedChains, load_recorded
from tomking.adapters.recorded_snapshots import Snapshots, read_recording
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Session, Sessions, calendar_days, wall_instant
from tomking.domain.chain import NO_QUOTE
from tomking.domain.contract import Option
from tomking.domain.errors import BadData
from tomking.ports import MarketData
from tomking.pricing.black import black_price
from tomking.pricing.snapshot import Instant, Reading, read_instant
from tomking.risk import limits_data
from tomking.rules import select

HEADER = "quote_datetime,symbol,expiration,strike,option_type,spot_price,bid,ask"
MONDAY, FRIDAY = date(2031, 3, 3), date(2031, 3, 7)
FORWARD, VOL, RATE = 5_503.2, 0.16, 0.04


def weekdays(first: date, last: date) -> Sessions:
    return Sessions(
        tuple(
            Session(d, wall_instant(d, wall(9, 30)), wall_instant(d, wall(16, 0)))
            for d in calendar_days(first, last)
            if d.weekday() < 5
        )
    )


def history(*days: tuple[date, float, float]) -> History:
    """Date, SPX close and VIX open of each session."""
    column = np.array([d for d, _, _ in days], dtype="datetime64[D]")
    close, vix = np.array([c for _, c, _ in days]), np.array([v for _, _, v in days])
    rate = np.full(len(days), RATE)
    spx, fear = Bars(column, close, close, close, close), Bars(column, vix, vix + 5, vix - 5, vix + 3)
    return History(spx, fear, np.zeros(len(days), dtype=np.uint8), rate, "none")


SESSIONS = weekdays(date(2031, 2, 24), date(2031, 3, 21))
HISTORY = history((date(2031, 2, 28), 5_490.0, 17.0), (MONDAY, 5_510.0, 18.5))


def monday(hour: int, minute: int) -> datetime:
    return wall_instant(MONDAY, wall(hour, minute))


def row(when: str, option: str, bid: object, ask: object, spot: float = 5_500.0) -> str:
    """``row("03-03 10:30", "03-07 P5400", 12, 12.5)``."""
    stamp, expiry = f"2031-{when}", f"2031-{option[:5]}"
    return f"{stamp},SPXW,{expiry},{option[7:]},{option[6]},{spot},{bid},{ask}"


def priced(when: str, *, minutes: float, spot: float = 5_500.0) -> list[str]:
    """Friday's chain at ``when``, ``minutes`` of variance clock before its end; spreads of 0.20."""
    years, df = minutes / 98_280, math.exp(-RATE * 4 / 365)
    rows = []
    for strike in range(5_200, 5_805, 5):
        for letter, sign in (("P", -1.0), ("C", 1.0)):
            mid = black_price(FORWARD, float(strike), years, VOL, df, sign)
            count = max(round(mid / 0.05), 2)
            bid, ask = (count - 2) / 20, (count + 2) / 20
            rows.append(row(when, f"03-07 {letter}{strike}", f"{bid:.2f}", f"{ask:.2f}", spot))
    return rows


def written(folder: Path, rows: Iterable[str], name: str = "chains.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


def market(folder: Path, rows: Iterable[str], known: History = HISTORY) -> RecordedChains:
    return load_recorded(written(folder, rows), sessions=SESSIONS, history=known)


def option(text: str) -> Option:
    return Option.parse(f"SPXW 2031-{text}")


# Monday 10:30 to Friday 16:00: what is left of Monday's 390 (by its U, tests/unit/test_clock.py), four
# nights of 142 and four sessions of 390.
LEFT = 266.1875 + 4 * 142 + 4 * 390


def test_forward_and_volatility_come_back_out_of_the_quotes(tmp_path: Path) -> None:
    chain = market(tmp_path, priced("03-03 10:30", minutes=LEFT)).chain("SPXW", FRIDAY, monday(10, 30))
    assert chain is not None
    assert chain.forward == pytest.approx(FORWARD, abs=0.05)
    assert chain.discount == pytest.approx(math.exp(-RATE * 4.2 / 365), abs=1e-4)
    assert chain.years * 98_280 == pytest.approx(LEFT, abs=0.001)
    # Prices are rounded to 0.05; near the money that is little against the vega.
    near = np.abs(chain.strikes / FORWARD - 1) < 0.02
    assert chain.iv[near] == pytest.approx(np.full(near.sum(), VOL), abs=0.001)
    assert chain.delta[near & (chain.right < 0)].max() < 0 < chain.delta[near & (chain.right > 0)].min()


def test_a_chain_is_sorted_counts_its_grid_and_makes_contracts(tmp_path: Path) -> None:
    rows = [
        row("03-03 10:30", "03-07 C5410", 100.1, 101.5),
        row("03-03 10:30", "03-07 P5400", 12, 12.5),
        row("03-03 10:30", "03-07 C5400", 110.1, 111.5),
        row("03-03 10:30", "03-07 P5410", 13, 13.5),
    ]
    chain = market(tmp_path, rows).chain("SPXW", FRIDAY, monday(10, 30))
    assert chain is not None
    assert chain.right.tolist() == [-1, -1, 1, 1]
    assert chain.strike_unit == Decimal(10)
    assert chain.strikes.tolist() == [5400, 5410, 5400, 5410]
    assert chain.bid.tolist() == [240, 260, 2202, 2002]  # 12.00 is 240 counts of 0.05
    assert str(chain.option(0)) == "SPXW 2031-03-07 P5400"
    assert chain.option(0) == option("03-07 P5400")


def test_a_reading_is_the_latest_snapshot_at_or_before_now_in_this_session(tmp_path: Path) -> None:
    rows = [
        row("03-03 10:30", "03-07 P5400", 12, 12.5, spot=5_501),
        row("03-03 10:45", "03-07 P5400", 13, 13.5, spot=5_495),
        row("03-04 10:30", "03-07 P5400", 10, 10.5, spot=5_520),
    ]
    m = market(tmp_path, rows)
    assert m.spot("SPX", monday(10, 29)) is None
    assert m.spot("SPX", monday(10, 30)) == 5_501
    assert m.spot("SPX", monday(10, 44)) == 5_501
    assert m.spot("SPX", monday(11, 15)) == 5_495
    assert m.spot("SPX", monday(11, 16)) is None  # two steps of a quarter of an hour: it has stopped
    assert m.spot("SPX", wall_instant(date(2031, 3, 4), wall(10, 0))) is None  # not yesterday's
    assert m.spot("NDX", monday(10, 30)) is None
    (quote,) = m.quotes([option("03-07 P5400")], monday(10, 44))
    assert quote is not None
    assert (quote.bid, quote.ask, quote.as_of) == (Decimal(12), Decimal("12.5"), monday(10, 30))
    # Marked at the mid of the same quote, (12 + 12.5) / 2.
    marks = m.marks([option("03-07 P5400"), option("03-07 P5405")], monday(10, 44))
    assert marks[0] == 12.25
    assert np.isnan(marks[1])
    assert m.grid_minutes == 15
    assert m.instants(MONDAY) == (monday(10, 30), monday(10, 45))
    assert m.days == (MONDAY, date(2031, 3, 4))


def test_missing_data_is_a_value(tmp_path: Path) -> None:
    m = market(tmp_path, [row("03-03 10:30", "03-07 P5400", 12, 12.5)])
    assert m.chain("SPXW", date(2031, 3, 14), monday(10, 30)) is None
    assert m.chain("XSP", FRIDAY, monday(10, 30)) is None
    assert m.expiries("XSP", monday(10, 30)) == ()
    unlisted, scaled = option("03-07 P5401.5"), Option.parse("SPXW 2031-03-07 P5400 x50/0.05")
    other = Option.parse("XSP 2031-03-07 P540")
    assert m.quotes([unlisted, option("03-07 C5400"), scaled, other], monday(10, 30)) == [None] * 4
    assert m.vix(wall_instant(date(2031, 3, 4), wall(12, 0))) is None


def test_a_bid_of_nothing_is_a_quote_and_an_ask_of_nothing_is_none(tmp_path: Path) -> None:
    rows = [
        row("03-03 10:30", "03-07 P5000", "0.0", 0.05),
        row("03-03 10:30", "03-07 P5100", "0.0", "0.0"),
        row("03-03 10:30", "03-07 P5200", 0.1, "0"),
        row("03-03 10:30", "03-07 P5300", "", ""),
    ]
    m = market(tmp_path, rows)
    chain = m.chain("SPXW", FRIDAY, monday(10, 30))
    assert chain is not None
    assert chain.bid.tolist() == [0, NO_QUOTE, 2, NO_QUOTE]
    assert chain.ask.tolist() == [1, NO_QUOTE, NO_QUOTE, NO_QUOTE]
    assert np.isnan(chain.iv[1:]).all()
    marks = m.marks([chain.option(i) for i in range(4)], monday(10, 30))
    assert marks[0] == 0.025
    assert np.isnan(marks[1:]).all()


def test_what_nobody_may_trade_on_is_kept_out_and_counted(tmp_path: Path) -> None:
    good = row("03-03 10:30", "03-07 P5400", 12, 12.5)
    rows = [
        good,
        good,  # a repeat
        row("03-03 10:30", "03-07 P5410", 13.5, 13),  # crossed
        row("03-03 10:30", "03-07 P5420", 13.02, 13.5),  # off the grid
        row("03-03 08:00", "03-07 P5400", 12, 12.5),  # before the open
        row("03-03 10:30", "02-28 P5400", 12, 12.5),  # expired on Friday
        row("03-03 10:30", "12-19 P5400", 12, 12.5),  # beyond the calendar
        good.replace("SPXW", "NDX"),
    ]
    m = market(tmp_path, rows)
    assert m.expiries("SPXW", monday(10, 30)) == (FRIDAY,)
    chain = m.chain("SPXW", FRIDAY, monday(10, 30))
    assert chain is not None
    assert chain.strikes.tolist() == [5400]
    assert [note for note in m.notes if note.startswith("left out")] == [
        "left out: 1 rows of symbols that are not traded here",
        "left out: 1 rows outside trading hours",
        "left out: 1 rows of SPXW expire after the exchange calendar ends",
        "left out: 1 rows of SPXW are of contracts that had expired (stale)",
        "left out: 1 rows of SPXW repeat another",
        "left out: 1 rows of SPXW are off the quote grid of 0.05",
        "left out: 1 rows of SPXW are crossed (bid above ask)",
    ]


def test_a_contract_ends_at_its_close_and_settles_there(tmp_path: Path) -> None:
    rows = [
        row(f"03-07 {when}", f"{day} P5400", 1, 1.5, spot=spot)
        for when, spot in (("15:45", 5_400.5), ("16:00", 5_390.25), ("16:15", 5_391.0))
        for day in ("03-07", "03-14")
    ]
    m = market(tmp_path, rows)
    expired, alive = option("03-07 P5400"), option("03-14 P5400")
    before, close = (wall_instant(FRIDAY, wall(h, t)) for h, t in ((15, 59), (16, 0)))
    assert m.expiries("SPXW", before) == (FRIDAY, date(2031, 3, 14))
    assert m.settlement(expired, before) is None
    assert m.expiries("SPXW", close) == (date(2031, 3, 14),)
    assert m.chain("SPXW", FRIDAY, close) is None
    assert [q is None for q in m.quotes([expired, alive], close)] == [True, False]
    # The history ends on Monday, so the spot at the close stands in for the official one.
    assert m.settlement(expired, close) == 5_390.25
    assert m.settlement(expired, close + timedelta(days=30)) == 5_390.25
    assert m.instants(FRIDAY)[-1] == close  # 16:15 is nothing to act on
    official = market(tmp_path, rows, history((FRIDAY, 5_391.1, 18.0)))
    assert official.settlement(expired, before) is None
    assert official.settlement(expired, close) == 5_391.1


def test_during_the_day_only_the_vix_open_is_known(tmp_path: Path) -> None:
    m = market(tmp_path, [row("03-03 10:30", "03-07 P5400", 12, 12.5)])
    assert m.vix(monday(9, 29)) is None
    assert m.vix(monday(9, 45)) == (18.5, monday(9, 30))
    assert m.vix(monday(10, 40)) == (18.5, monday(10, 30))
    assert any("VIX is the day's open" in note for note in m.notes)


def test_bars_end_before_the_session(tmp_path: Path) -> None:
    m = market(tmp_path, [row("03-03 10:30", "03-07 P5400", 12, 12.5)])
    assert m.bars("SPX", monday(15, 59)).close.tolist() == [5_490.0]
    assert len(m.bars("NDX", monday(15, 59))) == 0


def test_nothing_recorded_later_changes_a_reading(tmp_path: Path) -> None:
    early = priced("03-03 10:30", minutes=LEFT)
    late = [row("03-03 10:45", f"03-07 {x}{k}", 1, 900, 9_999) for x in "CP" for k in range(5_200, 5_805, 5)]
    other = history((date(2031, 2, 28), 5_490.0, 17.0), (MONDAY, 1.0, 18.5), (FRIDAY, 1.0, 99.0))
    now = monday(10, 44)
    alone, both = market(tmp_path, early), market(tmp_path, early + late, other)
    one, two = alone.chain("SPXW", FRIDAY, now), both.chain("SPXW", FRIDAY, now)
    assert one is not None
    assert two is not None
    assert one.iv.tobytes() == two.iv.tobytes()
    assert (one.forward, one.discount) == (two.forward, two.discount)
    assert alone.spot("SPX", now) == both.spot("SPX", now)
    assert alone.vix(now) == both.vix(now)


# ----------------------------------------------------------------------------- rows without quotes


def holed(rows: list[str], *gone: str) -> list[str]:
    """The same rows, with nobody quoting the ``gone`` options ("P5465")."""
    cells = [line.split(",") for line in rows]
    return [",".join([*c[:6], "", ""] if f"{c[4]}{c[3]}" in gone else c) for c in cells]


def test_rows_that_nobody_quotes_are_interpolated_and_counted(tmp_path: Path) -> None:
    rows = priced("03-03 10:30", minutes=int(LEFT))
    m = market(tmp_path, holed(rows, "P5400", "C5650"))
    chain = m.chain("SPXW", FRIDAY, monday(10, 30))
    assert chain is not None
    gone = np.flatnonzero(chain.interpolated)
    assert [str(chain.option(int(i))) for i in gone] == ["SPXW 2031-03-07 P5400", "SPXW 2031-03-07 C5650"]
    assert chain.iv[gone] == pytest.approx([VOL, VOL], abs=0.002)
    assert chain.delta[gone[0]] < 0 < chain.delta[gone[1]]
    assert (
        "2 of 242 rows of SPXW are not quoted on both sides: their volatility and delta are "
        "interpolated from the fitted surface; they are not traded"
    ) in m.notes
    assert not any("interpolated" in note for note in market(tmp_path, rows).notes)


def test_an_interpolated_row_has_no_price_to_trade_or_mark_at(tmp_path: Path) -> None:
    m = market(tmp_path, holed(priced("03-03 10:30", minutes=int(LEFT)), "P5400"))
    held = option("03-07 P5400")
    (quote,) = m.quotes([held], monday(10, 30))
    assert quote is not None
    assert (quote.bid, quote.ask) == (None, None)
    assert np.isnan(m.marks([held], monday(10, 30))).all()
    chain = m.chain("SPXW", FRIDAY, monday(10, 30))
    assert chain is not None
    # Its delta is there for whoever holds it: N(-d1) at 16 % and 0.0231 years.
    v = VOL * math.sqrt(LEFT / 98_280)
    d1 = math.log(FORWARD / 5_400) / v + v / 2
    assert select.delta_of(chain, held) == pytest.approx(0.5 * math.erfc(d1 / math.sqrt(2)), abs=0.002)


def test_the_gate_refuses_a_leg_that_is_interpolated(tmp_path: Path) -> None:
    friday = priced("03-07 10:30", minutes=330)
    whole, hole = (market(tmp_path, holed(friday, *gone)) for gone in ((), ("P5465",)))
    quoted, asked = (case(wish("SPXW"), market=m) for m in (whole, hole))  # type: ignore[arg-type]
    assert quoted.mid is not None
    assert "bid None" not in limits_data.quotes_valid(quoted).detail
    # Its volatility is known, off the surface: the missing quote is what refuses it.
    assert limits_data.volatility_sensible(asked).units is None
    answer = limits_data.quotes_valid(asked)
    assert (answer.units, asked.mid) == (0, None)
    assert "P5465: bid None, ask None" in answer.detail


def test_one_snapshot_is_fitted_once_however_many_expiries_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[int] = []

    def counted(instant: Instant) -> Reading:
        fitted.append(instant.years.size)
        return read_instant(instant)

    monkeypatch.setattr(recorded, "read_instant", counted)
    near = priced("03-03 10:30", minutes=int(LEFT))
    later = [line.replace("2031-03-07", "2031-03-14") for line in near]
    m = market(tmp_path, [*near, *later, row("03-03 10:45", "03-07 P5400", 12, 12.5)])
    assert fitted == []
    for expiry in (FRIDAY, date(2031, 3, 14)) * 2:
        assert m.chain("SPXW", expiry, monday(10, 30)) is not None
    assert fitted == [2]
    assert m.chain("SPXW", FRIDAY, monday(10, 50)) is not None
    assert fitted == [2, 1]


def test_columns_of_a_store_are_a_market_too(tmp_path: Path) -> None:
    """The seam: memory-mapped slices in ``Snapshots`` say what the file they came from says."""
    path = written(tmp_path, holed(priced("03-03 10:30", minutes=int(LEFT)), "P5400"))
    from_file = load_recorded(path, sessions=SESSIONS, history=HISTORY)
    (data,) = read_recording([path], SESSIONS)[0]
    kept = {}
    for name in ("minute", "expiry", "right", "strike", "bid", "ask", "seen", "spot"):
        np.save(tmp_path / f"{name}.npy", getattr(data, name))
        kept[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    stored = Snapshots(product="SPXW", strike_unit=data.strike_unit, **kept)
    from_store = RecordedChains([stored], notes=(), sessions=SESSIONS, history=HISTORY)
    one, two = (m.chain("SPXW", FRIDAY, monday(10, 30)) for m in (from_file, from_store))
    assert one is not None
    assert two is not None
    for name in ("strike", "bid", "ask", "iv", "delta", "interpolated"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    wished = [option("03-07 P5400"), option("03-07 C5500")]
    assert from_file.quotes(wished, monday(10, 30)) == from_store.quotes(wished, monday(10, 30))


def test_several_files_are_one_market(tmp_path: Path) -> None:
    one = written(tmp_path, [row("03-03 10:30", "03-07 P5400", 12, 12.5)])
    two = written(tmp_path, [row("03-04 10:30", "03-07 P5400", 10, 10.5)], "second.csv")
    m = load_recorded([two, one], sessions=SESSIONS, history=HISTORY)
    assert m.days == (MONDAY, date(2031, 3, 4))


# ------------------------------------------------------------------------------------- bad files


def refused(path: Path | list[Path]) -> tuple[str, ...]:
    with pytest.raises(BadData) as caught:
        load_recorded(path, sessions=SESSIONS, history=HISTORY)
    return caught.value.problems


GOOD = row("03-03 10:30", "03-07 P5400", 12, 12.5)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (
            GOOD.replace("2031-03-03 10:30", "yesterday"),
            "column quote_datetime: 'yesterday' cannot be understood",
        ),
        (GOOD.replace("2031-03-07", "03/07/2031"), "column expiration: '03/07/2031' cannot be understood"),
        (GOOD.replace("5400", "abc"), "column strike: 'abc' is not a number"),
        (GOOD.replace("5400", "-5"), "column strike: '-5' must be above 0"),
        (GOOD.replace("5400", ""), "column strike: '' is empty"),
        (GOOD.replace(",P,", ",X,"), "column option_type: 'X' cannot be understood; write C or P"),
        (GOOD.replace("5500.0", "0"), "column spot_price: '0' must be above 0"),
        (GOOD.replace(",12,", ",-12,"), "column bid: '-12' must be at least 0"),
        (GOOD.replace("2031-03-03", "9999-12-31"), "column quote_datetime: '9999-12-31 10:30' cannot be"),
        (GOOD.replace("5400", "1e300"), "column strike: '1e300' is too large"),
        (GOOD.replace("12.5", "1e300"), "column ask: '1e300' is too large"),
        (GOOD.replace("12.5", "inf"), "column ask: 'inf' is not a number"),
        (GOOD.replace("03-03", "03-01"), "column quote_datetime: 2031-03-01 has no session"),
    ],
)
def test_a_bad_cell_is_named_with_its_row(tmp_path: Path, bad: str, said: str) -> None:
    path = written(tmp_path, [GOOD, bad])
    (problem,) = refused(path)
    assert problem.startswith(f"{path}: row 3, {said}")


def test_bad_cells_are_counted_and_every_kind_of_them_is_told_at_once(tmp_path: Path) -> None:
    bad = [GOOD.replace(",12,", ",-12,"), GOOD.replace(",12,", ",-1,"), GOOD.replace("5400", "abc")]
    missing, path = tmp_path / "missing.csv", written(tmp_path, [GOOD, *bad])
    assert refused([missing, path]) == (
        f"{missing}: no such file; check the path",
        f"{path}: row 5, column strike: 'abc' is not a number; write plain decimals",
        f"{path}: row 3, column bid: '-12' must be at least 0; correct or remove it (2 such rows)",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "missing columns"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "missing columns"),
        (b"date,price\n2031-03-03,5\n", "missing columns: quote_datetime, symbol, expiration"),
        (f"{HEADER}\n".encode(), "no rows below the header"),
        (f"{HEADER}\n{GOOD}\n{GOOD},extra\n".encode(), "row 3: 9 fields where the header has 8"),
        (f"{HEADER}\n{GOOD}\n".encode() + b"\xff\xfe,,,,,,,\n", "is not CSV"),
        (gzip.compress(f"{HEADER}\n{GOOD}\n".encode())[:-20], "cannot be read"),
        (b"\x1f\x8bnot gzip at all", "cannot be read"),
        (f"{HEADER}\n{GOOD.replace('SPXW', 'NDX')}\n".encode(), "no usable quote is left"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "chains.csv"
    path.write_bytes(content)
    (problem,) = refused(path)
    assert said in problem
    assert str(path) in problem
    assert "\n" not in problem


def test_a_folder_and_no_file_at_all_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path)
    assert problem.startswith(f"{tmp_path}: cannot be read")
    assert refused([]) == ("no chain file was given; name at least one CSV file",)


def test_two_different_quotes_of_one_contract_at_one_time_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(written(tmp_path, [GOOD, GOOD.replace("12.5", "12.6")]))
    assert problem == ("SPXW 2031-03-07 P5400 has two different quotes at 2031-03-03 10:30; keep one of each")


# ------------------------------------------------------------------------------ the real recording

REAL = Path(__file__).resolve().parents[2] / "../shared/data/chains/spxw_15min_20160429_0dte.csv.gz"
REAL_DAY = date(2016, 4, 29)


@pytest.fixture(scope="module")
def real() -> RecordedChains:
    if not REAL.exists():
        pytest.skip("../shared/data is not here")
    known = history((date(2016, 4, 28), 2_075.81, 14.6), (REAL_DAY, 2_065.30, 15.5))
    return load_recorded(REAL, sessions=weekdays(date(2016, 4, 27), date(2017, 4, 3)), history=known)


def real_at(hour: int, minute: int) -> datetime:
    return wall_instant(REAL_DAY, wall(hour, minute))


def test_real_chain_of_expiry_day(real: RecordedChains) -> None:
    now = real_at(10, 30)
    chain = real.chain("SPXW", REAL_DAY, now)
    assert chain is not None
    assert len(chain.strike) == 368  # 184 strikes, both rights
    assert (real.spot("SPX", now), real.grid_minutes, len(real.expiries("SPXW", now))) == (2_065.61, 15, 18)
    # Hours from expiry the forward is the spot.
    assert chain.forward == pytest.approx(2_065.61, abs=0.5)
    assert chain.years == pytest.approx(266.1875 / 98_280, abs=1e-8)  # of the session's 390 minutes


def test_real_quotes_keep_parity_with_the_implied_forward(real: RecordedChains) -> None:
    for expiry in real.expiries("SPXW", real_at(10, 30)):
        chain = real.chain("SPXW", expiry, real_at(10, 30))
        assert chain is not None
        puts, calls = chain.right < 0, chain.right > 0
        near = np.abs(chain.strikes[puts] / chain.forward - 1) < 0.02
        residual = (
            chain.mids[calls] - chain.mids[puts] - chain.discount * (chain.forward - chain.strikes[puts])
        )
        half_spreads = (chain.ask - chain.bid)[calls] * 0.025 + (chain.ask - chain.bid)[puts] * 0.025
        # Every near pair is on the line within its own quotes, and the typical one within 0.25 points.
        assert (np.abs(residual) <= half_spreads + 0.05)[near].all()
        assert np.median(np.abs(residual[near])) < 0.25


def test_real_volatilities_and_deltas_are_those_of_the_file(real: RecordedChains) -> None:
    # The file counts time its own way, so its volatilities differ by a factor, its deltas hardly.
    text = gzip.decompress(REAL.read_bytes()).decode().splitlines()
    cells = [line.split(",") for line in text if line.startswith("2016-04-29 10:30,SPXW,2016-04-29")]
    theirs = {(c[4], float(c[3])): (float(c[8]), float(c[9])) for c in cells}
    chain = real.chain("SPXW", REAL_DAY, real_at(10, 30))
    assert chain is not None
    ratios = []
    for i in np.flatnonzero(np.abs(chain.strikes / chain.forward - 1) < 0.012):
        iv, delta = theirs[chain.option(int(i)).right.letter, float(chain.strikes[i])]
        # Out of the money only: in it, the file takes no forward and its deltas jump to 1.
        if abs(chain.delta[i]) <= 0.55:
            assert chain.delta[i] == pytest.approx(delta, abs=0.05)
            ratios.append(chain.iv[i] / iv)
    assert len(ratios) > 8
    # One clock against another is one factor for all strikes.
    assert np.std(ratios) < 0.05 * np.mean(ratios)


def test_every_real_out_of_the_money_mid_has_a_volatility(real: RecordedChains) -> None:
    # With the forward at spot one in six would have none (performance.md).
    for minute in (45, 0):
        now = real_at(9 if minute else 12, minute)
        for expiry in real.expiries("SPXW", now):
            chain = real.chain("SPXW", expiry, now)
            assert chain is not None
            out = chain.right * (chain.strikes - chain.forward) > 0
            assert not np.isnan(chain.iv[out & (chain.ask > 0)]).any()


def test_the_real_day_settles_at_the_official_close(real: RecordedChains) -> None:
    held = Option.parse("SPXW 2016-04-29 P2070")
    assert real.settlement(held, real_at(15, 59)) is None
    assert real.settlement(held, real_at(16, 0)) == 2_065.30
    assert real.quotes([held], real_at(16, 15)) == [None]
    assert any(note.startswith("left out: 736 rows") for note in real.notes)  # 368 at 16:00, 368 at 16:15


def test_building_a_chain_takes_two_milliseconds_and_quoting_fifty_microseconds(real: RecordedChains) -> None:
    chain = real.chain("SPXW", REAL_DAY, real_at(10, 30))
    assert chain is not None
    four = [chain.option(i) for i in (100, 110, 250, 260)]

    def best(call: object, *arguments: object) -> float:
        assert callable(call)
        spent = []
        for _ in range(20):
            start = time.process_time()
            call(*arguments)
            spent.append(time.process_time() - start)
        return min(spent)

    def built() -> None:
        real._built.clear()
        real.chain("SPXW", REAL_DAY, real_at(11, 0))

    # Twice the aim and more: a busy machine is no failure.
    assert best(built) < 0.005
    assert best(real.quotes, four, real_at(10, 30)) < 0.000_2


def test_it_is_a_market_data_port(real: RecordedChains) -> None:
    port: MarketData = real
    assert port.spot("SPX", real_at(12, 0)) == 2_057.12
