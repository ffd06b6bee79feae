"""Budgets: a scenario against a limit over a period, priced again on a schedule."""

from typing import Annotated

from fastapi import Body, Query, Response

from service.api.budget_shapes import BudgetList, BudgetRecord, BudgetRunList, SpendImportList
from service.api.deps import NowDep, StoreDep
from service.api.examples import BUDGETS
from service.api.tables import CSV_BODY, TableSent
from service.api.wire import LONGEST_TEXT, Limit, answer, door
from service.domain.budget import Budget, BudgetInForce, BudgetRun, BudgetStatus
from service.domain.spend import SpendImport
from service.usecases.budgets import (
    budget_status,
    get_budget,
    list_budget_runs,
    list_budgets,
    next_runs,
    put_budget,
    run_budget,
)
from service.usecases.spend import import_spend, list_spend_imports
from service.usecases.spend_files import Cost, SpendFormat, wanted_rows

router = door("budgets")


@router.post("/budgets", status_code=201, response_model=BudgetInForce, summary="Keep a budget")
def put(store: StoreDep, now: NowDep, budget: Annotated[Budget, Body(openapi_examples=BUDGETS)]) -> Response:
    """Keep a new version of a budget; runs made before keep the version they used."""
    return answer(put_budget(store, budget, now=now), 201, {"Location": f"/api/v1/budgets/{budget.name}"})


@router.get("/budgets", response_model=BudgetList, summary="List budgets")
def budgets(store: StoreDep, now: NowDep) -> Response:
    """Every budget, each in the version in force."""
    return answer(BudgetList(budgets=tuple(list_budgets(store, now))))


@router.get("/budgets/{name}", response_model=BudgetRecord, summary="Get one budget")
def budget(store: StoreDep, now: NowDep, name: str) -> Response:
    """A budget, and the next moments of its schedule."""
    held = get_budget(store, name, now)
    return answer(BudgetRecord(budget=held, next_runs=tuple(next_runs(held.budget, now))))


@router.get("/budgets/{name}/status", response_model=BudgetStatus, summary="See how a budget stands")
def status(store: StoreDep, now: NowDep, name: str) -> Response:
    """Spent so far, the forecast, when it crosses the limit, and the burn-up day by day."""
    return answer(budget_status(store, name, now))


@router.post("/budgets/{name}/runs", status_code=201, response_model=BudgetRun, summary="Price a budget now")
def run(store: StoreDep, now: NowDep, name: str) -> Response:
    """Price it outside its schedule; the estimate is kept and what it means is told."""
    return answer(run_budget(store, name, now, now=now), 201)


@router.get("/budgets/{name}/runs", response_model=BudgetRunList, summary="List a budget's runs")
def runs(store: StoreDep, name: str, limit: Limit = 50) -> Response:
    """The last run first."""
    return answer(BudgetRunList(runs=tuple(list_budget_runs(store, name, limit))))


@router.post(
    "/budgets/{name}/spend",
    status_code=201,
    response_model=SpendImport,
    openapi_extra=CSV_BODY,
    summary="Import what was charged",
)
def charge(
    store: StoreDep,
    now: NowDep,
    name: str,
    table: TableSent,
    origin: Annotated[str, Query(max_length=60, description="Which bill or export it is one edition of.")] = "import",
    cost: Annotated[Cost, Query(description="Of FOCUS rows, the column that counts.")] = "effective",
    only: Annotated[
        list[str] | None, Query(max_length=LONGEST_TEXT, description="`COLUMN=VALUE`: only rows that hold it.")
    ] = None,
) -> Response:
    """A CSV of date and amount, or FOCUS rows; a later edition of the same origin replaces what it covers."""
    held = get_budget(store, name, now).budget
    wanted = SpendFormat(cost=cost, only=wanted_rows(only or ()), currency=held.currency, zone=held.zone)
    return answer(import_spend(store, name, origin, table, wanted, now=now), 201)


@router.get("/budgets/{name}/spend", response_model=SpendImportList, summary="List imports of charges")
def charges(store: StoreDep, name: str, limit: Limit = 50) -> Response:
    """The newest first."""
    return answer(SpendImportList(imports=tuple(list_spend_imports(store, name, limit))))
