"""What happened that somebody may want to hear of.

Revision: e5a1c07b9d24, after c7d90e4a1b36, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "e5a1c07b9d24"
down_revision = "c7d90e4a1b36"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(64), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("occurred_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("notify", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
        sa.UniqueConstraint("uid", name=op.f("uq_event_uid")),
        comment="Written in the transaction that made it happen; what is told to whom is read from here.",
    )
    op.create_index("ix_event_type", "event", ["type", "event_id"])
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE TRIGGER event_refuses_change BEFORE UPDATE OR DELETE ON event "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER event_refuses_{action.lower()} BEFORE {action} ON event "
            "BEGIN SELECT RAISE(ABORT, 'event is append-only'); END"
        )


def downgrade() -> None:
    op.drop_table("event")
