"""The published facts the product ships: for each kind of table its rows, each with the page it was read on."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from service.estimating.accuracy.report import FactSource, Row


@cache
def published_facts(table: str) -> tuple[tuple[Row, ...], tuple[FactSource, ...]]:
    """The rows of a kind of table, and their sources. Raises FileNotFoundError where none are shipped.

    >>> rows, sources = published_facts("training")
    >>> rows[0]["model"], rows[0]["source"]
    ('LLaMA-65B', 'https://arxiv.org/abs/2302.13971')
    """
    text = files("service.estimating.accuracy").joinpath("tables", f"{table}.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    rows = tuple(row for source in read["source"] for row in _rows(source))
    return rows, tuple(_source(source, read["read_on"]) for source in read["source"])


def _rows(source: Mapping[str, Any]) -> list[Row]:
    """Texts by column, as a CSV has them; an empty one leaves what holds for all. ValueError where one is short."""
    shared = {"source": source["url"], "date": source["published"], **source.get("common", {})}
    empty = dict.fromkeys(source["columns"], "") | shared
    told = [zip(source["columns"], map(str, values), strict=True) for values in source["rows"]]
    return [empty | {name: value for name, value in one if value} for one in told]


def _source(source: Mapping[str, Any], read_on: date) -> FactSource:
    return FactSource(
        publisher=source["publisher"],
        title=source["title"],
        url=source["url"],
        published=source["published"],
        read_on=read_on.isoformat(),
        terms=source["terms"],
        rows=len(source["rows"]),
    )
