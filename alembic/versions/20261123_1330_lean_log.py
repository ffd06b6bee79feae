"""A lean log: an observation's foreign keys to refresh, terms and fetch go.

The loader makes those rows in the transaction that points at them, and triggers refuse to remove
them; checking each key again, row by row, took half of ingest on PostgreSQL.

Revision: a90f6d2b18c7, after 7c41e0a9d352, 2026-11-23
"""

from alembic import op

revision = "a90f6d2b18c7"
down_revision = "7c41e0a9d352"
branch_labels = None
depends_on = None

KINDS = ("gpu", "electricity", "salary", "fx", "llm_api", "record")
PARENTS = (("refresh_id", "refresh"), ("terms_id", "terms"), ("fetch_id", "document_fetch"))
VIEWS = {
    "gpu_rates": (
        "gpu",
        (
            "provider, sku, region, purchase, pricing_category, tier, statistic, "
            "accelerator, gpu_count, gpu_memory_gb, includes_power"
        ),
    ),
    "electricity_prices": ("electricity", "area, sector, basis, resolution"),
    "salary_benchmarks": ("salary", "occupation, occupation_title, area, area_title, statistic"),
    "fx_rates": ("fx", "base_currency, quote_currency"),
    "token_prices": ("llm_api", "provider, llm, meter, above_tokens, condition"),
    "other_records": ("record", "topic, name, variant"),
}


def upgrade() -> None:
    _drop_views()
    for kind in KINDS:
        table = f"{kind}_observation"
        with op.batch_alter_table(table) as batch:
            for column, parent in PARENTS:
                batch.drop_constraint(f"fk_{table}_{column}_{parent}", type_="foreignkey")
        _refuse_changes(table)
    _create_views()


def downgrade() -> None:
    _drop_views()
    for kind in KINDS:
        table = f"{kind}_observation"
        with op.batch_alter_table(table) as batch:
            for column, parent in PARENTS:
                batch.create_foreign_key(f"fk_{table}_{column}_{parent}", parent, [column], [column])
        _refuse_changes(table)
    _create_views()


def _refuse_changes(table: str) -> None:
    """SQLite made the table anew, without its triggers."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _drop_views() -> None:
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")


def _create_views() -> None:
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
