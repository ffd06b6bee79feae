"""Labels feeds give to hardware, what persons said of them, and what they turned out to mean."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Wording:
    """A label as one source says it of one provider's machines, with the memory beside it."""

    label: str
    memory_gb: Decimal | None
    source: str = ""
    """Empty, as the provider then is, where every source is meant."""
    provider: str = ""

    @property
    def everywhere(self) -> "Wording":
        """The same words, whoever says them."""
        return Wording(self.label, self.memory_gb)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDecision:
    """A person's word on what a label means."""

    accelerator: str
    """Id in the registry."""
    everywhere: bool
    """True if it was said of every feed, False if of one source and provider."""
    reason: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelInUse:
    """A label with a memory, as a source uses it of a provider, and which accelerator it is."""

    source: str | None
    """None, as the provider then is, in the answer to a decision for every feed."""
    provider: str | None
    label: str
    memory_gb: Decimal | None
    series: int
    """Prices that carry it."""
    accelerator: str | None
    """Id in the registry; None while nobody knows."""
    by_a_person: bool
    """True if a person said so, False if the registry's aliases did."""
    decision: LabelDecision | None
    """What that person said."""
    covers: int
    """Prices that decision counts for; of one for every feed, those that no narrower one is about."""
    candidates: tuple[str, ...]
    """Ids it might be."""
