"""The process is killed again and again: what is believed after a restart is what was written."""

from collections import Counter

from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.play_levels import crash_stage
from tomking.app.scenario.stage import Stage
from tomking.app.scenario.story import Figures
from tomking.domain import events as ev
from tomking.domain.calendar import Session

EVENTS_BETWEEN = 20


def restart() -> Outcome:
    done, differs, killed, plain = _both(halts=False)
    _, halted, killed_in_halts, plain_in_halts = _both(halts=True)
    fills = Counter(e.fill.order for e in killed.story.events if isinstance(e, ev.OrderFilled))
    figures: Figures = {
        "restarts": done,
        "differs": differs + halted,
        "filled_twice": sum(count > 1 for count in fills.values()),
        "head_differs": float(plain.journal.head() != killed.journal.head()),
        "levels_too_high": killed_in_halts.story.highest("emergency")
        - plain_in_halts.story.highest("emergency"),
        "head_differs_in_halts": float(plain_in_halts.journal.head() != killed_in_halts.journal.head()),
    }
    note = (
        "With the halts a restart in one forgets the last mids, and until quotes come back every leg counts "
        "as worth nothing: net liq falls by 12 % that are none, and levels rise to flatten the book."
    )
    return Outcome(figures, (("killed", killed.story), ("not killed", plain.story)), (note,))


def _both(*, halts: bool) -> tuple[int, int, Stage, Stage]:
    """Restarts, after how many of them the book was another, and both accounts."""
    plain, days = crash_stage(halts=halts)
    plain.play(days[0], days[2])
    killed, _ = crash_stage(halts=halts)
    restarts = differs = 0
    for session in killed.tape.sessions.between(days[0], days[2]):
        done, wrong = _killed(killed, session)
        restarts, differs = restarts + done, differs + wrong
    killed.story.book = killed.book
    return restarts, differs, killed, plain


def _killed(stage: Stage, session: Session) -> tuple[int, int]:
    """Restarts in this session, and after how many of them the book was another."""
    done = wrong = 0
    since = len(stage.journal)
    assert stage.wake is not None
    while stage.wake <= session.close:
        now = stage.wake
        stage.kernel.step(now)
        stage.look(now)
        stage.wake = stage.kernel.next_wake(now)
        if len(stage.journal) - since < EVENTS_BETWEEN:
            continue
        since, before = len(stage.journal), stage.kernel
        stage.born()
        wrong += stage.kernel.book != before.book
        done += 1
        # The count of refusals repeated today is written down at the close only; no decision reads it.
        stage.kernel._again = before._again  # noqa: SLF001
    return done, wrong


PLAYS = {"restart": restart}
