"""What a comparison of two journals compares: their facts, and not the numbers they happen to give them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tomking.app.parity.rows import Reading, Rows
from tomking.app.parity.run import differences
from tomking.domain import events as ev
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Part, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Leg, Structure

OPEN = datetime(2022, 9, 16, 14, 30, tzinfo=UTC)  # 10:30 in New York
PUT = Option("SPXW", date(2022, 9, 16), Right.PUT, Decimal(3800), Decimal(100), Decimal("0.05"))


def order(id_: str, limit: str = "1.20", reason: str = "it is time") -> Order:
    return Order(
        id=id_,
        strategy="friday_0dte",
        position=id_,
        parts=(Part("put", Structure("put", (Leg(PUT, -1),))),),
        units=2,
        limit=Decimal(limit),
        floor=None,
        opens=True,
        urgency=Urgency.ENTRY,
        reason=reason,
        trigger="condor",
    )


def fill(of: str, price: str = "1.20", at: datetime = OPEN, id_: str = "F1") -> ev.OrderFilled:
    return ev.OrderFilled(at, Fill(id_, of, at, 2, (Decimal(price),), Decimal("2.48")))


def read(*events: ev.Event) -> Rows:
    return Reading().read(events)


def test_the_numbers_of_orders_and_positions_are_the_journals_own() -> None:
    def journal(id_: str) -> list[ev.Event]:
        return [
            ev.OrderSubmitted(OPEN, order(id_)),
            fill(id_, id_=f"X{id_}"),
            ev.Transitioned(OPEN, id_, State.BUILDING, State.ACTIVE, "condor"),
            ev.Noted(OPEN, f"friday_0dte.{id_}|tested", "put side"),
            ev.EntryApproved(OPEN, "friday_0dte", "more", 1, "cash", (), f"the wing of {id_} is far"),
        ]

    one, other = read(*journal("15")), read(*journal("22"))
    assert one.kinds() == other.kinds()
    assert one.fills == ["2022-09-16 10:30 order 1 2 units at 1.2, fees 2.48"]
    assert one.decisions[1] == "2022-09-16 10:30 note friday_0dte.position 1|tested = put side"
    assert "the wing of position 1 is far" in one.decisions[2]


def test_numbers_that_are_no_positions_stay() -> None:
    events = (
        ev.OrderSubmitted(OPEN, order("2")),
        ev.Declined(OPEN, "diagonal", "d", "STRUCT", ("of 2% delta",)),
    )
    assert read(*events).decisions == ["2022-09-16 10:30 diagonal d: not taken, STRUCT: of 2% delta"]


def test_a_fill_within_the_same_minute_is_the_same_and_at_another_price_is_not() -> None:
    back = read(ev.OrderSubmitted(OPEN, order("1")), fill("1"))
    late = read(ev.OrderSubmitted(OPEN, order("1")), fill("1", at=OPEN + timedelta(seconds=20)))
    dear = read(ev.OrderSubmitted(OPEN, order("1")), fill("1", "1.15"))
    assert differences("fills", back.fills, late.fills) == []
    (found,) = differences("fills", back.fills, dear.fills)
    assert (found.backtest, found.live) == (tuple(back.fills), tuple(dear.fills))


def test_what_only_one_side_did_is_one_difference() -> None:
    moved = ev.OrderRepriced(OPEN, "1", Decimal("1.15"))
    back = read(ev.OrderSubmitted(OPEN, order("1")), moved)
    live = read(ev.OrderSubmitted(OPEN, order("1")))
    (found,) = differences("orders", back.orders, live.orders)
    assert (found.backtest, found.live) == (("2022-09-16 10:30 order 1 moved to 1.15",), ())


def test_what_only_a_live_journal_has_is_left_out() -> None:
    live: list[ev.Event] = [
        ev.OrderAccepted(OPEN, "1"),
        ev.OrderRetried(OPEN, "1", 2, "a new limit was lost"),
        ev.LevelChanged(OPEN, "trading", "", "ACTIVE", "armed"),
        ev.Reconciled(OPEN, ()),
    ]
    rows = read(ev.OrderSubmitted(OPEN, order("1")), *live)
    assert [len(lines) for lines in rows.kinds().values()] == [0, 1, 0, 0]


def test_a_settlement_counts_whenever_it_is_booked() -> None:
    close = OPEN.replace(hour=20, minute=0)

    def journal(at: datetime) -> list[ev.Event]:
        ended = ev.Settled(at, "1", "put", (PUT,), Decimal("3850.5"), Decimal(0), Decimal(0))
        return [ended, ev.Transitioned(at, "1", State.ACTIVE, State.CLOSED, "settlement")]

    one, other = read(*journal(close)), read(*journal(close + timedelta(minutes=2)))
    assert one.kinds() == other.kinds()
    assert len(one.settled) == 2


def test_a_risk_level_is_a_decision() -> None:
    rows = read(ev.LevelChanged(OPEN, "drawdown", "GREEN", "YELLOW", "down 10 %"))
    assert rows.decisions == ["2022-09-16 10:30 drawdown: GREEN to YELLOW"]
