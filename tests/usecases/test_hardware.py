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
from service.usecases.hardware import list_labels, map_label
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

MEANT = {"a": ("H100 SXM", Decimal(80)), "b": ("h100", None), "c": ("h100", None), "d": ("RTX 4090", Decimal(48))}


class Labelled(LineFeed):
    """Says of each machine what is in it."""

    def parse(self, document: Document) -> Iterator[Reading]:
        for reading in super().parse(document):
            assert isinstance(reading, Observation)
            label, memory = MEANT[reading.series.sku]
            series = replace(reading.series, accelerator=label, gpu_memory_gb=memory)
            yield structs.replace(reading, series=series)


@pytest.fixture
def labelled(store: Store, clock: TickingClock) -> Store:
    clock.set(day("2026-03-01"))
    body = b"a 2.50\nb 2.40\nc 2.30\nd 0.40"
    document = Document(source_id="nimbus", url="file:x", body=body, fetched_at=day("2026-03-01"))
    import_document(store, Labelled(), document, now=day("2026-03-01"))
    return store


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
