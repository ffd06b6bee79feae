"""The formulas of what is not compute: data, people, labels, own hardware, electricity by the hour, carbon."""

from decimal import Decimal
from typing import Any, Final

from pricing_sources.units import Unit
from service.formulas import capital, carbon, data, energy, engineering, labelling
from service.formulas.catalog_arguments import ONE, ZERO, count, number, share
from service.formulas.formula import LARGEST, Argument, Formula

LEAST_SHARE: Final = Decimal("0.0001")
"""Less than an hour of use a year is no use."""
LEAST_YEARS: Final = Decimal("0.01")
LONGEST_SERVICE: Final = Decimal(100)
_PEOPLE: Final = number("people", "people in the role once it is filled", Unit.PERSON)
_YEARS: Final = number("years", "for how long", Unit.YEAR)
_PART_TIME: Final = share("part_time", "share of full time each works", default=1)
_RAMP_UP: Final = number("ramp_up_years", "years until the role is filled, evenly", Unit.YEAR, default=0)
_LOADING: Final = number("loading", "compensation over wages", minimum=ONE)
_MONTHS: Final = number("months", "months stored", Unit.MONTH)
_ABOVE: Final = number("above_tb", "where the tier begins", Unit.TB, default=0)
_UP_TO: Final = Argument(
    name="up_to_tb", description="where the tier ends; nowhere unless given", unit=Unit.TB, optional=True
)
_LABELS: Final = number("labels", "items that need a label", Unit.LABEL)
_PER_ITEM: Final = count("labels_per_item", "people who label each item", default=1)
_REVIEWED: Final = share("reviewed_share", "share of the items somebody looks at again", default=0)
_GPUS: Final = number("gpus", "GPUs running at once", Unit.GPU)
_HOURS: Final = number("hours", "duration", Unit.HOUR)
_POWER: Final = number("power_per_gpu_kw", "power of one GPU at full load", Unit.KW)
_SERVER: Final = number("server_factor", "server over GPU power", minimum=ONE, default=1)
_BUSY: Final = number(
    "busy_share", "hours the hardware is in use, over hours", minimum=LEAST_SHARE, maximum=ONE, default=1
)
_INTEREST: Final = number("interest", "interest a year", "1/Years", maximum=Decimal(10), default=0)
_SERVICE: Final = number("service_years", "years in service", Unit.YEAR, minimum=LEAST_YEARS, maximum=LONGEST_SERVICE)
_RESIDUAL: Final = share("residual_share", "price at the end of service over price paid", default=0)
_SYSTEM: Final = number("system_factor", "GPU with server and network over GPU, in price", minimum=ONE, default=1)
_KG: Final = "kg CO2e"


def _price(name: str, description: str, per: Unit | None = None, *, minimum: Decimal = ZERO) -> Argument:
    return Argument(name=name, description=description, per=per, minimum=minimum)


def _formula(formula_id: str, title: str, function: Any, arguments: tuple[Argument, ...], unit: str) -> Formula:
    return Formula(id=formula_id, version=1, title=title, function=function, arguments=arguments, result_unit=unit)


_DATA: Final = (
    _formula(
        "data.growing_storage",
        "TB-months of a growing store, or of one tier of it",
        data.growing_storage,
        (
            number("volume_tb", "size at the start", Unit.TB),
            _MONTHS,
            number("growth_tb_per_month", "growth", "TB/Months", default=0),
            number("copies", "copies kept", default=1),
            _ABOVE,
            _UP_TO,
        ),
        Unit.TB_MONTH.value,
    ),
    _formula(
        "data.egress",
        "TB that leave, or those in one tier",
        data.egress,
        (
            number("egress_tb_per_month", "traffic out of one month", "TB/Months"),
            number("months", "months", Unit.MONTH, default=1),
            _ABOVE,
            _UP_TO,
        ),
        Unit.TB.value,
    ),
)
_PEOPLE_WHO_BUILD: Final = (
    _formula(
        "engineering.role_years",
        "Person-years of one role",
        engineering.role_years,
        (_PEOPLE, _YEARS, _PART_TIME, _RAMP_UP),
        Unit.PERSON_YEAR.value,
    ),
    _formula(
        "engineering.beyond_salary",
        "What employing a role costs beyond its salaries",
        engineering.beyond_salary,
        (_PEOPLE, _YEARS, _PART_TIME, _RAMP_UP, _LOADING),
        Unit.PERSON_YEAR.value,
    ),
)
_PEOPLE_WHO_LABEL: Final = (
    _formula(
        "labelling.labels",
        "Labels that are paid for",
        labelling.paid_labels,
        (_LABELS, _PER_ITEM, _REVIEWED),
        Unit.LABEL.value,
    ),
    _formula(
        "labelling.hours",
        "Hours that labelling takes",
        labelling.labelling_hours,
        (_LABELS, number("minutes_per_label", "time one label takes", "Minutes"), _PER_ITEM, _REVIEWED),
        Unit.PERSON_HOUR.value,
    ),
)
_CAPITAL: Final = (
    _formula(
        "capital.recovery_factor",
        "Yearly payment that repays a unit of capital",
        capital.capital_recovery_factor,
        (
            number("interest", "interest a year", "1/Years", maximum=Decimal(10)),
            number("years", "years in service", Unit.YEAR, minimum=LEAST_YEARS, maximum=LONGEST_SERVICE),
        ),
        "1/Years",
    ),
    _formula(
        "capital.per_year",
        "What capital costs a year",
        capital.capital_per_year,
        (
            _price("capital", "price paid"),
            _price("residual", "price at the end of service"),
            number("interest", "interest a year", "1/Years", maximum=Decimal(10)),
            number("years", "years in service", Unit.YEAR, minimum=LEAST_YEARS, maximum=LONGEST_SERVICE),
        ),
        "currency/Years",
    ),
    _formula(
        "capital.payback",
        "When what is saved has repaid what was paid",
        capital.payback_years,
        (
            _price("capital", "price paid"),
            _price("saved_per_year", "saved a year, running costs subtracted", Unit.YEAR, minimum=1 / LARGEST),
        ),
        Unit.YEAR.value,
    ),
    _formula(
        "capital.cost_per_hour",
        "What an hour of use costs",
        capital.cost_per_hour,
        (_price("cost_per_year", "cost of a year, used or not", Unit.YEAR), _BUSY),
        "currency/Hours",
    ),
    _formula(
        "capital.gpus_used_up",
        "GPUs' worth of purchase price that a run uses up",
        capital.gpus_used_up,
        (_GPUS, _HOURS, _SERVICE, _INTEREST, _RESIDUAL, _BUSY, _SYSTEM),
        Unit.GPU.value,
    ),
    _formula(
        "capital.colocation",
        "Power rented in a data centre",
        capital.colocation_kw_months,
        (_GPUS, _HOURS, _POWER, _SERVER, _BUSY),
        Unit.KW_MONTH.value,
    ),
)
_ENERGY: Final = (
    _formula(
        "energy.in_window",
        "Electrical energy of a run at one price of a tariff",
        energy.energy_in_window,
        (
            share("share_of_hours", "hours of the run inside the window, over its hours"),
            _POWER,
            _GPUS,
            _HOURS,
            share("utilisation", "average over full-load draw", default=1),
            number("idle_power_per_gpu_kw", "draw of a waiting GPU", Unit.KW, default=0),
            number("idle_hours", "hours spent waiting", Unit.HOUR, default=0),
            _SERVER,
            number("pue", "facility over server power", minimum=ONE, default=1),
        ),
        Unit.KWH.value,
    ),
    _formula(
        "energy.interval_cost",
        "Cost of the electricity of one interval",
        energy.interval_cost,
        (
            _price("electricity_price", "price in the interval", Unit.KWH, minimum=-LARGEST),
            number("power_kw", "power drawn, at the meter", Unit.KW),
            number("minutes", "how long the interval is", "Minutes"),
        ),
        "currency",
    ),
)
_CARBON: Final = (
    _formula(
        "carbon.operational",
        "Emissions of the electricity of a run",
        carbon.operational_kg,
        (
            number("energy_kwh", "energy at the meter", Unit.KWH),
            number("carbon_kg_per_kwh", "carbon intensity of the grid", "kg CO2e/kWh"),
        ),
        _KG,
    ),
    _formula(
        "carbon.embodied",
        "A run's share of the emissions of making its hardware",
        carbon.embodied_kg,
        (
            number("made_kg", "emissions of making it", _KG),
            _HOURS,
            number("service_hours", "hours of service", Unit.HOUR, minimum=ONE),
            _BUSY,
        ),
        _KG,
    ),
)

COSTS: Final = (*_DATA, *_PEOPLE_WHO_BUILD, *_PEOPLE_WHO_LABEL, *_CAPITAL, *_ENERGY, *_CARBON)
"""In the order of the mission's formulas."""
