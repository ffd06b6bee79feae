"""The shapes of questions and answers about budgets."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from service.domain.budget import BudgetInForce, BudgetRun
from service.domain.scenario import FORBID_UNKNOWN, Scenario
from service.domain.spend import SpendImport


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetList:
    """Budgets in force."""

    budgets: tuple[BudgetInForce, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRecord:
    """A budget in force and when it is priced next."""

    budget: BudgetInForce
    next_runs: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRunList:
    """Runs of a budget."""

    runs: tuple[BudgetRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendImportList:
    """Documents of charges."""

    imports: tuple[SpendImport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAsked:
    """A scenario, stated or named, the limit it must keep, and what to explain it from."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    scenario: Scenario | None = None
    """What is to be checked."""
    scenario_id: str | None = None
    """A kept scenario, instead of stating one."""
    limit: Decimal | None = None
    """Most it may cost, in the scenario's currency."""
    stale_after_days: Annotated[Decimal, Field(ge=0, le=36_500)] | None = None
    """Days without a look at its source after which a price is stale, whatever the source's cadence."""
    against: Scenario | None = None
    """Explain the change from this scenario at the same prices."""
    against_estimate_id: str | None = None
    """Explain the change from this estimate."""
