"""Labels feeds give to hardware, and what they turned out to mean."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelInUse:
    """A label with a memory, as feeds use it, and which accelerator it is."""

    label: str
    memory_gb: Decimal | None
    sources: tuple[str, ...]
    series: int
    """Prices that carry it."""
    accelerator: str | None
    """Id in the registry; None while nobody knows."""
    by_a_person: bool
    """True if a person said so, False if the registry's aliases did."""
    candidates: tuple[str, ...]
    """Ids it might be."""
