"""Plans: goals answered, kept beside the estimates their picks are; goals that are watched.

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
    _create_standing_goals()
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


def _create_standing_goals() -> None:
    op.create_table(
        "standing_goal",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing_goal_id", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "recorded_at", name=op.f("pk_standing_goal")),
        comment="Every version of every goal that is watched; the newest not after known_at counts.",
    )
    op.create_table(
        "standing_goal_run",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing_goal_id", sa.String(64), nullable=False),
        sa.Column("plan_id", sa.String(64), nullable=True),
        sa.Column("told_plan_id", sa.String(64), nullable=True),
        sa.Column("flipped", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name=op.f("fk_standing_goal_run_plan_id_plan")),
        sa.ForeignKeyConstraint(
            ["told_plan_id"], ["plan.plan_id"], name=op.f("fk_standing_goal_run_told_plan_id_plan")
        ),
        sa.PrimaryKeyConstraint("name", "slot", name=op.f("pk_standing_goal_run")),
        comment="A standing goal planned once for a change of prices, and the plan that counts as told since.",
    )


def downgrade() -> None:
    for table in ("standing_goal_run", "standing_goal", "plan"):
        op.drop_table(table)
