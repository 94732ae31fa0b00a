"""Kinds of broken file, each with a maker and the words its error must have.

For the importers' tests, and for the command's: the same files must end with exit code 6 and an untouched
store.  ``write(folder)`` makes the file and returns its path.
"""

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

HEADER = "quote_datetime,symbol,expiration,strike,option_type,spot_price,bid,ask,volume,open_interest\n"
CELLS = {
    "at": "2016-04-29 10:00",
    "root": "SPXW",
    "expiry": "2016-04-29",
    "strike": "2070.0",
    "right": "C",
    "spot": "2068.5",
    "bid": "6.4",
    "ask": "6.7",
    "volume": "0",
    "oi": "12",
}
DX_HEADER = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE],"
    " [EXPIRE_UNIX], [DTE], [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], [C_IV], [C_VOLUME], [C_LAST],"
    " [C_SIZE], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA],"
    " [P_VEGA], [P_THETA], [P_RHO], [P_IV], [P_VOLUME], [STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]\n"
)
DX_ROW = (
    "1638392400, 2021-12-01 16:00, 2021-12-01, 16.0, 450.44, 2021-12-03, 1638565200, 2.0, 0.98, 0.0, 0.0,"
    " -0.4, 0.0, 3.9, , 147.87, 300 x 300, 139.61, 142.1, 310.0, 0.0, 0.01, 0 x 4522, 0.03, 0.0, 0.0, 0.0,"
    " 0.0, 0.0, 2.5, 7.0, 140.4, 0.312\n"
)
BENTO_HEADER = (
    "ts_recv,ts_event,rtype,publisher_id,instrument_id,side,price,size,flags,bid_px_00,ask_px_00,bid_sz_00,"
    "ask_sz_00,bid_pb_00,ask_pb_00,symbol\n"
)
BENTO_ROW = (
    "1688391000000000000,1688390999999999999,193,30,7,N,,0,0,1483600000000,1503200000000,5,7,30,30,"
    "SPXW  230721C03000000\n"
)
ORATS_HEADER = (
    "ticker,tradeDate,expirDate,dte,strike,stockPrice,callVolume,callOpenInterest,callBidSize,callAskSize,"
    "putVolume,putOpenInterest,putBidSize,putAskSize,callBidPrice,callValue,callAskPrice,putBidPrice,putValue,"
    "putAskPrice,callBidIv,callMidIv,callAskIv,smvVol,putBidIv,putMidIv,putAskIv,residualRate,delta,gamma,"
    "theta,vega,rho,phi,driftlessTheta,callSmvVol,putSmvVol,extSmvVol,extCallValue,extPutValue,spotPrice,"
    "quoteDate,updatedAt,snapShotEstTime,snapShotDate\n"
)
ORATS_ROW = (
    "A,2020-08-20,2020-08-21,2,32.5,97.8,0,0,3,31,0,10,0,10,62.9,65.3,67.5,0,0,0.05,0,0,0,0.42,0,0,0,0.08,1,0,"
    "0,0,0,0,0,0.3,0.4,0.3,65.3,0,97.8,2020-08-20T15:29:16Z,2020-08-20T15:29:22Z,1130,2020-08-20T15:30:01Z\n"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to be broken."""

    name: str
    write: Callable[[Path], Path]
    """Makes the file in a folder and returns its path."""
    format: str
    """Which importer to ask."""
    words: tuple[str, ...]
    """What the error must say, besides the path of the file."""
    product: str | None = None
    """What to give as ``--product``, so that the file breaks on what it is meant to break on."""
    root_reads_it: bool = False
    """A superuser is not stopped by file modes: skip there."""


def row(**cells: str) -> str:
    """A line of the small layout, some cells replaced."""
    return ",".join({**CELLS, **cells}.values()) + "\n"


def text(content: str | bytes, name: str = "chain.csv") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def bad(**cells: str) -> Callable[[Path], Path]:
    """A good row, then one with some cells replaced: row 3 of the file."""
    return text(HEADER + row() + row(**{"strike": "2075.0", **cells}))


def archive(members: dict[str, str], *, cut: int = 0, locked: bool = False) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in members.items():
                made.writestr(name, content)
        raw = bytearray(buffer.getvalue())
        if locked:  # the flag of an encrypted member, in its own and in the central header
            for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
                at = raw.find(mark) + offset
                raw[at : at + 2] = struct.pack("<H", 1)
        return text(bytes(raw[: len(raw) - cut]), "chain.zip")(folder)

    return write


def damaged_member(folder: Path) -> Path:
    """A zip whose directory is whole but whose content is not."""
    path = archive({"a.csv": HEADER + "".join(row(strike=f"{k}.0") for k in range(1000, 3000))})(folder)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(bytes(raw))
    return path


def parquet(frame: pl.DataFrame, *, cut: int = 0) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "chain.parquet"
        frame.write_parquet(path)
        raw = path.read_bytes()
        path.write_bytes(raw[: len(raw) - cut])
        return path

    return write


def frame(**columns: object) -> pl.DataFrame:
    good: dict[str, object] = {
        "quote_datetime": ["2016-04-29 10:00"],
        "symbol": ["SPXW"],
        "expiration": ["2016-04-29"],
        "strike": [2070.0],
        "option_type": ["C"],
        "spot_price": [2068.5],
        "bid": [6.4],
        "ask": [6.7],
        "volume": [0],
        "open_interest": [12],
    }
    return pl.DataFrame(good | columns)


def folder_instead(folder: Path) -> Path:
    path = folder / "chain.csv"
    path.mkdir()
    return path


def nowhere(folder: Path) -> Path:
    return folder / "nothing.csv"


def forbidden(folder: Path) -> Path:
    path = text(HEADER + row())(folder)
    path.chmod(0)
    return path


def endless_link(folder: Path) -> Path:
    path = folder / "chain.csv"
    path.symlink_to(path)
    return path


def zstd(content: bytes, cut: int) -> bytes:
    raw: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return raw[: len(raw) - cut]


_LINE = HEADER + row()
_MANY = (HEADER + "".join(row(strike=f"{k}.0") for k in range(1000, 4000))).encode()
_GZ = gzip.compress(_MANY, mtime=0)
_NOISE = bytes((i * 7919 + i // 3) % 256 for i in range(5000))
_D = "datashop"

KINDS: tuple[Kind, ...] = (
    # archives
    Kind("truncated gzip", text(_GZ[: len(_GZ) // 2], "chain.csv.gz"), _D, ("cut off", "fetch the file")),
    Kind("gzip without its end", text(_GZ[:-6], "chain.csv.gz"), _D, ("damaged or cut off", "row 2")),
    Kind("gzip with a wrong checksum", text(_GZ[:-8] + b"\1\2\3\4" + _GZ[-4:]), _D, ("damaged", "CRC")),
    Kind("truncated zip", archive({"a.csv": _LINE}, cut=30), _D, ("damaged or cut off", "fetch the file")),
    Kind("zip with a damaged member", damaged_member, _D, ("a.csv", "damaged")),
    Kind("empty zip", archive({}), _D, ("holds no file",)),
    Kind("zip with a password", archive({"a.csv": _LINE}, locked=True), _D, ("a.csv", "password")),
    Kind("zip that leads out", archive({"../a.csv": _LINE}), _D, ("../a.csv", "leads out")),
    Kind("zip with an absolute name", archive({"/etc/a.csv": _LINE}), _D, ("/etc/a.csv", "leads out")),
    Kind("zip of something else", archive({"a.pdf": "x"}), _D, ("a.pdf", "not a table")),
    Kind(
        "zip, second table broken",
        archive({"a.csv": _LINE, "b.csv": HEADER + row(strike="x")}),
        _D,
        ("b.csv", "row 2, column strike", "'x'"),
    ),
    Kind(
        "zip, second table of another layout",
        archive({"a.csv": _LINE, "b.csv": "a,b\n1,2\n"}),
        _D,
        ("b.csv", "row 1", "no column"),
    ),
    Kind("truncated zstandard", text(zstd(_MANY, 20), "chain.csv.zst"), _D, ("fetch the file",)),
    # not a table at all
    Kind("empty file", text(b""), _D, ("is empty",)),
    Kind("only line ends", text(b"\n\n\n"), _D, ("row 1",)),
    Kind("header only", text(HEADER), _D, ("row 1", "no rows below the header")),
    Kind("binary garbage", text(_NOISE), _D, ("row", "UTF-8")),
    Kind(
        "web page",
        text("<!DOCTYPE html><html><body>Please sign in</body></html>"),
        _D,
        ("web page", "download it again"),
    ),
    Kind("JSON", text('{"error": "quota exceeded"}'), _D, ("JSON", "CSV")),
    Kind("UTF-16", text((HEADER + row()).encode("utf-16")), _D, ("UTF-16", "UTF-8")),
    Kind("UTF-16 without a mark", text((HEADER + row()).encode("utf-16-le")), _D, ("NUL", "row 1")),
    Kind(
        "latin-1 bytes",
        text((HEADER + row() + row(root="Zürich")).encode("latin-1")),
        _D,
        ("row 3", "0xfc", "UTF-8"),
    ),
    Kind("NUL bytes", text(HEADER + row() + row(bid="6.\0004")), _D, ("row 3", "NUL")),
    Kind(
        "carriage returns alone", text((HEADER + row()).replace("\n", "\r")), _D, ("row 1", "carriage return")
    ),
    Kind(
        "one carriage return alone",
        text(HEADER + row() + row().replace("C,", "C\r,")),
        _D,
        ("row 3", "carriage return"),
    ),
    Kind("10-million-character line", text(HEADER + row() + "1" * 10_000_000), _D, ("row 3", "longer than")),
    Kind("10-million-field line", text(HEADER + row() + "1," * 10_000_000), _D, ("row 3", "longer than")),
    Kind("10-million-character header", text("x" * 10_000_000), _D, ("row 1", "longer than")),
    Kind("half-a-million-character header", text("x" * 500_000 + "\n1\n"), _D, ("row 1", "not the layout")),
    Kind(
        "half-a-million-field row", text(HEADER + row() + "1," * 500_000 + "\n"), _D, ("row 3", "more fields")
    ),
    Kind("quote not closed", text(HEADER + row() + row(root='"SPXW')), _D, ("row 3", "not closed")),
    # the file itself
    Kind("folder instead of a file", folder_instead, _D, ("is a folder",)),
    Kind("missing file", nowhere, _D, ("no such file",)),
    Kind("no permission", forbidden, _D, ("no permission",), root_reads_it=True),
    Kind("link to itself", endless_link, _D, ("cannot be read",)),
    # headers
    Kind(
        "wrong header",
        text("date,open,high,low,close\n2016-04-29,1,2,3,4\n"),
        _D,
        ("row 1", "not the layout"),
    ),
    Kind("no header", text(row() + row()), _D, ("row 1", "not the layout")),
    Kind(
        "missing column",
        text(HEADER.replace("strike", "strik") + row()),
        _D,
        ("row 1, column strike", 'did you mean "strik"?'),
    ),
    Kind(
        "duplicated column",
        text(HEADER.replace("volume,", "volume,bid,") + row(volume="0,1")),
        _D,
        ("row 1, column bid", "twice"),
    ),
    Kind("semicolons", text((HEADER + row()).replace(",", ";")), _D, ("row 1", "semicolons", "separator")),
    Kind("tabs", text((HEADER + row()).replace(",", "\t")), _D, ("row 1", "tabs", "separator")),
    # rows
    Kind(
        "extra field in a row",
        text(HEADER + row() + row(volume="0,0")),
        _D,
        ("row 3", "more fields than", "10"),
    ),
    Kind(
        "field missing in a row",
        text(HEADER + row() + "2016-04-29 10:00,SPXW\n"),
        _D,
        ("row 3", "fewer fields than"),
    ),
    Kind("blank line inside", text(HEADER + row() + "\n" + row()), _D, ("row 3", "is empty")),
    # cells
    Kind("comma as decimal", bad(bid='"6,4"'), _D, ("row 3, column bid", "'6,4'", "point")),
    Kind("thousands separators", bad(strike='"2,075.0"'), _D, ("row 3, column strike", "'2,075.0'", "point")),
    Kind("unquoted thousands separator", bad(strike="2,075.0"), _D, ("row 3", "more fields")),
    Kind("text for a number", bad(ask="n/a"), _D, ("row 3, column ask", "'n/a'", "not a number")),
    Kind("currency sign", bad(bid="$6.40"), _D, ("row 3, column bid", "'$6.40'")),
    Kind("infinite", bad(ask="inf"), _D, ("row 3, column ask", "'inf'", "finite")),
    Kind("NaN as text", bad(bid="NaN"), _D, ("row 3, column bid", "'NaN'", "empty")),
    Kind("exponent overflow", bad(bid="1e400"), _D, ("row 3, column bid", "'1e400'")),
    Kind("absurdly large", bad(ask="1e12"), _D, ("row 3, column ask", "too large")),
    Kind("negative strike", bad(strike="-2075.0"), _D, ("row 3, column strike", "above 0")),
    Kind("no strike", bad(strike=""), _D, ("row 3, column strike", "is empty")),
    Kind("strike of many decimals", bad(strike="2075.0000017"), _D, ("row 3, column strike", "decimals")),
    Kind("half a contract", bad(volume="0.5"), _D, ("row 3, column volume", "whole number")),
    Kind("unreadable expiry", bad(expiry="29. April"), _D, ("row 3, column expiration", "'29. April'")),
    Kind("impossible expiry", bad(expiry="2016-04-31"), _D, ("row 3, column expiration", "'2016-04-31'")),
    Kind(
        "expiry before the quote",
        bad(expiry="2016-04-15"),
        _D,
        ("row 3, column expiration", "expired more than"),
    ),
    Kind("expiry of another age", bad(expiry="0016-04-29"), _D, ("row 3, column expiration", "outside 1990")),
    Kind("unknown right", bad(right="X"), _D, ("row 3, column option_type", "'X'", "call nor put")),
    Kind("unknown root", bad(root="?!"), _D, ("row 3, column symbol", "'?!'", "option root")),
    Kind(
        "root that leads out of a folder",
        bad(root="A/../../B"),
        _D,
        ("row 3, column symbol", "'A/../../B'", "option root"),
    ),
    Kind("no stamp", bad(at=""), _D, ("row 3, column quote_datetime", "is empty")),
    Kind("unreadable stamp", bad(at="29/04/2016 10h"), _D, ("row 3, column quote_datetime", "iso")),
    Kind(
        "stamp without a time", bad(at="2016-04-29"), _D, ("row 3, column quote_datetime", "no time of day")
    ),
    Kind("time that is not", bad(at="2016-03-13 02:30"), _D, ("row 3", "does not exist in America/New_York")),
    Kind("time that is twice", bad(at="2015-11-01 01:30"), _D, ("row 3", "twice in America/New_York")),
    Kind(
        "mixed time zones",
        bad(at="2016-04-29T14:00Z"),
        _D,
        ("row 3, column quote_datetime", "mixes time zones"),
    ),
    # other layouts
    Kind(
        "OptionsDX: bad sizes",
        text(DX_HEADER + DX_ROW.replace("300 x 300", "300 by 300"), "spy.txt"),
        "optionsdx",
        ("row 2, column C_SIZE", "300 x 12"),
        product="SPY",
    ),
    Kind(
        "OptionsDX: bad put",
        text(DX_HEADER + DX_ROW + DX_ROW.replace(" 0.01,", " O.01,"), "spy.txt"),
        "optionsdx",
        ("row 3, column P_ASK", "O.01"),
        product="SPY",
    ),
    Kind(
        "OptionsDX: no column",
        text(DX_HEADER.replace("[STRIKE]", "[K]") + DX_ROW),
        "optionsdx",
        ("row 1, column strike",),
        product="SPY",
    ),
    Kind(
        "Databento: bad symbol",
        text(BENTO_HEADER + BENTO_ROW + BENTO_ROW.replace("C0", "X0")),
        "databento",
        ("row 3, column symbol", "OSI"),
    ),
    Kind(
        "Databento: impossible expiry",
        text(BENTO_HEADER + BENTO_ROW.replace("230721", "231321")),
        "databento",
        ("row 2, column symbol", "impossible expiry"),
    ),
    Kind(
        "Databento: strike of 0",
        text(BENTO_HEADER + BENTO_ROW.replace("03000000", "00000000")),
        "databento",
        ("row 2, column symbol", "strike of 0"),
    ),
    Kind(
        "Databento: bad price",
        text(BENTO_HEADER + BENTO_ROW.replace("1483600000000", "14836OO")),
        "databento",
        ("row 2, column bid_px_00", "not a number"),
    ),
    Kind(
        "Databento: two venues",
        text((BENTO_HEADER + BENTO_ROW + BENTO_ROW.replace("193,30,", "193,22,")).replace("_pb_", "_ct_")),
        "databento",
        ("row 3, column publisher_id", "another"),
    ),
    Kind(
        "Databento: stamp of seconds",
        text(BENTO_HEADER + BENTO_ROW.replace("1688391000000000000", "1688391000")),
        "databento",
        ("row 2, column ts_recv", "outside 1990"),
    ),
    Kind(
        "ORATS: bad size",
        text(ORATS_HEADER + ORATS_ROW.replace(",3,31,", ",3.5,31,")),
        "orats",
        ("row 2, column callBidSize", "whole number"),
    ),
    Kind(
        "ORATS: bad stamp",
        text(ORATS_HEADER + ORATS_ROW.replace("15:30:01Z", "25:30:01Z")),
        "orats",
        ("row 2, column snapShotDate",),
    ),
    Kind(
        "Yahoo: no root",
        text(
            "expiration,type,strike,bid,ask,open_interest,volume\n2026-08-03,C,4800,1,2,0,0\n",
            "x_20260731.csv",
        ),
        "yahoo",
        ("--product",),
    ),
    Kind(
        "Yahoo: no moment",
        text("contractSymbol,bid,ask,volume,openInterest\nSPY260925C00595000,1,2,0,0\n"),
        "yahoo",
        ("--at",),
    ),
    Kind(
        "historicaloptiondata: day before month",
        text(
            "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration,DataDate,Strike,Last,Bid,Ask,"
            "Volume,OpenInterest\nA,48.74,*,A131019C00050000,,call,10/19/2013,16/09/2013,50,0.71,0.67,0.7,20,2359\n"
        ),
        "optiondata",
        ("row 2, column DataDate", "16/09/2013"),
    ),
    # Parquet
    Kind("truncated Parquet", parquet(frame(), cut=40), _D, ("Parquet",)),
    Kind("Parquet with wrong types", parquet(frame(strike=[True])), _D, ("row 1, column strike", "bool")),
    Kind("Parquet with text for a price", parquet(frame(bid=["six"])), _D, ("row 1, column bid", "'six'")),
    Kind("Parquet without a column", parquet(frame().drop("ask")), _D, ("row 1, column ask",)),
    Kind("Parquet without rows", parquet(frame().clear()), _D, ("no rows",)),
    Kind(
        "Parquet with a missing strike",
        parquet(frame(strike=[None])),
        _D,
        ("row 1, column strike", "is empty"),
    ),
)
"""Every kind; the importer named in ``format`` must refuse it."""

IS_SUPERUSER = os.name == "posix" and os.geteuid() == 0
