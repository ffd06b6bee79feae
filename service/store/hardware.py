"""The labels feeds use for hardware, and what persons have said they mean."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, func, insert, select

from service.store.head import next_moment
from service.store.tables import gpu_series, hardware_label

Label = tuple[str, Decimal | None]


def labels(connection: Connection) -> dict[Label, dict[str, int]]:
    """Every label and memory in use, with how many series of each source carry it; one statement."""
    same = (gpu_series.c.accelerator, gpu_series.c.gpu_memory_gb, gpu_series.c.source_id)
    query = select(*same, func.count().label("series")).where(gpu_series.c.accelerator != "").group_by(*same)
    found: dict[Label, dict[str, int]] = {}
    for row in connection.execute(query):
        found.setdefault((row.accelerator, row.gpu_memory_gb), {})[row.source_id] = row.series
    return found


def decided(connection: Connection, known_at: datetime) -> dict[Label, str]:
    """What persons have said, by label and memory; the newest word not after `known_at`."""
    query = select(hardware_label).where(hardware_label.c.recorded_at <= known_at)
    rows = connection.execute(query.order_by(hardware_label.c.recorded_at))
    return {(row.label, Decimal(row.memory_gb) if row.memory_gb else None): row.accelerator_id for row in rows}


def last_decided(connection: Connection, known_at: datetime) -> datetime | None:
    """When a person last said anything, not after `known_at`; None if nobody had."""
    found: datetime | None = connection.scalar(
        select(func.max(hardware_label.c.recorded_at)).where(hardware_label.c.recorded_at <= known_at)
    )
    return found


def decide(
    connection: Connection, label: str, memory_gb: Decimal | None, accelerator_id: str, reason: str, now: datetime
) -> None:
    """Keep a person's word on a label."""
    connection.execute(
        insert(hardware_label).values(
            label=label,
            memory_gb="" if memory_gb is None else str(memory_gb),
            recorded_at=next_moment(connection, now),
            accelerator_id=accelerator_id,
            reason=reason,
        )
    )
