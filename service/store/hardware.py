"""The labels feeds use for hardware, and what persons have said they mean."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, func, insert, select

from service.domain.hardware import LabelDecision, Wording
from service.store.head import next_moment
from service.store.tables import gpu_series, hardware_label


def labels(connection: Connection) -> dict[Wording, int]:
    """Every label in use, by who says it of whose machines beside which memory: how many series; one statement."""
    same = (gpu_series.c.accelerator, gpu_series.c.gpu_memory_gb, gpu_series.c.source_id, gpu_series.c.provider)
    query = select(*same, func.count()).where(gpu_series.c.accelerator != "").group_by(*same)
    return {Wording(*words): series for *words, series in connection.execute(query)}


def decided(connection: Connection, known_at: datetime | None = None) -> dict[Wording, LabelDecision]:
    """What persons have said and not taken back: of each wording the newest word, not after `known_at` if given."""
    query = select(hardware_label)
    if known_at is not None:
        query = query.where(hardware_label.c.recorded_at <= known_at)
    found: dict[Wording, LabelDecision] = {}
    for row in connection.execute(query.order_by(hardware_label.c.recorded_at)):
        memory_gb = Decimal(row.memory_gb) if row.memory_gb else None
        wording = Wording(row.label, memory_gb, row.source_id, row.provider)
        found.pop(wording, None)
        if row.accelerator_id:
            found[wording] = LabelDecision(
                accelerator=row.accelerator_id,
                everywhere=not row.source_id,
                reason=row.reason,
                recorded_at=row.recorded_at,
            )
    return found


def last_decided(connection: Connection, known_at: datetime) -> datetime | None:
    """When a person last said anything or took it back, not after `known_at`; None if nobody had."""
    found: datetime | None = connection.scalar(
        select(func.max(hardware_label.c.recorded_at)).where(hardware_label.c.recorded_at <= known_at)
    )
    return found


def decide(
    connection: Connection, wording: Wording, accelerator_id: str | None, reason: str, now: datetime
) -> datetime:
    """Keep a person's word on a wording, or that it is taken back; returns when it became known."""
    recorded_at = next_moment(connection, now)
    connection.execute(
        insert(hardware_label).values(
            label=wording.label,
            memory_gb="" if wording.memory_gb is None else str(wording.memory_gb),
            source_id=wording.source,
            provider=wording.provider,
            recorded_at=recorded_at,
            accelerator_id=accelerator_id or "",
            reason=reason,
        )
    )
    return recorded_at
