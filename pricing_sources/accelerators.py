"""One identity for hardware: which accelerator a feed's label means, and what is known of it.

A label is looked up exactly (letter case, blanks, dashes and underscores aside) and never guessed: one
that names a family, or nothing at all, gives its candidates to a person to choose from.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Final

SCALES: Final = {"bandwidth": 1e12, "tdp": 1.0, "link": 1e9}
"""Of each figure of the table to its SI unit; number formats are in TFLOP/s."""
FORMATS: Final = ("bf16", "fp16", "fp8", "int8", "fp4")
SAME_MEMORY_GB: Final = Decimal(6)
"""Feeds round memory, and tenants see a little less of it than the chip has."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure, in SI units."""

    value: float
    """FLOP/s (dense), bytes/s or W."""
    source: str
    """Where it was read: a URL."""
    read_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One piece of hardware. What is not among its figures is unknown."""

    id: str
    vendor: str
    product: str
    form_factor: str
    memory_gb: Decimal
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """By name: a number format, `bandwidth`, `tdp`, `link` (one direction)."""
    unsupported: frozenset[str] = frozenset()
    """Number formats it has no units for: known to be absent, not unknown."""
    released: str = ""
    cloud_only: bool = False
    """True where nobody can buy one."""
    note: str = ""
    aliases: tuple[str, ...] = ()

    def peak_flops(self, number_format: str) -> float | None:
        """Dense peak in FLOP/s at a number format; None where unknown or unsupported."""
        found = self.figures.get(number_format)
        return found.value if found else None


@dataclass(frozen=True, slots=True)
class Match:
    """What a label means: one accelerator, or several that it might be, or none."""

    accelerator: Accelerator | None
    candidates: tuple[Accelerator, ...] = ()


def accelerator_by_id(accelerator_id: str) -> Accelerator:
    """The accelerator with this id. Raises KeyError naming the nearest."""
    if accelerator_id in _BY_ID:
        return _BY_ID[accelerator_id]
    near = get_close_matches(accelerator_id, _BY_ID, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {len(_BY_ID)}"
    raise KeyError(f"no accelerator is called {accelerator_id!r}{hint}")


def resolve(label: str, *, memory_gb: Decimal | None = None) -> Match:
    """Which accelerator a label means; memory tells the members of a family apart.

    >>> resolve("H100 SXM5 80GB").accelerator.id
    'nvidia-h100-sxm-80gb'
    >>> [one.id for one in resolve("H100", memory_gb=Decimal(94)).candidates]
    ['nvidia-h100-nvl-94gb']
    >>> resolve("Tesla V100", memory_gb=Decimal(16)).accelerator.id
    'nvidia-v100-16gb'
    """
    spelling = normalised(label)
    if spelling in _BY_ALIAS:
        found = _BY_ALIAS[spelling]
        fits = memory_gb is None or abs(found.memory_gb - memory_gb) <= max(SAME_MEMORY_GB, found.memory_gb / 10)
        return Match(found if fits else None, (found,))
    members = _FAMILIES.get(spelling, ())
    if memory_gb is not None:
        members = tuple(one for one in members if abs(one.memory_gb - memory_gb) <= SAME_MEMORY_GB)
    # A family with one member left is only sure where memory is what tells its members apart.
    sure = len(members) == 1 and len({one.form_factor for one in _FAMILIES[spelling]}) == 1
    return Match(members[0] if sure else None, members)


def normalised(label: str) -> str:
    """A label without what feeds differ in for no reason.

    >>> normalised("NVIDIA_A100"), normalised("RTX PRO  6000-WK")
    ('nvidia a100', 'rtx pro 6000 wk')
    """
    return re.sub(r"[\s_-]+", " ", label).strip().lower()


def _figures(row: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Figure]:
    read_on = table["read_on"].isoformat()
    return {
        name: Figure(float(value) * SCALES.get(name, 1e12), table["sources"][source], read_on)
        for name, (value, source) in row.get("figures", {}).items()
    }


def _accelerator(row: Mapping[str, Any], table: Mapping[str, Any]) -> Accelerator:
    return Accelerator(
        id=row["id"],
        vendor=row["vendor"],
        product=row["product"],
        form_factor=row.get("form_factor", ""),
        memory_gb=Decimal(row["memory_gb"]),
        figures=_figures(row, table),
        unsupported=frozenset(row.get("unsupported", ())),
        released=row.get("released", ""),
        cloud_only=row.get("cloud_only", False),
        note=row.get("note", ""),
        aliases=tuple(row["aliases"]),
    )


_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    files("pricing_sources").joinpath("accelerators.toml").read_text(encoding="utf-8")
)
VERSION: Final[int] = _TABLE["version"]
"""Raised with every change of the table, so that an answer can say which one it stands on."""
ACCELERATORS: Final = tuple(_accelerator(row, _TABLE) for row in _TABLE["accelerator"])
_BY_ID: Final = {one.id: one for one in ACCELERATORS}
_BY_ALIAS: Final = {normalised(alias): one for one in ACCELERATORS for alias in one.aliases}
_FAMILIES: Final = {
    normalised(label): tuple(_BY_ID[member] for member in row["members"])
    for row in _TABLE["family"]
    for label in row["labels"]
}
