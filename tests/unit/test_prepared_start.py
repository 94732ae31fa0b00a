"""How a run with real orders differs from paper before anything trades: names, folders, latch, settings."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.worlds import FRIDAY, ScriptedMarket, at, session_on, weekdays

from tomking.adapters.latch import LatchFile
from tomking.adapters.lease import installation
from tomking.adapters.tastytrade.session import Destination, Environment, Secrets
from tomking.app.exits import Exit
from tomking.app.live.asked import Asked, with_real_orders
from tomking.app.live.folder import newest
from tomking.app.live.latch import own_latch, tightest
from tomking.app.live.stages import Configured, configure
from tomking.app.locks import Mode
from tomking.app.prepare.ladder import Place
from tomking.app.prepare.start import Windows, check_armed, preparation_for
from tomking.app.problems import Problems
from tomking.app.sections import Live
from tomking.app.wiring import line_risk
from tomking.domain.trading import Latch, Trading
from tomking.risk.settings import Settings
from tomking.view import View


def asked(home: Path, mode: Mode) -> Asked:
    to = Destination(Environment.SANDBOX, 1)
    folder = home / mode.value / "sandbox-5WT00001"
    return Asked(to, Secrets("a", "b"), "5WT00001", folder, home, None, None, fresh=False, mode=mode)


@pytest.fixture(scope="module")
def configured() -> Configured:
    return configure(None, [], ("friday_0dte", "lt112"), Mode.LIVE)


def test_paper_and_real_orders_at_one_venue_do_not_know_each_other(tmp_path: Path) -> None:
    paper, live = asked(tmp_path, Mode.PAPER), asked(tmp_path, Mode.LIVE)
    assert (paper.world, live.world) == ("sandbox", "live-sandbox")
    tags = {installation(one.world, one.account) for one in (paper, live)}
    assert len(tags) == 2


def test_the_ladder_is_looked_for_where_the_run_writes_it(tmp_path: Path) -> None:
    live = asked(tmp_path, Mode.LIVE)
    assert with_real_orders(asked(tmp_path, Mode.PAPER)) == live
    place = Place(tmp_path, Environment.SANDBOX, "5WT00001")
    assert (place.folder, place.world) == (live.folder, live.world)


def test_paper_has_nothing_that_holds_orders_back(tmp_path: Path, configured: Configured) -> None:
    told = _Silent()
    assert preparation_for(asked(tmp_path, Mode.PAPER), configured, [], told) is None
    made = preparation_for(asked(tmp_path, Mode.LIVE), configured, [], told)
    assert made is not None
    assert made.instance == installation("live-sandbox", "5WT00001")


class _Silent:
    def notify(self, level: str, text: str, now: object) -> None:
        raise AssertionError(f"{level}: {text}")


def test_nothing_is_armed_unless_it_is_said() -> None:
    assert Live().armed == ()
    assert Live().production is False


def test_an_armed_name_must_be_traded(configured: Configured) -> None:
    check_armed(Live(armed=("lt112",)), configured.strategies)
    with pytest.raises(Problems, match="ipmcc is not traded in this run") as refused:
        check_armed(Live(armed=("lt112", "ipmcc")), configured.strategies)
    assert refused.value.code == Exit.CONFIG


def test_real_orders_have_the_installations_latch_and_never_arm_themselves(tmp_path: Path) -> None:
    live = asked(tmp_path, Mode.LIVE)
    own, control = own_latch(Mode.LIVE, live.folder, live.control), LatchFile(live.control)
    assert own.path == control.path
    assert tightest(own, control).state is Trading.HALTED, "nobody has armed it"
    control.exchange(control.read(), Latch(Trading.ACTIVE, at("09:00"), "anna", ""))
    assert tightest(own, control).opens
    paper = own_latch(Mode.PAPER, live.folder, live.control)
    assert paper.path.parent == live.folder


def test_real_orders_ask_kelly_for_a_yes() -> None:
    settings = Settings()
    live, paper = (line_risk(settings, mode, on_a_model=True) for mode in (Mode.LIVE, Mode.PAPER))
    assert (live.kelly_gate, paper.kelly_gate) == ("block", settings.kelly_gate)
    assert live.win_floor == "suspend"
    assert not live.restart_after_red
    assert live.phase_gating == settings.phase_gating == "value", "a sandbox begins without a past"
    assert line_risk(settings, Mode.LIVE, on_a_model=False).phase_gating == "full_size"


def test_an_order_waits_no_longer_than_its_entrys_window(configured: Configured) -> None:
    market = ScriptedMarket(lambda _c, _n: 1.0)
    sessions = weekdays(FRIDAY - timedelta(days=30), 60)
    view = View(at("10:31"), session_on(FRIDAY), sessions, market)
    windows = Windows(configured.strategies)
    assert windows.ends("friday_0dte", "0dte", view) == at("11:01")
    assert windows.ends("friday_0dte", "another", view) == view.session.close
    assert windows.ends("another", "0dte", view) == view.session.close


def test_the_account_traded_last_is_found_in_either_mode(tmp_path: Path) -> None:
    for mode in ("paper", "live"):
        folder = tmp_path / mode / "sandbox-5WT00001"
        folder.mkdir(parents=True)
        (folder / "journal.sqlite").touch()
        os.utime(folder / "journal.sqlite", (len(mode), 5 if mode == "live" else 4))
        assert newest(tmp_path).path == folder
