"""The whole market at one moment: every GPU offer in force, by one statement, as columns."""

from datetime import datetime
from operator import itemgetter
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Float, Select, String, and_, case, cast, func, null, select

from pricing_sources.observation import Kind
from pricing_sources.units import Unit
from service.domain.market import Market, Words
from service.store.in_force import row_in_force
from service.store.prices import watermark
from service.store.tables import gpu_observation, gpu_series, record_observation, record_series, terms

INTERRUPTION: Final = "interruption"
"""Topic of the records of how often machines are taken away."""


def market(connection: Connection, valid_at: datetime, known_at: datetime) -> Market:
    """Every offer in force at `valid_at`, as known at `known_at`. Raises NoData before the first refresh.

    Amounts are rounded to floats here, for searching; what a plan costs is computed from the price book, exactly.
    """
    found = connection.execute(_offers(valid_at, watermark(connection, known_at).refresh_id)).all()
    rows = sorted(found, key=itemgetter(0))  # by key, not in SQL, where the order of letters is the database's own
    columns: dict[str, Any] = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
    column = {name: columns.get(name, ()) for name in _COLUMNS}
    return Market(
        keys=tuple(column["key"]),
        observations=np.array(column["observation_id"], dtype=np.int64),
        sources=Words.of(column["source_id"]),
        providers=Words.of(column["provider"]),
        skus=Words.of(column["sku"]),
        regions=Words.of(column["region"]),
        purchases=Words.of(column["purchase"]),
        tiers=Words.of(column["tier"]),
        statistics=Words.of(column["statistic"]),
        labels=Words.of(zip(*(column[name] for name in _LABEL), strict=True)),
        gpus=np.array(column["gpus"], dtype=np.float64),
        prices=np.array(column["price"], dtype=np.float64),
        currencies=Words.of(column["currency"]),
    )


def interruption_shares(connection: Connection, valid_at: datetime, known_at: datetime) -> dict[str, float]:
    """Share of machines that were taken away within a month [1], the mean of the bounds that are published.

    By the name of the record: provider, machine and region, joined with `_`.
    """
    newest = row_in_force(Kind.RECORD, record_series.c.series_id, valid_at, watermark(connection, known_at).refresh_id)
    log = record_observation
    query = (
        select(record_series.c.name, func.avg(cast(log.c.amount, Float)).label("share"))
        .join_from(record_series, log, log.c.observation_id == newest)
        .where(record_series.c.topic == INTERRUPTION, record_series.c.variant.in_(("low", "high")))
        .where(log.c.amount.is_not(None))
        .group_by(record_series.c.name)
    )
    return {row.name: row.share for row in connection.execute(query)}


_COLUMNS: Final = (
    "key",
    "observation_id",
    "source_id",
    "provider",
    "sku",
    "region",
    "purchase",
    "tier",
    "statistic",
    "accelerator",
    "memory",
    "gpus",
    "price",
    "currency",
)
_LABEL: Final = ("accelerator", "source_id", "provider", "memory")


def _offers(valid_at: datetime, known: int) -> Select[Any]:
    series, log = gpu_series, gpu_observation
    newest = row_in_force(Kind.GPU, series.c.series_id, valid_at, known)
    per_gpu = case((terms.c.unit == Unit.GPU_HOUR.value, cast(log.c.amount, Float)), else_=null())
    return (
        select(
            series.c.key,
            log.c.observation_id,
            series.c.source_id,
            series.c.provider,
            series.c.sku,
            func.coalesce(func.nullif(series.c.region, ""), "global").label("region"),
            series.c.purchase,
            series.c.tier,
            series.c.statistic,
            series.c.accelerator,
            func.coalesce(cast(series.c.gpu_memory_gb, String), "").label("memory"),
            cast(series.c.gpu_count, Float).label("gpus"),
            per_gpu.label("price"),
            terms.c.currency,
        )
        .join_from(series, log, and_(log.c.series_id == series.c.series_id, log.c.observation_id == newest))
        .join(terms, terms.c.terms_id == log.c.terms_id)
        .where(log.c.amount.is_not(None))
    )
