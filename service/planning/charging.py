"""What work on machines of a kind is charged for: whole slots, bound terms, whole machines, everything by the hour.

The search and the draws that say how sure its answer is charge through the same functions, so that a draw in which
nothing is off costs what the plan says.
"""

from dataclasses import dataclass

import numpy as np

from service.domain.market import Floats
from service.planning.by_the_hour import ElectricityByHour


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What offers must have in common to take equally long."""

    accelerator: str
    gpus: float
    hazard: float
    bound_hours: float
    slot_hours: float
    grid: float
    most_gpus: float
    by_hour: ElectricityByHour | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What is paid for, whatever a GPU-hour costs."""

    hours: Floats
    gpu_hours: Floats
    hourly: Floats
    """Storage and staff, and what the hours that electricity is bought in cost beside their mean [currency]."""


def charge(kind: Kind, hourly: float, gpus: Floats, hours: Floats) -> Charge:
    """Of work on so many GPUs for so long; `hourly` is what storage and staff cost [currency/h]."""
    paid = paid_hours(hours, kind)
    beside = 0.0 if kind.by_hour is None else kind.by_hour.cost(gpus, paid)
    return Charge(paid, gpus * paid, hourly * hours + beside)


def paid_hours(hours: Floats, kind: Kind) -> Floats:
    """Whole slots, and no less than is bound."""
    whole = np.ceil(hours / kind.slot_hours) * kind.slot_hours if kind.slot_hours else hours
    return np.maximum(whole, kind.bound_hours)


def ready(kind: Kind, replicas: Floats, restart_hours: float) -> Floats:
    """Replicas of a service with those that are coming back."""
    return replicas * (1 + kind.hazard * restart_hours)


def packed(kind: Kind, replicas: Floats, gpus: Floats) -> Floats:
    """Machines that hold so many replicas of so many GPUs each, none split over two."""
    in_one = np.maximum(np.floor(kind.gpus / gpus), 1)
    return np.ceil(np.ceil(replicas) / in_one)
