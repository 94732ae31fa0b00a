"""The layers, what they refuse and how they say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.app import config as under_test
from tomking.app.cli.configuration import _as_toml
from tomking.app.config import Config, Override, check_config, config_path, load_config, parse_assignment
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems
from tomking.app.sections import DEFAULT_ON, STRATEGIES, Account, Backtest, sections
from tomking.app.values import read_text, read_toml, to_text, to_toml
from tomking.domain.settings import setting, settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Condor:
    wing_points: Decimal = setting(
        Decimal(30), low=Decimal(5), high=Decimal(100), source="B.1", doc="Long legs beyond the shorts."
    )
    short_atr: float = setting(0.5, low=0.1, high=2.0, source="B.1", doc="Shorts in daily ranges.")
    units: int = setting(1, low=1, high=10, source="A.4", doc="Most units.")
    vix_gate: bool = setting(True, source="B.1", doc="Only above the threshold.", research=True)
    enter_at: time = setting(time(10, 30), source="B.1", doc="Window's start, New York.")
    weekdays: tuple[int, ...] = setting((5,), low=1, high=5, source="B.1", doc="Monday is 1.")
    gate: str = setting("warn", choices=("off", "warn", "on"), source="0.4, ruling 4", doc="Kelly.")
    cap: float | None = setting(None, low=0.0, high=1.0, source="C.1", doc="None for no cap.")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    """Three sections, so that these tests do not depend on the strategies' own numbers."""
    found: dict[str, type] = {"account": Account, "backtest": Backtest, "strategies.friday_0dte": Condor}
    monkeypatch.setattr(under_test, "sections", lambda: found)
    return found


def load(
    tmp_path: Path,
    text: str | None = None,
    *,
    env: dict[str, str] | None = None,
    flags: Sequence[Override] = (),
) -> Config:
    """The configuration of one file's text and of nothing else on this machine."""
    path = None
    if text is not None:
        path = tmp_path / "my.toml"
        path.write_text(text)
    return load_config(
        path=path, environment={"TOMKING_HOME": str(tmp_path / "home"), **(env or {})}, overrides=flags
    )


def lines(
    tmp_path: Path, text: str | None = None, *, env: dict[str, str] | None = None, set_: str = ""
) -> list[str]:
    """What is said of a bad configuration."""
    flags = []
    if set_:
        flag = parse_assignment(set_)
        assert isinstance(flag, Override)
        flags.append(flag)
    with pytest.raises(Problems) as caught:
        load(tmp_path, text, env=env, flags=flags)
    assert caught.value.code is Exit.CONFIG
    return [line.replace(f"{tmp_path}/", "") for line in caught.value.lines]


def test_without_anything_the_defaults_of_ruling_4_stand(tmp_path: Path, known: dict[str, type]) -> None:
    config = load(tmp_path)
    assert config.section("account", Account).capital == Decimal(200_000)
    assert config.section("backtest", Backtest) == Backtest(
        start=None, end=None, seed=1, strategies=DEFAULT_ON, events=None
    )
    assert set(config.provenance.values()) == {"default"}


def test_each_layer_beats_the_one_before_and_says_where_it_was_set(
    tmp_path: Path, known: dict[str, type]
) -> None:
    text = '[account]\ncapital = "44450"\n\n[strategies.friday_0dte]\nwing_points = "25"\nunits = 2\n'
    env = {
        "TOMKING__STRATEGIES__FRIDAY_0DTE__UNITS": "3",
        "TOMKING__STRATEGIES__FRIDAY_0DTE__WING_POINTS": "20",
    }
    config = load(tmp_path, text, env=env, flags=[Override("friday_0dte.units", "4", "--set")])
    condor = config.section("strategies.friday_0dte", Condor)
    assert config.section("account", Account).capital == Decimal(44450)
    assert condor.wing_points == Decimal(20)
    assert condor.units == 4
    assert config.provenance["account.capital"] == f"{tmp_path}/my.toml:2"
    assert (
        config.provenance["strategies.friday_0dte.wing_points"]
        == "TOMKING__STRATEGIES__FRIDAY_0DTE__WING_POINTS"
    )
    assert config.provenance["strategies.friday_0dte.units"] == "--set"
    assert config.provenance["strategies.friday_0dte.gate"] == "default"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("wing_points=12.5", Decimal("12.5")),
        ("short_atr=1", 1.0),
        ("vix_gate=off", False),
        ("vix_gate=TRUE", True),
        ("enter_at=11:00", time(11)),
        ("weekdays=1,3", (1, 3)),
        ("weekdays=[2, 4]", (2, 4)),
        ("gate=on", "on"),
        ("cap=none", None),
        ("cap=0.25", 0.25),
    ],
)
def test_set_reads_every_kind_of_value(
    text: str, value: object, known: dict[str, type], tmp_path: Path
) -> None:
    flag = parse_assignment(f"friday_0dte.{text}")
    assert isinstance(flag, Override)
    condor = load(tmp_path, flags=[flag]).section("strategies.friday_0dte", Condor)
    assert getattr(condor, text.partition("=")[0]) == value


@pytest.mark.parametrize(
    ("set_", "said"),
    [
        ("account.captal=3", 'account.captal (--set): unknown key in "account"; did you mean "capital"?'),
        ("acount.capital=3", 'acount.capital (--set): unknown key; did you mean "account.capital"?'),
        (
            "account.capital=lots",
            (
                'account.capital = "lots" (--set): must be a number from 1 to 1000000000;'
                ' correct it, or remove it for the default "200000"'
            ),
        ),
        (
            "friday_0dte.units=11",
            (
                'strategies.friday_0dte.units = "11" (--set): must be a whole number from 1 to 10;'
                " correct it, or remove it for the default 1"
            ),
        ),
        (
            "friday_0dte.vix_gate=maybe",
            (
                'strategies.friday_0dte.vix_gate = "maybe" (--set): must be a switch, on or off;'
                " correct it, or remove it for the default true"
            ),
        ),
        (
            "friday_0dte.gate=worn",
            (
                'strategies.friday_0dte.gate = "worn" (--set): must be one of "off", "warn", "on"'
                ' ("worn": did you mean "warn"?); correct it, or remove it for the default "warn"'
            ),
        ),
    ],
)
def test_a_bad_value_is_one_line_with_key_value_rule_source_and_fix(
    set_: str, said: str, tmp_path: Path, known: dict[str, type]
) -> None:
    assert lines(tmp_path, set_=set_) == [said]


@pytest.mark.parametrize(
    "text",
    [
        'wing_points = "wide"',
        "wing_points = true",
        "wing_points = 4.99",
        "wing_points = inf",
        "short_atr = nan",
        "short_atr = '1'",
        "units = 1.5",
        "units = true",
        "units = '1'",
        "vix_gate = 'off'",
        "vix_gate = 1",
        "enter_at = 36000",
        "enter_at = '25:00'",
        "enter_at = '1:2'",
        "weekdays = 5",
        "weekdays = [6]",
        "weekdays = ['Fri']",
        "gate = 'maybe'",
        "cap = 'nothing'",
        "units = {a = 1}",
    ],
)
def test_a_file_may_not_say_one_type_and_mean_another(
    text: str, tmp_path: Path, known: dict[str, type]
) -> None:
    said = lines(tmp_path, f"schema_version = 1\n[strategies.friday_0dte]\n{text}\n")
    assert len(said) == 1
    assert said[0].startswith(f"strategies.friday_0dte.{text.split(' ', maxsplit=1)[0]}")
    assert "my.toml:3" in said[0] or "{a" in text


def test_all_problems_of_all_layers_are_said_at_once(tmp_path: Path, known: dict[str, type]) -> None:
    text = (
        'schema_version = 2\nrisk_off = 1\n[account]\ncapital = "-1"\n[stratgies]\n[backtest]\nseed = "one"\n'
    )
    said = lines(tmp_path, text, env={"TOMKING__ACCOUNT__CAPTAL": "5"}, set_="friday_0dte.wing_points=200")
    starts = [line.split(" ")[0] for line in said]
    assert starts == [
        "schema_version",
        "risk_off",
        "account.capital",
        "stratgies",
        "backtest.seed",
        "account.captal",
        "strategies.friday_0dte.wing_points",
    ]
    assert "(TOMKING__ACCOUNT__CAPTAL)" in said[5]


def test_an_unknown_key_never_repeats_its_value_which_may_be_a_secret(
    tmp_path: Path, known: dict[str, type]
) -> None:
    said = lines(tmp_path, '[broker]\nrefresh_token = "s3cret"\n', env={"TOMKING__TT_SECRET": "s3cret"})
    assert len(said) == 2
    assert not any("s3cret" in line for line in said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("capital = \n", "my.toml: not TOML: Invalid value (at line 1, column 11)"),
        ("[account]\n[account]\n", "my.toml: not TOML: Cannot declare"),
        (
            "account = 3\n",
            'account (my.toml:1): "account" is a section, not a key; name one of its keys: capital',
        ),
        (
            "[backtest]\nstart = 2024-01-02T00:00:00\n",
            "backtest.start = 2024-01-02 00:00:00 (my.toml:2): must be",
        ),
        (
            "[backtest]\nstart = 2020-01-02\nend = 2019-01-02\n",
            "backtest (my.toml:2, my.toml:3): the end 2019-01-02",
        ),
        ("[backtest]\nstrategies = []\n", "backtest (my.toml:2): no strategy is named"),
        ("schema_version = true\n", "schema_version = True"),
    ],
)
def test_a_broken_file_is_said_in_one_line(
    text: str, said: str, tmp_path: Path, known: dict[str, type]
) -> None:
    found = lines(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(said)


def test_a_file_that_was_named_must_exist_and_be_text(tmp_path: Path, known: dict[str, type]) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    for name, said in [
        ("absent.toml", "there is no such"),
        ("latin.toml", "not UTF-8"),
        (".", "cannot be read"),
    ]:
        with pytest.raises(Problems, match=said):
            load_config(path=tmp_path / name, environment={}, overrides=[])


def test_the_users_own_file_is_read_when_it_is_there(tmp_path: Path, known: dict[str, type]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text("[backtest]\nseed = 7\n")
    assert load(tmp_path).section("backtest", Backtest).seed == 7


def test_home_beats_the_platforms_directory(tmp_path: Path) -> None:
    assert config_path({"TOMKING_HOME": str(tmp_path)}) == tmp_path / "config.toml"
    assert config_path({}).parts[-2:] == ("tomking", "config.toml")


def test_an_assignment_without_equals_is_usage() -> None:
    found = parse_assignment("capital")
    assert isinstance(found, Problem)
    assert found.code is Exit.USAGE


def test_the_least_exit_code_ends_the_command_and_its_lines_come_first() -> None:
    many = Problems([Problem(Exit.DATA, "data"), Problem(Exit.CONFIG, "key"), Problem(Exit.CONFIG, "key")])
    assert many.code is Exit.CONFIG
    assert many.lines == ("key", "data")


def test_research_switches_that_were_turned_are_named(tmp_path: Path, known: dict[str, type]) -> None:
    off = Override("friday_0dte.vix_gate", "off", "--set")
    assert load(tmp_path).research() == ()
    assert load(tmp_path, flags=[off]).research() == ("strategies.friday_0dte.vix_gate",)


def test_the_digest_is_of_values_not_of_where_they_came_from(tmp_path: Path, known: dict[str, type]) -> None:
    plain = load(tmp_path)
    same = load(tmp_path, '[account]\ncapital = "200000.00"\n')
    other = load(tmp_path, '[account]\ncapital = "200000.01"\n')
    assert plain.digest() == same.digest()
    assert plain.digest() != other.digest()


def test_what_config_show_prints_is_a_configuration_with_the_same_values(
    tmp_path: Path, known: dict[str, type]
) -> None:
    flags = [
        Override("friday_0dte.weekdays", "1,2", "--set"),
        Override("account.capital", "44450.25", "--set"),
    ]
    config = load(tmp_path, flags=flags)
    again = load(tmp_path, _as_toml(config))
    assert again.values == config.values
    assert again.digest() == config.digest()


VALUES = st.one_of(
    st.tuples(st.just("wing_points"), st.decimals(5, 100, places=3)),
    st.tuples(st.just("short_atr"), st.floats(0.1, 2.0)),
    st.tuples(st.just("units"), st.integers(1, 10)),
    st.tuples(st.just("vix_gate"), st.booleans()),
    st.tuples(st.just("enter_at"), st.times().map(lambda t: t.replace(microsecond=0))),
    st.tuples(st.just("weekdays"), st.lists(st.integers(1, 5)).map(tuple)),
    st.tuples(st.just("gate"), st.sampled_from(["off", "warn", "on"])),
    st.tuples(st.just("cap"), st.none() | st.floats(0, 1)),
)


@given(VALUES)
def test_every_value_survives_its_text_and_its_toml(named: tuple[str, object]) -> None:
    name, value = named
    (own,) = (s for s in settings_of(Condor) if s.name == name)
    assert read_text(own, to_text(value)) == value
    assert read_toml(own, _parsed(to_toml(value))) == value


def _parsed(text: str) -> object:
    import tomllib

    return tomllib.loads(f"v = {text}", parse_float=Decimal)["v"]


def test_every_section_of_the_program_has_sourced_settings_with_valid_defaults() -> None:
    for name, kind in sections().items():
        for each in settings_of(kind):
            assert each.source, f"{name}.{each.name}"
            assert each.doc.endswith("."), f"{name}.{each.name}: {each.doc}"
            assert read_toml(each, _parsed(to_toml(each.default))) == each.default


def test_every_strategy_of_the_command_line_has_its_section() -> None:
    missing = [s for s in STRATEGIES if f"strategies.{s}" not in sections()]
    assert not missing


def test_nothing_set_means_no_problem() -> None:
    config, problems = check_config(environment={"TOMKING_HOME": "nowhere"})
    assert config is not None
    assert problems == []
