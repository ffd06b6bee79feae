"""The shapes of answers about plans."""

from dataclasses import dataclass
from datetime import datetime

from service.domain.plan import Plan, PlanSummary
from service.domain.price_book import Terms
from service.domain.standing_goal import StandingGoalInForce, StandingGoalRun


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """A plan, its name, and on what terms the prices in it are shown."""

    plan_id: str
    created_at: datetime
    terms: tuple[Terms, ...]
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanList:
    """Plans, newest first."""

    plans: tuple[PlanSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingGoalList:
    """Goals that are watched."""

    standing_goals: tuple[StandingGoalInForce, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingGoalRunList:
    """Runs of a standing goal, the last first."""

    runs: tuple[StandingGoalRun, ...]
