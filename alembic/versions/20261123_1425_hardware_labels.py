"""Which accelerator a feed's label means, where a person had to say it.

Revision: d3b2f81c5a60, after a90f6d2b18c7, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "d3b2f81c5a60"
down_revision = "a90f6d2b18c7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hardware_label",
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("memory_gb", sa.String(20), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accelerator_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("label", "memory_gb", "recorded_at", name=op.f("pk_hardware_label")),
        comment="A person's word on a label the registry leaves open; the newest counts.",
    )
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE TRIGGER hardware_label_refuses_change BEFORE UPDATE OR DELETE ON hardware_label "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER hardware_label_refuses_{action.lower()} BEFORE {action} ON hardware_label "
            "BEGIN SELECT RAISE(ABORT, 'hardware_label is append-only'); END"
        )


def downgrade() -> None:
    op.drop_table("hardware_label")
