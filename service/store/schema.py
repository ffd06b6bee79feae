"""Which revision a database is at and which one this code needs.

Every command asks, so it is answered without Alembic, whose import takes longer than most commands.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from service.errors import SchemaOutdated
from service.store.store import Store

_BESIDE: Final = Path(__file__).parent / "alembic"
"""Where a wheel carries the migrations; in a checkout they stand at the top level."""
_REVISION: Final = re.compile(r'^revision = "(\w+)"\ndown_revision = (?:"(\w+)"|None)$', re.MULTILINE)


def require_current(store: Store) -> None:
    """Raise SchemaOutdated, saying which command to run, unless the database is at our revision."""
    found, wanted = store.read(current), head()
    if found == wanted:
        return
    if found is None:
        raise SchemaOutdated(f"{store.where} has no schema yet; run: costplan db upgrade")
    if found in {revision for revision, _ in _revisions()}:
        raise SchemaOutdated(
            f"{store.where} is at revision {found}, this version needs {wanted}; run: costplan db upgrade"
        )
    raise SchemaOutdated(
        f"{store.where} is at revision {found}, which this version does not know; "
        "it was written by a newer version: update llm-cost-planner"
    )


def current(connection: Connection) -> str | None:
    """The revision a database is at, None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def head() -> str:
    """The newest revision this code knows. Raises SchemaOutdated if the installation carries none."""
    revisions = dict(_revisions())
    newest = revisions.keys() - revisions.values()
    if len(newest) != 1:
        raise SchemaOutdated("this installation carries no migrations, or torn ones; reinstall llm-cost-planner")
    return newest.pop()


def migrations() -> Path:
    """The folder of migrations."""
    return _BESIDE if _BESIDE.is_dir() else Path(__file__).parents[2] / "alembic"


def _revisions() -> Iterator[tuple[str, str | None]]:
    """Every revision with the one before it, as the migrations write them."""
    for file in (migrations() / "versions").glob("*.py"):
        for found in _REVISION.finditer(file.read_text(encoding="utf-8")):
            yield found[1], found[2]
