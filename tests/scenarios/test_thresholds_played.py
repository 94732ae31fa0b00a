"""A scenario that sets marks of its own over the market's, whose column nobody may write in."""

import pytest

from tomking.app.scenario.run import run


@pytest.mark.slow
def test_exit_thresholds_are_played_and_every_claim_of_their_row_holds() -> None:
    (result,) = run(("exit-thresholds",))
    assert result.checks
    assert not result.missed
    assert not result.waiting
