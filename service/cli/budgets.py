"""Budgets: a limit, how it stands, what was charged."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, cast

import typer

from service.cli.files import bytes_of, text_of
from service.cli.output import AsJson, money, say, show, table, text
from service.cli.session import session
from service.domain.budget import BudgetInForce, BudgetStatus
from service.usecases.budgets import (
    budget_status,
    get_budget,
    list_budget_runs,
    list_budgets,
    next_runs,
    put_budget,
    run_budget,
)
from service.usecases.scenario_files import read_budget
from service.usecases.spend import import_spend, list_spend_imports
from service.usecases.spend_files import LARGEST, Cost, SpendFormat, wanted_rows

app = typer.Typer()
MOST_BARS: Final = 12
WIDTH: Final = 40

BudgetName = Annotated[str, typer.Argument(help="Name of a budget.")]


@app.command("put")
def put(
    file: Annotated[Path, typer.Argument(help="A budget in YAML or JSON; - reads standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Keep a budget, or a new version of it."""
    budget = read_budget(text_of(file, "BUDGET"))
    with session() as opened:
        now = opened.now()
        held = put_budget(opened.store, budget, now=now)
        if as_json:
            show(held)
            return
        _head(held)
        say(f"next runs: {', '.join(text(one) for one in next_runs(held.budget, now, 3))}")


@app.command("ls")
def ls(*, as_json: AsJson = False) -> None:
    """List budgets."""
    with session() as opened:
        found = list_budgets(opened.store, opened.now())
        if as_json:
            show(found)
            return
        rows = [
            (
                one.budget.name,
                money(one.budget.limit, one.budget.currency),
                one.budget.start,
                one.budget.end,
                one.budget.repeats,
                f"{one.budget.schedule} {one.budget.zone}",
                one.budget.enabled,
            )
            for one in found
        ]
        table("", ["Budget", "#Limit", "From", "Until", "Repeats", "Schedule", "On"], rows)


@app.command("show")
def show_one(name: BudgetName, *, as_json: AsJson = False) -> None:
    """Show how a budget stands, with its burn-up."""
    with session() as opened:
        now = opened.now()
        status = budget_status(opened.store, name, now)
        if as_json:
            show(status)
            return
        _head(get_budget(opened.store, name, now))
        _stands(status)


@app.command("run")
def run(name: BudgetName, *, as_json: AsJson = False) -> None:
    """Price a budget now, outside its schedule."""
    with session() as opened:
        now = opened.now()
        made = run_budget(opened.store, name, now, now=now)
        if as_json:
            show(made)
            return
        say(f"{name}: forecast {money(made.forecast, made.currency)}, spent {money(made.spent, made.currency)}")
        say(f"estimate {made.estimate_id[:12]}")
        for one in made.reached:
            say(f"reached: {one.of} {one.share:%} of the limit")


@app.command("runs")
def runs(
    name: BudgetName, *, limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20, as_json: AsJson = False
) -> None:
    """List the runs of a budget, the last one first."""
    with session() as opened:
        found = list_budget_runs(opened.store, name, limit)
        if as_json:
            show(found)
            return
        rows = [
            (
                one.slot,
                one.ran_at,
                money(one.forecast, one.currency),
                money(one.spent, one.currency),
                one.crosses_at,
                one.estimate_id[:12],
            )
            for one in found
        ]
        table("", ["Slot", "Ran", "#Forecast", "#Spent", "Crosses", "Estimate"], rows)


@app.command("charge")
def charge(
    name: BudgetName,
    file: Annotated[Path, typer.Argument(help="CSV of date and amount, or FOCUS rows; - reads standard input.")],
    *,
    origin: Annotated[str, typer.Option(help="Which bill or export it is one edition of.")] = "import",
    cost: Annotated[str, typer.Option(help="Of FOCUS rows: effective, billed, contracted or list.")] = "effective",
    only: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE, or Tags.KEY=VALUE: only such rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import what was really charged; a later edition of one origin replaces what it covers."""
    body = bytes_of(file, "CHARGES", LARGEST)
    with session() as opened:
        now = opened.now()
        held = get_budget(opened.store, name, now).budget
        wanted = SpendFormat(
            cost=cast("Cost", cost), only=wanted_rows(only or ()), currency=held.currency, zone=held.zone
        )
        made = import_spend(opened.store, name, origin, body, wanted, now=now)
        if as_json:
            show(made)
        else:
            say(f"{made.rows_kept} of {made.rows_read} rows count, {made.rows_left_out} left out")
            say(f"charges from {text(made.covers_from)} until {text(made.covers_until)}, as import {made.import_id}")


@app.command("charges")
def charges(
    name: BudgetName, *, limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20, as_json: AsJson = False
) -> None:
    """List the imports of what was charged."""
    with session() as opened:
        found = list_spend_imports(opened.store, name, limit)
        if as_json:
            show(found)
            return
        rows = [
            (one.import_id, one.origin, one.covers_from, one.covers_until, one.rows_kept, one.document_sha256[:12])
            for one in found
        ]
        table("", ["#Import", "Origin", "From", "Until", "#Rows", "Document"], rows)


def _head(held: BudgetInForce) -> None:
    budget = held.budget
    until = f" until {budget.end}" if budget.end else ""
    repeats = "" if budget.repeats == "never" else f", every {budget.repeats}"
    say(f"{budget.name}: {money(budget.limit, budget.currency)} from {budget.start}{until}{repeats} ({budget.zone})")
    say(f"priced again at {budget.schedule}, version {held.budget_id[:12]}")


def _stands(status: BudgetStatus) -> None:
    say()
    bound = "at least " if status.lower_bound else ""
    say(f"spent so far  {bound}{money(status.spent, status.currency)}{_of(status.spent, status)}")
    say(f"forecast      {bound}{money(status.forecast, status.currency)}{_of(status.forecast, status)}")
    if status.run_rate is not None:
        say(f"at this pace  {money(status.run_rate, status.currency)}, charged until {text(status.charged_until)}")
    crossing = f"on {text(status.crosses_at)}" if status.crosses_at else "never"
    say(f"crosses       {crossing}")
    for note in status.notes:
        say(f"note: {note}")
    say()
    _burn_up(status)


def _of(amount: Decimal, status: BudgetStatus) -> str:
    return f", {amount / status.limit:.1%} of {money(status.limit, status.currency)}"


def _burn_up(status: BudgetStatus) -> None:
    """About a dozen days of the burn-up, the last among them, with a bar of the limit's length."""
    step = -(-len(status.points) // MOST_BARS)
    rows = []
    for point in status.points[::-step][::-1]:
        length = min(int(point.forecast / status.limit * WIDTH), WIDTH + 10)
        bar = "█" * min(length, WIDTH) + "▓" * (length - WIDTH)
        actual = money(point.actual, status.currency) if point.actual is not None else None
        rows.append((point.at, actual, money(point.forecast, status.currency), bar))
    table("", ["Until", "#Charged", "#Forecast", f"Of the limit ({WIDTH} blocks)"], rows)
