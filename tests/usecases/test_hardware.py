"""Which hardware a price is for: the registry's word, a person's, or a place on the worklist."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from pricing_sources.observation import Observation, Reading
from pricing_sources.source import Document
from service.errors import Invalid, NotFound
from service.store.store import Store
from service.usecases.hardware import list_labels, map_label, unmap_label
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

MEANT = {"a": ("H100 SXM", Decimal(80)), "b": ("h100", None), "c": ("h100", None), "d": ("RTX 4090", Decimal(48))}


class Labelled(LineFeed):
    """Says of each machine what is in it, and may list those of several providers: `cumulus:b` is one of cumulus."""

    def parse(self, document: Document) -> Iterator[Reading]:
        for reading in super().parse(document):
            assert isinstance(reading, Observation)
            *seller, sku = reading.series.sku.split(":")
            label, memory = MEANT[sku]
            provider = "".join(seller) or reading.series.provider
            series = replace(reading.series, accelerator=label, gpu_memory_gb=memory, provider=provider)
            yield structs.replace(reading, series=series)


@pytest.fixture
def labelled(store: Store, clock: TickingClock) -> Store:
    clock.set(day("2026-03-01"))
    body = b"a 2.50\nb 2.40\nc 2.30\nd 0.40"
    document = Document(source_id="nimbus", url="file:x", body=body, fetched_at=day("2026-03-01"))
    import_document(store, Labelled(), document, now=day("2026-03-01"))
    return store


@pytest.fixture
def shared(labelled: Store) -> Store:
    """The label `h100` as a first-party feed says it, and as a catalogue says it of two providers."""
    document = Document(
        source_id="catalogue", url="file:x", body=b"cumulus:b 2.50\nstratus:b 2.40", fetched_at=day("2026-03-01")
    )
    import_document(labelled, Labelled("catalogue"), document, now=day("2026-03-01"))
    return labelled


def placed(store: Store, on: str) -> dict[tuple[str | None, str | None], str | None]:
    """Which accelerator `h100` is, by who says it of whom."""
    found = list_labels(store, day(on))
    return {(one.source, one.provider): one.accelerator for one in found if one.label == "h100"}


SXM, PCIE = "nvidia-h100-sxm-80gb", "nvidia-h100-pcie-80gb"
OURS, CUMULUS, STRATUS = ("nimbus", "nimbus"), ("catalogue", "cumulus"), ("catalogue", "stratus")


def test_what_nobody_can_place_stands_first_with_what_it_might_be(labelled: Store) -> None:
    found = list_labels(labelled, day("2026-03-02"))
    assert [(one.label, one.accelerator, one.series) for one in found] == [
        ("h100", None, 2),
        ("RTX 4090", None, 1),
        ("H100 SXM", "nvidia-h100-sxm-80gb", 1),
    ]
    assert found[0].candidates[:2] == ("nvidia-h100-sxm-80gb", "nvidia-h100-pcie-80gb")
    assert found[1].candidates == ("nvidia-rtx-4090",), "48 GB, where the card NVIDIA made has 24"
    assert list_labels(labelled, day("2026-03-02"), unresolved_only=True) == found[:2]


def test_a_person_resolves_a_label_and_may_think_better_of_it(labelled: Store, clock: TickingClock) -> None:
    for on, accelerator in (("2026-03-02", "nvidia-h100-pcie-80gb"), ("2026-03-03", "nvidia-h100-sxm-80gb")):
        clock.set(day(on))
        found = map_label(labelled, "h100", accelerator, "asked the seller", now=clock())
        assert (found.accelerator, found.by_a_person) == (accelerator, True)
    assert [one.label for one in list_labels(labelled, day("2026-03-04"), unresolved_only=True)] == ["RTX 4090"]
    then = {one.label: one.accelerator for one in list_labels(labelled, day("2026-03-02T12:00"))}
    assert then["h100"] == "nvidia-h100-pcie-80gb", "as it was known then"


def test_a_label_is_mapped_only_if_it_is_used_and_to_what_is_known(labelled: Store) -> None:
    now = day("2026-03-02")
    with pytest.raises(NotFound, match="it is used with memory_gb 48"):
        map_label(labelled, "RTX 4090", "nvidia-rtx-4090", "x", now=now)
    with pytest.raises(NotFound, match="did you mean nvidia-rtx-4090"):
        map_label(labelled, "RTX 4090", "nvidia-rtx-409", "x", now=now, memory_gb=Decimal(48))
    with pytest.raises(Invalid, match="say in a few words how you know"):
        map_label(labelled, "h100", "nvidia-h100-sxm-80gb", " ", now=now)


def test_a_word_on_one_feeds_label_decides_no_other_feeds(shared: Store) -> None:
    found = map_label(shared, "h100", PCIE, "asked", now=day("2026-03-02"), source="nimbus")
    assert (found.source, found.provider, found.series, found.covers) == ("nimbus", "nimbus", 2, 2)
    map_label(shared, "h100", SXM, "asked", now=day("2026-03-02"), source="catalogue", provider="stratus")
    assert placed(shared, "2026-03-03") == {OURS: PCIE, CUMULUS: None, STRATUS: SXM}
    [left] = [one for one in list_labels(shared, day("2026-03-03"), unresolved_only=True) if one.label == "h100"]
    assert (left.source, left.provider, left.memory_gb, left.series) == ("catalogue", "cumulus", None, 1)


def test_where_several_say_a_label_whose_it_is_must_be_said(shared: Store) -> None:
    now = day("2026-03-02")
    with pytest.raises(Invalid, match=r"source: must be named, for it is said by catalogue of cumulus, .* nimbus of"):
        map_label(shared, "h100", PCIE, "asked", now=now)
    with pytest.raises(Invalid, match="provider: must be named, for it is said by catalogue of cumulus, catalogue of"):
        map_label(shared, "h100", PCIE, "asked", now=now, source="catalogue")
    with pytest.raises(NotFound, match="is not that of nimbus of cumulus; there are catalogue of cumulus, "):
        map_label(shared, "h100", PCIE, "asked", now=now, source="nimbus", provider="cumulus")
    with pytest.raises(Invalid, match="everywhere: is for every feed; give it or a source and provider, and not both"):
        map_label(shared, "h100", PCIE, "asked", now=now, source="nimbus", everywhere=True)
    assert set(placed(shared, "2026-03-03").values()) == {None}


def test_a_word_on_every_feed_is_kept_as_one_and_a_narrower_one_goes_before_it(shared: Store) -> None:
    map_label(shared, "h100", PCIE, "asked cumulus", now=day("2026-03-02"), provider="cumulus")
    found = map_label(shared, "h100", SXM, "we rent no other", now=day("2026-03-03"), everywhere=True)
    assert (found.source, found.provider, found.series, found.covers) == (None, None, 4, 3)
    assert found.decision is not None
    assert found.decision.everywhere
    assert placed(shared, "2026-03-04") == {OURS: SXM, CUMULUS: PCIE, STRATUS: SXM}
    listed = {(one.source, one.provider): one for one in list_labels(shared, day("2026-03-04")) if one.label == "h100"}
    assert [(listed[one].decision.everywhere, listed[one].covers) for one in (OURS, CUMULUS)] == [(True, 3), (False, 1)]


def test_a_word_taken_back_counts_no_more_and_still_counted_then(shared: Store) -> None:
    map_label(shared, "h100", SXM, "we rent no other", now=day("2026-03-02"), everywhere=True)
    map_label(shared, "h100", PCIE, "asked", now=day("2026-03-03"), source="nimbus")
    back = unmap_label(shared, "h100", "they were wrong", now=day("2026-03-04"), source="nimbus")
    assert (back.accelerator, back.by_a_person, back.covers) == (SXM, True, 4), "the wider word is left"
    back = unmap_label(shared, "h100", "so were we", now=day("2026-03-05"), everywhere=True)
    assert (back.accelerator, back.by_a_person, back.decision, back.covers) == (None, False, None, 0)
    as_known = {on: placed(shared, f"{on}T12:00")[OURS] for on in ("2026-03-02", "2026-03-03", "2026-03-04")}
    assert as_known == {"2026-03-02": SXM, "2026-03-03": PCIE, "2026-03-04": SXM}
    assert set(placed(shared, "2026-03-06").values()) == {None}
    map_label(shared, "h100", PCIE, "asked again", now=day("2026-03-07"), source="nimbus")
    assert placed(shared, "2026-03-08") == {OURS: PCIE, CUMULUS: None, STRATUS: None}


def test_only_what_was_said_can_be_taken_back(shared: Store) -> None:
    now = day("2026-03-04")
    with pytest.raises(NotFound, match="nobody has said this of the label 'h100' with memory_gb none; see: costplan"):
        unmap_label(shared, "h100", "x", now=now, source="nimbus")
    map_label(shared, "h100", SXM, "asked", now=day("2026-03-02"), everywhere=True)
    with pytest.raises(NotFound, match="it was said of every feed: everywhere"):
        unmap_label(shared, "h100", "x", now=now, source="nimbus")
    map_label(shared, "h100", PCIE, "asked", now=now, source="nimbus")
    unmap_label(shared, "h100", "x", now=now, everywhere=True)
    with pytest.raises(NotFound, match="it was said of nimbus of nimbus"):
        unmap_label(shared, "h100", "x", now=now, everywhere=True)
    with pytest.raises(Invalid, match="reason: say in a few words"):
        unmap_label(shared, "h100", " ", now=now)


def test_the_registry_is_asked_what_the_provider_means_as_the_planner_asks_it(labelled: Store) -> None:
    document = Document(source_id="catalogue", url="file:x", body=b"aws:b 2.50", fetched_at=day("2026-03-01"))
    import_document(labelled, Labelled("catalogue"), document, now=day("2026-03-01"))
    assert placed(labelled, "2026-03-02") == {OURS: None, ("catalogue", "aws"): SXM}
