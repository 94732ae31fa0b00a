"""2,000 streaming contracts and 200 held legs at 500 quotes a second: milliseconds a look, share of a core.

A process of its own plays the broker: it logs in, speaks DXLink and sends 500 changed quotes a second over
a real loopback socket.  This one is what runs in live trading: the SDK's session and streamer, the chains
made of the columns, volatilities and Greeks, sums on every level, alerts.

python -m benchmarks.greeks_stream [--seconds 20] [--quotes 500]
"""

import argparse
import asyncio
import gc
import json
import math
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from statistics import median

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tomking.adapters.calendars import load_sessions
from tomking.adapters.clock import wait
from tomking.adapters.tastytrade.live import LiveMarket
from tomking.adapters.tastytrade.session import Destination, Environment, Secrets, session
from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.adapters.tastytrade.symbols import Directory, Instrument, Listed, occ, occ_streamer
from tomking.domain.bars import Bars
from tomking.domain.book import Book, Component, Day, Position
from tomking.domain.contract import Option, Right
from tomking.domain.lifecycle import State
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure
from tomking.pricing.black import black
from tomking.risk.greekalerts import Alarms, uses
from tomking.risk.livegreeks import LiveGreeks, Snapshot, Throttle, changes
from tomking.risk.settings import Settings
from tomking.venue.dxlink import DxLink
from tomking.view import View

LEVEL, VIX = 5500.0, 40.0
START = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
EXPIRIES = tuple(date(2026, 12, 4) + timedelta(weeks=n) for n in (0, 1, 2, 6, 10, 15, 19, 23, 28, 32))
STRIKES = tuple(range(5010, 6010, 10))
FRAMES = 50
"""A second: real ones are fewer and fuller."""


def contracts() -> list[Option]:
    """Ten expiries of a hundred strikes, puts and calls."""
    spx = PRODUCTS["SPXW"]
    return [
        Option("SPXW", day, right, Decimal(strike), spx.multiplier, spx.tick)
        for day in EXPIRIES
        for right in (Right.PUT, Right.CALL)
        for strike in STRIKES
    ]


def mids() -> np.ndarray:
    """Of the contracts, by a smile."""
    rows = contracts()
    strike = np.array([float(one.strike) for one in rows])
    years = np.array([(one.expiry - START.date()).days / 365 for one in rows])
    right = np.array([int(one.right) for one in rows])
    vol = 0.20 - 0.3 * np.log(strike / LEVEL)
    found = black(
        forward=LEVEL, strike=strike, years=years, vol=vol, discount=np.exp(-0.04 * years), right=right
    )
    return np.maximum(found.price, 0.1)


# ---------------------------------------------------------------------------------- the broker


def broker(say: Connection, quotes: int) -> None:
    """Logs anybody in and sends quotes until it is ended."""
    names = [occ_streamer(one) for one in contracts()]
    prices = dict(zip(names, mids().tolist(), strict=True)) | {"SPX": LEVEL, "VIX": VIX}
    rng = np.random.default_rng(1)
    port = 0

    def event(symbol: str, moved: float) -> dict[str, object]:
        mid = prices[symbol] * (1 + moved)
        bid, ask = round(mid * 20 - 1) / 20, round(mid * 20 + 1) / 20
        return {"eventSymbol": symbol, "eventTime": 0, "bidPrice": max(bid, 0.05), "askPrice": ask}

    async def token(_: Request) -> Response:
        return JSONResponse({"access_token": "bench", "expires_in": 900})

    async def quote_token(_: Request) -> Response:
        return JSONResponse({"data": {"token": "bench", "dxlink-url": f"ws://127.0.0.1:{port}/realtime"}})

    async def realtime(socket: WebSocket) -> None:
        await socket.accept()
        link = DxLink(lambda _: True, lambda _, symbol, __: [event(symbol, 0.0)] if symbol in prices else [])

        async def publish() -> None:
            each, began, sent = quotes // FRAMES, time.monotonic(), 0
            while True:
                chosen = rng.choice(len(names), each, replace=False)
                level = event("SPX", 1e-4 * math.sin(sent / 50))
                events = [level, *(event(names[i], float(rng.normal(0, 0.002))) for i in chosen[1:])]
                for frame in link.publish("Quote", events):
                    await socket.send_json(frame)
                sent += 1
                await asyncio.sleep(max(0.0, began + sent / FRAMES - time.monotonic()))

        task = asyncio.create_task(publish())
        try:
            while True:
                for answer in link.receive(json.loads(await socket.receive_text())):
                    await socket.send_json(answer)
        except WebSocketDisconnect:
            return
        finally:
            task.cancel()

    routes = [
        Route("/oauth/token", token, methods=["POST"]),
        Route("/api-quote-tokens", quote_token),
        WebSocketRoute("/realtime", realtime),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", ws="websockets-sansio")
    server = uvicorn.Server(config)

    listening = config.bind_socket()
    port = listening.getsockname()[1]
    say.send(port)
    server.run([listening])


# ---------------------------------------------------------------------------------- the book


def book() -> Book:
    """Fifty positions of four legs on all expiries."""
    cash = Decimal(200_000)
    plain = Book(cash=cash, deposits=cash, prior_close=cash, peak=cash, levels={"phase": "4"}, day=Day())
    return replace(plain, positions={one.id: one for one in _positions()})


def _positions() -> Iterator[Position]:
    spx, now = PRODUCTS["SPXW"], START
    for n in range(50):
        day, low = EXPIRIES[n % 10], 5050 + 5 * (n // 10) * 10
        strikes = ((Right.PUT, low, 1), (Right.PUT, low + 50, -1), (Right.CALL, low + 500, -1))
        legs = [
            Leg(Option("SPXW", day, right, Decimal(strike), spx.multiplier, spx.tick), ratio)
            for right, strike, ratio in (*strikes, (Right.CALL, low + 550, 1))
        ]
        one = Component(
            role="condor",
            trade=f"P{n}",
            kind="bench",
            structure=Structure("condor", tuple(legs)),
            units=1,
            filled_units=1,
            entry_net=Decimal(10),
            opened=now,
            opened_dte=30,
            dollars=Decimal(0),
            fees=Decimal(0),
        )
        strategy = ("lt112", "futures_strangle", "friday_0dte")[n % 3]
        yield Position(
            id=f"P{n}",
            strategy=strategy,
            product="SPXW",
            state=State.ACTIVE,
            opened=now,
            components={"condor": one},
            units=1,
            margin=Decimal(0),
            planned_loss=Decimal(0),
        )


# ---------------------------------------------------------------------------------- the measurement


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--quotes", type=int, default=500)
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=broker, args=(there, asked.quotes), daemon=True)
    child.start()
    try:
        print(json.dumps(measured(here.recv(), asked.seconds)))
    finally:
        child.terminate()
        child.join(5)


def measured(port: int, seconds: float) -> dict[str, float]:
    began = time.monotonic()

    def now() -> datetime:
        return START + timedelta(seconds=time.monotonic() - began)

    to = Destination(Environment.SANDBOX, port)
    stream = QuoteStream(
        lambda: session(to, Secrets("bench", "bench")), now=now, trades=lambda _: True, said=print
    )
    stream.start()
    calendar = load_sessions(date(2020, 1, 1), date(2027, 12, 31))
    market = LiveMarket(stream, Directory(), calendar, lambda _: _no_bars(), rate=0.04)
    market.load(Listed(one, occ(one), occ_streamer(one), Instrument.EQUITY_OPTION) for one in contracts())
    held, engine, alarms, throttle = book(), LiveGreeks(Settings()), Alarms(), Throttle()
    today = calendar.on(START.date())
    assert today is not None, "a Friday of trading"

    before: Snapshot | None = None

    def look() -> float:
        start = time.perf_counter()
        view = View(now(), today, calendar, market)
        with market.still():
            snapshot = engine.look(held, view, stream.last)
        alarms.look(view.now, uses(snapshot, engine.settings, 4, Decimal(200_000), today.date))
        nonlocal before
        changes(before, snapshot)
        before = snapshot
        return 1000 * (time.perf_counter() - start)

    while market.vix(now()) is None:
        wait(0.01)
    for _ in range(100):  # subscribes, and compiles what is not compiled yet
        look()
        wait(0.02)
        if before is not None and not before.stale:
            break
    assert before is not None
    streaming = int(np.isfinite(stream.columns([occ_streamer(one) for one in contracts()])[0]).sum())
    # As the engine does once it is ready: what a start has made is not looked through again.
    gc.collect()
    gc.freeze()
    looks, busy, frames = list[float](), list[float](), stream.frames
    cpu, wall = time.process_time(), time.monotonic()
    while time.monotonic() - wall < seconds:
        spot = market.spot("SPX", now())
        if throttle.due(time.monotonic(), stream.frames, {} if spot is None else {"SPX": spot}):
            before_it = time.thread_time()
            looks.append(look())
            busy.append(1000 * (time.thread_time() - before_it))
        wait(0.02)
    used, took = time.process_time() - cpu, time.monotonic() - wall
    stream.close()
    return {
        "contracts": streaming,
        "legs": sum(1 for place in before.sums if place[:1] == ("leg",)),
        "stale": len(before.stale),
        "frames_per_second": round((stream.frames - frames) / took, 1),
        "looks": len(looks),
        "look_ms_median": round(median(looks), 2),
        "look_ms_max": round(max(looks), 2),
        "look_cpu_ms_median": round(median(busy), 2),
        "look_cpu_ms_p99": round(float(np.percentile(busy, 99)), 2),
        "look_cpu_ms_max": round(max(busy), 2),
        "core_share": round(used / took, 4),
    }


def _no_bars() -> Bars:
    none = np.zeros(0)
    return Bars(np.zeros(0, dtype="datetime64[D]"), none, none, none, none)


if __name__ == "__main__":
    main()
