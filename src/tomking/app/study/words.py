"""The page's fixed paragraphs."""

from collections.abc import Iterable
from textwrap import fill

from tomking.app.study.paths import (
    BLOCK,
    CRASH_EVERY,
    CRASH_FROM,
    CRASH_TO,
    EPISODES,
    FIRST_DAY,
    LAST_DAY,
    NEAREST,
    SESSIONS,
    SYNTHETIC,
)

WIDTH = 120


def wrapped(text: str, first: str = "", then: str = "") -> str:
    return fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(wrapped(line, "- ", "  ") for line in lines)


ACCOUNT = """
Each account begins with ${capital:,.0f}, in P4 by its value (every strategy and full-size contracts
permitted), without positions or a record; all strategies of the default backtest, the whole program: kernel,
gate, guard, simulated broker, model market.  RED is a drawdown of 20 % and TERMINAL of 30 %, at a close or at
two looks in a row, measured the same way in every row, also where the program does not act on it.
"""

BOUGHT = """
All-on less the row, in percent of net liq over the quarter, with 95 % intervals: above zero the rule has
earned something, below zero it has cost; bold where the interval leaves zero out.  Every row sees the same
paths.  The intervals of means are normal, those of the worst twentieth come from paths drawn anew.  Rules
overlap: a row shows what is lost when that rule alone is missing, and the rows do not add up to the last.
"""

ALONE = """
The other way round: everything off but one.  A rule that shows nothing above, because another always comes
first, shows here what it would do by itself.
"""

MADE = f"""
{SESSIONS} sessions on the dates of a real quarter that begins between {FIRST_DAY} and {LAST_DAY}, with two
years of real history before it.  Blocks of {BLOCK} sessions of 1992 to 2024 follow each other; each begins,
by lot, after one of the {NEAREST} evenings of history whose VIX was nearest to the path's.  A block brings
the daily bars of the index and of VIX as multiples of the close before, and those of gold and oil of the same
days (where these have no prices, of a second such block).  Minutes, options and fills are the model market's.
Every {CRASH_EVERY}nd path has a crash that begins on one of the sessions {CRASH_FROM} to {CRASH_TO};
{len(EPISODES) + 1} take turns: {", ".join(name for name, _, _ in EPISODES)}, and a {SYNTHETIC}
(methodology H; VIX up by 40 and at least to 80).  Episodes keep their index returns, and the rise of their
VIX in points above the evening before.  October 1987 lies before the history.
"""

WEAK = (
    """
Half of the quarters have a crash; of the real ones since 1990 about one in thirteen had one like these.
Means over all paths are stressed means, not expectations: the columns of quiet and of crash quarters are the
ones to read.""",
    """
A quarter begins with an empty account: its book is a month old when the crash begins, and rules that need a
long record or a long drawdown (phases, YELLOW to RED, Kelly) have little time.""",
    """
No trading halt, no margin call by the broker, no hole in the quotes, and whole orders filled at modelled
prices: without a rule the real loss would be greater than the row says, and stops would do worse.""",
    """
Options of all years are modelled; nobody quoted them.  One seed: the intervals speak of which paths were
drawn, not of how far the model is from a market.""",
    """
Availability by phase, ceilings by strategy, full-size contracts, the phase's caps on margin and capital,
costs, data checks and the coordinator stay on in every row: the last one is not "no rules".""",
)
