"""What the planner answers: the best ways to meet a goal, why the best is best, and what would change that."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from service.domain.as_of import AsOf
from service.domain.goal import Goal

PickName = Literal["cheapest", "fastest", "safest", "greenest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCandidate:
    """One way to do the work: an offer, and how many GPUs of it in which layout. Money in the plan's currency."""

    series: str
    """Key of the price, or of your own hardware."""
    provider: str
    region: str
    purchase: str
    accelerator: str
    machines: int
    gpus: float
    """Paid for, all machines together."""
    configuration: str
    """Number format and layout, in words."""
    gpu_hour: Decimal
    """[currency/GPU-Hour]"""
    expected_hours: float
    """Until it is done, interruptions and checkpoints inside at their mean: the middle of the prediction, as likely
    more as less. The mean over all it may be is higher."""
    finish_hours: float
    """The same, as surely as the goal's `confidence` says."""
    paid_hours: float
    """More than it takes where a reservation binds longer."""
    checkpoint_every_hours: float | None = None
    """None where it is never interrupted, or no checkpoints are written."""
    cost: Decimal
    """Of the expected hours: as likely more as less."""
    cost_high: Decimal
    """As surely as `confidence` says."""
    carbon_kg: float | None = None
    """None where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A candidate worth a name, priced exactly: it is an estimate like any other."""

    names: tuple[PickName, ...]
    estimate_id: str
    cost: Decimal
    """The total of that estimate."""
    candidate: PlanCandidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """By how much the best beats the best of any other provider."""

    amount: Decimal
    relative: float
    """Over the cost of the best [1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """How often the best stays best when what is not known for sure is drawn."""

    share: float
    """Of the draws in which it is in time and no other offer that is in time is cheaper [1]."""
    draws: int
    contenders: int
    """Offers that were drawn against each other."""
    prices_drawn: int
    """Of them, those whose price has moved often enough to say how; the others were held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipPoint:
    """Where another offer becomes the best, if this alone changes."""

    driver: Literal["price", "speed", "interruptions", "exchange_rate", "electricity"]
    unit: str
    now: float
    flips_at: float | None = None
    """None where no value of it would."""
    change: float | None = None
    """From now to there [1]."""
    becomes: str | None = None
    """Series of the offer that then is best; None where there is no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """An offer that would win if its own price fell a little."""

    series: str
    provider: str
    gpu_hour: Decimal
    wins_at: Decimal
    """[currency/GPU-Hour]"""
    change: float
    """[1]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A constraint that costs money."""

    constraint: str
    needs: str
    """What it would have to allow."""
    saves: Decimal
    candidate: PlanCandidate
    """What would be best then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """The least that would have to be given up of one constraint, all others kept."""

    constraint: str
    needs: str
    candidate: PlanCandidate


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineStep:
    """From this deadline on, up to the next, nothing is cheaper."""

    hours: float
    cost: Decimal
    series: str
    gpus: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedOffers:
    """Offers by the first constraint that ruled them out; of those that came so far, by the last one they reached."""

    constraint: str
    offers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedHardware:
    """An accelerator that cannot do the work, and why."""

    accelerator: str
    constraint: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why the cheapest plan is the cheapest."""

    runner_up: PlanCandidate | None = None
    """The best of any other provider."""
    margin: Margin | None = None
    robustness: Robustness | None = None
    flips: tuple[FlipPoint, ...]
    near_misses: tuple[NearMiss, ...]
    binding: tuple[Binding, ...]
    deadline_curve: tuple[DeadlineStep, ...]
    rejected: tuple[RejectedOffers, ...]
    refused: tuple[RefusedHardware, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A goal answered at one `AsOf`; its canonical bytes are its identity."""

    goal: Goal
    as_of: AsOf
    """`known_at` is the seal of the newest refresh used, so the same question can be asked again."""
    currency: str
    picks: tuple[Pick, ...]
    """The cheapest first."""
    front: tuple[PlanCandidate, ...]
    """Every candidate that no other beats in cost, finish and carbon at once, the cheapest first."""
    explanation: Explanation
    offers: int
    """In the market."""
    configurations: int
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan and its name."""

    plan_id: str
    created_at: datetime
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """One line of the list of plans."""

    plan_id: str
    name: str
    created_at: datetime
    valid_at: datetime
    known_at: datetime
    currency: str
    cost: Decimal
    series: str
    """Of the cheapest."""
