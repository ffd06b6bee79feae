"""Plans: goals answered, kept beside the estimates their picks are.

Revision: c41f7d20ab63, after b7f2d40c91e8, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "c41f7d20ab63"
down_revision = "b7f2d40c91e8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("plan_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("cost", sa.Numeric().with_variant(sa.String(80), "sqlite"), nullable=False),
        sa.Column("series", sa.String(300), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan")),
        comment="Immutable; the id is the SHA-256 of the body. Its picks are estimates.",
    )
    op.create_index("ix_plan_created_at", "plan", ["created_at", "plan_id"])
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE TRIGGER plan_refuses_change BEFORE UPDATE OR DELETE ON plan "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER plan_refuses_{action.lower()} BEFORE {action} ON plan "
            "BEGIN SELECT RAISE(ABORT, 'plan is append-only'); END"
        )


def downgrade() -> None:
    op.drop_table("plan")
