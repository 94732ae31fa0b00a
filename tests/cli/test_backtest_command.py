"""What a user of `tomking backtest` types, right and wrong, and what is left behind.

The run itself is a fake here; everything before it and after it is real.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from tomking.app.cli.shell import run
from tomking.app.exits import Exit
from tomking.app.problems import problem
from tomking.app.request import Progress, Request, Result
from tomking.app.sections import DEFAULT_ON, STRATEGIES
from tomking.domain.errors import BadData

NAMES = ", ".join(f'"{id_}"' for id_ in STRATEGIES)


@dataclass
class FakeRun:
    """Stands for ``tomking.app.backtest.run``: keeps what it was asked, raises what it is told to."""

    asked: list[Request] = field(default_factory=list[Request])
    raises: BaseException | None = None

    def __call__(self, request: Request, progress: Progress) -> Result:
        self.asked.append(request)
        progress(1, 2, "1990")
        if self.raises:
            raise self.raises
        return Result(
            report=request.report, run={"seed": request.seed, "report": request.report}, summary="one\ntwo"
        )


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRun:
    """An empty working directory, no configuration of the user's, and a run that costs nothing."""
    made = FakeRun()
    monkeypatch.setitem(sys.modules, "tomking.app.backtest", SimpleNamespace(run=made))
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return made


@dataclass(frozen=True)
class Ended:
    code: int
    out: list[str]
    err: list[str]


@pytest.fixture
def typed(fake: FakeRun, capsys: pytest.CaptureFixture[str]) -> "Typed":
    return Typed(fake, capsys)


@dataclass(frozen=True)
class Typed:
    fake: FakeRun
    capsys: pytest.CaptureFixture[str]

    def __call__(self, words: str | Sequence[str]) -> Ended:
        code = run(["backtest", *(words.split() if isinstance(words, str) else words)])
        out, err = self.capsys.readouterr()
        return Ended(code, out.splitlines(), [line.removeprefix("tomking: ") for line in err.splitlines()])

    def refused(self, words: str | Sequence[str]) -> Ended:
        """What is said of bad input: nothing has run, nothing is printed, nothing is left behind."""
        ended = self(words)
        assert ended.code != 0
        assert ended.out == []
        assert self.fake.asked == []
        assert not any("Traceback" in line for line in ended.err)
        return ended


def left_behind() -> list[str]:
    return sorted(str(p) for p in Path().rglob("*"))


def test_without_options_it_asks_for_everything_by_default(typed: Typed) -> None:
    ended = typed("")
    (asked,) = typed.fake.asked
    assert ended.code == Exit.OK
    assert (asked.start, asked.end) == (date(1990, 1, 2), date(2024, 12, 30))
    assert asked.strategies == DEFAULT_ON
    assert (asked.seed, asked.capital, asked.chains) == (1, Decimal(200_000), None)
    assert asked.report == Path("runs/1990-01-02_2024-12-30_seed1/report.html")


def test_the_last_line_is_the_reports_path_and_progress_stays_off_stdout(typed: Typed) -> None:
    ended = typed("--report out/my.html")
    assert ended.out == ["one", "two", "out/my.html"]
    assert ended.err == ["backtest running"]


def test_every_option_reaches_the_request(typed: Typed) -> None:
    typed(
        "--start 2008-01-02 --end 2009-12-31 --strategies lt112 --seed 7 --capital 44450 --report small.html"
    )
    (asked,) = typed.fake.asked
    assert (asked.start, asked.end, asked.strategies) == (date(2008, 1, 2), date(2009, 12, 31), ("lt112",))
    assert (asked.seed, asked.capital, asked.report) == (7, Decimal(44450), Path("small.html"))
    assert asked.config.provenance["account.capital"] == "--capital"


def test_an_option_wins_over_set_environment_and_file(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("my.toml").write_text("[backtest]\nseed = 2\n\n[account]\ncapital = '1000'\n")
    monkeypatch.setenv("TOMKING__BACKTEST__SEED", "3")
    typed("--seed 5 --set backtest.seed=4 --config my.toml")
    (asked,) = typed.fake.asked
    assert (asked.seed, asked.capital) == (5, Decimal(1000))


def test_json_puts_the_run_on_stdout_and_nothing_else(typed: Typed) -> None:
    ended = typed("--json --report a.html")
    assert json.loads("\n".join(ended.out)) == {"seed": 1, "report": "a.html"}


def test_recorded_chains_decide_the_days_unless_they_are_named(typed: Typed) -> None:
    Path("quotes.csv.gz").write_bytes(b"x")
    typed("--chains quotes.csv.gz")
    typed("--chains quotes.csv.gz --start 2025-02-03")
    whole, named = typed.fake.asked
    assert (whole.start, whole.end, whole.report) == (None, None, Path("runs/quotes_seed1/report.html"))
    assert (named.start, named.end) == (date(2025, 2, 3), None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--strat lt112", '--strat: unknown option; did you mean "--strategies"? (see tomking backtest -h)'),
        ("--sed=7", '--sed: unknown option; did you mean "--seed"? (see tomking backtest -h)'),
        ("--captial 5", '--captial: unknown option; did you mean "--capital"? (see tomking backtest -h)'),
        ("lt112", "lt112: unexpected word; options start with -- (see tomking backtest -h)"),
        ("--seed", "Option '--seed' requires an argument. (see tomking backtest -h)"),
        ("--json=yes", "Option '--json' does not take a value. (see tomking backtest -h)"),
        (
            "--strategies lt12",
            (
                f"--strategies lt12: must be one or more of {NAMES}"
                f' ("lt12": did you mean "lt112"?); for example --strategies {",".join(DEFAULT_ON)}'
            ),
        ),
        (
            "--start 2016-04-31",
            "--start 2016-04-31: must be an existing date written YYYY-MM-DD",
        ),
        ("--start yesterday", "--start yesterday: must be an existing date written YYYY-MM-DD"),
        ("--end 20161231", "--end 20161231: must be an existing date written YYYY-MM-DD"),
        ("--end 2016-1-1", "--end 2016-1-1: must be an existing date written YYYY-MM-DD"),
        (
            "--start 2016-01-04 --end 2015-01-02",
            "backtest (--start, --end): the end 2015-01-02 is before the start 2016-01-04; give an end on or",
        ),
        ("--strategies lt112,lt112", "backtest (--strategies): a strategy is named twice in lt112,lt112"),
        ("--seed 1.5", "--seed 1.5: must be a whole number from 0 to"),
        ("--seed -1", "--seed -1: must be a whole number from 0 to"),
        ("--capital 0", "--capital 0: must be a number from 1 to 1000000000; for example --capital 200000"),
        ("--capital NaN", "--capital NaN: must be a number from 1"),
        ("--capital £5", "--capital £5: must be a number from 1"),
        ("--set capital", "--set capital: must be key=value; for example --set account.capital=44450"),
        ("--report out.pdf", "--report out.pdf: must end in .html; for example --report out.html"),
    ],
)
def test_bad_usage_ends_with_2_and_one_line(words: str, said: str, typed: Typed) -> None:
    ended = typed.refused(words)
    assert ended.code == Exit.USAGE
    assert len(ended.err) == 1
    assert ended.err[0].startswith(said)
    assert left_behind() == []


@pytest.mark.parametrize(
    "words",
    [
        "--set acount.capital=1",
        "--set account.capital=lots",
        "--set backtest.seed=-1",
        "--set backtest.start=1.1.1990",
        "--config absent.toml",
        "--set backtest.end=1990-01-02 --set backtest.start=1991-01-02",
    ],
)
def test_bad_configuration_ends_with_3_and_one_line(words: str, typed: Typed) -> None:
    ended = typed.refused(words)
    assert (ended.code, len(ended.err)) == (Exit.CONFIG, 1)
    assert left_behind() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--start 1989-12-29",
            "the start 1989-12-29 is outside the data: the history runs from 1990-01-02 to 2024-12-30",
        ),
        ("--end 2025-01-02", "the end 2025-01-02 is outside the data"),
        ("--chains absent.csv", "--chains absent.csv: there is no such file"),
        (["--chains", "."], "--chains .: is a directory"),
    ],
)
def test_missing_data_ends_with_6_and_one_line(words: str, said: str, typed: Typed) -> None:
    ended = typed.refused(words)
    assert (ended.code, len(ended.err)) == (Exit.DATA, 1)
    assert ended.err[0].startswith(said)
    assert left_behind() == []


def test_everything_that_is_wrong_is_said_at_once_and_usage_decides(typed: Typed) -> None:
    words = "--strat x --end 2016-13-01 --start 1980-01-02 --set acount.capital=1 --set y --chains absent.csv"
    ended = typed.refused(f"{words} --report a.pdf stray")
    assert ended.code == Exit.USAGE
    assert [line.split(" ")[0].rstrip(":") for line in ended.err] == [
        "--strat",
        "stray",
        "--set",
        "--end",
        "--report",
        "acount.capital",
        "--chains",
    ]


def test_a_malformed_chain_file_is_told_together_with_the_rest(typed: Typed) -> None:
    Path("quotes.csv").write_text("this,is,no\nchain,file,at all\n")
    ended = typed.refused("--chains quotes.csv --set acount.capital=1")
    assert ended.code == Exit.CONFIG
    assert len(ended.err) >= 2
    assert "quotes.csv" in ended.err[1]
    assert left_behind() == ["quotes.csv"]


def test_problems_of_the_run_itself_are_lines_too(typed: Typed) -> None:
    typed.fake.raises = BadData(["quotes.csv:3: no expiry", "quotes.csv:9: no strike"])
    ended = typed("")
    assert (ended.code, ended.out) == (Exit.DATA, [])
    assert ended.err[1:] == ["quotes.csv:3: no expiry", "quotes.csv:9: no strike"]
    typed.fake.raises = problem(Exit.DATA, "no session from 2016-04-30 to 2016-05-01")
    assert typed("").err[1:] == ["no session from 2016-04-30 to 2016-05-01"]


def test_an_unexpected_error_is_one_line_unless_the_traceback_is_asked_for(typed: Typed) -> None:
    typed.fake.raises = ZeroDivisionError("a\nb")
    ended = typed("")
    assert ended.code == Exit.BUG
    assert ended.err[1:] == [
        "unexpected error: ZeroDivisionError: a b; run again with --debug for the traceback"
    ]
    with pytest.raises(ZeroDivisionError):
        typed("--debug")


def test_an_interrupt_ends_with_130(typed: Typed) -> None:
    typed.fake.raises = KeyboardInterrupt()
    ended = typed("")
    assert (ended.code, ended.err[1:]) == (130, ["interrupted (SIGINT, Ctrl-C)"])


def test_a_report_may_not_go_where_it_cannot_be_written(typed: Typed) -> None:
    Path("dir.html").mkdir()
    Path("file").write_text("")
    assert "is a directory" in typed.refused("--report dir.html").err[0]
    assert "is a file, not a directory" in typed.refused("--report file/a.html").err[0]
    assert left_behind() == ["dir.html", "file"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--report", ""], "names no file"),
        (["--report", "a" * 300 + ".html"], "File name too long; choose another place"),
        (["--capital", "44450.123"], "must be in whole cents; for example --capital 44450.12"),
        (["--strategies", "lt112,,friday"], '("friday": did you mean "friday_0dte"?)'),
        (["--strat", "lt112"], '--strat: unknown option; did you mean "--strategies"?'),
    ],
)
def test_values_that_once_slipped_through_end_with_2(typed: Typed, words: list[str], said: str) -> None:
    ended = typed.refused(words)
    assert ended.code == Exit.USAGE
    (line,) = ended.err
    assert said in line


@pytest.mark.parametrize("name", ["trades.csv", "run.json", "journal.sqlite"])
def test_a_directory_in_the_place_of_a_file_is_seen_before_the_run(typed: Typed, name: str) -> None:
    Path("out", name).mkdir(parents=True)
    ended = typed.refused("--report out/report.html")
    assert ended.code == Exit.USAGE
    assert ended.err == [
        f"--report out/report.html: out/{name} is a directory where a file goes; choose another place"
    ]


def test_a_place_that_takes_no_file_is_seen_before_the_run_even_by_root(typed: Typed) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    ended = typed.refused("--report /proc/report.html")
    assert ended.code == Exit.USAGE
    assert ended.err == ["--report /proc/report.html: /proc may not be written to; choose another place"]


def test_an_end_before_the_start_is_told_beside_other_problems(typed: Typed) -> None:
    ended = typed.refused("--start 2020-05-01 --end 2020-04-01 --seed x")
    assert ended.code == Exit.USAGE
    assert len(ended.err) == 2
    assert "the end 2020-04-01 is before the start 2020-05-01" in ended.err[1]


def test_a_file_that_is_not_toml_is_told_with_the_line(typed: Typed) -> None:
    Path("my.toml").write_text("[backtest]\nstart = 2024-13-01\n")
    ended = typed.refused("--config my.toml")
    assert ended.code == Exit.CONFIG
    assert ended.err[0].endswith("(at line 2, column 13): start = 2024-13-01; correct that line")


def test_a_list_given_as_a_word_is_told_that_it_must_be_a_list(typed: Typed) -> None:
    Path("my.toml").write_text('[backtest]\nstrategies = "lt112"\nseed = true\n')
    ended = typed.refused("--config my.toml")
    assert ended.code == Exit.CONFIG
    assert f"must be a list of {NAMES}" in ended.err[0]
    assert ended.err[1].startswith("backtest.seed = true (my.toml:3)")
