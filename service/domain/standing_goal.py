"""Goals that are watched: planned again when prices changed, and told of when another plan is best."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from service.domain.goal import Goal
from service.domain.scenario import FORBID_UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingGoal:
    """A goal and when to be told; its name is the goal's."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    goal: Goal
    hysteresis: Decimal = Decimal("0.02")
    """Share by which another plan must be cheaper than the one told before it is told [1]."""
    enabled: bool = True
    """False to plan it no more."""
    notify: tuple[str, ...] = ()
    """Names of the notification targets to tell; all of them if none is named."""

    def ended_at(self, now: datetime) -> datetime | None:
        """Its deadline, once that is past."""
        deadline = self.goal.deadline
        return deadline if deadline is not None and deadline <= now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingGoalInForce:
    """One version of a standing goal."""

    standing_goal_id: str
    """SHA-256 of its canonical bytes."""
    recorded_at: datetime
    standing: StandingGoal
    ended: bool = False
    """True once its deadline is past: that is told once, and it is planned no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingGoalRun:
    """A standing goal planned once."""

    name: str
    slot: datetime
    """The change of prices it was planned for."""
    ran_at: datetime
    standing_goal_id: str
    plan_id: str | None = None
    """None where nothing met the goal then, or it had ended."""
    told_plan_id: str | None = None
    """The plan that counts as recommended: the last one told; None before the first that met the goal."""
    flipped: bool
    """True if this run told of another plan, that nothing meets the goal any more, or that it has ended."""
    outcome: str
    """In a sentence."""
