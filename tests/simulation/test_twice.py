"""What a run says of seeds that were played a second time, in another process."""

from rel.session import play
from rel.sim import schedule_of
from rel.twice import differing


def test_a_seed_that_leaves_another_trace_elsewhere_is_told() -> None:
    traces = [play(schedule_of(seed)).trace for seed in (40, 41, 42)]
    assert differing(traces, 40, 2, 1, "both") == (2, [])
    traces[2] = traces[0]
    assert differing(traces, 40, 2, 2, "both") == (2, [42])
    assert differing(traces, 40, 0, 2, "both") == (0, [])
