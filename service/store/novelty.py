"""Deciding, set at a time, which staged prices the log does not hold yet."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)

from pricing_sources.observation import Kind, Rejected
from service.store.in_force import row_in_force
from service.store.quarantine import Held
from service.store.staging import in_force, stage
from service.store.tables import OBSERVATIONS, SERIES, document_fetch, refresh, terms
from service.store.types import ExactDecimal, UtcDateTime

JUMP: Final = 10.0
"""A price this many times its predecessor is practically always an error (measured: <= 0.001 % of real moves)."""
MULTIPLES: Final = (2.0, 4.0, 8.0)
"""GPUs of the usual machines: a price that many times its predecessor may be that of a machine, or of one GPU of it."""
NEAR: Final = 1e-3

COLUMNS: Final = (
    "series_id",
    "valid_from",
    "refresh_id",
    "change",
    "amount",
    "terms_id",
    "fetch_id",
    "locator",
    "published_amount",
    "vintage",
)


def take_out_repeats(connection: Connection, kind: Kind) -> tuple[int, list[Held]]:
    """Keep one staged row per series and date: the first.

    Returns how many said the same again, and those that contradict the first.
    """
    same, order = (stage.c.series_id, stage.c.valid_from), stage.c.stage_id
    twice = select(literal(1)).where(stage.c.kind == kind.value).group_by(*same).having(func.count() > 1).limit(1)
    if connection.scalar(twice) is None:
        return 0, []  # as a rule; ranking every row would take three times as long
    first = func.first_value(stage.c.amount, type_=ExactDecimal)
    ranked = (
        select(
            stage.c.stage_id,
            stage.c.series_id,
            stage.c.amount,
            stage.c.locator,
            stage.c.fetch_id,
            func.row_number().over(partition_by=same, order_by=order).label("place"),
            first.over(partition_by=same, order_by=order).label("first"),
        )
        .where(stage.c.kind == kind.value)
        .subquery()
    )
    series = SERIES[kind]
    repeats = connection.execute(
        select(ranked, series.c.key)
        .join(series, series.c.series_id == ranked.c.series_id)
        .where(ranked.c.place > 1)
        .order_by(ranked.c.stage_id)
    ).all()
    _take_out(connection, [row.stage_id for row in repeats])
    conflicts = [
        _held(row, f"{row.amount} contradicts {row.first}, stated before for the same date")
        for row in repeats
        if row.amount != row.first
    ]
    return len(repeats) - len(conflicts), conflicts


def note_in_force(connection: Connection, kind: Kind) -> None:
    """Look up, once for all that follows, what the log has in force at the date of each staged row."""
    log, prior = OBSERVATIONS[kind], OBSERVATIONS[kind].alias("prior")
    newest = (
        select(log.c.observation_id)
        .where(log.c.series_id == stage.c.series_id, log.c.valid_from <= stage.c.valid_from)
        .order_by(log.c.valid_from.desc(), log.c.refresh_id.desc())
        .limit(1)
        .correlate(stage)
        .scalar_subquery()
    )
    # The offset keeps a planner from looking up twice what is named twice.
    found = select(stage.c.stage_id, newest.label("newest")).where(stage.c.kind == kind.value).offset(0).subquery()
    known = select(found.c.stage_id, prior.c.valid_from, prior.c.amount, prior.c.terms_id).join(
        prior, prior.c.observation_id == found.c.newest
    )
    connection.execute(insert(in_force).from_select(in_force.columns.keys(), known))


def take_out_jumps(connection: Connection, kind: Kind) -> tuple[list[Held], int]:
    """Take staged prices over JUMP times off the price before them out of the stage.

    A market's intervals are left alone: they do swing from cents to thousands, and below zero. Also returns how many
    others are off by a number of GPUs; one price may well have doubled, so these stay for the caller to judge together.
    """
    series = SERIES[kind]
    theirs, ours = terms.alias("theirs"), terms.alias("ours")
    ratio = cast(stage.c.amount, Float) / cast(in_force.c.amount, Float)
    is_jump = or_(ratio > JUMP, ratio < 1 / JUMP)
    suspects = (
        select(
            stage.c.stage_id,
            series.c.key,
            stage.c.amount,
            in_force.c.amount.label("was"),
            stage.c.locator,
            stage.c.fetch_id,
            is_jump.label("is_jump"),
        )
        .select_from(
            stage.join(in_force, in_force.c.stage_id == stage.c.stage_id)
            .join(series, series.c.series_id == stage.c.series_id)
            .join(ours, ours.c.terms_id == stage.c.terms_id)
            .join(theirs, theirs.c.terms_id == in_force.c.terms_id)
        )
        .where(
            stage.c.kind == kind.value,
            series.c.resolution == "" if kind is Kind.ELECTRICITY else true(),
            cast(in_force.c.amount, Float) != 0,
            ours.c.unit == theirs.c.unit,
            ours.c.currency == theirs.c.currency,
            or_(is_jump, _is_multiple(ratio) if kind is Kind.GPU else false()),
        )
        .order_by(stage.c.stage_id)
    )
    found = connection.execute(suspects).all()
    jumps = [row for row in found if row.is_jump]
    _take_out(connection, [row.stage_id for row in jumps])
    held = [_held(row, f"{row.amount} is over {JUMP:g} times off {row.was}, the price before it") for row in jumps]
    return held, len(found) - len(jumps)


def _is_multiple(ratio: ColumnElement[Any]) -> ColumnElement[bool]:
    """True if a price is its predecessor times a usual number of GPUs of a machine, or divided by one."""
    factors = (*MULTIPLES, *(1 / one for one in MULTIPLES))
    return or_(*(ratio.between(one * (1 - NEAR), one * (1 + NEAR)) for one in factors))


def append_new(
    connection: Connection, kind: Kind, source_id: str, refresh_id: int, *, restate: bool = True
) -> tuple[int, int]:
    """Append the staged rows of one kind that say something new; returns how many were added and corrected.

    `restate`: what later looks at the feed confirmed stays true after a late undated price.
    """
    table = OBSERVATIONS[kind]
    end = connection.scalar(select(func.max(table.c.observation_id))) or 0
    connection.execute(insert(table).from_select(COLUMNS, _new_rows(kind, refresh_id)))
    written = (
        select(table.c.change, func.count().label("rows")).where(table.c.observation_id > end).group_by(table.c.change)
    )
    counts: dict[str, int] = {row.change: row.rows for row in connection.execute(written)}
    if restate:
        _restate_later_checks(connection, kind, source_id, refresh_id, end)
    return counts.get("observed", 0), counts.get("correction", 0)


def retract_unstaged(connection: Connection, kind: Kind, refresh_id: int, sha256s: Collection[str]) -> int:
    """Take back what an older parser read from these documents and today's does not.

    A retraction restates, at its date, the price that stays: the one before it, or none. Returns how many.
    """
    table, before = OBSERVATIONS[kind], OBSERVATIONS[kind].alias("before")
    same = and_(stage.c.series_id == table.c.series_id, stage.c.valid_from == table.c.valid_from)
    earlier = OBSERVATIONS[kind].alias("earlier")
    stays = (
        select(earlier.c.observation_id)
        .where(earlier.c.series_id == table.c.series_id, earlier.c.valid_from < table.c.valid_from)
        .order_by(earlier.c.valid_from.desc(), earlier.c.refresh_id.desc())
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    newest_of_date = row_in_force(kind, table.c.series_id, table.c.valid_from)
    unstaged = (
        select(
            table.c.series_id,
            table.c.valid_from,
            literal(refresh_id),
            literal("retracted"),
            before.c.amount,
            func.coalesce(before.c.terms_id, table.c.terms_id),
            func.coalesce(before.c.fetch_id, table.c.fetch_id),
            func.coalesce(before.c.locator, table.c.locator),
            func.coalesce(before.c.published_amount, ""),
            func.coalesce(before.c.vintage, table.c.vintage),
        )
        .join(document_fetch, document_fetch.c.fetch_id == table.c.fetch_id)
        .outerjoin(before, before.c.observation_id == stays)
        .where(
            document_fetch.c.sha256.in_(sha256s),
            table.c.refresh_id < refresh_id,
            table.c.change.in_(("observed", "correction")),
            table.c.observation_id == newest_of_date,
            ~exists(select(stage.c.stage_id).where(stage.c.kind == kind.value, same)),
        )
    )
    return connection.execute(insert(table).from_select(COLUMNS, unstaged)).rowcount


def _held(row: Any, reason: str) -> Held:
    return Held(Rejected(reason, row.locator, row.key, row.key), row.fetch_id)


def _take_out(connection: Connection, stage_ids: list[int]) -> None:
    if stage_ids:
        gone = stage.delete().where(stage.c.stage_id == bindparam("gone"))
        connection.execute(gone, [{"gone": stage_id} for stage_id in stage_ids])


def _new_rows(kind: Kind, refresh_id: int) -> Select[Any]:
    """The staged rows that say something the log does not say already.

    A dated row is compared with what the log says of that very date; an undated one (the moment we
    looked) with the price in force then. In the order of the log's own index: a series lies together
    on disk, and its index is written in order.
    """
    joined = stage.outerjoin(in_force, in_force.c.stage_id == stage.c.stage_id)
    is_of_that_date = and_(stage.c.dated, in_force.c.valid_from == stage.c.valid_from)
    change = case((is_of_that_date, "correction"), else_="observed")
    return (
        select(
            stage.c.series_id,
            stage.c.valid_from,
            literal(refresh_id),
            change,
            stage.c.amount,
            stage.c.terms_id,
            stage.c.fetch_id,
            stage.c.locator,
            stage.c.published_amount,
            stage.c.vintage,
        )
        .select_from(joined)
        .where(
            stage.c.kind == kind.value,
            or_(
                in_force.c.stage_id.is_(None),
                and_(stage.c.dated, in_force.c.valid_from != stage.c.valid_from),
                in_force.c.amount.is_distinct_from(stage.c.amount),
                in_force.c.terms_id != stage.c.terms_id,
            ),
        )
        .order_by(stage.c.series_id, stage.c.valid_from)
    )


def _restate_later_checks(connection: Connection, kind: Kind, source_id: str, refresh_id: int, end: int) -> None:
    """After a late undated price, restate what a later look at the feed had already confirmed.

    Otherwise a document from March, imported in June, would overrule the checks of April and May
    that found the price unchanged and so wrote no row.
    """
    undated = select(stage.c.valid_from).where(stage.c.kind == kind.value, stage.c.dated.is_not(true())).distinct()
    for seen_at in connection.scalars(undated).all():
        next_check = connection.scalar(
            select(func.min(document_fetch.c.fetched_at))
            .join(refresh, refresh.c.refresh_id == document_fetch.c.refresh_id)
            .where(
                refresh.c.source_id == source_id,
                refresh.c.status == "sealed",
                refresh.c.refresh_id < refresh_id,
                document_fetch.c.fetched_at > seen_at,
            )
        )
        if next_check is not None:
            restated = _restated_rows(kind, refresh_id, end, seen_at, next_check)
            connection.execute(insert(OBSERVATIONS[kind]).from_select(COLUMNS, restated))


def _restated_rows(kind: Kind, refresh_id: int, end: int, seen_at: datetime, next_check: datetime) -> Select[Any]:
    """For each series that got a row at `seen_at` now: the price older refreshes had in force at `next_check`."""
    table, prior, earlier = OBSERVATIONS[kind], OBSERVATIONS[kind].alias("prior"), OBSERVATIONS[kind].alias("earlier")
    in_force = (
        select(earlier.c.observation_id)
        .where(
            earlier.c.series_id == table.c.series_id,
            earlier.c.refresh_id < refresh_id,
            earlier.c.valid_from <= next_check,
        )
        .order_by(earlier.c.valid_from.desc(), earlier.c.refresh_id.desc())
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    return (
        select(
            table.c.series_id,
            literal(next_check, UtcDateTime),
            literal(refresh_id),
            literal("observed"),
            prior.c.amount,
            prior.c.terms_id,
            prior.c.fetch_id,
            prior.c.locator,
            prior.c.published_amount,
            prior.c.vintage,
        )
        .select_from(table.join(prior, prior.c.observation_id == in_force))
        .where(
            table.c.observation_id > end,
            table.c.valid_from == literal(seen_at, UtcDateTime),
            prior.c.valid_from <= table.c.valid_from,
        )
    )
