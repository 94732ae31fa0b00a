"""What each strategy may trade and how it counts, as methodology A.4, C.3 and C.5 tell it in tables."""

import pytest

from tomking.risk.availability import ES_EQUIVALENT, PLACES
from tomking.risk.settings import Settings

SETTINGS = Settings()

BONDS_AND_METALS = "MCL MGC GLD TLT"
MORE = "SLV XOP M6E MES MNQ"
FULL_SIZE = "CL GC 6E ZB ZN"
STOCKS = "AAPL MSFT AMZN GOOGL NVDA"

PRODUCTS = {
    # strategy: what each phase adds, from P0 to P4
    "friday_0dte": ("MES XSP", "ES SPXW", "", "", ""),
    "butterfly_9b": ("", "", "", "SPXW XSP", ""),
    "lt112": ("", "", "MES", "ES", ""),
    "calendarized_112": ("", "", "", "ES MES", ""),
    "futures_strangle": ("", BONDS_AND_METALS, MORE, FULL_SIZE, "NQ"),
    "ipmcc": ("", "QQQ SPY IWM", "", STOCKS, ""),
    "ratio_spread": ("", "", "SPY IWM TLT", "", ""),
    "calendar_spread": ("", "", "", "SPY IWM", ""),
    "diagonal": ("", "", "", "SPY QQQ IWM", ""),
    "vix_spike_puts": ("", "", "", "SPY ES MES IWM", ""),
    "leap_put_income": ("", "", "SPY", "", ""),
    "leap_put_hedge": ("", "SPY XSP", "", "", ""),
    "vix_call_hedge": ("VIX", "", "", "", ""),
    "box_financing": ("", "", "", "SPX", ""),
}


@pytest.mark.parametrize("strategy", PRODUCTS)
def test_each_phase_adds_products_and_takes_none_away(strategy: str) -> None:
    known: set[str] = set()
    for phase, added in enumerate(PRODUCTS[strategy]):
        known |= set(added.split())
        assert PLACES[strategy].products[phase] == known, f"phase {phase}"


def test_nothing_else_has_a_place() -> None:
    assert set(PLACES) == set(PRODUCTS)


def test_hedges_flies_and_boxes_are_no_positions_and_live_of_a_budget() -> None:
    beside = {"butterfly_9b", "leap_put_hedge", "vix_call_hedge", "box_financing"}
    assert {name for name, place in PLACES.items() if not place.counts} == beside
    assert {name for name, place in PLACES.items() if place.budgeted} == beside


def test_each_place_reads_the_ceilings_of_its_own_name() -> None:
    tabled = {name: place.most for name, place in PLACES.items() if place.most}
    assert {name: most(SETTINGS) for name, most in tabled.items()} == {
        name: getattr(SETTINGS, f"{name}_max") for name in tabled
    }


def test_only_the_0dte_enters_when_most_of_the_margin_is_used() -> None:
    assert [name for name, place in PLACES.items() if place.high_priority] == ["friday_0dte"]


def test_the_bases_of_dynamic_ceilings() -> None:
    # DPS: 0DTE 2, strangle 3, LT112 2, IPMCC 1, ratio 2, diagonal 2, LEAP 3; others keep their table.
    assert {name: place.dynamic_base for name, place in PLACES.items() if place.dynamic_base} == {
        "friday_0dte": 2,
        "futures_strangle": 3,
        "lt112": 2,
        "ipmcc": 1,
        "ratio_spread": 2,
        "diagonal": 2,
        "leap_put_income": 3,
        "leap_put_hedge": 3,
    }


def test_0dte_and_lt112_are_counted_in_es_contracts_by_dollars_a_point() -> None:
    # $50 a point is one: MES $5, SPXW $100, XSP $100 on a tenth of the index.
    assert {name: 50 * each for name, each in ES_EQUIVALENT.items()} == {
        "ES": 50,
        "MES": 5,
        "SPXW": 100,
        "XSP": 10,
    }
    assert {name for name, place in PLACES.items() if place.most is None} == {"friday_0dte", "lt112"}


def test_what_kelly_believes_before_there_is_a_record() -> None:
    """C.3: the claimed win rate less 8 points, average win over average loss, trades that outweigh it."""
    told = {name: place.prior for name, place in PLACES.items() if place.prior is not None}
    # A strangle claims 72 % and half of its credit against losses of 1.25 credits: 0.5 / 1.25.
    strangle = (0.64, pytest.approx(0.4), 30)
    assert told == {
        "calendarized_112": (0.65, pytest.approx(0.6), 20),
        "futures_strangle": strangle,
        "ipmcc": (0.72, pytest.approx(0.72), 50),
        "ratio_spread": strangle,
        "diagonal": (0.52, 1.0, 30),
        "vix_spike_puts": strangle,
        "leap_put_income": (0.72, pytest.approx(0.24), 30),
    }
