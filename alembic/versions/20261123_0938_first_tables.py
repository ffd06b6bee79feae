"""The first tables: documents, refreshes, five stars of observations, the ledger of estimates, the job ledger.

Revision: 70f85aa1b730, the first, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "70f85aa1b730"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "document",
    "document_fetch",
    "quarantine",
    "source_edition",
    "terms",
    "gpu_observation",
    "electricity_observation",
    "salary_observation",
    "fx_observation",
    "record_observation",
    "scenario",
    "estimate",
)
"""Tables whose rows nobody may change or remove."""

VIEWS = {
    "gpu_rates": (
        "gpu",
        (
            "provider, sku, region, purchase, pricing_category, tier, "
            "accelerator, gpu_count, gpu_memory_gb, includes_power"
        ),
    ),
    "electricity_prices": ("electricity", "area, sector, basis"),
    "salary_benchmarks": ("salary", "occupation, occupation_title, area, area_title, statistic"),
    "fx_rates": ("fx", "base_currency, quote_currency"),
    "other_records": ("record", "topic, name, variant"),
}
"""The log as a SQL user wants to read it: one row per price statement, with both clocks."""


def upgrade() -> None:
    op.create_table(
        "document",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_document")),
        comment="The bytes as received, zlib-compressed, once per content hash.",
    )
    op.create_table(
        "electricity_series",
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("area", sa.String(length=32), nullable=False),
        sa.Column("sector", sa.String(length=32), nullable=False),
        sa.Column("basis", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_electricity_series")),
        sa.UniqueConstraint("key", name=op.f("uq_electricity_series_key")),
    )
    with op.batch_alter_table("electricity_series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_electricity_series_area"), ["area"], unique=False)
        batch_op.create_index(batch_op.f("ix_electricity_series_source_id"), ["source_id"], unique=False)

    op.create_table(
        "fx_series",
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("base_currency", sa.String(length=3), nullable=False),
        sa.Column("quote_currency", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_fx_series")),
        sa.UniqueConstraint("key", name=op.f("uq_fx_series_key")),
    )
    with op.batch_alter_table("fx_series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fx_series_quote_currency"), ["quote_currency"], unique=False)
        batch_op.create_index(batch_op.f("ix_fx_series_source_id"), ["source_id"], unique=False)

    op.create_table(
        "gpu_series",
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("purchase", sa.String(length=32), nullable=False),
        sa.Column("pricing_category", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.String(length=32), nullable=False),
        sa.Column("accelerator", sa.String(length=100), nullable=False),
        sa.Column("gpu_count", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=True),
        sa.Column("gpu_memory_gb", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=True),
        sa.Column("includes_power", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_gpu_series")),
        sa.UniqueConstraint("key", name=op.f("uq_gpu_series_key")),
    )
    with op.batch_alter_table("gpu_series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gpu_series_accelerator"), ["accelerator"], unique=False)
        batch_op.create_index(batch_op.f("ix_gpu_series_source_id"), ["source_id"], unique=False)

    op.create_table(
        "job_run",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_job_run_state")),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_job_run")),
        comment="One row per job and slot: claimed once by its key, held by a lease, fenced by a token.",
    )
    op.create_table(
        "log_head",
        sa.Column("only_row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_log_head")),
        comment="One row. Its lock puts seals in one order: refresh_id and recorded_at both only grow.",
    )
    op.create_table(
        "record_series",
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("variant", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_record_series")),
        sa.UniqueConstraint("key", name=op.f("uq_record_series_key")),
    )
    with op.batch_alter_table("record_series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_record_series_source_id"), ["source_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_record_series_topic"), ["topic"], unique=False)

    op.create_table(
        "salary_series",
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("occupation", sa.String(length=16), nullable=False),
        sa.Column("occupation_title", sa.Text(), nullable=False),
        sa.Column("area", sa.String(length=32), nullable=False),
        sa.Column("area_title", sa.Text(), nullable=False),
        sa.Column("statistic", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_salary_series")),
        sa.UniqueConstraint("key", name=op.f("uq_salary_series_key")),
    )
    with op.batch_alter_table("salary_series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_salary_series_occupation"), ["occupation"], unique=False)
        batch_op.create_index(batch_op.f("ix_salary_series_source_id"), ["source_id"], unique=False)

    op.create_table(
        "scenario",
        sa.Column("scenario_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("scenario_id", name=op.f("pk_scenario")),
    )
    with op.batch_alter_table("scenario", schema=None) as batch_op:
        batch_op.create_index("ix_scenario_created_at", ["created_at", "scenario_id"], unique=False)

    op.create_table(
        "source_edition",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("attribution", sa.Text(), nullable=False),
        sa.Column("republish", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_source_edition")),
        sa.UniqueConstraint(
            "source_id",
            "title",
            "publisher",
            "licence",
            "attribution",
            "republish",
            name=op.f("uq_source_edition_source_id_title_publisher_licence_attribution_republish"),
        ),
        comment="What a source said about itself; a new wording is a new row, so citations stay as they were.",
    )
    op.create_table(
        "terms",
        sa.Column("terms_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("published_unit", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reference_url", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("terms_id", name=op.f("pk_terms")),
        sa.UniqueConstraint(
            "currency",
            "unit",
            "published_unit",
            "status",
            "reference_url",
            "note",
            name=op.f("uq_terms_currency_unit_published_unit_status_reference_url_note"),
        ),
        comment="What an amount means; currency is empty for a figure that is not money.",
    )
    op.create_table(
        "worker",
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_worker")),
        comment="Heartbeat of every scheduler.",
    )
    op.create_table(
        "estimate",
        sa.Column("estimate_id", sa.String(length=64), nullable=False),
        sa.Column("scenario_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=False),
        sa.Column("lower_bound", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scenario_id"], ["scenario.scenario_id"], name=op.f("fk_estimate_scenario_id_scenario")
        ),
        sa.PrimaryKeyConstraint("estimate_id", name=op.f("pk_estimate")),
        comment="Immutable; the id is the SHA-256 of the body.",
    )
    with op.batch_alter_table("estimate", schema=None) as batch_op:
        batch_op.create_index("ix_estimate_created_at", ["created_at", "estimate_id"], unique=False)

    op.create_table(
        "refresh",
        sa.Column(
            "refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("parser_version", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("corrected", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('sealed', 'failed', 'quarantined')", name=op.f("ck_refresh_status")),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["source_edition.edition_id"], name=op.f("fk_refresh_edition_id_source_edition")
        ),
        sa.PrimaryKeyConstraint("refresh_id", name=op.f("pk_refresh")),
        comment="What was checked, when, how it ended, what changed. recorded_at is the seal.",
    )
    with op.batch_alter_table("refresh", schema=None) as batch_op:
        batch_op.create_index("ix_refresh_source_id_refresh_id", ["source_id", "refresh_id"], unique=False)

    op.create_table(
        "document_fetch",
        sa.Column("fetch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_document_fetch_refresh_id_refresh")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["document.sha256"], name=op.f("fk_document_fetch_sha256_document")),
        sa.PrimaryKeyConstraint("fetch_id", name=op.f("pk_document_fetch")),
        comment="One response of a feed within a refresh; sha256 is null where the feed said 304.",
    )
    with op.batch_alter_table("document_fetch", schema=None) as batch_op:
        batch_op.create_index("ix_document_fetch_refresh_id", ["refresh_id"], unique=False)

    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_quarantine_refresh_id_refresh")),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
        comment="Rows that should have been prices and could not be believed.",
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index("ix_quarantine_refresh_id", ["refresh_id"], unique=False)

    op.create_table(
        "electricity_observation",
        sa.Column("observation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("change", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=True),
        sa.Column("terms_id", sa.Integer(), nullable=False),
        sa.Column("fetch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("published_amount", sa.Text(), nullable=False),
        sa.Column("vintage", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "change IN ('observed', 'correction', 'retracted', 'absent')",
            name=op.f("ck_electricity_observation_change"),
        ),
        sa.ForeignKeyConstraint(
            ["fetch_id"], ["document_fetch.fetch_id"], name=op.f("fk_electricity_observation_fetch_id_document_fetch")
        ),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_electricity_observation_refresh_id_refresh")
        ),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["electricity_series.series_id"],
            name=op.f("fk_electricity_observation_series_id_electricity_series"),
        ),
        sa.ForeignKeyConstraint(
            ["terms_id"], ["terms.terms_id"], name=op.f("fk_electricity_observation_terms_id_terms")
        ),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_electricity_observation")),
        sa.UniqueConstraint(
            "series_id",
            "valid_from",
            "refresh_id",
            name=op.f("uq_electricity_observation_series_id_valid_from_refresh_id"),
        ),
    )
    op.create_table(
        "fx_observation",
        sa.Column("observation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("change", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=True),
        sa.Column("terms_id", sa.Integer(), nullable=False),
        sa.Column("fetch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("published_amount", sa.Text(), nullable=False),
        sa.Column("vintage", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "change IN ('observed', 'correction', 'retracted', 'absent')", name=op.f("ck_fx_observation_change")
        ),
        sa.ForeignKeyConstraint(
            ["fetch_id"], ["document_fetch.fetch_id"], name=op.f("fk_fx_observation_fetch_id_document_fetch")
        ),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_fx_observation_refresh_id_refresh")
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["fx_series.series_id"], name=op.f("fk_fx_observation_series_id_fx_series")
        ),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.terms_id"], name=op.f("fk_fx_observation_terms_id_terms")),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_fx_observation")),
        sa.UniqueConstraint(
            "series_id", "valid_from", "refresh_id", name=op.f("uq_fx_observation_series_id_valid_from_refresh_id")
        ),
    )
    op.create_table(
        "gpu_observation",
        sa.Column("observation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("change", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=True),
        sa.Column("terms_id", sa.Integer(), nullable=False),
        sa.Column("fetch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("published_amount", sa.Text(), nullable=False),
        sa.Column("vintage", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "change IN ('observed', 'correction', 'retracted', 'absent')", name=op.f("ck_gpu_observation_change")
        ),
        sa.ForeignKeyConstraint(
            ["fetch_id"], ["document_fetch.fetch_id"], name=op.f("fk_gpu_observation_fetch_id_document_fetch")
        ),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_gpu_observation_refresh_id_refresh")
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["gpu_series.series_id"], name=op.f("fk_gpu_observation_series_id_gpu_series")
        ),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.terms_id"], name=op.f("fk_gpu_observation_terms_id_terms")),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_gpu_observation")),
        sa.UniqueConstraint(
            "series_id", "valid_from", "refresh_id", name=op.f("uq_gpu_observation_series_id_valid_from_refresh_id")
        ),
    )
    op.create_table(
        "record_observation",
        sa.Column("observation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("change", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=True),
        sa.Column("terms_id", sa.Integer(), nullable=False),
        sa.Column("fetch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("published_amount", sa.Text(), nullable=False),
        sa.Column("vintage", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "change IN ('observed', 'correction', 'retracted', 'absent')", name=op.f("ck_record_observation_change")
        ),
        sa.ForeignKeyConstraint(
            ["fetch_id"], ["document_fetch.fetch_id"], name=op.f("fk_record_observation_fetch_id_document_fetch")
        ),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_record_observation_refresh_id_refresh")
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["record_series.series_id"], name=op.f("fk_record_observation_series_id_record_series")
        ),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.terms_id"], name=op.f("fk_record_observation_terms_id_terms")),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_record_observation")),
        sa.UniqueConstraint(
            "series_id", "valid_from", "refresh_id", name=op.f("uq_record_observation_series_id_valid_from_refresh_id")
        ),
    )
    op.create_table(
        "salary_observation",
        sa.Column("observation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("change", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=True),
        sa.Column("terms_id", sa.Integer(), nullable=False),
        sa.Column("fetch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("published_amount", sa.Text(), nullable=False),
        sa.Column("vintage", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "change IN ('observed', 'correction', 'retracted', 'absent')", name=op.f("ck_salary_observation_change")
        ),
        sa.ForeignKeyConstraint(
            ["fetch_id"], ["document_fetch.fetch_id"], name=op.f("fk_salary_observation_fetch_id_document_fetch")
        ),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_salary_observation_refresh_id_refresh")
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["salary_series.series_id"], name=op.f("fk_salary_observation_series_id_salary_series")
        ),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.terms_id"], name=op.f("fk_salary_observation_terms_id_terms")),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_salary_observation")),
        sa.UniqueConstraint(
            "series_id", "valid_from", "refresh_id", name=op.f("uq_salary_observation_series_id_valid_from_refresh_id")
        ),
    )
    op.execute(
        "INSERT INTO log_head (only_row, refresh_id, recorded_at) VALUES (1, 0, '1970-01-01 00:00:00.000000+00:00')"
    )
    for table in APPEND_ONLY:
        _refuse_changes(table, "UPDATE OR DELETE")
    # A refresh gets its counts in the transaction that inserted it, before anybody can see it.
    _refuse_changes("refresh", "DELETE")
    for view, (kind, columns) in VIEWS.items():
        op.execute(
            f"CREATE VIEW {view} AS SELECT s.key AS series, s.source_id AS source, "
            + ", ".join(f"s.{name.strip()}" for name in columns.split(","))
            + ", o.amount, t.currency, t.unit, o.valid_from, r.recorded_at, o.change, t.status, o.vintage, "
            "o.published_amount, t.published_unit, f.url, f.fetched_at, f.sha256, o.locator "
            f"FROM {kind}_observation o JOIN {kind}_series s ON s.series_id = o.series_id "
            "JOIN terms t ON t.terms_id = o.terms_id JOIN document_fetch f ON f.fetch_id = o.fetch_id "
            "JOIN refresh r ON r.refresh_id = o.refresh_id WHERE r.status = 'sealed'"
        )


def _refuse_changes(table: str, actions: str) -> None:
    """Make the database itself refuse to rewrite history."""
    words = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for action in actions.split(" OR "):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_change BEFORE {actions} ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_change() CASCADE")
    op.drop_table("salary_observation")
    op.drop_table("record_observation")
    op.drop_table("gpu_observation")
    op.drop_table("fx_observation")
    op.drop_table("electricity_observation")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index("ix_quarantine_refresh_id")

    op.drop_table("quarantine")
    with op.batch_alter_table("document_fetch", schema=None) as batch_op:
        batch_op.drop_index("ix_document_fetch_refresh_id")

    op.drop_table("document_fetch")
    with op.batch_alter_table("refresh", schema=None) as batch_op:
        batch_op.drop_index("ix_refresh_source_id_refresh_id")

    op.drop_table("refresh")
    with op.batch_alter_table("estimate", schema=None) as batch_op:
        batch_op.drop_index("ix_estimate_created_at")

    op.drop_table("estimate")
    op.drop_table("worker")
    op.drop_table("terms")
    op.drop_table("source_edition")
    with op.batch_alter_table("scenario", schema=None) as batch_op:
        batch_op.drop_index("ix_scenario_created_at")

    op.drop_table("scenario")
    with op.batch_alter_table("salary_series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_salary_series_source_id"))
        batch_op.drop_index(batch_op.f("ix_salary_series_occupation"))

    op.drop_table("salary_series")
    with op.batch_alter_table("record_series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_series_topic"))
        batch_op.drop_index(batch_op.f("ix_record_series_source_id"))

    op.drop_table("record_series")
    op.drop_table("log_head")
    op.drop_table("job_run")
    with op.batch_alter_table("gpu_series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gpu_series_source_id"))
        batch_op.drop_index(batch_op.f("ix_gpu_series_accelerator"))

    op.drop_table("gpu_series")
    with op.batch_alter_table("fx_series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fx_series_source_id"))
        batch_op.drop_index(batch_op.f("ix_fx_series_quote_currency"))

    op.drop_table("fx_series")
    with op.batch_alter_table("electricity_series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_electricity_series_source_id"))
        batch_op.drop_index(batch_op.f("ix_electricity_series_area"))

    op.drop_table("electricity_series")
    op.drop_table("document")
