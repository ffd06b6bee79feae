"""Estimates and scenarios."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.bands import band_line
from service.cli.files import text_of
from service.cli.history import Currency
from service.cli.output import AsJson, money, say, show, table, text
from service.cli.prices import KnownAt, ValidAt
from service.cli.session import moment, session
from service.cli.terms import cite
from service.domain.band import BandSummary, EstimateBand
from service.domain.estimate import Estimate, LineItem, terms_of_estimates
from service.store.estimates import StoredEstimate
from service.usecases import estimates as usecases
from service.usecases.bands import band_of
from service.usecases.prices import as_of
from service.usecases.scenario_files import in_currency, read_scenario

app = typer.Typer()
scenarios = typer.Typer()

ScenarioFile = Annotated[Path, typer.Argument(help="A scenario in YAML or JSON; - reads standard input.")]


@app.command("new")
def new(
    file: ScenarioFile,
    *,
    valid_at: ValidAt = None,
    known_at: KnownAt = None,
    currency: Currency = None,
    as_json: AsJson = False,
) -> None:
    """Price a scenario and keep the answer."""
    scenario = read_scenario(text_of(file, "SCENARIO"))
    if currency:
        scenario = in_currency(scenario, currency)
    with session() as opened:
        now = opened.now()
        question = as_of(now, moment("--valid-at", valid_at), moment("--known-at", known_at))
        stored = usecases.new_estimate(opened.store, scenario, question, now=now)
        _show(stored, band_of(opened.store, stored), as_json=as_json)


@app.command("show")
def show_one(
    estimate: Annotated[str, typer.Argument(help="Its id, or the first digits of it.")],
    *,
    canonical: Annotated[bool, typer.Option("--canonical", help="Print the very bytes the id is the hash of.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an estimate with everything it stands on."""
    with session() as opened:
        stored = usecases.get_estimate(opened.store, estimate)
        if canonical:
            sys.stdout.buffer.write(stored.body)
        else:
            _show(stored, band_of(opened.store, stored), as_json=as_json)


@app.command("ls")
def ls(
    *,
    scenario: Annotated[str, typer.Option(help="Only estimates of this scenario.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    after: Annotated[str, typer.Option(help="Continue after this estimate.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the estimates kept, newest first."""
    with session() as opened:
        found = usecases.list_estimates(opened.store, scenario, limit, after)
        if as_json:
            show(found)
            return
        table(
            "",
            ["Estimate", "Name", "#Total", "As of", "Known at", "Made"],
            [
                (
                    one.estimate_id[:12],
                    one.name,
                    ("≥ " if one.lower_bound else "") + money(one.total, one.currency),
                    one.valid_at,
                    one.known_at,
                    one.created_at,
                )
                for one in found
            ],
        )


@scenarios.command("new")
def new_scenario(file: ScenarioFile, *, as_json: AsJson = False) -> None:
    """Check a scenario and keep it."""
    scenario = read_scenario(text_of(file, "SCENARIO"))
    with session() as opened:
        stored = usecases.new_scenario(opened.store, scenario, now=opened.now())
        if as_json:
            show(stored)
        else:
            say(f"{stored.scenario_id[:12]}  {stored.scenario.name}")


@scenarios.command("show")
def show_scenario(scenario: str, *, as_json: AsJson = False) -> None:
    """Show a scenario."""
    with session() as opened:
        stored = usecases.get_scenario(opened.store, scenario)
        if as_json:
            show(stored)
        else:
            show(stored.scenario)


@scenarios.command("ls")
def ls_scenarios(*, limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20, as_json: AsJson = False) -> None:
    """List the scenarios kept, newest first."""
    with session() as opened:
        found = usecases.list_scenarios(opened.store, limit)
        if as_json:
            show(found)
        else:
            rows = [(one.scenario_id[:12], one.scenario.name, one.created_at) for one in found]
            table("", ["Scenario", "Name", "Kept"], rows)


def _show(stored: StoredEstimate, band: EstimateBand, *, as_json: bool) -> None:
    if as_json:
        show(
            {
                "estimate_id": stored.estimate_id,
                "scenario_id": stored.scenario_id,
                "created_at": stored.created_at,
                "band": BandSummary.of(band),
                "estimate": stored.estimate,
            }
        )
        return
    answer = stored.estimate
    say(f"{answer.scenario.name}: {'at least ' if answer.lower_bound else ''}{money(answer.total, answer.currency)}")
    if band.band.inputs:
        say(f"{band_line(band.band)}   (see: costplan estimate band {stored.estimate_id[:12]})")
    say(f"estimate {stored.estimate_id[:12]}, prices as of {text(answer.as_of.valid_at)}, known at "
        f"{text(answer.as_of.known_at)}")  # fmt: skip
    say()
    _lines(answer)
    _stands_on(answer)


def _lines(answer: Estimate) -> None:
    table(
        "",
        ["Part", "Line", "#Quantity", "Unit", "#Unit price", "#Cost", "Formula"],
        [
            (
                line.part,
                line.name,
                line.pricing_quantity,
                line.pricing_unit,
                _paid(line),
                money(line.cost, answer.currency),
                line.formula,
            )
            for line in answer.line_items
        ],
    )
    for gap in answer.unpriced:
        say(f"NOT PRICED  {gap.part} {gap.name}: {text(gap.pricing_quantity)} {gap.pricing_unit}: {gap.reason.reason}")
    if answer.lower_bound:
        say("The total is a lower bound.")


def _paid(line: LineItem) -> str:
    if line.contracted_unit_price is None:
        return f"{text(line.list_unit_price)} {line.list_currency}"
    return f"{text(line.contracted_unit_price)} {line.contracted_currency}"


def _stands_on(answer: Estimate) -> None:
    if answer.prices:
        say()
        table(
            "",
            ["Price used", "#Amount", "Per", "In force since", "#Days old", "Learned", "Source"],
            [
                (
                    used.price.series,
                    f"{text(used.price.amount)} {used.price.currency or ''}".strip(),
                    used.price.unit,
                    used.price.valid_from,
                    used.age_days,
                    used.price.recorded_at,
                    used.price.citation.reference_url or used.price.citation.document_url,
                )
                for used in answer.prices
            ],
        )
        cite(terms_of_estimates(answer))
    for rate in answer.fx_rates:
        say(f"1 {rate.from_currency} = {text(rate.rate)} {rate.to_currency}")
    if answer.rate_card:
        say(f"rate card {answer.rate_card.name}, version {answer.rate_card.rate_card_id[:12]}")
    for line in answer.line_items:
        if line.contract:
            say(f"{line.name}: {line.contract}, list {text(line.list_unit_price)} {line.list_currency}")
    for assumption in answer.assumptions:
        say(f"note: {assumption.text}")
