"""exp, ln and the normal tail as polynomials, for the inside of vectorised loops.

No call, no table, no branch: an ``njit`` loop around these becomes vector instructions, and the
bits are the same on every processor, whatever the C library, because a multiply and an add are
never fused (no fastmath).  ``exp`` and ``ln`` are within 2 units of the last place on their stated
range, ``mills`` within 5; outside it they say nothing, and the kernels that use them guard their inputs.

The coefficients are interpolations in Chebyshev nodes, computed with 60 digits by mpmath.
"""

import math

import numpy as np
from numba import njit

_MAGIC = 6755399441055744.0
"""1.5 x 2^52: a double plus this has the nearest integer in its lowest bits."""
_MAGIC_BITS = 0x4338000000000000
_HALF_EXPONENT = 1 << 51
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.6931471803691238
"""ln 2 to 32 bits, so that a whole multiple of it is exact."""
_LN2_LOW = 1.9082149292705877e-10
_EXP_LEAST = -708.0
FAR = 1e6
"""Beyond so many deviations a tail is nothing: keeps the powers below from overflowing."""

DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)
MILLS_AT_0 = math.sqrt(0.5 * math.pi)
LN_DENSITY_AT_0 = -0.5 * math.log(2.0 * math.pi)


@njit(cache=True, error_model="numpy", forceinline=True)
def exp(x: float) -> float:
    """``e**x`` for x up to 700; below -708 it is 0."""
    within = max(x, _EXP_LEAST)
    shifted = within * _LOG2_E + _MAGIC
    n = shifted - _MAGIC
    r = (within - n * _LN2_HIGH) - n * _LN2_LOW
    p = 2.510038549551032e-08
    p = p * r + 2.7620088445409746e-07
    p = p * r + 2.7557268459997064e-06
    p = p * r + 2.4801521295954376e-05
    p = p * r + 0.00019841269863053618
    p = p * r + 0.0013888888917213717
    p = p * r + 0.008333333333330062
    p = p * r + 0.04166666666662413
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    two_to_n = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    grown = (1.0 + (r + r * r * p)) * two_to_n
    return 0.0 if x < _EXP_LEAST else grown


@njit(cache=True, error_model="numpy", forceinline=True)
def ln_ratio(a: float, b: float) -> float:
    """``ln(a / b)`` for normal positive a and b; exact where they are close, as ``log1p`` is.

    The bits of a double are nearly its logarithm: their difference gives the power of two to
    divide by, without a division, and leaves a ratio within 2^(+-0.587).
    """
    bits = np.float64(a).view(np.int64) - np.float64(b).view(np.int64)
    e = (bits + _HALF_EXPONENT) >> 52
    scaled = np.int64(np.float64(b).view(np.int64) + (e << 52)).view(np.float64)
    s = (a - scaled) / (a + scaled)
    w = s * s
    p = 0.15132917066024065
    p = p * w + 0.15282107869354097
    p = p * w + 0.1818467587503561
    p = p * w + 0.2222218154544209
    p = p * w + 0.2857142884635436
    p = p * w + 0.399999999993045
    p = p * w + 0.6666666666666695
    n = np.int64(e + _MAGIC_BITS).view(np.float64) - _MAGIC
    return n * _LN2_HIGH + (2.0 * s + (s * w * p + n * _LN2_LOW))


@njit(cache=True, error_model="numpy", forceinline=True)
def ln(x: float) -> float:
    """Natural logarithm of a normal positive x."""
    return ln_ratio(x, 1.0)


@njit(cache=True, error_model="numpy", forceinline=True)
def mills_parts(a: float) -> tuple[float, float]:
    """Numerator and denominator of Mills' ratio ``N(-a) / density(a)`` for 0 <= a <= ``FAR``.

    A rational function with positive coefficients only: nothing cancels.
    """
    p = 5.933227006801652e-07
    p = p * a + 1.8404318937967354e-05
    p = p * a + 0.000279982894232825
    p = p * a + 0.0027185033141928477
    p = p * a + 0.018529057349982083
    p = p * a + 0.09229011720794589
    p = p * a + 0.33978307841940586
    p = p * a + 0.9142621197839477
    p = p * a + 1.7283067541904873
    p = p * a + 2.0917084169868634
    p = p * a + 1.2533141373155003
    q = 5.933227006801651e-07
    q = q * a + 1.8404318937967604e-05
    q = q * a + 0.0002805762169334003
    q = q * a + 0.0027369076331478746
    q = q * a + 0.01880785359736367
    q = q * a + 0.09497181195955214
    q = q * a + 0.35775810057531937
    q = q * a + 1.0012993397735996
    q = q * a + 2.033786385137731
    q = q * a + 2.8472319841490132
    q = q * a + 2.4668264124180856
    q = q * a + 1.0
    return p, q


@njit(cache=True, error_model="numpy", forceinline=True)
def mills(a: float) -> float:
    """Mills' ratio ``N(-a) / density(a)`` for a >= 0; ``erfcx(a / sqrt 2) sqrt(pi / 2)``."""
    p, q = mills_parts(min(a, FAR))
    return p / q


@njit(cache=True, error_model="numpy", forceinline=True)
def normal_deviation(q: float) -> float:
    """First guess of ``h`` where ``density(h)/h - N(-h) = 1/(e**q - 1)``, within 2e-5, q in [0, 729].

    It inverts the normal model's price: ``h`` is the distance to the strike over the deviation.
    """
    r = math.sqrt(q)
    p = 0.00106193965728
    p = p * r + 0.00249251484031
    p = p * r + 0.00619583106929
    p = p * r + 0.0344565972143
    p = p * r + 0.0245877035352
    p = p * r + 0.118729554355
    p = p * r + 0.398942282533
    d = 0.000750653729197
    d = d * r + 0.00179988767292
    d = d * r + 0.00860208207295
    d = d * r + 0.018589927988
    d = d * r + 0.0865617733051
    d = d * r + 0.0616091033847
    d = d * r + 0.297611791151
    d = d * r + 1.0
    return q * p / d
