"""Goals on the command line: planned, found again, explained."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from service.cli.files import text_of
from service.cli.output import AsJson, money, say, show, table, text
from service.cli.prices import KnownAt, ValidAt
from service.cli.session import Session, moment, session
from service.cli.terms import cite
from service.domain.plan import Explanation, Plan, PlanCandidate, StoredPlan
from service.usecases import plans as usecases
from service.usecases.plan_questions import read_goal
from service.usecases.prices import as_of
from service.usecases.sources import terms_of

GoalFile = Annotated[Path, typer.Argument(metavar="GOAL", help="A goal in YAML or JSON; - reads standard input.")]
PlanName = Annotated[str, typer.Argument(metavar="PLAN", help="Its id, or the first digits of it.")]


def new(file: GoalFile, *, valid_at: ValidAt = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Search the whole market for ways to meet a goal, and keep the answer."""
    goal = read_goal(text_of(file, "GOAL"))
    with session() as opened:
        now = opened.now()
        question = as_of(now, moment("--valid-at", valid_at), moment("--known-at", known_at))
        _show(opened, usecases.new_plan(opened.store, goal, question, now=now), as_json=as_json)


def ls(*, limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20, as_json: AsJson = False) -> None:
    """List the plans kept, newest first."""
    with session() as opened:
        found = usecases.list_plans(opened.store, limit)
    if as_json:
        show(found)
        return
    rows = [
        (one.plan_id[:12], one.name, money(one.cost, one.currency), one.series, one.valid_at, one.known_at)
        for one in found
    ]
    table("", ["Plan", "Name", "#Cheapest", "On", "As of", "Known at"], rows)


def show_one(plan: PlanName, *, as_json: AsJson = False) -> None:
    """Show a plan: its picks, what was searched, what was assumed."""
    with session() as opened:
        _show(opened, usecases.get_plan(opened.store, plan), as_json=as_json)


def explain(plan: PlanName, *, as_json: AsJson = False) -> None:
    """Why the cheapest is the cheapest, what would change that, what every constraint costs."""
    with session() as opened:
        stored = usecases.get_plan(opened.store, plan)
        if as_json:
            show(stored.plan.explanation)
            return
        _explain(stored.plan)
        cite(terms_of(opened.store, usecases.series_shown(stored.plan)))


def pareto(plan: PlanName, *, as_json: AsJson = False) -> None:
    """Every way no other beats in cost, finish and carbon at once."""
    with session() as opened:
        stored = usecases.get_plan(opened.store, plan)
        if as_json:
            show(stored.plan.front)
            return
        _candidates(stored.plan.front, stored.plan.currency)
        cite(terms_of(opened.store, [one.series for one in stored.plan.front]))


def _show(opened: Session, stored: StoredPlan, *, as_json: bool) -> None:
    if as_json:
        show(stored)
        return
    plan = stored.plan
    best = plan.picks[0]
    say(f"{plan.goal.name}: {money(best.cost, plan.currency)}, plan {stored.plan_id[:12]}")
    searched = f"{plan.offers:,} offers with {plan.configurations:,} configurations"
    say(f"{searched}, prices as of {text(plan.as_of.valid_at)}")
    say()
    rows = [
        (
            ", ".join(one.names),
            money(one.cost, plan.currency),
            money(one.candidate.cost_high, plan.currency),
            _time(one.candidate.expected_hours),
            _time(one.candidate.finish_hours),
            f"{one.candidate.gpus:g} × {one.candidate.accelerator}",
            one.candidate.series,
            one.estimate_id[:12],
        )
        for one in plan.picks
    ]
    sure = f"{plan.goal.confidence:.0%}"
    table("", ["Pick", "#Cost", f"#{sure} sure", "#Takes", f"#{sure} sure", "GPUs", "Price", "Estimate"], rows)
    say()
    for one in plan.picks:
        every = one.candidate.checkpoint_every_hours
        kept = f"; a checkpoint every {_time(every)}" if every else ""
        say(f"{', '.join(one.names)}: {one.candidate.configuration}{kept}")
    say()
    for line in plan.assumptions:
        say(f"assumed: {line}")
    say(f"see: costplan plan explain {stored.plan_id[:12]}, costplan estimate show {best.estimate_id[:12]}")
    cite(terms_of(opened.store, usecases.series_shown(plan)))


def _explain(plan: Plan) -> None:
    why, currency = plan.explanation, plan.currency
    if why.runner_up is not None and why.margin is not None:
        over = f"{money(why.margin.amount, currency)} ({why.margin.relative:.1%}) dearer"
        say(f"next: {why.runner_up.provider}, {why.runner_up.series}, {over}")
    if why.robustness is not None:
        drawn = f"{why.robustness.draws:,} draws against {why.robustness.contenders - 1} other offers"
        say(f"cheapest in {why.robustness.share:.0%} of {drawn}")
    _flips(why)
    if why.near_misses:
        say()
        rows = [(one.series, one.gpu_hour, one.wins_at, f"{one.change:.1%}") for one in why.near_misses]
        table("", ["Would win", "#GPU-hour now", "#At", "#Change"], rows)
    if why.binding:
        say()
        bound = [(one.constraint, one.needs, money(one.saves, currency), one.candidate.series) for one in why.binding]
        table("", ["Constraint", "If it allowed", "#Saves", "By"], bound)
    if why.deadline_curve:
        say()
        steps = [
            (_time(one.hours), money(one.cost, currency), f"{one.gpus:g}", one.series) for one in why.deadline_curve
        ]
        table("", ["#Deadline from", "#Best cost", "#GPUs", "On"], steps)
    say()
    table("", ["Ruled out by", "#Offers"], [(one.constraint, one.offers) for one in why.rejected])


def _flips(why: Explanation) -> None:
    say()
    table(
        "",
        ["If only this changes", "#Now", "#Flips at", "#Change", "Then best"],
        [
            (
                f"{one.driver} [{one.unit}]",
                f"{one.now:.6g}",
                None if one.flips_at is None else f"{one.flips_at:.6g}",
                None if one.change is None else f"{one.change:+.1%}",
                one.becomes or ("" if one.flips_at is None else "nothing within the goal"),
            )
            for one in why.flips
        ],
    )


def _candidates(found: Iterable[PlanCandidate], currency: str) -> None:
    rows = [
        (
            money(one.cost, currency),
            _time(one.finish_hours),
            None if one.carbon_kg is None else f"{one.carbon_kg:,.0f}",
            f"{one.gpus:g} × {one.accelerator}",
            one.series,
        )
        for one in found
    ]
    table("", ["#Cost", "#Surely done in", "#kg CO2e", "GPUs", "Price"], rows)


def _time(hours: float) -> str:
    """Hours, or days where there are many."""
    return f"{Decimal(hours):.1f} h" if hours < 100 else f"{Decimal(hours) / 24:.1f} d"
