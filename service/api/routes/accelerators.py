"""Hardware: the registry, the labels feeds use, and what persons say they mean."""

from typing import Annotated

from fastapi import Body, Query, Response

from pricing_sources.accelerators import Accelerator
from service.api.deps import NowDep, StoreDep
from service.api.examples import HARDWARE_LABELS, HARDWARE_LABELS_UNMAPPED
from service.api.shapes import AcceleratorList, HardwareLabelAsked, HardwareLabels, HardwareLabelUnasked
from service.api.wire import answer, door
from service.domain.hardware import LabelInUse
from service.usecases.hardware import get_accelerator, list_accelerators, list_labels, map_label, unmap_label

router = door("accelerators")


@router.get("/accelerators", response_model=AcceleratorList, summary="List accelerators")
def accelerators() -> Response:
    """The registry: every accelerator, each figure with its source and date."""
    return answer(AcceleratorList(accelerators=list_accelerators()))


@router.get("/accelerators/{accelerator}", response_model=Accelerator, summary="Get one accelerator")
def one(accelerator: str) -> Response:
    """What is known of one accelerator."""
    return answer(get_accelerator(accelerator))


@router.get("/hardware-labels", response_model=HardwareLabels, summary="List hardware labels")
def labels(
    store: StoreDep,
    now: NowDep,
    *,
    unresolved: Annotated[bool, Query(description="Only those nobody could place yet.")] = False,
) -> Response:
    """The labels feeds use for hardware; those that mean no single accelerator come first."""
    return answer(HardwareLabels(labels=tuple(list_labels(store, now, unresolved_only=unresolved))))


@router.post("/hardware-labels", status_code=201, response_model=LabelInUse, summary="Say what a label means")
def decide(
    store: StoreDep, now: NowDep, asked: Annotated[HardwareLabelAsked, Body(openapi_examples=HARDWARE_LABELS)]
) -> Response:
    """Say which accelerator a label means, as one feed says it of one provider, or wherever it is said.

    What was said before stays on record.
    """
    return answer(
        map_label(
            store,
            asked.label,
            asked.accelerator,
            asked.reason,
            now=now,
            memory_gb=asked.memory_gb,
            source=asked.source,
            provider=asked.provider,
            everywhere=asked.everywhere,
        ),
        201,
    )


@router.post(
    "/hardware-labels/unmap", status_code=201, response_model=LabelInUse, summary="Take a word on a label back"
)
def take_back(
    store: StoreDep,
    now: NowDep,
    asked: Annotated[HardwareLabelUnasked, Body(openapi_examples=HARDWARE_LABELS_UNMAPPED)],
) -> Response:
    """Take back what was said of a label; that it was said, and what was planned with it, stays."""
    return answer(
        unmap_label(
            store,
            asked.label,
            asked.reason,
            now=now,
            memory_gb=asked.memory_gb,
            source=asked.source,
            provider=asked.provider,
            everywhere=asked.everywhere,
        ),
        201,
    )
