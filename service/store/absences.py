"""Noticing that an offer is gone: its price ends only after its feed left it out several times in a row.

A missing row often means "out of stock today" and comes back tomorrow; so one absence is only
counted, and the last of `TIMES` writes an `absent` row from the first on.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, literal, null, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from pricing_sources.observation import Kind
from service.store.in_force import row_in_force
from service.store.novelty import COLUMNS
from service.store.staging import stage
from service.store.tables import OBSERVATIONS, SERIES, absence, document_fetch
from service.store.types import UtcDateTime

TIMES: Final = 3
"""Looks in a row that did not find an offer before its price is said to have ended."""


def note_listed(connection: Connection, kind: Kind, refresh_id: int, seen_at: datetime) -> None:
    """What was staged is on offer: it is missing no more, and brought back if it had ended."""
    staged = select(stage.c.series_id).where(stage.c.kind == kind.value)
    connection.execute(delete(absence).where(absence.c.kind == kind.value, absence.c.series_id.in_(staged)))
    _bring_back(connection, kind, refresh_id, seen_at)


def note_missing(
    connection: Connection, kind: Kind, source_id: str, refresh_id: int, seen_at: datetime, held_keys: Collection[str]
) -> None:
    """What was staged is all that is on offer: count what is missing from it, and end the long gone.

    `held_keys` were listed, but with prices nobody believed: they are not missing.
    """
    _count_missing(connection, kind, source_id, seen_at, held_keys)
    _end(connection, kind, source_id, refresh_id)


def note_same_listing(connection: Connection, kind: Kind, source_id: str, refresh_id: int) -> None:
    """The feed confirmed its last listing: what was missing from it is missing once more."""
    connection.execute(
        update(absence)
        .where(absence.c.kind == kind.value, absence.c.source_id == source_id)
        .values(times=absence.c.times + 1)
    )
    _end(connection, kind, source_id, refresh_id)


def _count_missing(
    connection: Connection, kind: Kind, source_id: str, seen_at: datetime, held_keys: Collection[str]
) -> None:
    series, log = SERIES[kind], OBSERVATIONS[kind]
    staged = select(stage.c.series_id).where(stage.c.kind == kind.value)
    missing = (
        select(
            literal(kind.value),
            series.c.series_id,
            series.c.source_id,
            literal(seen_at, UtcDateTime),
            literal(1),
        )
        .join_from(series, log, log.c.observation_id == row_in_force(kind, series.c.series_id, seen_at))
        .where(
            series.c.source_id == source_id,
            log.c.amount.is_not(None),
            series.c.series_id.not_in(staged),
            series.c.key.not_in(held_keys) if held_keys else true(),
        )
    )
    names = ["kind", "series_id", "source_id", "since", "times"]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    counted = dialect.insert(absence).from_select(names, missing)
    key = [absence.c.kind, absence.c.series_id]
    connection.execute(counted.on_conflict_do_update(index_elements=key, set_={"times": absence.c.times + 1}))


def _bring_back(connection: Connection, kind: Kind, refresh_id: int, seen_at: datetime) -> None:
    """A listed offer whose price had ended is on offer again, though its row repeats an old date and amount."""
    log = OBSERVATIONS[kind]
    ended = log.alias("ended")
    again = (
        select(
            stage.c.series_id,
            literal(seen_at, UtcDateTime),
            literal(refresh_id),
            literal("observed"),
            stage.c.amount,
            stage.c.terms_id,
            stage.c.fetch_id,
            stage.c.locator,
            stage.c.published_amount,
            stage.c.vintage,
            func.row_number().over(partition_by=stage.c.series_id, order_by=stage.c.valid_from.desc()).label("place"),
        )
        .join_from(stage, ended, ended.c.observation_id == row_in_force(kind, stage.c.series_id, seen_at))
        .where(stage.c.kind == kind.value, stage.c.valid_from <= seen_at, ended.c.change == "absent")
        .subquery()
    )
    columns = list(again.c)
    newest = select(*columns[:-1]).where(again.c.place == 1)
    connection.execute(insert(log).from_select(COLUMNS, newest))


def _end(connection: Connection, kind: Kind, source_id: str, refresh_id: int) -> None:
    """Write the end of every price that was missing often enough, with the words of its last row."""
    log = OBSERVATIONS[kind]
    last = log.alias("last")
    fetch = select(func.min(document_fetch.c.fetch_id)).where(document_fetch.c.refresh_id == refresh_id)
    gone = (absence.c.kind == kind.value, absence.c.source_id == source_id, absence.c.times >= TIMES)
    ended = (
        select(
            absence.c.series_id,
            absence.c.since,
            literal(refresh_id),
            literal("absent"),
            null(),
            last.c.terms_id,
            fetch.scalar_subquery(),
            literal("not listed"),
            literal(""),
            last.c.vintage,
        )
        .join_from(absence, last, last.c.observation_id == row_in_force(kind, absence.c.series_id, absence.c.since))
        .where(*gone)
    )
    connection.execute(insert(log).from_select(COLUMNS, ended))
    connection.execute(delete(absence).where(*gone))
