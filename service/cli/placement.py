"""Where things run, on the command line: fleets and pipelines."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from service.cli.files import text_of
from service.cli.output import AsJson, money, say, show, table
from service.cli.prices import KnownAt, ValidAt
from service.cli.session import moment, session
from service.cli.terms import cite
from service.domain.price_book import Terms
from service.planning.carriers import MarketSearched
from service.planning.fleets import FleetPlan, LimitUsed
from service.planning.mixed_fleets import MixedFleet
from service.planning.pipelines import PipelinePlan
from service.usecases.placement import PlannedFleet, PlannedPipeline, plan_fleet, plan_pipeline
from service.usecases.placement_questions import read_fleet, read_pipeline
from service.usecases.prices import as_of

Question = Annotated[Path, typer.Argument(metavar="FILE", help="The question in YAML or JSON; - reads standard input.")]


def fleet(file: Question, *, valid_at: ValidAt = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Which work runs on which offer, or which machines carry a load; the answer is kept as an estimate."""
    asked = read_fleet(text_of(file, "FILE"))
    with session() as opened:
        now = opened.now()
        question = as_of(now, moment("--valid-at", valid_at), moment("--known-at", known_at))
        found = plan_fleet(opened.store, asked, question, now=now)
    if as_json:
        show(found)
        return
    if found.plan is not None:
        _tell_works(found.plan, found.currency)
    if found.mix is not None:
        _tell_mix(found.mix, found.currency)
    if found.market is not None:
        _tell_market(found.market)
    _tell_kept(found)
    _cite(found)


def pipeline(file: Question, *, valid_at: ValidAt = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Where each stage runs when moving what it reads costs, too."""
    asked = read_pipeline(text_of(file, "FILE"))
    with session() as opened:
        question = as_of(opened.now(), moment("--valid-at", valid_at), moment("--known-at", known_at))
        found = plan_pipeline(opened.store, asked, question)
    if as_json:
        show(found)
        return
    _tell_pipeline(found.plan, found.currency)
    _cite(found)


def _tell_works(plan: FleetPlan, currency: str) -> None:
    say(f"{money(plan.cost, currency)}, {money(plan.unlimited, currency)} if there were no limits")
    say()
    table(
        "",
        ["Work", "Offer", "#Machines", "#Hours", "#Cost"],
        [(one.work, one.offer, one.machines, one.hours, money(one.cost, currency)) for one in plan.assigned],
    )
    _tell_limits(plan.limits, currency)
    _because(plan.because)


def _tell_mix(mix: MixedFleet, currency: str) -> None:
    say(f"{money(mix.cost_hour, currency)} an hour for {mix.throughput}")
    say()
    table(
        "",
        ["Offer", "#Machines", "#Carries", "#Cost/h", "Each"],
        [(one.offer, one.machines, one.throughput, money(one.cost_hour, currency), one.words) for one in mix.rented],
    )
    _tell_limits(mix.limits, currency)
    _because(mix.because)


def _tell_market(market: MarketSearched) -> None:
    out = ", ".join(f"{one.offers} {one.constraint}" for one in market.rejected)
    say(f"{market.offers} offers, {market.able} of them the cheapest of their kind in their place; ruled out: {out}")


def _tell_kept(found: PlannedFleet) -> None:
    for line in found.assumptions:
        say(f"assumed: {line}")
    if found.estimate_id is None or found.cost is None:
        return
    period = "" if found.hours is None else f" for {found.hours} hours"
    say(f"{money(found.cost, found.currency)}{period}; see: costplan estimate show {found.estimate_id[:12]}")


def _tell_pipeline(plan: PipelinePlan, currency: str) -> None:
    say(money(plan.cost, currency))
    say()
    table(
        "",
        ["Stage", "Region", "Offer", "#Cost", "#Done after [h]"],
        [(one.stage, one.region, one.offer, money(one.cost, currency), one.finish_hours) for one in plan.placed],
    )
    if plan.transfers:
        say()
        table(
            "",
            ["Moved", "For", "From", "To", "#GB", "#Cost"],
            [
                (one.of, one.to, one.from_region, one.to_region, one.gb, money(one.cost, currency))
                for one in plan.transfers
            ],
        )
    _because(plan.because)


def _tell_limits(limits: Sequence[LimitUsed], currency: str) -> None:
    if limits:
        say()
        table(
            "",
            ["Limit", "#Used", "#Of", "#Saved without"],
            [(one.name, one.used, one.limit, _saved(one.saved_without, currency)) for one in limits],
        )


def _saved(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else money(amount, currency)


def _because(lines: Sequence[str]) -> None:
    say()
    for line in lines:
        say(line)


def _cite(found: PlannedFleet | PlannedPipeline) -> None:
    legs = (leg for rate in found.fx_rates for leg in rate.legs)
    cite(Terms.cited(one.citation for one in (*found.prices, *legs)))
