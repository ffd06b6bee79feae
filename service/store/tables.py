"""The tables: a star of narrow, append-only observations around typed series.

Each kind of price has a series table a SQL user would recognise and an observation table keyed to
it. `terms` interns what repeats from row to row (currency, unit, wording). There is no `valid_to`:
a price holds until a newer row of its series says otherwise.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from pricing_sources.observation import Kind
from service.store.types import ExactDecimal, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite makes a rowid only of a column declared INTEGER."""

log_head = Table(
    "log_head",
    metadata,
    Column("only_row", Integer, primary_key=True, autoincrement=False),
    Column("refresh_id", BigId, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    comment="One row. Its lock puts seals in one order: refresh_id and recorded_at both only grow.",
)

source_edition = Table(
    "source_edition",
    metadata,
    Column("edition_id", Integer, primary_key=True),
    Column("source_id", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("publisher", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("attribution", Text, nullable=False),
    Column("republish", Boolean, nullable=False),
    UniqueConstraint("source_id", "title", "publisher", "licence", "attribution", "republish"),
    comment="What a source said about itself; a new wording is a new row, so citations stay as they were.",
)

document = Table(
    "document",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="The bytes as received, zlib-compressed, once per content hash.",
)

refresh = Table(
    "refresh",
    metadata,
    Column("refresh_id", BigId, primary_key=True, autoincrement=False),
    Column("source_id", String(64), nullable=False),
    Column("edition_id", Integer, ForeignKey("source_edition.edition_id"), nullable=False),
    Column("parser_version", Integer, nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("rows_read", BigInteger, nullable=False),
    Column("observed", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("corrected", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("skipped", Text, nullable=False),
    Column("error_code", String(32)),
    Column("error", Text),
    Column("newest_period", UtcDateTime),
    CheckConstraint("status IN ('sealed', 'failed', 'quarantined')", name="status"),
    Index("ix_refresh_source_id_refresh_id", "source_id", "refresh_id"),
    comment="What was checked, when, how it ended, what changed. recorded_at is the seal.",
)

document_fetch = Table(
    "document_fetch",
    metadata,
    Column("fetch_id", BigId, primary_key=True),
    Column("refresh_id", BigId, ForeignKey("refresh.refresh_id"), nullable=False),
    Column("sha256", String(64), ForeignKey("document.sha256")),
    Column("url", Text, nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Index("ix_document_fetch_refresh_id", "refresh_id"),
    comment="One response of a feed within a refresh; sha256 is null where the feed said 304.",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", BigId, primary_key=True),
    Column("refresh_id", BigId, ForeignKey("refresh.refresh_id"), nullable=False),
    Column("locator", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("fetch_id", BigId, ForeignKey("document_fetch.fetch_id")),
    Index("ix_quarantine_refresh_id", "refresh_id"),
    comment="Rows that should have been prices and could not be believed.",
)

quarantine_release = Table(
    "quarantine_release",
    metadata,
    Column("quarantine_id", BigId, ForeignKey("quarantine.quarantine_id"), primary_key=True, autoincrement=False),
    Column("refresh_id", BigId, ForeignKey("refresh.refresh_id"), nullable=False),
    Column("key", String(300), nullable=False, index=True),
    Column("amount", ExactDecimal, nullable=False),
    Column("reason", Text, nullable=False),
    comment="A person said that a held-back price is true; the refresh that wrote it to the log.",
)

refresh_release = Table(
    "refresh_release",
    metadata,
    Column("refresh_id", BigId, ForeignKey("refresh.refresh_id"), primary_key=True, autoincrement=False),
    Column("released_by", BigId, ForeignKey("refresh.refresh_id"), nullable=False),
    Column("reason", Text, nullable=False),
    comment="A person vouched for the documents of a quarantined refresh; the refresh that wrote them to the log.",
)

chapter_read = Table(
    "chapter_read",
    metadata,
    Column("source_id", String(64), primary_key=True),
    Column("chapter", String(200), primary_key=True),
    Column("refresh_id", BigId, ForeignKey("refresh.refresh_id"), nullable=False),
    comment="Pieces of a feed's archive that are in the log, so that a back-fill goes on where it stopped.",
)

disagreement = Table(
    "disagreement",
    metadata,
    Column("disagreement_id", BigId, primary_key=True),
    Column("refresh_id", BigId, ForeignKey("refresh.refresh_id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("key", String(300), nullable=False),
    Column("other_key", String(300), nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("other_amount", ExactDecimal, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("unit", String(32), nullable=False),
    Index("ix_disagreement_key", "key", "refresh_id"),
    Index("ix_disagreement_other_key", "other_key", "refresh_id"),
    comment="Two feeds priced one offer differently, as the refresh found it; equal amounts end a disagreement.",
)

absence = Table(
    "absence",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("series_id", BigId, primary_key=True, autoincrement=False),
    Column("source_id", String(64), nullable=False, index=True),
    Column("since", UtcDateTime, nullable=False),
    Column("times", Integer, nullable=False),
    comment="A projection: offers their feed no longer listed, and how often in a row; enough times end the price.",
)

terms = Table(
    "terms",
    metadata,
    Column("terms_id", Integer, primary_key=True),
    Column("currency", String(3), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("published_unit", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("reference_url", Text, nullable=False),
    Column("note", Text, nullable=False),
    UniqueConstraint("currency", "unit", "published_unit", "status", "reference_url", "note"),
    comment="What an amount means; currency is empty for a figure that is not money.",
)


def _series_table(name: str, *columns: Column[object]) -> Table:
    return Table(
        name,
        metadata,
        Column("series_id", BigId, primary_key=True),
        Column("key", String(300), nullable=False, unique=True),
        Column("source_id", String(64), nullable=False, index=True),
        *columns,
    )


def _observation_table(name: str) -> Table:
    # series, refresh, terms and fetch are made or read in the very transaction that points at them and can
    # never be removed: foreign keys would only check each row again, which took most of ingest.
    return Table(
        name,
        metadata,
        Column("observation_id", BigId, primary_key=True),
        Column("series_id", BigId, nullable=False),
        Column("valid_from", UtcDateTime, nullable=False),
        Column("refresh_id", BigId, nullable=False),
        Column("change", String(12), nullable=False),
        Column("amount", ExactDecimal),
        Column("terms_id", Integer, nullable=False),
        Column("fetch_id", BigId, nullable=False),
        Column("locator", Text, nullable=False),
        Column("published_amount", Text, nullable=False),
        Column("vintage", String(32), nullable=False),
        UniqueConstraint("series_id", "valid_from", "refresh_id"),
        CheckConstraint("change IN ('observed', 'correction', 'retracted', 'absent')", name="change"),
    )


gpu_series = _series_table(
    "gpu_series",
    Column("provider", String(64), nullable=False),
    Column("sku", String(200), nullable=False),
    Column("region", String(64), nullable=False),
    Column("purchase", String(32), nullable=False),
    Column("pricing_category", String(16), nullable=False),
    Column("tier", String(32), nullable=False),
    Column("statistic", String(16), nullable=False, server_default=""),
    Column("accelerator", String(100), nullable=False, index=True),
    Column("gpu_count", ExactDecimal),
    Column("gpu_memory_gb", ExactDecimal),
    Column("includes_power", Boolean, nullable=False),
)
Index("ix_gpu_series_provider_sku_region", gpu_series.c.provider, gpu_series.c.sku, gpu_series.c.region)
electricity_series = _series_table(
    "electricity_series",
    Column("area", String(32), nullable=False, index=True),
    Column("sector", String(32), nullable=False),
    Column("basis", String(32), nullable=False),
    Column("resolution", String(16), nullable=False, server_default=""),
)
salary_series = _series_table(
    "salary_series",
    Column("occupation", String(16), nullable=False, index=True),
    Column("occupation_title", Text, nullable=False),
    Column("area", String(32), nullable=False),
    Column("area_title", Text, nullable=False),
    Column("statistic", String(32), nullable=False),
)
fx_series = _series_table(
    "fx_series",
    Column("base_currency", String(3), nullable=False),
    Column("quote_currency", String(3), nullable=False, index=True),
)
llm_api_series = _series_table(
    "llm_api_series",
    Column("provider", String(64), nullable=False),
    Column("llm", String(200), nullable=False, index=True),
    Column("meter", String(32), nullable=False),
    Column("above_tokens", BigInteger, nullable=False),
    Column("condition", String(32), nullable=False),
)
record_series = _series_table(
    "record_series",
    Column("topic", String(64), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("variant", String(64), nullable=False),
)

gpu_observation = _observation_table("gpu_observation")
electricity_observation = _observation_table("electricity_observation")
salary_observation = _observation_table("salary_observation")
fx_observation = _observation_table("fx_observation")
llm_api_observation = _observation_table("llm_api_observation")
record_observation = _observation_table("record_observation")

SERIES: Final = {
    Kind.GPU: gpu_series,
    Kind.ELECTRICITY: electricity_series,
    Kind.SALARY: salary_series,
    Kind.FX: fx_series,
    Kind.LLM_API: llm_api_series,
    Kind.RECORD: record_series,
}
OBSERVATIONS: Final = {
    Kind.GPU: gpu_observation,
    Kind.ELECTRICITY: electricity_observation,
    Kind.SALARY: salary_observation,
    Kind.FX: fx_observation,
    Kind.LLM_API: llm_api_observation,
    Kind.RECORD: record_observation,
}

scenario = Table(
    "scenario",
    metadata,
    Column("scenario_id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_scenario_created_at", "created_at", "scenario_id"),
)

estimate = Table(
    "estimate",
    metadata,
    Column("estimate_id", String(64), primary_key=True),
    Column("scenario_id", String(64), ForeignKey("scenario.scenario_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("valid_at", UtcDateTime, nullable=False),
    Column("known_at", UtcDateTime, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total", ExactDecimal, nullable=False),
    Column("lower_bound", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_estimate_created_at", "created_at", "estimate_id"),
    comment="Immutable; the id is the SHA-256 of the body.",
)

rate_card = Table(
    "rate_card",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("recorded_at", UtcDateTime, primary_key=True),
    Column("rate_card_id", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="Every version of every card; the newest not after known_at counts.",
)

hardware_label = Table(
    "hardware_label",
    metadata,
    Column("label", String(100), primary_key=True),
    Column("memory_gb", String(20), primary_key=True),
    Column("recorded_at", UtcDateTime, primary_key=True),
    Column("accelerator_id", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("source_id", String(64), nullable=False, server_default=""),
    Column("provider", String(64), nullable=False, server_default=""),
    comment="A person's word on a label, of one source and provider, or of all (both blank); the newest counts.",
)

job_run = Table(
    "job_run",
    metadata,
    Column("job", String(80), primary_key=True),
    Column("slot", UtcDateTime, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("worker", String(80), nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("outcome", Text, nullable=False),
    CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
    comment="One row per job and slot: claimed once by its key, held by a lease, fenced by a token.",
)

worker = Table(
    "worker",
    metadata,
    Column("worker", String(80), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ticked_at", UtcDateTime, nullable=False),
    comment="Heartbeat of every scheduler.",
)

estimate_band = Table(
    "estimate_band",
    metadata,
    Column("band_id", String(64), primary_key=True),
    Column("estimate_id", String(64), ForeignKey("estimate.estimate_id"), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("draws", Integer, nullable=False),
    Column("method", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("estimate_id", "seed", "draws", "method"),
    comment="A view over an estimate that can be cited; the id is the SHA-256 of the body.",
)
