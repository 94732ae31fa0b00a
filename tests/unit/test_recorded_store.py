"""A store's months as recorded data: slices of what is mapped, bars composed, nothing off the grid."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.storeworlds import OPEN, levels, put, quotes, raw_file, session
from tests.unit.test_recorded import HISTORY, SESSIONS

from tomking.adapters.recorded import RecordedChains
from tomking.adapters.recorded_store import StoredRecording, stored_levels
from tomking.adapters.store import Store
from tomking.adapters.store.replay import open_month
from tomking.domain.contract import Option

FRIDAY = date(2031, 3, 7)


def stored(folder: Path, *frames: pl.DataFrame) -> Store:
    store = Store(folder / "data")
    put(store, *(raw_file(folder, f"source{n}", frame) for n, frame in enumerate(frames)))
    return store


def recording(store: Store, root: str = "SPXW") -> StoredRecording:
    return StoredRecording(store, root, SESSIONS)


def after(minutes: float) -> datetime:
    return OPEN + timedelta(minutes=minutes)


def bars(*rows: tuple[float, int, float | None, float | None]) -> pl.DataFrame:
    """Quote bars: (minutes after the open, strike, bid, ask)."""
    return quotes(*((after(m), strike, bid, ask) for m, strike, bid, ask in rows))


def test_whole_chains_stay_slices_of_the_mapped_month(tmp_path: Path) -> None:
    store = stored(tmp_path, session(snapshots=3, strikes=4))
    found = recording(store)
    assert not found.is_composed
    assert [m - found.minutes[0] for m in found.minutes] == [0, 30, 60]
    mapped = open_month(store, "SPXW", "2031-03").rows
    rows = found.rows(1)
    assert np.shares_memory(rows.bid, mapped["bid"])
    assert np.shares_memory(rows.strike, mapped["strike"])
    # Counts of 0.05: the second snapshot's bids are 1.05, 1.10 ...
    assert rows.bid.tolist() == [21, 22, 23, 24]
    assert list(rows.expiries) == [FRIDAY.toordinal()]


def test_what_is_outside_the_session_is_not_read(tmp_path: Path) -> None:
    rows = bars(*((minute, 5700, 1.0, 1.1) for minute in (-1, 0, 410, 411)))
    found = recording(stored(tmp_path, rows))
    assert [m - found.minutes[0] for m in found.minutes] == [0, 410]


def test_a_daily_bar_of_quotes_is_the_days_chain(tmp_path: Path) -> None:
    # 16:15:01, as LEAN's daily bars of options are stamped.
    daily = quotes(*((after(405 + 1 / 60), 5700 + 5 * k, 1.0, 1.1) for k in range(3)))
    store = stored(tmp_path, daily, levels((after(391), 5_710.0)))
    market = RecordedChains(
        [recording(store)],
        notes=(),
        sessions=SESSIONS,
        history=HISTORY,
        levels=stored_levels(store, ["SPXW"]),
    )
    (quote,) = market.quotes([Option.parse("SPXW 2031-03-07 P5705")], after(30))
    assert quote is not None
    assert (quote.bid, quote.as_of) == (Decimal("1.00"), OPEN)


def test_a_quote_between_two_minutes_belongs_to_the_later(tmp_path: Path) -> None:
    found = recording(stored(tmp_path, bars((30.2, 5700, 1, 1.1), (30.9, 5700, 2, 2.1), (31, 5700, 3, 3.1))))
    (minute,) = found.minutes
    assert minute * 60 == after(31).timestamp()
    assert found.rows(0).bid.tolist() == [60], "the last of its minute"


def changing() -> pl.DataFrame:
    """Four contracts at the open; then one a minute, and a minute with nothing but a trade."""
    rows = [(0.0, 5700 + 5 * k, 1.0, 1.1) for k in range(4)]
    rows += [(float(m), 5700 + 5 * (m % 4), 1.0 + m, 1.1 + m) for m in range(1, 9)]
    return bars(*rows, (9.0, 5700, None, None), (70.0, 5705, 50.0, 50.1))


def test_quote_bars_are_composed_to_what_each_contract_last_said(tmp_path: Path) -> None:
    found = recording(stored(tmp_path, changing()))
    assert found.is_composed
    assert [m - found.minutes[0] for m in found.minutes] == [*range(9), 70]
    # At minute 6: 5700 of minute 4, 5705 of 5, 5710 of 6, 5715 of 3.
    assert (found.rows(6).bid / 20).tolist() == [5.0, 6.0, 7.0, 4.0]
    # An hour later only what was said since minute 10 stands.
    assert (found.rows(9).strike * 5).tolist() == [5705]
    assert any("quote bars are written when a quote changes" in note for note in found.notes)


def test_a_composed_snapshot_knows_nothing_of_later_bars(tmp_path: Path) -> None:
    whole = recording(stored(tmp_path / "whole", changing()))
    cut = changing().filter(pl.col("at") <= after(6))
    early = recording(stored(tmp_path / "early", cut))
    for number in range(7):
        a, b = (one.rows(number) for one in (whole, early))
        assert (a.strike * 5).tolist() == (b.strike * int(b.strike_unit)).tolist()
        assert (a.bid.tolist(), a.ask.tolist()) == (b.bid.tolist(), b.ask.tolist())


def test_prices_off_the_products_grid_are_nobodys_and_it_is_said(tmp_path: Path) -> None:
    found = recording(
        stored(tmp_path, bars((30, 5700, 1.01, 1.10), (30, 5705, 1.05, 1.10), (30, 5710, None, 1.15)))
    )
    rows = found.rows(0)
    assert rows.bid.tolist() == [-1, 21, -1]
    assert rows.ask.tolist() == [-1, 22, 23]
    assert any("off the quote grid of 0.05" in note for note in found.notes)


def test_a_span_opens_its_months_and_sessions_alone(tmp_path: Path) -> None:
    store = stored(tmp_path, session(), session(OPEN + timedelta(days=1)))
    found = StoredRecording(store, "SPXW", SESSIONS, date(2031, 3, 4), date(2031, 3, 4))
    assert len(found.minutes) == 3
    assert StoredRecording(store, "SPXW", SESSIONS, date(2031, 4, 1), None).minutes == []


def test_expiries_after_the_calendar_are_left_out(tmp_path: Path) -> None:
    store = stored(tmp_path, session(strikes=2), session(strikes=2).with_columns(expiry=date(2032, 1, 16)))
    rows = recording(store).rows(0)
    assert list(rows.expiries) == [FRIDAY.toordinal()]
    assert len(rows.bid) == 2


def test_the_levels_are_of_the_roots_their_families_and_the_vix(tmp_path: Path) -> None:
    store = stored(
        tmp_path,
        session(),
        levels((after(30), 5_500.0)),
        levels((after(30), 17.5), key="VIX"),
        levels((after(30), 70.0), key="TWX"),
    )
    found = stored_levels(store, ["SPXW"])
    assert set(found.series) == {("SPX", None), ("VIX", None)}
    market = RecordedChains([recording(store)], notes=(), sessions=SESSIONS, history=HISTORY, levels=found)
    assert market.spot("SPX", after(45)) == 5_500.0
    assert market.vix(after(45)) == (17.5, after(30))


@pytest.mark.parametrize("minutes", [30, 60, 90])
def test_the_market_says_what_the_store_has(tmp_path: Path, minutes: int) -> None:
    store = stored(tmp_path, session(), levels(*((after(m), 5_710.0) for m in (15, 45, 75))))
    market = RecordedChains(
        [recording(store)],
        notes=(),
        sessions=SESSIONS,
        history=HISTORY,
        levels=stored_levels(store, ["SPXW"]),
    )
    chain = market.chain("SPXW", FRIDAY, after(minutes))
    assert chain is not None
    assert chain.strikes.tolist() == [5700, 5705, 5710, 5715]
    # Bids begin at 1.00 and rise by 0.05 each half hour.
    step = minutes // 30 - 1
    (quote,) = market.quotes([Option.parse("SPXW 2031-03-07 P5700")], after(minutes))
    assert quote is not None
    assert quote.bid == Decimal("1.00") + step * Decimal("0.05")
    assert quote.as_of == after(minutes)
