"""Which hardware a price is for: the registry's word, a person's, or a place on the worklist.

A person decides for a label as one source says it of one provider, or, saying so, for every feed. The narrower
word counts where both were given; taking it back leaves the wider one, and that the registry's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from pricing_sources.accelerators import ACCELERATORS, Accelerator, accelerator_by_id, resolve
from service.domain.hardware import LabelDecision, LabelInUse, Wording
from service.errors import Invalid, NotFound
from service.store import hardware
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
    """Every label by who uses it, those that nobody can place first and among them the most used."""
    used, decided = store.read(hardware.labels), store.read(lambda c: hardware.decided(c, now))
    covered = _covered(used, decided)
    found = [_stated(one, used, decided, covered) for one in used]
    wanted = [one for one in found if one.accelerator is None] if unresolved_only else found
    return sorted(wanted, key=_place)


def map_label(
    store: Store,
    label: str,
    accelerator_id: str,
    reason: str,
    *,
    now: datetime,
    memory_gb: Decimal | None = None,
    source: str | None = None,
    provider: str | None = None,
    everywhere: bool = False,
) -> LabelInUse:
    """Say which accelerator a label in use means; what was said before stays on record.

    Raises NotFound for a label no feed uses or an accelerator nobody knows, Invalid without a reason or where
    several feeds use the label and none is named.
    """
    accelerator, said = get_accelerator(accelerator_id), _worded(reason)
    used = store.read(hardware.labels)
    same = [one for one in used if one.label == label and one.memory_gb == memory_gb]
    if not same:
        raise NotFound(_unused(label, memory_gb, used))
    asked = _everywhere(same, source, provider) if everywhere else _single(same, source, provider)
    moment = store.write(lambda c: hardware.decide(c, asked, accelerator.id, said, now))
    return _since(store, asked, moment)


def unmap_label(
    store: Store,
    label: str,
    reason: str,
    *,
    now: datetime,
    memory_gb: Decimal | None = None,
    source: str | None = None,
    provider: str | None = None,
    everywhere: bool = False,
) -> LabelInUse:
    """Take back what a person said of a label, from now on; that it was said stays on record.

    Raises NotFound where nothing of the kind stands, Invalid as `map_label` does.
    """
    said = _worded(reason)
    same = [one for one in store.read(hardware.decided) if one.label == label and one.memory_gb == memory_gb]
    standing = [one for one in same if bool(one.source) != everywhere]
    if not standing:
        raise NotFound(_unsaid(label, memory_gb, same))
    asked = _everywhere(standing, source, provider) if everywhere else _single(standing, source, provider)
    moment = store.write(lambda c: hardware.decide(c, asked, None, said, now))
    return _since(store, asked, moment)


def _worded(reason: str) -> str:
    if not reason.strip():
        raise Invalid.field("reason", "say in a few words how you know")
    return reason.strip()


def _everywhere(same: list[Wording], source: str | None, provider: str | None) -> Wording:
    if source is not None or provider is not None:
        raise Invalid.field("everywhere", "is for every feed; give it or a source and provider, and not both")
    return same[0].everywhere


def _single(same: list[Wording], source: str | None, provider: str | None) -> Wording:
    """The one wording that is meant. Raises NotFound or Invalid, naming those there are."""
    fitting = [one for one in same if source in {None, one.source} and provider in {None, one.provider}]
    if len(fitting) == 1:
        return fitting[0]
    there_are = ", ".join(sorted(f"{one.source} of {one.provider}" for one in fitting or same))
    if not fitting:
        named = " of ".join(one for one in (source, provider) if one is not None)
        raise NotFound(f"the label {same[0].label!r} is not that of {named}; there are {there_are}")
    field = "source" if len({one.source for one in fitting}) > 1 else "provider"
    raise Invalid.field(field, f"must be named, for it is said by {there_are}; or say it of every feed: everywhere")


def _unused(label: str, memory_gb: Decimal | None, used: Iterable[Wording]) -> str:
    memories = sorted({str(one.memory_gb or "none") for one in used if one.label == label})
    hint = f"it is used with memory_gb {', '.join(memories)}" if memories else "see: costplan accelerators labels"
    return f"no feed uses the label {label!r} with memory_gb {memory_gb or 'none'}; {hint}"


def _unsaid(label: str, memory_gb: Decimal | None, otherwise: Iterable[Wording]) -> str:
    narrow = ", ".join(sorted(f"{one.source} of {one.provider}" for one in otherwise if one.source))
    wide = "it was said of every feed: everywhere" if otherwise and not narrow else "see: costplan accelerators labels"
    hint = f"it was said of {narrow}" if narrow else wide
    return f"nobody has said this of the label {label!r} with memory_gb {memory_gb or 'none'}; {hint}"


def _since(store: Store, asked: Wording, moment: datetime) -> LabelInUse:
    used, decided = store.read(hardware.labels), store.read(lambda c: hardware.decided(c, moment))
    return _stated(asked, used, decided, _covered(used, decided))


def _covered(used: Mapping[Wording, int], decided: Mapping[Wording, LabelDecision]) -> Counter[Wording]:
    """Of each decision, or where there could be one, the prices it counts for."""
    found: Counter[Wording] = Counter()
    for one, series in used.items():
        found[one if one in decided else one.everywhere] += series
    return found


def _stated(
    asked: Wording,
    used: Mapping[Wording, int],
    decided: Mapping[Wording, LabelDecision],
    covered: Mapping[Wording, int],
) -> LabelInUse:
    """What is known of a wording; of one of every feed, beside all prices that carry it."""
    by = asked if asked in decided else asked.everywhere
    decision = decided.get(by)
    match = resolve(asked.label, memory_gb=asked.memory_gb, provider=asked.provider)
    by_registry = match.accelerator.id if match.accelerator else None
    alike = [asked] if asked.source else [one for one in used if one.everywhere == asked]
    return LabelInUse(
        source=asked.source or None,
        provider=asked.provider or None,
        label=asked.label,
        memory_gb=asked.memory_gb,
        series=sum(used.get(one, 0) for one in alike),
        accelerator=decision.accelerator if decision else by_registry,
        by_a_person=decision is not None,
        decision=decision,
        covers=covered.get(by, 0) if decision else 0,
        candidates=tuple(one.id for one in match.candidates),
    )


def _place(one: LabelInUse) -> tuple[object, ...]:
    return one.accelerator is not None, -one.series, one.label, one.memory_gb or 0, one.source, one.provider
