"""Who is told of events, and how each telling goes.

Revision: b7f2d40c91e8, after 5e1c7a40b9d2, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "b7f2d40c91e8"
down_revision = "5e1c7a40b9d2"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "notification_target",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("target_id", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "recorded_at", name=op.f("pk_notification_target")),
        comment="Every version of every target; the newest counts. No secret is in it.",
    )
    op.create_table(
        "notification_reach",
        sa.Column("target", sa.String(60), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_notification_reach")),
        comment="Up to which event each target's deliveries are written down.",
    )
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.String(60), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["event_id"], ["event.event_id"], name=op.f("fk_delivery_event_id_event")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("event_id", "target", name=op.f("uq_delivery_event_id_target")),
        comment="One row per event and target: tried until it is delivered or dead, one process at a time.",
    )
    op.create_index("ix_delivery_due", "delivery", ["state", "due_at"])


def downgrade() -> None:
    op.drop_table("delivery")
    op.drop_table("notification_reach")
    op.drop_table("notification_target")
