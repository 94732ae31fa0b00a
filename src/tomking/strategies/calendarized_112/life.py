"""Its life (methodology E.3): a debit spread alone, with its k-th pair of naked puts, or past the last."""

from tomking.domain.book import Position
from tomking.rules.life import Life, Reading
from tomking.strategies.calendarized_112.settings import Settings
from tomking.strategies.calendarized_112.unit import has_cycle_left, pairs_of
from tomking.view import Own, View

OPEN, ONLY = "PDS_OPEN", "PDS_ONLY"


def life_of(settings: Settings) -> Life:
    """One stage a cycle; a pair that ended badly, or the last one, leaves the spread alone for good."""
    cycles = [f"NP_CYCLE_{k}" for k in range(1, settings.cycles_max + 1)]
    ways: dict[str, tuple[str, ...]] = {OPEN: (*cycles, ONLY), ONLY: ()}
    for k, cycle in enumerate(cycles):
        ways[cycle] = (OPEN, ONLY, *cycles[k + 1 : k + 2])
    return Life(ways, _reading(settings))


def _reading(settings: Settings) -> Reading:
    def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
        pairs = pairs_of(position)
        if pairs[-1].is_open:
            return f"NP_CYCLE_{len(pairs)}", f"{pairs[-1].role} was sold"
        waits = has_cycle_left(settings, position, view.today)
        return (OPEN if waits else ONLY), f"{pairs[-1].role}: {pairs[-1].trigger}"

    return reading
