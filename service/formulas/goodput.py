"""The share of time a run makes progress: failures, restarts, checkpoints."""

from typing import Final

import numpy as np

from service.formulas.numbers import Number

HOURS_BETWEEN_FAILURES: Final = 50_700
"""Accelerator-hours per unexpected interruption: 419 in 54 days on 16,384 H100 (Llama 3, arXiv:2407.21783, 3.3.4)."""


def hours_between_failures(*, accelerators: Number, of_one: Number = HOURS_BETWEEN_FAILURES) -> Number:
    r"""Mean time between failures of a cluster.

    .. math:: M = M_1 / n

    Symbols:
        M: mean time between failures of the cluster [hours]
        M_1: that of one accelerator and its share of everything else [hours]
        n: accelerators that must all work [GPUs]

    Limits: failures are independent; a young cluster fails several times more often.

    Reference: Llama 3, arXiv:2407.21783, section 3.3.4, for the default.

    >>> round(hours_between_failures(accelerators=16384), 1)
    3.1
    """
    return of_one / accelerators


def young_interval(*, checkpoint_hours: Number, failure_hours: Number) -> Number:
    r"""Time between checkpoints that wastes least, to first order.

    .. math:: \tau = \sqrt{2 \delta M}

    Symbols:
        tau: time between checkpoints [hours]
        delta: what a checkpoint stalls the run [hours]
        M: mean time between failures [hours]

    Limits: delta well below M.

    Reference: Young, "A first order approximation to the optimum checkpoint interval", CACM 17(9), 1974.

    >>> round(float(young_interval(checkpoint_hours=1 / 60, failure_hours=3.1)) * 60)
    19
    """
    return np.sqrt(2 * checkpoint_hours * failure_hours)


def daly_interval(*, checkpoint_hours: Number, failure_hours: Number) -> Number:
    r"""Time between checkpoints that wastes least, to higher order.

    .. math:: \tau = \sqrt{2 \delta M}\,\Bigl(1 + \tfrac{1}{3}\sqrt{\tfrac{\delta}{2M}}
        + \tfrac{1}{9}\tfrac{\delta}{2M}\Bigr) - \delta, \quad M \text{ if } \delta \ge 2 M

    Symbols:
        as `young_interval`

    Limits: exponential failures.

    Reference: Daly, "A higher order estimate of the optimum checkpoint interval", FGCS 22(3), 2006.

    >>> round(float(daly_interval(checkpoint_hours=1 / 60, failure_hours=3.1)) * 60, 1)
    18.6
    """
    ratio = checkpoint_hours / (2 * failure_hours)
    higher = np.sqrt(2 * checkpoint_hours * failure_hours) * (1 + np.sqrt(ratio) / 3 + ratio / 9) - checkpoint_hours
    return np.where(ratio < 1, higher, failure_hours)


def goodput(
    *, checkpoint_hours: Number, interval_hours: Number, failure_hours: Number, restart_hours: Number
) -> Number:
    r"""Share of the time that makes progress.

    .. math:: g = 1 - \frac{\delta}{\tau} - \frac{\tau}{2M} - \frac{R}{M}

    Symbols:
        g: share, 0 where nothing is left [1]
        delta: what a checkpoint stalls the run [hours]
        tau: time between checkpoints [hours]
        M: mean time between failures of the cluster [hours]
        R: time from a failure to the first new step [hours]

    Limits: waste below about a third; a failure loses half an interval on average.

    Reference: Young, CACM 17(9), 1974; Llama 3, arXiv:2407.21783, reports above 90 %.

    >>> round(float(goodput(checkpoint_hours=1 / 60, interval_hours=0.32, failure_hours=3.1, restart_hours=0)), 2)
    0.9
    """
    waste = checkpoint_hours / interval_hours + interval_hours / (2 * failure_hours) + restart_hours / failure_hours
    return np.maximum(1 - waste, 0.0)
