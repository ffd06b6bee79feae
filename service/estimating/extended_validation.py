"""What stores, hardware, machines, tariffs, labels and roles must be before they can be priced, and what would work."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import available_timezones

from service.domain.quantities import significant
from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FineTuningPart,
    Machines,
    TariffHours,
    TariffWindow,
    Tier,
    TrainingPart,
)
from service.domain.scenario_places import inputs_of
from service.errors import FieldProblem
from service.estimating.tariff_hours import QUARTER, quarter_of
from service.formulas.capital import HOURS_PER_YEAR
from service.formulas.catalog_costs import LEAST_SHARE, LEAST_YEARS, LONGEST_SERVICE

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_NAME: Final = 40
LONGEST_MACHINES: Final = 120
"""Machines may be called as their offer is."""
OTHERWISE: Final = "otherwise"
"""The window of all hours that are in no other."""
MOST_TIERS: Final = 20
MOST_ROLES: Final = 50
MOST_MACHINES: Final = 2_000
MOST_WINDOWS: Final = 24
LONGEST_TARIFF: Final = 5 * HOURS_PER_YEAR
"""Hours of a run whose every quarter-hour is looked up; who knows a tariff for longer?"""
LEAST_INTEREST: Final = Decimal("0.000001")
"""Less is none, and too little to compute with."""
FIRST_YEAR, LAST_YEAR = 2000, 2100
LIMITS: Final[Mapping[str, tuple[Decimal, Decimal]]] = {
    "labels_per_item": (Decimal(1), Decimal(1000)),
    "reviewed_share": (Decimal(0), Decimal(1)),
    "service_years": (LEAST_YEARS, LONGEST_SERVICE),
    "interest": (Decimal(0), Decimal(10)),
    "residual_share": (Decimal(0), Decimal(1)),
    "busy_share": (LEAST_SHARE, Decimal(1)),
    "part_time": (Decimal(0), Decimal(1)),
}
"""By field: from which number to which; others are not below 0."""

Problems = Iterator[FieldProblem]


def limit_problems(path: str, part: object) -> Problems:
    """Numbers that have limits of their own."""
    for where, value in inputs_of(part, path):
        least, most = LIMITS.get(where.rpartition(".")[2], (None, None))
        if least is None or most is None or not isinstance(value, Decimal) or not value.is_finite():
            continue
        if not least <= value <= most and value >= 0:
            nearest = least if value < least else most
            yield FieldProblem(where, f"must be {least} to {most}, not {value}; the nearest is {nearest}")


def tier_problems(part: DataPart) -> Problems:
    """Stores and traffic have one price or tiers of it, which begin at 0 and rise."""
    by_length = ("licensed_million_tokens", "licence_per_million_tokens")
    for name, other in (by_length, by_length[::-1]):
        if getattr(part, name) is None and getattr(part, other) is not None:
            yield FieldProblem(f"data.{name}", f"is missing beside {other}")
    if part.licence_years is not None and part.flat_licence is None:
        yield FieldProblem("data.flat_licence", "is missing beside licence_years")
    stores = part.storage_costs is not None or part.storage_tiers is not None
    if part.storage_costs is not None and part.storage_tiers is not None:
        yield FieldProblem("data.storage_tiers", "give either storage_costs or storage_tiers")
    for name in ("growth_tb_per_month", "copies"):
        if getattr(part, name) is not None and not stores:
            yield FieldProblem("data.storage_costs", f"is missing beside {name}")
    if part.egress_price is not None and part.egress_tiers is not None:
        yield FieldProblem("data.egress_tiers", "give either egress_price or egress_tiers")
    priced = part.egress_price is not None or part.egress_tiers is not None
    if part.egress_tb_per_month is not None and not priced:
        yield FieldProblem("data.egress_price", "is missing beside egress_tb_per_month")
    if part.egress_tb_per_month is None and priced:
        yield FieldProblem("data.egress_tb_per_month", "is missing beside the price of traffic")
    yield from _tiers("data.storage_tiers", part.storage_tiers)
    yield from _tiers("data.egress_tiers", part.egress_tiers)


def hardware_problems(part: TrainingPart) -> Problems:
    """A GPU is rented or owned, and a run is over before the hardware is."""
    hardware = part.own_hardware
    if hardware is None:
        return
    if part.gpu_price is not None:
        yield FieldProblem("training.own_hardware", "the GPUs are rented already; give gpu_price or own_hardware")
    if 0 < hardware.interest < LEAST_INTEREST:
        yield FieldProblem("training.own_hardware.interest", f"must be 0 or at least {LEAST_INTEREST}")
    known = (hardware.service_years, hardware.busy_share, part.hours)
    if all(one.is_finite() and one > 0 for one in known):
        needed = significant(part.hours / (HOURS_PER_YEAR * hardware.busy_share), 4)
        if needed > hardware.service_years:
            yield FieldProblem(
                "training.own_hardware.service_years",
                f"are over before the run is, which takes {needed} years of hardware that is in use "
                f"{hardware.busy_share} of the time; give at least as many, or fewer hours",
            )


def run_problems(part: TrainingPart, *, priced: bool) -> Problems:
    """What is priced of one kind of GPUs says how many there are."""
    if part.gpus is None and (priced or not part.machines):
        yield FieldProblem("training.gpus", "is missing; give it, or give machines")


def included_problems(where: str, bought: TrainingPart | Machines) -> Problems:
    """A rented hour has its electricity inside."""
    electricity = bought.electricity_price is not None
    if not (electricity or bought.electricity_tariff is not None):
        return
    if bought.gpu_price is not None and bought.gpu_price.series is not None:
        yield FieldProblem(
            f"{where}.electricity_price" if electricity else f"{where}.electricity_tariff",
            "a rented GPU-hour already includes its electricity; leave this out, or state gpu_price yourself "
            "if it is the price of hardware without power",
        )


def machine_problems(part: TrainingPart) -> Problems:
    """Kinds of machines have names of their own, and each has hours and a price."""
    every = part.machines or ()
    if len(every) > MOST_MACHINES:
        yield FieldProblem("training.machines", f"must be at most {MOST_MACHINES}")
    # Their electricity is called by their names, that of the part by its windows.
    windows = part.electricity_tariff.windows if part.electricity_tariff else ()
    called = [OTHERWISE, *(one.name for one in windows)] if windows else []
    yield from _names("training.machines", [one.name for one in every], called, LONGEST_MACHINES)
    for number, one in enumerate(every):
        where, hours = f"training.machines.{number}", part.hours if one.hours is None else one.hours
        power = one.power_per_gpu_kw is not None
        bought = one.electricity_price is not None or one.electricity_tariff is not None
        if not (one.gpu_price is not None or power or bought):
            yield FieldProblem(f"{where}.gpu_price", "is missing; or give power_per_gpu_kw with electricity_price")
        if power and not bought:
            yield FieldProblem(f"{where}.electricity_price", "is missing beside power_per_gpu_kw")
        if bought and not power:
            yield FieldProblem(f"{where}.power_per_gpu_kw", "is missing beside the price of electricity")
        yield from included_problems(where, one)
        yield from tariff_problems(where, one, hours)


def tariff_problems(within: str, bought: TrainingPart | Machines, hours: Decimal) -> Problems:
    """A tariff stands on its own and covers hours somebody can look up."""
    tariff, where = bought.electricity_tariff, f"{within}.electricity_tariff"
    if tariff is None:
        return
    if bought.electricity_price is not None:
        yield FieldProblem(where, "give either electricity_price or electricity_tariff")
    if hours > LONGEST_TARIFF:
        yield FieldProblem(f"{within}.hours", f"must be at most {LONGEST_TARIFF} where the price is by the hour")
    yield from tariff_hours_problems(where, tariff)
    yield from _start(where, tariff.starts_at)


def tariff_hours_problems(where: str, tariff: TariffHours) -> Problems:
    """There are windows, each of whole quarter-hours, on a clock somebody goes by."""
    if tariff.zone not in available_timezones():
        yield FieldProblem(
            f"{where}.zone", f"must be an IANA time zone such as Europe/Berlin, not {tariff.zone[:40]!r}"
        )
    if not 0 < len(tariff.windows) <= MOST_WINDOWS:
        yield FieldProblem(f"{where}.windows", f"must be 1 to {MOST_WINDOWS}; for one price use electricity_price")
    yield from _names(f"{where}.windows", [one.name for one in tariff.windows], taken=[OTHERWISE])
    for number, window in enumerate(tariff.windows):
        yield from _window(f"{where}.windows.{number}", window)


def labelling_problems(part: FineTuningPart) -> Problems:
    """Labellers are paid by the label or by the hour."""
    by_label, by_hour = part.label_price is not None, part.labelling_hour_price is not None
    if by_label and by_hour:
        yield FieldProblem("fine_tuning.labelling_hour_price", "give either label_price or labelling_hour_price")
    if by_hour and part.minutes_per_label is None:
        yield FieldProblem("fine_tuning.minutes_per_label", "is missing beside labelling_hour_price")
    if not by_hour and part.minutes_per_label is not None:
        yield FieldProblem("fine_tuning.labelling_hour_price", "is missing beside minutes_per_label")
    of_labels = ("labelling_hour_price", "labels_per_item", "reviewed_share")
    beside = next((name for name in of_labels if getattr(part, name) is not None), None)
    if beside and part.labels == 0:
        yield FieldProblem("fine_tuning.labels", f"is missing beside {beside}")


def role_problems(part: EngineeringPart) -> Problems:
    """There are engineers or roles, and a role is called by one name."""
    pair = ("engineers", "average_annual_salary")
    given = [name for name in pair if getattr(part, name) is not None]
    if not given and not part.roles:
        yield FieldProblem("engineering.engineers", "is missing; give it with average_annual_salary, or give roles")
    if len(given) == 1:
        missing = next(name for name in pair if name not in given)
        yield FieldProblem(f"engineering.{missing}", f"is missing beside {given[0]}")
    if len(part.roles or ()) > MOST_ROLES:
        yield FieldProblem("engineering.roles", f"must be at most {MOST_ROLES}")
    yield from _names("engineering.roles", [one.name for one in part.roles or ()])


def _tiers(where: str, tiers: tuple[Tier, ...] | None) -> Problems:
    if tiers is None:
        return
    if not 0 < len(tiers) <= MOST_TIERS:
        yield FieldProblem(where, f"must be 1 to {MOST_TIERS}")
    for number, tier in enumerate(tiers):
        if not number and tier.above_tb != 0:
            yield FieldProblem(f"{where}.0.above_tb", f"must be 0, for the first tier, not {tier.above_tb}")
        if number and not tier.above_tb > tiers[number - 1].above_tb:
            before = tiers[number - 1].above_tb
            yield FieldProblem(f"{where}.{number}.above_tb", f"must be above the tier before, {before}")


def _names(where: str, names: Iterable[str], taken: Iterable[str] = (), longest: int = LONGEST_NAME) -> Problems:
    seen = set(taken)
    for number, name in enumerate(names):
        if len(name) > longest or not NAME.fullmatch(name):
            words = f"must be 1 to {longest} small letters, digits and _, and begin with a letter"
            yield FieldProblem(f"{where}.{number}.name", f"{words}, not {name[:40]!r}")
        elif name in seen:
            yield FieldProblem(f"{where}.{number}.name", f"{name} is there already; give each a name of its own")
        seen.add(name)


def _start(where: str, starts: datetime) -> Problems:
    if starts.utcoffset() is None:
        yield FieldProblem(f"{where}.starts_at", "must have an offset, such as 2026-01-31T00:00:00+01:00")
    elif not FIRST_YEAR <= starts.year < LAST_YEAR:
        yield FieldProblem(f"{where}.starts_at", f"must be in the years {FIRST_YEAR} to {LAST_YEAR - 1}")
    if starts.minute * 60 + starts.second + starts.microsecond / 1e6 not in range(0, 3600, QUARTER.seconds):
        yield FieldProblem(f"{where}.starts_at", "must be at a whole quarter-hour")


def _window(where: str, window: TariffWindow) -> Problems:
    if not window.days:
        yield FieldProblem(f"{where}.days", "must be at least one of mon, tue, wed, thu, fri, sat, sun")
    for name in ("begins", "ends"):
        try:
            quarter_of(getattr(window, name))
        except ValueError:
            told = str(getattr(window, name))[:20]
            yield FieldProblem(f"{where}.{name}", f"must be a whole quarter-hour such as 06:30, not {told!r}")
