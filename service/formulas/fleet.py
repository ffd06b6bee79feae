"""How many replicas a service needs, and how full they are on average."""

from typing import Final

import numpy as np

from service.formulas.numbers import Number

SECONDS_PER_DAY: Final = 86_400


def mean_requests_per_second(*, users: Number, queries_per_user_per_day: Number) -> Number:
    r"""Requests a second, on average over the day.

    .. math:: \lambda = \frac{U\,q}{86400}

    Symbols:
        lambda: requests a second [1/s]
        U: users [Persons]
        q: queries one user sends a day [1/day]

    Limits: users are those active on the day.

    Reference: the mission's formula 3, per second.

    >>> round(mean_requests_per_second(users=100_000, queries_per_user_per_day=10), 2)
    11.57
    """
    return users * queries_per_user_per_day / SECONDS_PER_DAY


def replicas(
    *,
    requests_per_second: Number,
    peak_factor: Number,
    seconds_per_request: Number,
    utilisation: Number = 0.8,
    headroom: Number = 0.0,
    minimum: Number = 1,
) -> Number:
    r"""Replicas that answer the busiest hour.

    .. math:: n = \max\Bigl(n_0,\; \Bigl\lceil \frac{R + \beta \sqrt{R}}{u} \Bigr\rceil\Bigr),
        \quad R = \lambda\,\pi\,o

    Symbols:
        n: replicas [1]
        lambda: requests a second on average [1/s]; pi: peak over average [1]
        o: how long a request occupies a replica, `serving.seconds_per_request` [s]
        R: replicas that would be just busy at the peak [1]
        beta: headroom for bursts, in standard deviations of the number waiting [1]
        u: how full a replica may be at the peak [1]
        n_0: replicas kept whatever happens: one a region, two for redundancy [1]

    Limits: replicas start in time; without reclaim at night they idle, see `mean_use`.

    Reference: Halfin and Whitt, "Heavy-traffic limits for queues with many exponential servers", Operations Research
    29(3), 1981, for the square root.

    >>> float(replicas(requests_per_second=11.57, peak_factor=2.5, seconds_per_request=0.34, utilisation=0.8))
    13.0
    >>> float(replicas(requests_per_second=0.01, peak_factor=2.5, seconds_per_request=0.34, minimum=2))
    2.0
    """
    busy = requests_per_second * peak_factor * seconds_per_request
    return np.maximum(minimum, np.ceil((busy + headroom * np.sqrt(busy)) / utilisation))


def mean_use(*, requests_per_second: Number, seconds_per_request: Number, fleet: Number) -> Number:
    r"""How full the replicas are on average over the day; the rest is paid for and idle.

    .. math:: \bar u = \frac{\lambda\,o}{n}

    Symbols:
        u: mean use [1]
        lambda: requests a second on average [1/s]
        o: how long a request occupies a replica [s]
        n: replicas kept running [1]

    Limits: none are given back at night. DeepSeek, which reclaims them, reports 226.75 nodes in use of at most 278.

    Reference: deepseek-ai/open-infra-index, day 6, 2025-02-28, for the comparison.

    >>> round(mean_use(requests_per_second=11.57, seconds_per_request=0.34, fleet=13), 2)
    0.3
    """
    return requests_per_second * seconds_per_request / fleet


def fleet_accelerator_hours(*, fleet: Number, accelerators: Number, days: Number = 1) -> Number:
    r"""Accelerator-hours a fleet that is never given back takes.

    .. math:: H = 24\,n\,G\,d

    Symbols:
        H: accelerator-hours [GPU-Hours]
        n: replicas [1]
        G: accelerators of one [GPUs]
        d: days [days]

    Limits: allocated, used or not.

    Reference: FOCUS unit format "GPU-Hours".

    >>> fleet_accelerator_hours(fleet=13, accelerators=8, days=30)
    74880
    """
    return 24 * fleet * accelerators * days


def cold_start_seconds(*, weight_bytes: Number, load_bytes_per_second: Number, fixed_seconds: Number = 0) -> Number:
    r"""Time until a new replica answers.

    .. math:: t = t_0 + M_w / W_l

    Symbols:
        t: time [s]
        t_0: getting the machine, starting the engine, capturing graphs [s]
        M_w: weights of the model [bytes]; W_l: rate they are loaded at, all accelerators together [bytes/s]

    Limits: the rate is that of the slowest part, usually the network store.

    Reference: the sum of its parts.

    >>> cold_start_seconds(weight_bytes=140e9, load_bytes_per_second=2e9, fixed_seconds=60)
    130.0
    """
    return fixed_seconds + weight_bytes / load_bytes_per_second
