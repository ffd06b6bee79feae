"""A lean log, finished: an observation's foreign key to its series goes, and a series can no more be removed.

The loader makes or reads the series in the transaction that points at it; checking the key again, row
by row, took a third of what PostgreSQL spends on a new price.

Revision: d3a95e7b10f4, after c41f7d20ab63, 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "d3a95e7b10f4"
down_revision = "c41f7d20ab63"
branch_labels = None
depends_on = None

KINDS = ("gpu", "electricity", "salary", "fx", "llm_api", "record")


def upgrade() -> None:
    made_by_table = _put_away()
    for kind in KINDS:
        table = f"{kind}_observation"
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"fk_{table}_series_id_{kind}_series", type_="foreignkey")
        _refuse_removal(f"{kind}_series")
    _put_back(made_by_table)


def downgrade() -> None:
    made_by_table = _put_away()
    for kind in KINDS:
        _allow_removal(f"{kind}_series")
        table = f"{kind}_observation"
        with op.batch_alter_table(table) as batch:
            batch.create_foreign_key(
                f"fk_{table}_series_id_{kind}_series", f"{kind}_series", ["series_id"], ["series_id"]
            )
    _put_back(made_by_table)


def _put_away() -> list[str]:
    """SQLite makes a table anew, without its triggers and not under a view: their texts, the views dropped."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    texts = []
    for kind in KINDS:
        table = f"{kind}_observation"
        found = op.get_bind().execute(
            sa.text(
                "SELECT type, name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table "
                "OR type = 'view' AND sql LIKE '% FROM ' || :table || ' %'"
            ),
            {"table": table},
        )
        for type_, name, text in found.all():
            texts.append(text)
            op.execute(f"DROP {type_} {name}")
    return texts


def _put_back(texts: list[str]) -> None:
    for text in texts:
        op.execute(text)


def _refuse_removal(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: prices point at its series'); END"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _allow_removal(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {table}_refuses_delete")
    else:
        op.execute(f"DROP TRIGGER {table}_refuses_delete ON {table}")
