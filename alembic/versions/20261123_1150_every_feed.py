"""Room for every feed: token prices, market statistics and intervals, released rows, disagreements, absences.

Revision: 2b9c5d0e7f14, after 70f85aa1b730, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "2b9c5d0e7f14"
down_revision = "70f85aa1b730"
branch_labels = None
depends_on = None

APPEND_ONLY = ("llm_api_observation", "quarantine_release", "disagreement", "chapter_read")

NEW_VIEWS = {
    "gpu_rates": (
        "gpu",
        (
            "provider, sku, region, purchase, pricing_category, tier, statistic, "
            "accelerator, gpu_count, gpu_memory_gb, includes_power"
        ),
    ),
    "electricity_prices": ("electricity", "area, sector, basis, resolution"),
    "token_prices": ("llm_api", "provider, llm, meter, above_tokens, condition"),
}
OLD_VIEWS = {
    "gpu_rates": (
        "gpu",
        (
            "provider, sku, region, purchase, pricing_category, tier, "
            "accelerator, gpu_count, gpu_memory_gb, includes_power"
        ),
    ),
    "electricity_prices": ("electricity", "area, sector, basis"),
}

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
EXACT = sa.Numeric().with_variant(sa.String(80), "sqlite")


def upgrade() -> None:
    for view in OLD_VIEWS:
        op.execute(f"DROP VIEW {view}")
    op.add_column("gpu_series", sa.Column("statistic", sa.String(16), server_default="", nullable=False))
    op.create_index("ix_gpu_series_provider_sku", "gpu_series", ["provider", "sku"])
    op.add_column("electricity_series", sa.Column("resolution", sa.String(16), server_default="", nullable=False))
    _create_llm_api()
    _create_quarantine_release()
    _create_chapter_read()
    _create_disagreement()
    _create_absence()
    for table in APPEND_ONLY:
        _refuse_changes(table)
    for view, (kind, columns) in NEW_VIEWS.items():
        _create_view(view, kind, columns)


def downgrade() -> None:
    for view in NEW_VIEWS:
        op.execute(f"DROP VIEW {view}")
    for table in (*APPEND_ONLY, "absence", "llm_api_series"):
        op.drop_table(table)
    op.drop_index("ix_gpu_series_provider_sku", "gpu_series")
    for table, column in (("electricity_series", "resolution"), ("gpu_series", "statistic")):
        op.drop_column(table, column)
    with op.batch_alter_table("quarantine") as batch_op:
        batch_op.drop_column("fetch_id")
    if op.get_bind().dialect.name == "sqlite":
        _refuse_changes("quarantine")  # the batch made the table anew, without its triggers
    for view, (kind, columns) in OLD_VIEWS.items():
        _create_view(view, kind, columns)


def _create_llm_api() -> None:
    op.create_table(
        "llm_api_series",
        sa.Column("series_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("llm", sa.String(200), nullable=False),
        sa.Column("meter", sa.String(32), nullable=False),
        sa.Column("above_tokens", sa.BigInteger(), nullable=False),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_llm_api_series")),
        sa.UniqueConstraint("key", name=op.f("uq_llm_api_series_key")),
    )
    op.create_index("ix_llm_api_series_llm", "llm_api_series", ["llm"])
    op.create_index("ix_llm_api_series_source_id", "llm_api_series", ["source_id"])
    op.create_table(
        "llm_api_observation",
        sa.Column("observation_id", BIG_ID, nullable=False),
        sa.Column("series_id", BIG_ID, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("refresh_id", BIG_ID, nullable=False),
        sa.Column("change", sa.String(12), nullable=False),
        sa.Column("amount", EXACT, nullable=True),
        sa.Column("terms_id", sa.Integer(), nullable=False),
        sa.Column("fetch_id", BIG_ID, nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("published_amount", sa.Text(), nullable=False),
        sa.Column("vintage", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "change IN ('observed', 'correction', 'retracted', 'absent')", name=op.f("ck_llm_api_observation_change")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.{column}"], name=op.f(f"fk_llm_api_observation_{column}_{table}")
            )
            for column, table in (
                ("series_id", "llm_api_series"),
                ("refresh_id", "refresh"),
                ("terms_id", "terms"),
                ("fetch_id", "document_fetch"),
            )
        ),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_llm_api_observation")),
        sa.UniqueConstraint(
            "series_id", "valid_from", "refresh_id", name=op.f("uq_llm_api_observation_series_id_valid_from_refresh_id")
        ),
    )


def _create_quarantine_release() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE quarantine ADD COLUMN fetch_id INTEGER "
            "CONSTRAINT fk_quarantine_fetch_id_document_fetch REFERENCES document_fetch (fetch_id)"
        )
    else:
        op.add_column("quarantine", sa.Column("fetch_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            op.f("fk_quarantine_fetch_id_document_fetch"), "quarantine", "document_fetch", ["fetch_id"], ["fetch_id"]
        )
    op.create_table(
        "quarantine_release",
        sa.Column("quarantine_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("refresh_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("amount", EXACT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["quarantine_id"],
            ["quarantine.quarantine_id"],
            name=op.f("fk_quarantine_release_quarantine_id_quarantine"),
        ),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_quarantine_release_refresh_id_refresh")
        ),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine_release")),
        comment="A person said that a held-back price is true; the refresh that wrote it to the log.",
    )
    op.create_index("ix_quarantine_release_key", "quarantine_release", ["key"])


def _create_chapter_read() -> None:
    op.create_table(
        "chapter_read",
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("chapter", sa.String(200), nullable=False),
        sa.Column("refresh_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_chapter_read_refresh_id_refresh")
        ),
        sa.PrimaryKeyConstraint("source_id", "chapter", name=op.f("pk_chapter_read")),
        comment="Pieces of a feed's archive that are in the log, so that a back-fill goes on where it stopped.",
    )


def _create_disagreement() -> None:
    op.create_table(
        "disagreement",
        sa.Column("disagreement_id", BIG_ID, nullable=False),
        sa.Column("refresh_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("other_key", sa.String(300), nullable=False),
        sa.Column("amount", EXACT, nullable=False),
        sa.Column("other_amount", EXACT, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_disagreement_refresh_id_refresh")
        ),
        sa.PrimaryKeyConstraint("disagreement_id", name=op.f("pk_disagreement")),
        comment="Two feeds priced one offer differently, as the refresh found it; equal amounts end a disagreement.",
    )
    op.create_index("ix_disagreement_key", "disagreement", ["key", "refresh_id"])
    op.create_index("ix_disagreement_other_key", "disagreement", ["other_key", "refresh_id"])


def _create_absence() -> None:
    op.create_table(
        "absence",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("series_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "series_id", name=op.f("pk_absence")),
        comment="A projection: offers their feed no longer listed, and how often in a row; enough times end the price.",
    )
    op.create_index("ix_absence_source_id", "absence", ["source_id"])


def _create_view(view: str, kind: str, columns: str) -> None:
    op.execute(
        f"CREATE VIEW {view} AS SELECT s.key AS series, s.source_id AS source, "
        + ", ".join(f"s.{name.strip()}" for name in columns.split(","))
        + ", o.amount, t.currency, t.unit, o.valid_from, r.recorded_at, o.change, t.status, o.vintage, "
        "o.published_amount, t.published_unit, f.url, f.fetched_at, f.sha256, o.locator "
        f"FROM {kind}_observation o JOIN {kind}_series s ON s.series_id = o.series_id "
        "JOIN terms t ON t.terms_id = o.terms_id JOIN document_fetch f ON f.fetch_id = o.fetch_id "
        "JOIN refresh r ON r.refresh_id = o.refresh_id WHERE r.status = 'sealed'"
    )


def _refuse_changes(table: str) -> None:
    words = f"{table} is append-only"
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )
