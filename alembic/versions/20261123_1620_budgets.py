"""Budgets, their runs, and what was really charged.

Revision: c7d90e4a1b36, after d3b2f81c5a60, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "c7d90e4a1b36"
down_revision = "d3b2f81c5a60"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Numeric().with_variant(sa.String(80), "sqlite")
APPEND_ONLY = ("budget", "budget_run", "spend_import", "spend")


def upgrade() -> None:
    op.create_table(
        "budget",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("budget_id", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "recorded_at", name=op.f("pk_budget")),
        comment="Every version of every budget; the newest not after known_at counts.",
    )
    op.create_table(
        "budget_run",
        sa.Column("budget", sa.String(60), nullable=False),
        sa.Column("slot", MOMENT, nullable=False),
        sa.Column("ran_at", MOMENT, nullable=False),
        sa.Column("budget_id", sa.String(64), nullable=False),
        sa.Column("estimate_id", sa.String(64), nullable=False),
        sa.Column("told_estimate_id", sa.String(64), nullable=False),
        sa.Column("period_start", MOMENT, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("forecast", EXACT, nullable=False),
        sa.Column("spent", EXACT, nullable=False),
        sa.Column("crosses_at", MOMENT),
        sa.Column("lower_bound", sa.Boolean(), nullable=False),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("budget", "slot", name=op.f("pk_budget_run")),
        sa.ForeignKeyConstraint(
            ["estimate_id"], ["estimate.estimate_id"], name=op.f("fk_budget_run_estimate_id_estimate")
        ),
        sa.ForeignKeyConstraint(
            ["told_estimate_id"], ["estimate.estimate_id"], name=op.f("fk_budget_run_told_estimate_id_estimate")
        ),
        comment="A budget priced once per slot of its schedule, with the thresholds that count as reached since.",
    )
    _spend_tables()
    _refuse_changes()


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)


def _spend_tables() -> None:
    op.create_table(
        "spend_import",
        sa.Column("import_id", ROW_ID, nullable=False),
        sa.Column("budget", sa.String(60), nullable=False),
        sa.Column("origin", sa.String(60), nullable=False),
        sa.Column("document_sha256", sa.String(64), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("covers_from", MOMENT, nullable=False),
        sa.Column("covers_until", MOMENT, nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_kept", sa.BigInteger(), nullable=False),
        sa.Column("rows_left_out", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_spend_import")),
        sa.ForeignKeyConstraint(
            ["document_sha256"], ["document.sha256"], name=op.f("fk_spend_import_document_sha256_document")
        ),
        comment="One document of charges; a later one of the same origin replaces what it covers.",
    )
    op.create_index("ix_spend_import_budget", "spend_import", ["budget", "origin", "recorded_at"])
    op.create_table(
        "spend",
        sa.Column("spend_id", ROW_ID, nullable=False),
        sa.Column("import_id", ROW_ID, nullable=False),
        sa.Column("charge_from", MOMENT, nullable=False),
        sa.Column("charge_until", MOMENT, nullable=False),
        sa.Column("amount", EXACT, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("spend_id", name=op.f("pk_spend")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["spend_import.import_id"], name=op.f("fk_spend_import_id_spend_import")
        ),
        comment="Charges of a document, added up by span, provider, service and currency.",
    )
    op.create_index("ix_spend_import_id", "spend", ["import_id", "charge_from"])


def _refuse_changes() -> None:
    postgres = op.get_bind().dialect.name != "sqlite"
    for table in APPEND_ONLY:
        if postgres:
            op.execute(
                f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            continue
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
