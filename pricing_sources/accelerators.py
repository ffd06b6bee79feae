"""One identity for hardware: which accelerator a feed's label means, and what is known of it.

A label is looked up exactly (letter case, blanks, dashes and underscores aside) and never guessed. One that
several accelerators share gives its candidates to a person to choose from, unless the memory beside it, or
the documentation of the provider that uses it, tells them apart. The facts stand in `accelerators.toml`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

FORMATS: Final = ("tf32", "bf16", "fp16", "fp8", "int8", "fp4")
"""Number formats a peak may be stated for."""
SCALES: Final = {"bandwidth": 1e12, "tdp": 1.0, "link": 1e9}
"""Of each other figure of the table to its SI unit; number formats are in TFLOP/s."""
SAME_MEMORY: Final = Decimal("0.1")
"""Share by which a stated memory may miss: feeds round, count in GB or GiB, and tenants see less than there is."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a fact was read."""

    source: str
    """A URL."""
    read_on: str
    """An ISO date."""


@dataclass(frozen=True, slots=True)
class OtherFigure:
    """What a source states that is not followed."""

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure, in SI units."""

    value: float
    """FLOP/s (dense), bytes/s or W."""
    source: str
    """Where it was read: a URL."""
    read_on: str
    others: tuple[OtherFigure, ...] = ()
    """What other sources, or the same one elsewhere, state instead: the figure is in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One piece of hardware. What is not among its figures is unknown."""

    id: str
    vendor: str
    product: str
    form_factor: str
    """SXM5, PCIe, NVL, OAM …; empty where it comes in one form only."""
    memory_gb: Decimal
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """By name: a number format, `bandwidth`, `tdp`, `link` (one direction)."""
    unsupported: frozenset[str] = frozenset()
    """Number formats it has no units for: known to be absent, not unknown."""
    interconnect: str = ""
    """What `link` runs over."""
    released: str = ""
    """An ISO date, or as much of one as is known."""
    cloud_only: bool = False
    """True where nobody can buy one."""
    note: str = ""
    aliases: tuple[str, ...] = ()
    """Labels that mean it wherever they are used."""
    citations: Mapping[str, Citation] = field(default_factory=dict)
    """Where `memory_gb`, `released` and `unsupported` were read."""

    def peak_flops(self, number_format: str) -> float | None:
        """Dense peak in FLOP/s at a number format; None where unknown or unsupported."""
        found = self.figures.get(number_format)
        return found.value if found else None


@dataclass(frozen=True, slots=True)
class Match:
    """What a label means: one accelerator, or several that it might be, or none."""

    accelerator: Accelerator | None
    candidates: tuple[Accelerator, ...] = ()
    source: str = ""
    """The page that says what the provider means by it, where that was asked and is known."""


def accelerator_by_id(accelerator_id: str) -> Accelerator:
    """The accelerator with this id. Raises KeyError naming the nearest."""
    if accelerator_id in _BY_ID:
        return _BY_ID[accelerator_id]
    near = get_close_matches(accelerator_id, _BY_ID, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {len(_BY_ID)}"
    raise KeyError(f"no accelerator is called {accelerator_id!r}{hint}")


def resolve(label: str, *, memory_gb: Decimal | None = None, provider: str = "") -> Match:
    """Which accelerator a label means, at a provider if one is named; memory tells variants apart.

    >>> resolve("H100 SXM5 80GB").accelerator.id
    'nvidia-h100-sxm-80gb'
    >>> resolve("H100").accelerator is None, resolve("H100", provider="aws").accelerator.id
    (True, 'nvidia-h100-sxm-80gb')
    >>> [one.id for one in resolve("A100 SXM").candidates]
    ['nvidia-a100-sxm-80gb', 'nvidia-a100-sxm-40gb']
    >>> resolve("A100 SXM", memory_gb=Decimal(40)).accelerator.id
    'nvidia-a100-sxm-40gb'
    """
    spelling = normalised(label)
    meant, source = _MEANT.get((provider, spelling)) or _MEANT.get(("", spelling), ((), ""))
    fitting = tuple(one for one in meant if memory_gb is None or _is_memory_of(memory_gb, one))
    # Memory decides between variants in one form. Forms share their memories, known and to come, so it is no proof.
    sure = len(fitting) == 1 and len({one.form_factor for one in meant}) == 1
    return Match(fitting[0] if sure else None, fitting or meant, source)


def normalised(label: str) -> str:
    """A label without what feeds differ in for no reason.

    >>> normalised("NVIDIA_A100"), normalised("RTX PRO  6000-WK")
    ('nvidia a100', 'rtx pro 6000 wk')
    """
    return re.sub(r"[\s_-]+", " ", label).strip().lower()


def _is_memory_of(memory_gb: Decimal, one: Accelerator) -> bool:
    return abs(one.memory_gb - memory_gb) <= one.memory_gb * SAME_MEMORY


class _Table:
    """The file beside this module, read."""

    def __init__(self, text: str) -> None:
        self._rows: Mapping[str, Any] = tomllib.loads(text)
        self.version: int = self._rows["version"]

    def accelerators(self) -> Iterator[Accelerator]:
        """Every accelerator, in the order of the table."""
        for row in self._rows["accelerator"]:
            memory, memory_source = row["memory_gb"]
            released, release_source = row.get("released", ("", ""))
            unsupported, support_source = row.get("unsupported", ((), ""))
            cited = {"memory_gb": memory_source, "released": release_source, "unsupported": support_source}
            yield Accelerator(
                id=row["id"],
                vendor=row["vendor"],
                product=row["product"],
                form_factor=row.get("form_factor", ""),
                memory_gb=Decimal(memory),
                figures=self._figures(row),
                unsupported=frozenset(unsupported),
                interconnect=row.get("interconnect", ""),
                released=released,
                cloud_only=row.get("cloud_only", False),
                note=row.get("note", ""),
                aliases=tuple(row["aliases"]),
                citations={name: Citation(*self._source(source)) for name, source in cited.items() if source},
            )

    def labels(self) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
        """Every label that is no accelerator's alias: its provider or none, itself, the ids it may mean, the page."""
        for row in (*self._rows["family"], *self._rows["offered"]):
            page = self._source(row["source"])[0] if "source" in row else ""
            for label in row["labels"]:
                yield row.get("provider", ""), label, tuple(row["members"]), page

    def _figures(self, row: Mapping[str, Any]) -> dict[str, Figure]:
        others = row.get("others", {})
        found = {}
        for name, (value, source) in row.get("figures", {}).items():
            scale = SCALES.get(name, 1e12)
            doubts = tuple(OtherFigure(stated * scale, self._source(by)[0]) for stated, by in others.get(name, ()))
            found[name] = Figure(value * scale, *self._source(source), doubts)
        return found

    def _source(self, short: str) -> tuple[str, str]:
        """The URL that a short name stands for, and when it was read."""
        source = self._rows["sources"][short]
        return source["url"], source["read_on"].isoformat()


_TEXT: Final = files("pricing_sources").joinpath("accelerators.toml").read_text(encoding="utf-8")
_TABLE: Final = _Table(_TEXT)
ACCELERATOR_VERSION: Final = _TABLE.version
"""Raised with every change of the table, so that an answer can say which one it stands on."""
ACCELERATOR_DIGEST: Final = sha256(_TEXT.encode()).hexdigest()
"""Of the table itself."""
ACCELERATORS: Final = tuple(_TABLE.accelerators())
_BY_ID: Final = {one.id: one for one in ACCELERATORS}


def _meanings() -> dict[tuple[str, str], tuple[tuple[Accelerator, ...], str]]:
    """By provider (or none) and spelling, what a label may mean and who says so.

    Raises ValueError if a label is given two meanings.
    """
    found: dict[tuple[str, str], tuple[tuple[Accelerator, ...], str]] = {}
    own = (("", alias, (one.id,), "") for one in ACCELERATORS for alias in one.aliases)
    for provider, label, members, page in (*own, *_TABLE.labels()):
        meant = tuple(_BY_ID[member] for member in members), page
        if found.setdefault((provider, normalised(label)), meant) != meant:
            raise ValueError(f"accelerators.toml gives the label {label!r} two meanings; one was expected")
    return found


_MEANT: Final = _meanings()
