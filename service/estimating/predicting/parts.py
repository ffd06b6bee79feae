"""What every prediction needs: the model, the accelerator, the facts both stand on, and a way to refuse."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from pricing_sources.accelerators import ACCELERATORS, Accelerator, accelerator_by_id, resolve
from service.domain.language_model import LanguageModel
from service.domain.language_model_library import known_model
from service.domain.prediction import PredictedFigure, PredictionStep, UsedFact
from service.errors import Invalid, NotFound
from service.estimating.accuracy.hardware import EXPORT_LINK, MEANT, Part, part, part_of, training_hardware
from service.estimating.predicting.limits import check_architecture
from service.formulas.catalog import formula
from service.formulas.training_efficiency import CONSTANTS, GENERATIONS, READ_ON
from service.formulas.utilisation import Interval, TrainingHardware

NEAREST: Final = 3
SHOWN: Final = 60
"""Characters of an unknown label that are repeated."""
ASSUMED_LINK: Final = 32e9
"""PCI Express 4.0 with 16 lanes [bytes/s, one direction]: where the registry knows no link."""
UNITS: Final[Mapping[str, str]] = MappingProxyType({"bandwidth": "bytes/s", "link": "bytes/s", "tdp": "W"})
GENERATION_CONSTANTS: Final = frozenset(GENERATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The model that is asked about."""

    name: str
    llm: LanguageModel
    facts: tuple[UsedFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The accelerator that is asked about."""

    part: Part
    known: Accelerator | None
    """None for one that the registry does not hold."""
    warnings: tuple[str, ...] = ()

    def facts(self, *names: str) -> tuple[UsedFact, ...]:
        """The figures of these names, and its memory."""
        if self.known is None:
            return ()
        cited, figures = self.known.citations.get("memory_gb"), self.known.figures
        found = [
            UsedFact(
                name=name,
                value=figures[name].value,
                unit=UNITS.get(name, "FLOP/s"),
                source=figures[name].source,
                read_on=figures[name].read_on,
            )
            for name in dict.fromkeys(names)
            if name in figures
        ]
        if cited is None:
            return tuple(found)
        memory = UsedFact(
            name="memory", value=self.part.memory, unit="bytes", source=cited.source, read_on=cited.read_on
        )
        return (memory, *found)


def subject(llm: str | None, architecture: LanguageModel | None) -> Subject:
    """The model that is meant, by name or by its fields. Raises Invalid naming the nearest."""
    if (llm is None) == (architecture is None):
        raise Invalid.field(
            "llm", "give the name of a model in llm, or the fields of its configuration in architecture"
        )
    if architecture is not None:
        check_architecture(architecture)
        return Subject(name=architecture.name, llm=architecture, facts=())
    try:
        known = known_model(llm or "")
    except NotFound as problem:
        raise Invalid.field("llm", str(problem)) from None
    except Invalid as problem:
        raise Invalid.field("llm", problem.problems[0].message) from None
    found = UsedFact(
        name="architecture", value=known.id, unit="", source=known.source, read_on=known.read_on.isoformat()
    )
    return Subject(name=known.id, llm=known.llm, facts=(found,))


def device(label: str) -> Device:
    """The accelerator a label means. Raises Invalid naming those it might mean, or the nearest."""
    found = part(label)
    match = resolve(label)
    known = _registered(found.id if found else label) or match.accelerator
    if found is not None:
        export = (
            (f"{label} has the chip of {found.id} with a link of {EXPORT_LINK:g} bytes/s, one direction",)
            if known and found.link == EXPORT_LINK != known.figures["link"].value
            else ()
        )
        return Device(part=found, known=known, warnings=export)
    if known is None:
        raise Invalid.field("accelerator", _unknown(label, match.candidates))
    assumed = part_of(known, assumed_link=ASSUMED_LINK)
    if assumed is None:
        raise Invalid.field("accelerator", f"{known.id} is known, but not its memory bandwidth; {_some()}")
    told = f"the link of {known.id} is not known; PCI Express 4.0 with 16 lanes, {ASSUMED_LINK:g} bytes/s, is assumed"
    return Device(part=assumed, known=known, warnings=(told,))


def trainer(found: Device, precision: str) -> TrainingHardware:
    """The accelerator as training sees it. Raises Invalid for a format or a part nothing is known of."""
    hardware = training_hardware(found.part, precision)
    if hardware is None:
        raise Invalid.field("accelerator", f"nothing is known of training on {found.part.id}; {_some()}")
    if precision not in found.part.peaks:
        there = ", ".join(sorted(found.part.peaks))
        raise Invalid.field("precision", f"{found.part.id} has no {precision}, or none that is known; it has {there}")
    return hardware


def training_constants(generation: str) -> tuple[UsedFact, ...]:
    """The fitted constants of training that a prediction on a generation stands on."""
    return tuple(
        UsedFact(name=one.name, value=one.value, unit="1", source=one.source, read_on=READ_ON.isoformat())
        for one in CONSTANTS
        if one.name == generation or one.name not in GENERATION_CONSTANTS
    )


def step(name: str, value: object, unit: str, formula_id: str | None = None, because: str = "") -> PredictionStep:
    """One intermediate result; the formula by the version in use."""
    cited = formula(formula_id).name if formula_id else None
    return PredictionStep(name=name, value=float(value), unit=unit, formula=cited, because=because)  # type: ignore[arg-type]


def figure(name: str, unit: str, band: Interval | float) -> PredictedFigure:
    """One answer, with its interval where it has one."""
    if isinstance(band, Interval):
        low, high = float(band.low), float(band.high)
        return PredictedFigure(name=name, unit=unit, central=float(band.central), low=low, high=high)
    return PredictedFigure(name=name, unit=unit, central=float(band))


def scaled(band: Interval, factor: float) -> Interval:
    """The interval of a multiple."""
    return Interval(low=band.low * factor, central=band.central * factor, high=band.high * factor)


def _registered(accelerator_id: str) -> Accelerator | None:
    try:
        return accelerator_by_id(accelerator_id)
    except KeyError:
        return None


def _unknown(label: str, candidates: tuple[Accelerator, ...]) -> str:
    if candidates:
        return f"{label!r} may mean {', '.join(one.id for one in candidates)}; name one of them"
    spellings = {**MEANT, **{name.lower(): one.id for one in ACCELERATORS for name in (one.id, *one.aliases)}}
    near = dict.fromkeys(spellings[one] for one in get_close_matches(label.lower(), spellings, n=9, cutoff=0.5))
    hint = f"the nearest are {', '.join(list(near)[:NEAREST])}" if near else _some()
    return f"no accelerator is known as {label[:SHOWN]!r}; {hint}"


def _some() -> str:
    return "there is, for example, nvidia-h100-sxm-80gb"
