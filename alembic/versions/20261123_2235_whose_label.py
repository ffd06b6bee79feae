"""A word on a label is about one source and provider; those said before, and what is said of all, name none.

A word that is taken back is a row without an accelerator.

Revision: e2b60c9f4a17, after d3a95e7b10f4, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "e2b60c9f4a17"
down_revision = "d3a95e7b10f4"
branch_labels = None
depends_on = None

BEFORE = "A person's word on a label the registry leaves open; the newest counts."
AFTER = "A person's word on a label, of one source and provider, or of all (both blank); the newest counts."


def upgrade() -> None:
    for name in ("source_id", "provider"):
        op.add_column("hardware_label", sa.Column(name, sa.String(64), server_default="", nullable=False))
    _comment(AFTER, BEFORE)


def downgrade() -> None:
    _allow_changes()
    # What the older schema cannot say goes: a narrow word would count everywhere, one taken back count again.
    op.execute("DELETE FROM hardware_label WHERE source_id <> ''")
    op.execute(
        "DELETE FROM hardware_label WHERE EXISTS (SELECT 1 FROM hardware_label AS later "
        "WHERE later.label = hardware_label.label AND later.memory_gb = hardware_label.memory_gb "
        "AND later.accelerator_id = '' AND later.recorded_at >= hardware_label.recorded_at)"
    )
    for name in ("provider", "source_id"):
        op.drop_column("hardware_label", name)
    _comment(BEFORE, AFTER)
    _refuse_changes()


def _comment(text: str, existing: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.create_table_comment("hardware_label", text, existing_comment=existing)


def _allow_changes() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP TRIGGER hardware_label_refuses_change ON hardware_label")
        return
    for action in ("update", "delete"):
        op.execute(f"DROP TRIGGER hardware_label_refuses_{action}")


def _refuse_changes() -> None:
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
