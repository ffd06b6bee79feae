"""Bands kept beside their estimates, named by the hash of their bytes."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.band import Band, EstimateBand
from service.domain.canonical import canonical_bytes, content_id
from service.domain.estimate import Estimate
from service.store import estimates
from service.store.estimates import StoredEstimate
from service.store.tables import estimate_band


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the bytes of a band say: which estimate it is of, and the band."""

    estimate_id: str
    band: Band


def named(estimate_id: str, band: Band) -> EstimateBand:
    """A band with its name, kept or not: the name is that of its bytes."""
    body = canonical_bytes(_Kept(estimate_id=estimate_id, band=band))
    return EstimateBand(band_id=content_id(body), estimate_id=estimate_id, band=band)


def add_with_estimate(connection: Connection, estimate: Estimate, band: Band, now: datetime) -> StoredEstimate:
    """Keep an estimate together with its band."""
    stored = estimates.add(connection, estimate, now)
    add(connection, named(stored.estimate_id, band), now)
    return stored


def add(connection: Connection, found: EstimateBand, now: datetime) -> EstimateBand:
    """Keep a band; the same one twice, even at once, is one row."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        "band_id": found.band_id,
        "estimate_id": found.estimate_id,
        "seed": found.band.seed,
        "draws": found.band.draws,
        "method": found.band.method,
        "created_at": now,
        "body": canonical_bytes(_Kept(estimate_id=found.estimate_id, band=found.band)),
    }
    connection.execute(dialect.insert(estimate_band).values(row).on_conflict_do_nothing())
    return found


def find(connection: Connection, estimate_id: str, seed: int, draws: int, method: str) -> EstimateBand | None:
    """A band that is kept, or None."""
    table = estimate_band
    row = connection.execute(
        select(table.c.band_id, table.c.body).where(
            table.c.estimate_id == estimate_id, table.c.seed == seed, table.c.draws == draws, table.c.method == method
        )
    ).one_or_none()
    if row is None:
        return None
    kept = msgspec.json.decode(row.body, type=_Kept)
    return EstimateBand(band_id=row.band_id, estimate_id=kept.estimate_id, band=kept.band)
