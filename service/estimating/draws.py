"""Random numbers that mean the same everywhere: one stream per seed and input name.

Two estimates that share an input share its draws (common random numbers), so that their difference carries no
noise of its own. Each stream is a Latin hypercube (McKay, Beckman and Conover, Technometrics 21, 1979): one draw
in each of as many strata as there are draws, so that a single input's quantiles are exact to a stratum.
"""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_CENTRAL: Final = 0.425
_FAR: Final = 5.0
# Coefficients of PPND16, highest power first.
_MIDDLE: Final = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
    ),
)  # fmt: skip
_TAIL: Final = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
        3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
    ),
)  # fmt: skip
_FAR_TAIL: Final = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
    ),
)  # fmt: skip


def uniforms(seed: int, name: str, draws: int) -> Array:
    """`draws` numbers between 0 and 1, one in each stratum, in an order of the stream's own; never 0 or 1.

    Only raw bits are taken from the generator, whose stream NumPy keeps (PCG64, O'Neill 2014); what is made of
    them is here, so that no release of a sampling routine changes a band.
    """
    raw = _bits(seed, name, 2 * draws)
    order = np.argsort(raw[:draws], kind="stable")
    inside = ((raw[draws:] >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return np.minimum((order + inside) / draws, 1 - 2.0**-53)


def standard_normal(probability: Array) -> Array:
    """The standard normal quantile of probabilities between 0 and 1.

    Algorithm AS 241, PPND16 (Wichura, Applied Statistics 37, 1988, pages 477 to 484): relative error about 1e-16.

    >>> [float(z) for z in standard_normal(np.array([0.1, 0.5])).round(12)]
    [-1.281551565545, 0.0]
    """
    centred = probability - 0.5
    normal = _ratio(_MIDDLE, _CENTRAL**2 - centred * centred) * centred
    outside = np.abs(centred) > _CENTRAL
    if outside.any():
        normal[outside] = _tail(probability[outside])
    return normal


def _tail(probability: Array) -> Array:
    """The quantile where it is steep, a seventh of all draws."""
    root = np.sqrt(-np.log(np.minimum(probability, 1 - probability)))
    tail = _ratio(_TAIL, root - 1.6)
    far = root > _FAR
    if far.any():
        tail[far] = _ratio(_FAR_TAIL, root[far] - _FAR)
    return np.copysign(tail, probability - 0.5)


def _bits(seed: int, name: str, many: int) -> npt.NDArray[np.uint64]:
    digest = hashlib.sha256(f"{seed}\x00{name}".encode()).digest()
    return np.random.PCG64(int.from_bytes(digest, "big")).random_raw(many)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], at: Array) -> Array:
    above, below = coefficients
    return _polynomial(above, at) / _polynomial(below, at)


def _polynomial(coefficients: tuple[float, ...], at: Array) -> Array:
    value = coefficients[0] * at
    for one in coefficients[1:-1]:
        value += one
        value *= at
    return value + coefficients[-1]
