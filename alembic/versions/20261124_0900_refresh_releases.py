"""Whole refreshes can be released: who vouches for documents that were not believed, and which refresh wrote them.

Revision: 5e7b0c94ad21, after b7f4108ad2c3, 2026-11-24
"""

import sqlalchemy as sa
from alembic import op

revision = "5e7b0c94ad21"
down_revision = "b7f4108ad2c3"
branch_labels = None
depends_on = None

TABLE = "refresh_release"
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("refresh_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("released_by", BIG_ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["refresh.refresh_id"], name=op.f("fk_refresh_release_refresh_id_refresh")
        ),
        sa.ForeignKeyConstraint(
            ["released_by"], ["refresh.refresh_id"], name=op.f("fk_refresh_release_released_by_refresh")
        ),
        sa.PrimaryKeyConstraint("refresh_id", name=op.f("pk_refresh_release")),
        comment="A person vouched for the documents of a quarantined refresh; the refresh that wrote them to the log.",
    )
    _refuse_changes()


def downgrade() -> None:
    op.drop_table(TABLE)


def _refuse_changes() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            f"CREATE TRIGGER {TABLE}_refuses_change BEFORE UPDATE OR DELETE ON {TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {TABLE}_refuses_{action.lower()} BEFORE {action} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
        )
