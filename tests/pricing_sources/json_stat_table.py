"""A JSON-stat table of a few cells, in the shape in which Eurostat answers."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

Stated = tuple[Any, str]
"""A figure (None for none) and its flags."""


def table(dataset: str, cells: Sequence[tuple[Mapping[str, str], Stated]], **changed: Any) -> dict[str, Any]:
    """The table that holds these cells, each named by its category in every dimension."""
    names = list(cells[0][0])
    codes = {name: sorted({cell[name] for cell, _ in cells}) for name in names}
    place = {combination: str(number) for number, combination in enumerate(product(*codes.values()))}
    stated = {place[tuple(cell.values())]: value for cell, value in cells}
    return {
        "version": "2.0",
        "class": "dataset",
        "value": {key: value for key, (value, _) in stated.items() if value is not None},
        "status": {key: flags for key, (_, flags) in stated.items() if flags},
        "id": names,
        "size": [len(each) for each in codes.values()],
        "dimension": {
            name: {"category": {"index": {code: number for number, code in enumerate(each)}}}
            for name, each in codes.items()
        },
        "extension": {"id": dataset.upper()},
        **changed,
    }


def written(dataset: str, *cells: tuple[Mapping[str, str], Stated], **changed: Any) -> bytes:
    return json.dumps(table(dataset, cells, **changed)).encode()
