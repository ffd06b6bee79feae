"""What a goal must be before it is planned; every problem is named, not only the first."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatchcase
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from pricing_sources.accelerators import ACCELERATORS, resolve
from service.domain.goal import MOST_HOURS, UNSAID, Goal
from service.domain.regions import is_kept
from service.domain.scenario import FactorInput, PriceInput
from service.errors import FieldProblem
from service.estimating.extended_validation import tariff_hours_problems

WORKS: Final = ("pretraining", "fine_tuning", "batch_inference", "serving", "gpu_hours")
LONGEST_NAME: Final = 120
LONGEST_WORD: Final = 200
MOST_WORDS: Final = 100
MOST_GPUS: Final = 131_072
LARGEST: Final = 1e18
RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "confidence": (0.5, 0.999),
        "most_gpus": (1, MOST_GPUS),
        "greener_within": (0, 10),
        "packing": (0.01, 1),
        "utilisation": (0.01, 1),
        "rank": (1, 65_536),
        "epochs": (1, 1000),
        "overhead_hours": (0, 1000),
        "sequence": (1, 10_000_000),
        "batch_sequences": (1, 1_000_000),
        "start_hours": (0, 1000),
        "minimum_replicas": (1, 10_000),
        "spot_per_hour": (0, 100),
        "other_per_hour": (0, 100),
        "write_hours": (0, 100),
        "restart_hours": (0, 100),
        "kg_per_kwh": (0, 10),
        "hours": (0.01, MOST_HOURS),
        "within_hours": (0.01, MOST_HOURS),
        "active_parameters": (1e3, 1e14),
        "gpus": (1, MOST_GPUS),
        "gpus_per_machine": (1, 1024),
        "together": (1, 1024),
        "people": (0, 100_000),
        "volume_tb": (0, 1e9),
        "power_kw": (0, 1000),
    }
)
"""Least and most by the name of a field, wherever in the goal it stands."""

Problems = Iterator[FieldProblem]


def goal_problems(goal: Goal, valid_at: datetime) -> Problems:
    """Every field that cannot be planned for as it is, and what would work."""
    if not goal.name.strip() or len(goal.name) > LONGEST_NAME:
        yield FieldProblem("name", f"must have 1 to {LONGEST_NAME} characters")
    if not re.fullmatch(r"[A-Z]{3}", goal.currency):
        yield FieldProblem("currency", f"must be an ISO 4217 code such as USD, not {goal.currency[:LONGEST_WORD]!r}")
    given = [name for name in WORKS if getattr(goal, name) is not None]
    if len(given) != 1:
        meant = f"not {' and '.join(given)}" if given else "none is given"
        yield FieldProblem("goal", f"must have exactly one of {', '.join(WORKS)}; {meant}")
    yield from _inside("", goal)
    yield from _time(goal, valid_at)
    if goal.budget is not None and not (goal.budget.is_finite() and goal.budget > 0):
        yield FieldProblem("budget", f"must be above 0, not {goal.budget}")
    yield from _hardware(goal)


def accelerator_named(label: str) -> str | None:
    """The id of the accelerator an id or an alias means; None where it means none, or several."""
    if any(one.id == label for one in ACCELERATORS):
        return label
    found = resolve(label).accelerator
    return found.id if found else None


def wanted(pattern: str) -> tuple[str, ...]:
    """The ids a pattern, an id or an alias means; of an alias for several, all of them."""
    ids = tuple(one.id for one in ACCELERATORS if fnmatchcase(one.id, pattern))
    match = resolve(pattern)
    return ids or tuple(one.id for one in (match.candidates or (match.accelerator,)) if one is not None)


def _inside(where: str, value: Any) -> Problems:
    """Every number in its range, every list short, at any depth."""
    for one in fields(value):
        found, path = getattr(value, one.name), f"{where}{one.name}"
        match found:
            case bool() | None:
                pass
            case int() | float() | Decimal():
                yield from _number(path, one.name, float(found))
            case str():
                if len(found) > LONGEST_WORD:
                    yield FieldProblem(path, f"must have at most {LONGEST_WORD} characters")
            case tuple():
                yield from _list(path, found)
            case PriceInput() | FactorInput():
                pass
            case _ if hasattr(found, "__dataclass_fields__"):
                yield from _inside(f"{path}.", found)


def _list(path: str, found: tuple[Any, ...]) -> Problems:
    if len(found) > MOST_WORDS:
        yield FieldProblem(path, f"must have at most {MOST_WORDS} entries, not {len(found)}")
        return
    if path.endswith("precisions") and not found:
        yield FieldProblem(path, "must have at least one, such as bf16")
    for number, one in enumerate(found):
        if hasattr(one, "__dataclass_fields__"):
            yield from _inside(f"{path}.{number}.", one)
        elif isinstance(one, str) and not 0 < len(one) <= LONGEST_WORD:
            yield FieldProblem(f"{path}.{number}", f"must have 1 to {LONGEST_WORD} characters")
        elif one in found[:number]:
            yield FieldProblem(f"{path}.{number}", f"{one!r} is given twice; name each once")
            return


def _number(path: str, name: str, value: float) -> Problems:
    if name in RANGES:
        least, most = RANGES[name]
        if not least <= value <= most:
            yield FieldProblem(path, f"must be {least:g} to {most:g}, not {value:g}")
    elif path.startswith("pretraining.architecture") or ".architecture." in path:
        return  # checked, field by field, by the predictions
    elif not (isfinite(value) and 0 < value <= LARGEST):
        yield FieldProblem(path, f"must be above 0 and at most {LARGEST:g}, not {value:g}")


def _time(goal: Goal, valid_at: datetime) -> Problems:
    if goal.deadline is not None and goal.within_hours is not None:
        yield FieldProblem("deadline", "give either deadline or within_hours, and not both")
    if goal.serving is not None and (goal.deadline is not None or goal.within_hours is not None):
        yield FieldProblem("serving.hours", "says how long it is served; a service has no deadline, leave that out")
    if goal.deadline is None:
        return
    if goal.deadline.tzinfo is None:
        yield FieldProblem("deadline", "must carry a UTC offset, for example 2026-03-01T00:00:00Z")
    elif goal.deadline <= valid_at:
        wanted = "give one after it, or ask for prices of an earlier moment"
        yield FieldProblem(
            "deadline", f"{goal.deadline.isoformat()} is past: prices are of {valid_at.isoformat()}; {wanted}"
        )
    elif goal.deadline - valid_at > timedelta(hours=MOST_HOURS):
        yield FieldProblem("deadline", f"must be within {MOST_HOURS} hours")


def _hardware(goal: Goal) -> Problems:
    run = goal.pretraining
    if run is not None and run.batch_tokens < run.sequence:
        yield FieldProblem("pretraining.batch_tokens", f"must be at least one sequence, {run.sequence}")
    work = goal.gpu_hours
    if work is not None and work.together > work.gpus:
        yield FieldProblem("gpu_hours.together", f"must be at most gpus, {work.gpus}")
    if work is not None and work.gpus > goal.most_gpus:
        yield FieldProblem("gpu_hours.gpus", f"must be at most most_gpus, {goal.most_gpus}")
    if work is not None and not goal.accelerators:
        yield FieldProblem(
            "accelerators", "is missing: an hour of which GPU is meant? For example nvidia-h100-sxm-80gb"
        )
    for number, pattern in enumerate(goal.accelerators):
        if not wanted(pattern):
            close = get_close_matches(pattern, [one.id for one in ACCELERATORS], n=2, cutoff=0.4)
            hint = f"did you mean {' or '.join(close)}?" if close else "see: costplan accelerators ls"
            yield FieldProblem(f"accelerators.{number}", f"{pattern!r} is no accelerator; {hint}")
    names = [one.name for one in goal.own]
    for number, one in enumerate(goal.own):
        if accelerator_named(one.accelerator) is None:
            near = ", ".join(match.id for match in resolve(one.accelerator).candidates)
            hint = f"it may mean {near}" if near else "see: costplan accelerators ls"
            yield FieldProblem(f"own.{number}.accelerator", f"{one.accelerator!r} is not known; {hint}")
        if one.gpu_hour.series is not None:
            hint = "a rented GPU-hour has its electricity inside; state what yours costs without"
            yield FieldProblem(f"own.{number}.gpu_hour", hint)
        if (one.electricity is None) == (one.electricity_tariff is None):
            yield FieldProblem(f"own.{number}.electricity", "give either electricity or electricity_tariff")
        if one.electricity_tariff is not None:
            yield from tariff_hours_problems(f"own.{number}.electricity_tariff", one.electricity_tariff)
        if one.gpus_per_machine > one.gpus:
            yield FieldProblem(f"own.{number}.gpus_per_machine", f"must be at most gpus, {one.gpus}")
        if one.region == UNSAID and not is_kept(one.name, one.region, goal.regions):
            where = "say where they stand: a country's ISO code such as DE, or the group or name that regions has"
            yield FieldProblem(
                f"own.{number}.region", f"is missing: the goal keeps to regions {', '.join(goal.regions)}; {where}"
            )
        if names.count(one.name) > 1:
            yield FieldProblem(f"own.{number}.name", f"{one.name!r} is given twice; give each its own name")
