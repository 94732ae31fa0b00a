"""The HTML report: one file that needs no network, in light and dark, on a phone and on a desk."""

import json

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from tomking.app.report import tables, words
from tomking.app.report.figures import page_data, prices_of
from tomking.app.report.findings import Findings

MODELLED = (
    "Option prices in this report are MODELLED. The S&P 500, VIX and interest-rate history underneath is "
    "real; no option in it was ever quoted or traded. The figures show how the rules behave on that "
    "history, not what an account would have earned."
)
RECORDED = (
    "Option prices in this report are recorded quotes. Fills are simulated between recorded bid and ask; "
    "no order was ever sent to a market."
)

LIMITATIONS = (
    (
        "Nothing was tuned to the claims: win rates, returns and ratios are measured on one drawn path "
        "and are whatever they turned out to be. Another seed gives another path."
    ),
    (
        "A Wilson interval assumes independent trades. Overlapping and neighbouring trades are not "
        "independent, so the true uncertainty is wider."
    ),
    (
        "Fills follow a slippage and fee model of methodology D.6 and D.7; they are not a broker's fills."
        " Queue position, rejections, outages and market impact are not in it."
    ),
    "Fees, margin rules, products and expiries are those of 2024 and 2025 in every year.",
    (
        "Win rates count a trade as won when it ends above zero after fees. Positions still open at the "
        "end are in net liquidation and in no trade table."
    ),
    (
        "Ratios use 252 sessions a year, time-weighted returns and the short Treasury rate as the return "
        "of cash. Buying power is the capital in use at each close: positions opened and closed within a "
        "session do not show in it."
    ),
    "Taxes are left out, and nothing here is investment advice.",
)


def render(main: Findings, small: Findings | None) -> str:
    """The page's text."""
    environment = Environment(
        loader=PackageLoader("tomking.app.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    accounts = [main] if small is None else [main, small]
    run = main.run
    return environment.get_template("report.html.j2").render(
        run=run,
        main=main,
        accounts=accounts,
        banner=MODELLED if run.modelled else RECORDED,
        prices=prices_of(run),
        headline=tables.headline(main),
        account_rows=tables.accounts(accounts),
        strategies=[(f.run.label, tables.strategies(f)) for f in accounts],
        kinds=tables.kinds(main),
        exits=tables.exits(main),
        gates=tables.gates(main),
        sparse=[(f.run.label, found) for f in accounts if (found := tables.sparse(f))],
        in_market=[(words.named(n), words.small_share(s)) for n, s in main.in_market_by_strategy.items()],
        limitations=LIMITATIONS,
        words=words,
        data=_for_script(page_data(main, small)),
        plotly=get_plotlyjs(),
    )


def _for_script(data: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
