"""Rate cards: every version of a user's own prices.

Revision: 7c41e0a9d352, after 2b9c5d0e7f14, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "7c41e0a9d352"
down_revision = "2b9c5d0e7f14"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rate_card",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate_card_id", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "recorded_at", name=op.f("pk_rate_card")),
        comment="Every version of every card; the newest not after known_at counts.",
    )
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE TRIGGER rate_card_refuses_change BEFORE UPDATE OR DELETE ON rate_card "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER rate_card_refuses_{action.lower()} BEFORE {action} ON rate_card "
            "BEGIN SELECT RAISE(ABORT, 'rate_card is append-only'); END"
        )


def downgrade() -> None:
    op.drop_table("rate_card")
