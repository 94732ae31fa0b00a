"""The store on real samples, from the file on the user's disk to the quote that a strategy reads."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.storeworlds import contents

from tomking.adapters.importers.known import recognised
from tomking.adapters.importers.raw import Source
from tomking.adapters.store import Store
from tomking.adapters.store.columns import read_columns
from tomking.adapters.store.importing import import_sources
from tomking.adapters.store.replay import open_month
from tomking.adapters.store.reports import ImportReport
from tomking.adapters.verify import check, load_context
from tomking.domain.calendar import wall_instant
from tomking.domain.contract import Right

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
FRIDAY = date(2016, 4, 29)

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")


def stored(store: Store, path: Path) -> ImportReport:
    """Imported as the command does, with all checks."""
    importer, context = recognised(path), load_context()
    sources = [Source(file) for file in importer.files(path)]
    return import_sources(store, importer, sources, check=lambda rows, _: check(rows, context))


def test_expiry_friday_can_be_replayed_after_two_imports(tmp_path: Path) -> None:
    store = Store(tmp_path)
    report = stored(store, DATA / "chains/spxw_15min_20160429_0dte.csv.gz")
    assert (report.totals.read, report.totals.quarantined) == (128_844, 368)
    before = contents(tmp_path)
    assert not stored(store, DATA / "chains/spxw_15min_20160429_0dte.csv.gz").changed
    assert contents(tmp_path) == before
    month = open_month(store, "SPXW", "2016-04")
    number = month.latest(wall_instant(FRIDAY, time(10, 44)))
    assert number is not None
    assert month.at(number) == wall_instant(FRIDAY, time(10, 30))
    # 2016-04-29 10:30,SPXW,2016-04-29,300.0,C,2065.61,1759.1,1772.6
    life = month.contract(FRIDAY, Right.CALL, Decimal(300))
    row = life.at.tolist().index(int(month.instants[number]))
    assert (life.bid[row] * month.price_unit, life.ask[row] * month.price_unit) == (
        Decimal("1759.10"),
        Decimal("1772.60"),
    )
    assert month.spot[number] == 2065.61


def test_a_lean_folder_is_stored_whole_with_its_underlying(tmp_path: Path) -> None:
    store = Store(tmp_path)
    report = stored(store, DATA / "lean/indexoption")
    assert report.totals.read == report.totals.kept + report.totals.already + report.totals.quarantined
    (root,) = {o.name for o in store.overview() if o.kind == "quotes" and o.name == "SPXW"}
    assert store.verify() == ()
    before = contents(tmp_path)
    assert not stored(store, DATA / "lean/indexoption").changed
    assert contents(tmp_path) == before
    (first, *_), (*_, last) = (store.months(root)[sorted(store.months(root))[n]].sessions for n in (0, -1))
    columns = read_columns(store, root, first.day, last.day)
    assert columns.minute.size == sum(r.rows for r in store.months(root).values())
    assert (np.diff(columns.minute) >= 0).all()
    assert columns.price_unit == Decimal("0.05")
