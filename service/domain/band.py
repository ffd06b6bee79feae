"""How sure an estimate is: P10, P50 and P90 of its total, and which inputs make it so."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from service.domain.scenario import PartName

EvidenceKind = Literal["scenario", "price_history", "salary_percentiles"]
"""What a spread was taken from."""

DEFAULT_DRAWS: Final = 4096
DEFAULT_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class PricePath:
    """What a series cost from when on, oldest first; None where it was not offered."""

    series: str
    moments: tuple[datetime, ...]
    amounts: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Percentile:
    """One published point of a distribution of salaries."""

    probability: float
    """0 to 1."""
    series: str
    amount: Decimal
    exact: bool
    """False where the source says only that it is at least this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """What is exceeded nine times, five times and once out of ten."""

    p10: Decimal
    p50: Decimal
    p90: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainInput:
    """One input, how far it may be off, and what that does to the total."""

    input: str
    """Its place in the scenario (`training.hours`), or the series its price came from."""
    unit: str
    point: Decimal
    """What the estimate was computed with."""
    spread: Quantiles
    """Of the input itself."""
    distribution: str
    """In words, with its parameters."""
    evidence: EvidenceKind
    source: str
    """Where the distribution is from."""
    total_at_p10: Decimal
    """The total with this input at its P10 and every other as in the estimate."""
    total_at_p90: Decimal
    swing: Decimal
    """How far apart the two are."""
    variance_share: Decimal
    """Part of the total's variance that knowing this input would remove, 0 to 1; the shares of inputs that
    act together leave the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedInput:
    """An input without a known spread; nothing was guessed."""

    input: str
    unit: str
    point: Decimal | None
    """None where the scenario does not state it."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBand:
    """One part's point estimate and its band."""

    part: PartName
    point: Decimal
    band: Quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A view over one estimate: the same estimate, seed and draws give the same bytes for ever."""

    method: str
    """Id and version of the simulation: `monte_carlo@1`."""
    seed: int
    draws: int
    """0 where the simulation was switched off."""
    currency: str
    point: Decimal
    """The estimate's total, exactly."""
    lower_bound: bool
    total: Quantiles
    parts: tuple[PartBand, ...]
    inputs: tuple[UncertainInput, ...]
    """Those with the widest swing first."""
    held_fixed: tuple[FixedInput, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateBand:
    """A band and its name in the ledger."""

    band_id: str
    """SHA-256 of the canonical bytes of `estimate_id` and `band`."""
    estimate_id: str
    band: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class BandSummary:
    """How sure an estimate is; `/estimates/{estimate}/band` tells what makes it so."""

    band_id: str
    method: str
    seed: int
    draws: int
    p10: Decimal
    p50: Decimal
    p90: Decimal

    @classmethod
    def of(cls, found: EstimateBand) -> "BandSummary":
        """The three numbers and how to make them again."""
        band, total = found.band, found.band.total
        return cls(
            band_id=found.band_id,
            method=band.method,
            seed=band.seed,
            draws=band.draws,
            p10=total.p10,
            p50=total.p50,
            p90=total.p90,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceBand:
    """The band of `after − before`, every input they share drawn once for both."""

    before_id: str
    after_id: str
    method: str
    seed: int
    draws: int
    currency: str
    point: Decimal
    difference: Quantiles
    share_of_draws_dearer: Decimal
    """How often the later one cost more, 0 to 1."""
