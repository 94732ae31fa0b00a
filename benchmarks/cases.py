"""The chains that the benchmarks run on: ordinary ones, and ones that break naive formulas."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MINUTE = 1.0 / (252 * 390)


class Chain(NamedTuple):
    """Columns of shape (n,), units as in ``tomking.pricing.black``."""

    forward: Floats
    strike: Floats
    years: Floats
    vol: Floats
    discount: Floats
    right: Floats


def ordinary(n: int, seed: int) -> Chain:
    """A day to two years, 8 % to 80 %, strikes within 2.5 deviations, rate 4 %."""
    rng = np.random.default_rng(seed)
    years, vol = np.exp(rng.uniform(math.log(1 / 252), math.log(2), n)), rng.uniform(0.08, 0.8, n)
    strike = 5_000 * np.exp(rng.uniform(-2.5, 2.5, n) * vol * np.sqrt(years))
    return Chain(np.full(n, 5_000.0), strike, years, vol, np.exp(-0.04 * years), rng.choice([1.0, -1.0], n))


def hostile(n: int, seed: int) -> Chain:
    """A quarter each: 0DTE minutes from expiry; a tenth to ten times the forward; 1 % to 500 %; the wings.

    The wings' price and intrinsic differ by about 1e-12 of the forward.
    """
    rng = np.random.default_rng(seed + 1)
    years = np.exp(rng.uniform(math.log(MINUTE), math.log(3), n))
    vol = np.exp(rng.uniform(math.log(0.01), math.log(5), n))
    strike = 5_000 * np.exp(rng.uniform(-4, 4, n) * vol * np.sqrt(years))
    q = n // 4
    years[:q] = MINUTE * rng.uniform(1, 30, q)
    strike[:q] = 5_000 * np.exp(rng.uniform(-4, 4, q) * vol[:q] * np.sqrt(years[:q]))
    strike[q : 2 * q] = 5_000 * 10.0 ** rng.uniform(-1, 1, q)
    # A tail of 1e-12 is seven deviations out.
    away = rng.choice([1.0, -1.0], q) * rng.uniform(6.3, 7.3, q)
    vol[3 * q : 4 * q] = np.minimum(vol[3 * q : 4 * q], 0.4 / np.sqrt(years[3 * q : 4 * q]))
    strike[3 * q : 4 * q] = 5_000 * np.exp(away * vol[3 * q : 4 * q] * np.sqrt(years[3 * q : 4 * q]))
    return Chain(np.full(n, 5_000.0), strike, years, vol, np.exp(-0.04 * years), rng.choice([1.0, -1.0], n))
