"""Getting many readings into a transaction at the speed of the database.

Rows are interned (series, terms) and staged in batches into a temporary table by the driver's own
bulk path; what is new is then decided by SQL, set at a time. Memory is bounded by one batch.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, Text, insert, select, update

from pricing_sources.observation import Kind, Observation, Series
from service.errors import Invalid
from service.store.tables import SERIES, BigId, terms
from service.store.types import ExactDecimal, UtcDateTime, datetime_text, decimal_text

BATCH: Final = 10_000

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

_KIND_TEXT: Final = {kind: kind.value for kind in Kind}
_COLUMNS: Final = tuple(column.name for column in stage.columns)


@dataclass(slots=True)
class Stager:
    """Interns and stages one source's observations inside one write transaction."""

    connection: Connection
    source_id: str
    staged: int = 0
    kinds: set[Kind] = field(default_factory=set)
    _series: dict[Series, int] = field(default_factory=dict)
    _known: dict[Kind, dict[str, tuple[int, tuple[Any, ...]]]] = field(default_factory=dict)
    _terms: dict[tuple[str, ...], int] = field(default_factory=dict)

    def open(self) -> None:
        """Create the empty staging table."""
        stage.create(self.connection)

    def close(self) -> None:
        """Drop the staging table."""
        stage.drop(self.connection)

    def add(self, observations: Iterable[Observation], fetch_id: int) -> None:
        """Stage every observation of one fetched document."""
        iterator = iter(observations)
        while batch := list(islice(iterator, BATCH)):
            meant = [_terms_of(observation) for observation in batch]
            self._intern_series({observation.series for observation in batch})
            self._intern_terms(set(meant))
            bulk_insert(self.connection, stage, _COLUMNS, self._rows(batch, meant, fetch_id))
            self.staged += len(batch)

    def _rows(self, batch: list[Observation], meant: list[tuple[str, ...]], fetch_id: int) -> Iterator[tuple[Any, ...]]:
        """The batch as the driver takes it; a moment is spelt once, however many prices begin with it."""
        series, known_terms = self._series, self._terms
        spelt = _Spelling(datetime_text if self.connection.dialect.name == "sqlite" else _as_it_is)
        for number, (observation, terms_of_it) in enumerate(zip(batch, meant, strict=True), start=self.staged):
            one = observation.series
            yield (
                number,
                _KIND_TEXT[one.kind],
                series[one],
                spelt[observation.valid_from],
                observation.dated,
                decimal_text(observation.amount),
                known_terms[terms_of_it],
                fetch_id,
                observation.locator,
                observation.published_amount,
                observation.vintage,
            )

    def _intern_series(self, wanted: set[Series]) -> None:
        """Find or make the id of every series; bring descriptive attributes up to date."""
        for one in wanted - self._series.keys():
            known = self._known_of(one.kind)
            attributes = _attributes(one)
            row = known.get(one.key)
            if row is None:
                known[one.key] = (0, attributes)
            elif row[1] != attributes:
                self._describe(one, row[0])
                known[one.key] = (row[0], attributes)
        self._insert_new()
        for one in wanted - self._series.keys():
            self._series[one] = self._known[one.kind][one.key][0]

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
            names = [column.name for column in table.columns][3:]
            self.connection.execute(
                insert(table),
                [
                    {"key": key, "source_id": self.source_id, **dict(zip(names, attributes, strict=True))}
                    for key, attributes in new.items()
                ],
            )
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

    def _intern_terms(self, wanted: set[tuple[str, ...]]) -> None:
        if not self._terms:
            self._terms = _load_terms(self.connection)
        new = wanted - self._terms.keys()
        if new:
            names = ("currency", "unit", "published_unit", "status", "reference_url", "note")
            rows = [dict(zip(names, map(str, values), strict=True)) for values in sorted(new)]
            self.connection.execute(insert(terms), rows)
            self._terms = _load_terms(self.connection)


def bulk_insert(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert tuples of what the driver takes: COPY on PostgreSQL, `executemany` on SQLite."""
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join("?" for _ in columns)
    if values := list(rows):
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({places})", values)  # noqa: S608  our own names


class _Spelling(dict[datetime, Any]):
    """Each moment as the driver takes it, worked out once."""

    def __init__(self, spell: Callable[[datetime], Any]) -> None:
        super().__init__()
        self._spell = spell

    def __missing__(self, moment: datetime) -> Any:
        self[moment] = spelt = self._spell(moment)
        return spelt


def _as_it_is(moment: datetime) -> datetime:
    return moment


def _terms_of(observation: Observation) -> tuple[str, ...]:
    # Their enums are text, and equal to it; asking each for its value took a tenth of ingest.
    return (
        observation.currency or "",
        observation.unit,
        observation.published_unit,
        observation.status,
        observation.reference_url,
        observation.note,
    )


def _load_terms(connection: Connection) -> dict[tuple[str, ...], int]:
    return {tuple(row)[1:]: row.terms_id for row in connection.execute(select(terms))}


def _attributes(one: Series) -> tuple[Any, ...]:
    """The typed columns of a series, in the order of its table (all but source)."""
    names = [column.name for column in SERIES[one.kind].columns][3:]
    return tuple(getattr(one, name) for name in names)
