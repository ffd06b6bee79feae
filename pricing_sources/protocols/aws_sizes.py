"""Which accelerators an Amazon EC2 instance type holds: the table that turns AWS's prices into GPU-hours.

No price feed of AWS names an accelerator, and its API misreports several; so the facts are typed,
each with the page that states it, in `aws_sizes.toml` beside this module.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Final

"""Kept of a quotient that no decimal holds."""
_FAMILY: Final = re.compile(r"(p|g|gr|trn|inf|dl)[0-9][a-z0-9-]*\.[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Size:
    """What is documented about one instance type."""

    accelerator: str
    count: Decimal
    """Accelerators in one instance; below one for a slice of a card."""
    memory_gb: Decimal
    """Memory of one whole accelerator [GB]."""
    source: str
    """The page that states it."""


def looks_accelerated(instance_type: str) -> bool:
    """True if the name is of a family that holds accelerators (p, g, gr, trn, inf, dl), documented here or not.

    >>> looks_accelerated("p9.48xlarge"), looks_accelerated("m7i.large"), looks_accelerated("f2.12xlarge")
    (True, False, False)
    """
    return _FAMILY.fullmatch(instance_type) is not None


def _documented() -> dict[str, Size]:
    text = files("pricing_sources.protocols").joinpath("aws_sizes.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return {
        name: Size(family["accelerator"], Decimal(count), Decimal(family["memory_gb"]), table["pages"][family["page"]])
        for family in table["family"]
        for name, count in family["types"].items()
    }


SIZES: Final[Mapping[str, Size]] = _documented()
"""Instance type to what it holds."""
