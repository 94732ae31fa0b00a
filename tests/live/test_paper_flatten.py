"""``tomking flatten`` over real sockets: the paper account traded last is closed without its engine."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.venue.venueserver import ACCOUNT, a_house, running

from tomking.adapters.latch import LatchFile
from tomking.app.cli.shell import run
from tomking.app.live.latch import arm, tightest
from tomking.domain.contract import Option
from tomking.domain.structure import Leg
from tomking.domain.trading import Trading

PUTS = ((5300, -1), (5280, 1))
pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_a_paper_account_is_flat_after_it_and_stays_halted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    monkeypatch.setattr("tomking.app.live.flat.PRODUCTS", ("SPXW",))
    folder = tmp_path / "state" / "paper" / f"sandbox-{ACCOUNT}"
    folder.mkdir(parents=True)
    (folder / "journal.sqlite").touch()
    own = LatchFile(folder)
    arm(own, is_new=True)
    house = a_house()
    legs = tuple(Leg(Option.parse(f"SPXW 2024-06-07 P{strike}"), ratio) for strike, ratio in PUTS)
    house.account.trade_by_hand(legs, 2, Decimal("1.00"), house.clock.now())
    with running(house) as venue:
        (folder / "now.json").write_text(json.dumps({"port": venue.port}))
        assert run(["flatten", "--yes-flatten-everything"]) == 0
        assert house.account.positions(house.clock.now()).held == ()
    assert capsys.readouterr().out.startswith("The account is flat after ")
    assert own.read().state is Trading.HALTED
    assert LatchFile(tmp_path / "state").read().state is Trading.HALTED
    # The market's day is 2024; the latch says when by the wall, as the resume does that ends it.
    assert run(["resume", "--yes-resume-trading"]) == 0
    assert tightest(own, LatchFile(tmp_path / "state")).opens
