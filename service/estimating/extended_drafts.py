"""Lines the published formulas leave out: stores, traffic, hardware, machines, tariffs, labelling, roles."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest

from pricing_sources.units import Unit
from service.domain.estimate import FormulaInput
from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FineTuningPart,
    Machines,
    OwnHardware,
    PartName,
    PriceInput,
    Role,
    Tariff,
    Tier,
    TrainingPart,
)
from service.estimating.draft import Draft, Known, Origin, computed
from service.estimating.tariff_hours import hours_by_window

Inputs = dict[str, Decimal]


def grows(part: DataPart) -> bool:
    """True for a store that is more than volume × months at one price."""
    return any(one is not None for one in (part.growth_tb_per_month, part.copies, part.storage_tiers))


def stored(part: DataPart, known: Known) -> Iterator[Draft]:
    """What a growing store occupies, tier by tier where its price has tiers."""
    given = {"growth_tb_per_month": part.growth_tb_per_month, "copies": part.copies}
    inputs = {"volume_tb": part.volume_tb, "months": part.months, **_given(given)}
    storage = known.formula("data.growing_storage")
    if part.storage_costs is not None:
        yield computed("data", "storage", storage, inputs, Unit.TB_MONTH, part.storage_costs, "storage_costs")
    for number, (tier, bounds) in enumerate(_bounded(part.storage_tiers or ())):
        name, field = f"storage.tier_{number + 1}", f"storage_tiers.{number}.price"
        yield computed("data", name, storage, {**inputs, **bounds}, Unit.TB_MONTH, tier.price, field)


def sent(part: DataPart, known: Known) -> Iterator[Draft]:
    """What leaves the provider, tier by tier where its price has tiers."""
    if part.egress_tb_per_month is None:
        return
    inputs = {"egress_tb_per_month": part.egress_tb_per_month, "months": part.months}
    egress = known.formula("data.egress")
    if part.egress_price is not None:
        yield computed("data", "egress", egress, inputs, Unit.TB, part.egress_price, "egress_price")
    for number, (tier, bounds) in enumerate(_bounded(part.egress_tiers or ())):
        name, field = f"egress.tier_{number + 1}", f"egress_tiers.{number}.price"
        yield computed("data", name, egress, {**inputs, **bounds}, Unit.TB, tier.price, field)


def licence(
    part: PartName, name: str, formula_id: str, price: PriceInput, years: Decimal | None, known: Known
) -> Draft:
    """One licence, whatever it covers: paid once, or for so many years."""
    once = FormulaInput(name="licences", value=Decimal(1), unit=Unit.LICENCE.value, origin="default")
    unit = Unit.LICENCE if years is None else Unit.YEAR
    given = once if years is None else FormulaInput(name="licence_years", value=years, unit=unit, origin="scenario")
    return Draft(
        part=part,
        name=name,
        formula=known.formula(formula_id),
        inputs=(given,),
        quantity=given.value,
        unit=unit,
        price=price,
        field=f"{part}.{name}",
    )


def licence_by_length(million_tokens: Decimal, price: PriceInput, known: Known) -> Draft:
    """A licence for text, by its tokens."""
    name = "licensed_million_tokens"
    given = FormulaInput(name=name, value=million_tokens, unit=Unit.TOKENS_1M.value, origin="scenario")
    return Draft(
        part="data",
        name="licence_by_length",
        formula=known.formula("data.cost"),
        inputs=(given,),
        quantity=million_tokens,
        unit=Unit.TOKENS_1M,
        price=price,
        field="data.licence_per_million_tokens",
    )


def owned(part: TrainingPart, gpus: Decimal, hardware: OwnHardware, known: Known) -> Iterator[Draft]:
    """The share of its own hardware's life a run takes, and the place it stands in."""
    system = known.factor("training.own_hardware.system_factor", hardware.system_factor)
    used_up = {
        "gpus": gpus,
        "hours": part.hours,
        "service_years": hardware.service_years,
        "interest": hardware.interest,
        "residual_share": hardware.residual_share,
        "busy_share": hardware.busy_share,
        "system_factor": system.value,
    }
    capital, price, field = known.formula("capital.gpus_used_up"), hardware.price_per_gpu, "own_hardware.price_per_gpu"
    origins: Mapping[str, Origin] = {"system_factor": system.origin}
    yield computed("training", "own_hardware", capital, used_up, Unit.GPU, price, field, origins)
    if hardware.colocation_price is not None and part.power_per_gpu_kw is not None:
        server = known.factor("training.server_factor", part.server_factor)
        held = {
            "gpus": gpus,
            "hours": part.hours,
            "power_per_gpu_kw": part.power_per_gpu_kw,
            "server_factor": server.value,
            "busy_share": hardware.busy_share,
        }
        yield computed(
            "training",
            "colocation",
            known.formula("capital.colocation"),
            held,
            Unit.KW_MONTH,
            hardware.colocation_price,
            "own_hardware.colocation_price",
            {"server_factor": server.origin},
        )


def beside(number: int, machines: Machines, part: TrainingPart, known: Known) -> Iterator[Draft]:
    """The GPU-hours of one kind of several, and the electricity of those that are your own."""
    place, hours = f"machines.{number}", part.hours if machines.hours is None else machines.hours
    inputs = {"gpus": machines.gpus, "hours": hours}
    if machines.gpu_price is not None:
        rented, field = known.formula("training.gpu_hours"), f"{place}.gpu_price"
        name = f"gpu_hours.{machines.name}"
        yield computed("training", name, rented, inputs, Unit.GPU_HOUR, machines.gpu_price, field)
    if machines.power_per_gpu_kw is None:
        return
    own = machines.pue is not None
    server = known.factor("training.server_factor", part.server_factor)
    pue = known.factor(f"training.{place}.pue" if own else "training.pue", machines.pue if own else part.pue)
    energy = {"power_per_gpu_kw": machines.power_per_gpu_kw, **inputs}
    factors = {"server_factor": server.value, "pue": pue.value}
    origins: Mapping[str, Origin] = {"server_factor": server.origin, "pue": pue.origin}
    yield from electricity(machines, {**energy, **factors}, origins, known, (f".{machines.name}", f"{place}."))


def electricity(
    bought: TrainingPart | Machines,
    energy: Mapping[str, Decimal],
    origins: Mapping[str, Origin],
    known: Known,
    called: tuple[str, str] = ("", ""),
) -> Iterator[Draft]:
    """The electricity of GPUs of your own; `called` is what is added to the name of a line and before its field."""
    name, field = f"electricity{called[0]}", f"{called[1]}electricity_price"
    if bought.electricity_price is not None:
        kwh, price = known.formula("training.energy"), bought.electricity_price
        yield computed("training", name, kwh, energy, Unit.KWH, price, field, origins)
    if bought.electricity_tariff is not None:
        yield from _by_the_hour(bought.electricity_tariff, energy, origins, known, (name, called[1]))


def _by_the_hour(
    tariff: Tariff,
    energy: Mapping[str, Decimal],
    origins: Mapping[str, Origin],
    known: Known,
    called: tuple[str, str],
) -> Iterator[Draft]:
    """The electricity of a run, window by window of its tariff."""
    hours = energy["hours"]
    within = hours_by_window(tariff, hours)
    prices = [
        *((one.name, one.price, f"windows.{number}.price") for number, one in enumerate(tariff.windows)),
        ("otherwise", tariff.otherwise, "otherwise"),
    ]
    for (name, price, field), in_window in zip(prices, within, strict=True):
        yield computed(
            "training",
            f"{called[0]}.{name}",
            known.formula("energy.in_window"),
            {"share_of_hours": in_window / hours if hours else Decimal(0), **energy},
            Unit.KWH,
            price,
            f"{called[1]}electricity_tariff.{field}",
            origins,
        )


def labelled(part: FineTuningPart, known: Known) -> Iterator[Draft]:
    """Labels several people give, or look at again, by the label or by the hour."""
    inputs = {
        "labels": part.labels,
        **_given({"labels_per_item": part.labels_per_item, "reviewed_share": part.reviewed_share}),
    }
    name, labels = "human_labelling", known.formula("labelling.labels")
    if part.label_price is not None:
        yield computed("fine_tuning", name, labels, inputs, Unit.LABEL, part.label_price, "label_price")
    if part.labelling_hour_price is not None and part.minutes_per_label is not None:
        inputs["minutes_per_label"] = part.minutes_per_label
        hours, price = known.formula("labelling.hours"), part.labelling_hour_price
        yield computed("fine_tuning", name, hours, inputs, Unit.PERSON_HOUR, price, "labelling_hour_price")


def employed(number: int, role: Role, part: EngineeringPart, known: Known) -> Iterator[Draft]:
    """The salaries of a role, and what employing it costs beyond them."""
    place = f"roles.{number}"
    inputs = {
        "people": role.people,
        "years": part.years if role.years is None else role.years,
        "part_time": role.part_time,
        "ramp_up_years": role.ramp_up_years,
    }
    years, field = known.formula("engineering.role_years"), f"{place}.salary"
    yield computed("engineering", f"salaries.{role.name}", years, inputs, Unit.PERSON_YEAR, role.salary, field)
    own = role.loading is not None
    loading = known.factor(
        f"engineering.{place}.loading" if own else "engineering.loading", role.loading if own else part.loading
    )
    if loading.value != 1:
        yield computed(
            "engineering",
            f"compensation_beyond_salary.{role.name}",
            known.formula("engineering.beyond_salary"),
            {**inputs, "loading": loading.value},
            Unit.PERSON_YEAR,
            role.salary,
            field,
            {"loading": loading.origin},
        )


def _given(inputs: Mapping[str, Decimal | None]) -> Inputs:
    return {name: value for name, value in inputs.items() if value is not None}


def _bounded(tiers: Sequence[Tier]) -> Iterator[tuple[Tier, Inputs]]:
    """Each tier with its bounds; the last has no end."""
    for tier, following in zip_longest(tiers, tiers[1:]):
        bounds = {"above_tb": tier.above_tb, "up_to_tb": following.above_tb if following else None}
        yield tier, _given(bounds)
