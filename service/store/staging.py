"""Getting many readings into a transaction at the speed of the database.

Rows are interned (series, terms) and staged in batches into a temporary table by the driver's own
bulk path; what is new is then decided by SQL, set at a time. Memory is bounded by one batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from itertools import islice, repeat
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    text,
    update,
)

from pricing_sources.observation import Kind, Observation, Series
from service.errors import Invalid
from service.store.bulk import BulkInsert, Columns
from service.store.tables import SERIES, BigId, terms
from service.store.types import ExactDecimal, UtcDateTime, datetime_text, decimal_text

BATCH: Final = 2_500
"""Small enough to be sent at once: the server then reads one batch while the next is made."""

stage = Table(
    "stage_observation",
    MetaData(),
    Column("stage_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("series_id", BigId, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("dated", Boolean, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("terms_id", Integer, nullable=False),
    Column("fetch_id", BigId, nullable=False),
    Column("locator", Text, nullable=False),
    Column("published_amount", Text, nullable=False),
    Column("vintage", Text, nullable=False),
    prefixes=["TEMPORARY"],
)

in_force = Table(
    "stage_in_force",
    stage.metadata,
    Column("stage_id", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("amount", ExactDecimal),
    Column("terms_id", Integer, nullable=False),
    prefixes=["TEMPORARY"],
    comment="What the log has in force at the date of a staged row, if anything.",
)

_COLUMNS: Final = tuple(column.name for column in stage.columns)
_TERMS: Final = attrgetter("currency", "unit", "published_unit", "status", "reference_url", "note")


@dataclass(slots=True)
class Stager:
    """Interns and stages one source's observations inside one write transaction."""

    connection: Connection
    source_id: str
    staged: int = 0
    kinds: set[Kind] = field(default_factory=set)
    _series: dict[Series, tuple[str, int]] = field(default_factory=dict)
    _places: dict[int, tuple[str, int]] = field(default_factory=dict)
    """By the identity of the objects that `_series` keeps alive."""
    _known: dict[Kind, dict[str, tuple[int, tuple[Any, ...]]]] = field(default_factory=dict)
    _terms: dict[tuple[str | None, ...], int] = field(default_factory=dict)
    _bulk: BulkInsert = field(init=False)

    def __post_init__(self) -> None:
        self._bulk = BulkInsert(self.connection, stage.name, _COLUMNS)

    def open(self) -> None:
        """Create the empty staging tables."""
        stage.metadata.create_all(self.connection, checkfirst=False)

    def count(self) -> None:
        """Tell PostgreSQL what is staged; it would guess far fewer rows, and look each up by itself."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(text(f"ANALYZE {stage.name}"))

    def newest_period(self) -> datetime | None:
        """The newest date that a staged price carries; None where none does."""
        newest: datetime | None = self.connection.scalar(select(func.max(stage.c.valid_from)).where(stage.c.dated))
        return newest

    def close(self) -> None:
        """Drop the staging tables."""
        stage.metadata.drop_all(self.connection, checkfirst=False)

    def add(self, observations: Iterable[Observation], fetch_id: int) -> None:
        """Stage every observation of one fetched document."""
        iterator = iter(observations)
        with self._bulk:
            while batch := list(islice(iterator, BATCH)):
                self._bulk.write(self._columns(batch, fetch_id))
                self.staged += len(batch)

    def _columns(self, batch: list[Observation], fetch_id: int) -> Columns:
        """The batch as the driver takes it, column by column; what repeats is looked up and spelt once."""
        places = self._placed(batch)
        moments = [one.valid_from for one in batch]
        spell = datetime_text if self.connection.dialect.name == "sqlite" else datetime.isoformat
        spelt = {moment: spell(moment) for moment in set(moments)}
        return (
            range(self.staged, self.staged + len(batch)),
            [kind for kind, _ in places],
            [series_id for _, series_id in places],
            [spelt[moment] for moment in moments],
            [one.dated for one in batch],
            [decimal_text(one.amount) for one in batch],
            self._terms_ids(batch),
            repeat(fetch_id, len(batch)),
            [one.locator for one in batch],
            [one.published_amount for one in batch],
            [one.vintage for one in batch],
        )

    def _placed(self, batch: list[Observation]) -> list[tuple[str, int]]:
        """The table and id of each price's series: told by identity where the object was seen before.

        Feeds repeat the object; equality has to look at every field of it.
        """
        known, series = self._places, [one.series for one in batch]
        identities = list(map(id, series))
        if all(map(known.__contains__, identities)):
            return list(map(known.__getitem__, identities))
        strangers = {identity: one for identity, one in zip(identities, series, strict=True) if identity not in known}
        self._intern_series(set(strangers.values()))
        others = {identity: self._series[one] for identity, one in strangers.items()}
        return [known.get(identity) or others[identity] for identity in identities]

    def _terms_ids(self, batch: list[Observation]) -> list[int]:
        try:
            return list(map(self._terms.__getitem__, map(_TERMS, batch)))
        except KeyError:
            self._intern_terms(set(map(_TERMS, batch)))
            return list(map(self._terms.__getitem__, map(_TERMS, batch)))

    def _intern_series(self, wanted: set[Series]) -> None:
        """Find or make the id of every series; bring descriptive attributes up to date."""
        strangers = [one for one in wanted if one not in self._series]
        if not strangers:
            return
        self._bulk.pause()
        keys = [one.key for one in strangers]
        for one, key in zip(strangers, keys, strict=True):
            known = self._known_of(one.kind)
            attributes = _attributes(one)
            row = known.get(key)
            if row is None:
                known[key] = (0, attributes)
            elif row[1] != attributes:
                self._describe(one, row[0])
                known[key] = (row[0], attributes)
        self._insert_new()
        for one, key in zip(strangers, keys, strict=True):
            self._series[one] = self._places[id(one)] = (one.kind.value, self._known[one.kind][key][0])

    def _known_of(self, kind: Kind) -> dict[str, tuple[int, tuple[Any, ...]]]:
        if kind not in self._known:
            self.kinds.add(kind)
            self._known[kind] = self._load(kind)
        return self._known[kind]

    def _load(self, kind: Kind) -> dict[str, tuple[int, tuple[Any, ...]]]:
        table = SERIES[kind]
        rows = self.connection.execute(select(table).where(table.c.source_id == self.source_id))
        return {row.key: (row.series_id, tuple(row)[3:]) for row in rows}

    def _insert_new(self) -> None:
        for kind, known in self._known.items():
            new = {key: attributes for key, (series_id, attributes) in known.items() if series_id == 0}
            if not new:
                continue
            table = SERIES[kind]
            names = ["key", "source_id", *(column.name for column in table.columns[3:])]
            described = zip(*new.values(), strict=True)
            with BulkInsert(self.connection, table.name, names) as bulk:
                bulk.write([new, repeat(self.source_id, len(new)), *map(_spelt, described)])
            highest = max((series_id for series_id, _ in known.values()), default=0)
            made = select(table.c.key, table.c.series_id).where(
                table.c.source_id == self.source_id, table.c.series_id > highest
            )
            for key, series_id in self.connection.execute(made):
                known[key] = (series_id, new[key])

    def _describe(self, one: Series, series_id: int) -> None:
        """Refresh what describes a series; refuse a key that suddenly names something else."""
        table = SERIES[one.kind]
        current = self.connection.execute(select(table).where(table.c.series_id == series_id)).mappings().one()
        for spec in fields(one):
            if spec.compare and spec.name != "source" and current[spec.name] != getattr(one, spec.name):
                was, now = current[spec.name], getattr(one, spec.name)
                raise Invalid.field(one.key, f"{spec.name} was {was!r} and now is {now!r}: two series, one key")
        described = {
            spec.name: getattr(one, spec.name) for spec in fields(one) if not spec.compare and spec.name in current
        }
        self.connection.execute(update(table).where(table.c.series_id == series_id).values(described))

    def _intern_terms(self, wanted: set[tuple[str | None, ...]]) -> None:
        self._bulk.pause()
        if not self._terms:
            self._terms = _load_terms(self.connection)
        if new := [one for one in wanted if one not in self._terms]:
            names = ("currency", "unit", "published_unit", "status", "reference_url", "note")
            spelt = sorted(tuple(str(value or "") for value in values) for values in new)
            self.connection.execute(insert(terms), [dict(zip(names, values, strict=True)) for values in spelt])
            self._terms = _load_terms(self.connection)


def _load_terms(connection: Connection) -> dict[tuple[str | None, ...], int]:
    """Ids by what observations say: no currency is none, the rest is text."""
    return {(row[1] or None, *row[2:]): row.terms_id for row in connection.execute(select(terms))}


def _spelt(column: Iterable[Any]) -> list[Any]:
    """A column of attributes as the driver's bulk path takes it."""
    return [decimal_text(value) if isinstance(value, Decimal) else value for value in column]


def _attributes(one: Series) -> tuple[Any, ...]:
    """The typed columns of a series, in the order of its table (all but source)."""
    names = [column.name for column in SERIES[one.kind].columns][3:]
    return tuple(getattr(one, name) for name in names)
