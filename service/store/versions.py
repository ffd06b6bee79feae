"""Things people keep by name, in versions: nothing is overwritten, the newest not after a moment counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, func, insert, select

from service.domain.canonical import content_id
from service.errors import NotFound
from service.store.head import next_moment


@dataclass(frozen=True, slots=True)
class Version:
    """One version, named by the SHA-256 of its bytes."""

    content_id: str
    recorded_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Versions:
    """A table of name, recorded_at, the id of the bytes, the bytes."""

    table: Table
    id_column: Column[str]
    noun: str
    """What one is called, for errors."""
    put: str
    """The command that keeps one."""

    def add(self, connection: Connection, name: str, body: bytes, now: datetime) -> Version:
        """Keep a version; the one in force said again is no new one."""
        newest = self._newest(connection, name, now)
        if newest is not None and newest.content_id == content_id(body):
            return newest
        made = Version(content_id(body), next_moment(connection, now), body)
        row = {"name": name, "recorded_at": made.recorded_at, self.id_column.name: made.content_id, "body": body}
        connection.execute(insert(self.table).values(row))
        return made

    def known(self, connection: Connection, name: str, known_at: datetime) -> Version:
        """The version known at a moment. Raises NotFound, naming what there is."""
        found = self._newest(connection, name, known_at)
        if found is None:
            column = self.table.c.name
            names = connection.scalars(select(column).distinct().order_by(column)).all()
            there = f"there are {', '.join(names)}" if names else f"none is kept yet; see: {self.put}"
            raise NotFound(f"there is no {self.noun} {name!r} known at {known_at.isoformat()}; {there}")
        return found

    def until(self, connection: Connection, name: str, known_at: datetime) -> list[Version]:
        """Every version known at a moment, oldest first. Raises NotFound if there is none."""
        newest, table = self.known(connection, name, known_at), self.table
        before = select(table).where(table.c.name == name, table.c.recorded_at < newest.recorded_at)
        return [*map(self._version, connection.execute(before.order_by(table.c.recorded_at))), newest]

    def all_known(self, connection: Connection, known_at: datetime) -> list[Version]:
        """Everything there is, by name, each in the version known at a moment."""
        table = self.table
        newest = (
            select(table.c.name, func.max(table.c.recorded_at).label("recorded_at"))
            .where(table.c.recorded_at <= known_at)
            .group_by(table.c.name)
            .subquery()
        )
        same = (table.c.name == newest.c.name) & (table.c.recorded_at == newest.c.recorded_at)
        rows = connection.execute(select(table).join(newest, same).order_by(table.c.name))
        return [self._version(row) for row in rows]

    def first_known(self, connection: Connection) -> dict[str, datetime]:
        """When each was first kept, by name."""
        rows = connection.execute(
            select(self.table.c.name, func.min(self.table.c.recorded_at).label("recorded_at")).group_by(
                self.table.c.name
            )
        )
        return {row.name: row.recorded_at for row in rows}

    def _newest(self, connection: Connection, name: str, known_at: datetime) -> Version | None:
        table = self.table
        row = connection.execute(
            select(table)
            .where(table.c.name == name, table.c.recorded_at <= known_at)
            .order_by(table.c.recorded_at.desc())
            .limit(1)
        ).one_or_none()
        return self._version(row) if row is not None else None

    def _version(self, row: Row[Any]) -> Version:
        return Version(getattr(row, self.id_column.name), row.recorded_at, row.body)
