"""Bands of estimates, kept so that they can be cited.

Revision: 5e1c7a40b9d2, after e5a1c07b9d24, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "5e1c7a40b9d2"
down_revision = "e5a1c07b9d24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "estimate_band",
        sa.Column("band_id", sa.String(64), nullable=False),
        sa.Column("estimate_id", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["estimate_id"], ["estimate.estimate_id"], name=op.f("fk_estimate_band_estimate_id_estimate")
        ),
        sa.PrimaryKeyConstraint("band_id", name=op.f("pk_estimate_band")),
        sa.UniqueConstraint(
            "estimate_id", "seed", "draws", "method", name=op.f("uq_estimate_band_estimate_id_seed_draws_method")
        ),
        comment="A view over an estimate that can be cited; the id is the SHA-256 of the body.",
    )
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE TRIGGER estimate_band_refuses_change BEFORE UPDATE OR DELETE ON estimate_band "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER estimate_band_refuses_{action.lower()} BEFORE {action} ON estimate_band "
            "BEGIN SELECT RAISE(ABORT, 'estimate_band is append-only'); END"
        )


def downgrade() -> None:
    op.drop_table("estimate_band")
