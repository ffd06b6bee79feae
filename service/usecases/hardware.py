"""Which hardware a price is for: the registry's word, a person's, or a place on the worklist."""

from datetime import datetime
from decimal import Decimal

from pricing_sources.accelerators import ACCELERATORS, Accelerator, accelerator_by_id, resolve
from service.domain.hardware import LabelInUse
from service.errors import Invalid, NotFound
from service.store import hardware
from service.store.hardware import Label
from service.store.store import Store


def list_accelerators() -> tuple[Accelerator, ...]:
    """The registry: every accelerator with its dated figures."""
    return ACCELERATORS


def get_accelerator(accelerator_id: str) -> Accelerator:
    """One accelerator. Raises NotFound naming the nearest ids."""
    try:
        return accelerator_by_id(accelerator_id)
    except KeyError as error:
        raise NotFound(str(error.args[0])) from None


def list_labels(store: Store, now: datetime, *, unresolved_only: bool = False) -> list[LabelInUse]:
    """Every label feeds use, those that nobody can place first and among them the most used."""
    used, decided = store.read(hardware.labels), store.read(lambda c: hardware.decided(c, now))
    found = [_label(label, sources, decided) for label, sources in used.items()]
    wanted = [one for one in found if one.accelerator is None] if unresolved_only else found
    return sorted(wanted, key=lambda one: (one.accelerator is not None, -one.series, one.label, one.memory_gb or 0))


def map_label(
    store: Store, label: str, accelerator_id: str, reason: str, *, now: datetime, memory_gb: Decimal | None = None
) -> LabelInUse:
    """Say which accelerator a label in use means; what was said before stays on record.

    Raises NotFound for a label no feed uses or an accelerator nobody knows, Invalid without a reason.
    """
    accelerator = get_accelerator(accelerator_id)
    if not reason.strip():
        raise Invalid.field("reason", "say in a few words how you know")
    used = store.read(hardware.labels)
    if (label, memory_gb) not in used:
        memories = sorted(str(memory or "none") for one, memory in used if one == label)
        hint = f"it is used with memory_gb {', '.join(memories)}" if memories else "see: costplan accelerators labels"
        raise NotFound(f"no feed uses the label {label!r} with memory_gb {memory_gb or 'none'}; {hint}")
    store.write(lambda c: hardware.decide(c, label, memory_gb, accelerator.id, reason.strip(), now))
    decided = store.read(lambda c: hardware.decided(c, store.clock()))
    return _label((label, memory_gb), used[label, memory_gb], decided)


def _label(label: Label, sources: dict[str, int], decided: dict[Label, str]) -> LabelInUse:
    match = resolve(label[0], memory_gb=label[1])
    by_registry = match.accelerator.id if match.accelerator else None
    return LabelInUse(
        label=label[0],
        memory_gb=label[1],
        sources=tuple(sorted(sources)),
        series=sum(sources.values()),
        accelerator=decided.get(label, by_registry),
        by_a_person=label in decided,
        candidates=tuple(one.id for one in match.candidates),
    )
