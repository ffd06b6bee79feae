"""Plans on the command line: goals, what to commit to, when to start, whether to buy or to rent."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from service.cli import placement, plans, standing_goals
from service.cli.files import text_of
from service.cli.output import AsJson, money, say, show, table
from service.cli.prices import KnownAt, ValidAt
from service.cli.session import moment, session
from service.cli.terms import cite
from service.domain.price_book import FxRate, Price, Terms
from service.planning.buy_or_rent import BreakEvenCurve
from service.usecases.plan_questions import read_buy_or_rent, read_commitments, read_start
from service.usecases.planning import (
    PlannedCommitments,
    PlannedStart,
    compare_buy_or_rent,
    plan_commitments,
    plan_start,
)
from service.usecases.prices import as_of

app = typer.Typer()
app.command("new")(plans.new)
app.command("ls")(plans.ls)
app.command("show")(plans.show_one)
app.command("explain")(plans.explain)
app.command("pareto")(plans.pareto)
app.command("watch")(standing_goals.watch)
app.command("watched")(standing_goals.watched)
app.command("replan")(standing_goals.replan)
app.command("fleet")(placement.fleet)
app.command("pipeline")(placement.pipeline)

Question = Annotated[Path, typer.Argument(metavar="FILE", help="The question in YAML or JSON; - reads standard input.")]


@app.command("commitments")
def commitments(file: Question, *, valid_at: ValidAt = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """The cheapest mix of commitments, spot and on demand for a demand."""
    asked = read_commitments(text_of(file, "FILE"))
    with session() as opened:
        question = as_of(opened.now(), moment("--valid-at", valid_at), moment("--known-at", known_at))
        found = plan_commitments(opened.store, asked, question)
    if as_json:
        show(found)
    else:
        _tell_commitments(found)
        _cite(found.prices, found.fx_rates)


@app.command("start")
def start(file: Question, *, valid_at: ValidAt = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """The cheapest start, hours or blocks before a deadline."""
    asked = read_start(text_of(file, "FILE"))
    with session() as opened:
        question = as_of(opened.now(), moment("--valid-at", valid_at), moment("--known-at", known_at))
        found = plan_start(opened.store, asked, question)
    if as_json:
        show(found)
    else:
        _tell_start(found)
        _cite(found.prices, found.fx_rates)


@app.command("buy-or-rent")
def buy_or_rent(file: Question, *, valid_at: ValidAt = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Where buying, renting, reserving and calling an API break even."""
    asked = read_buy_or_rent(text_of(file, "FILE"))
    with session() as opened:
        question = as_of(opened.now(), moment("--valid-at", valid_at), moment("--known-at", known_at))
        found = compare_buy_or_rent(opened.store, asked, question)
    if as_json:
        show(found)
        return
    for curve in filter(None, (found.utilisation, found.volume)):
        _tell_curve(curve, found.currency)
    _cite(found.prices, found.fx_rates)


def _cite(prices: Sequence[Price], rates: Sequence[FxRate]) -> None:
    legs = (leg for rate in rates for leg in rate.legs)
    cite(Terms.cited(one.citation for one in (*prices, *legs)))


def _tell_commitments(found: PlannedCommitments) -> None:
    plan, currency = found.plan, found.currency
    saved = f"{money(plan.saving, currency)} less than {money(plan.without, currency)} with nothing more committed"
    say(f"{money(plan.cost, currency)}, {saved}")
    say()
    table(
        "",
        ["Commit to", "#Units", "#Hourly", "#Pays from", "#Used", "#Cost", "#Due at once"],
        [
            (
                one.name,
                one.units,
                one.effective_hourly,
                _percent(one.break_even_utilisation),
                _percent(one.utilisation),
                money(one.cost, currency),
                money(one.upfront, currency),
            )
            for one in plan.committed
        ],
    )
    _because(plan.because)
    if found.purchases is not None:
        say()
        table(
            "",
            ["Buy", "#After hours", "#Units", "#Cost"],
            [(one.name, one.at_hours, one.units, money(one.cost, currency)) for one in found.purchases.purchases],
        )
        saved = f"{money(found.purchases.saving, currency)} less than buying at the start alone"
        say(f"{money(found.purchases.cost, currency)}, {saved}")


def _tell_start(found: PlannedStart) -> None:
    if found.blocks is not None:
        say(f"{money(found.blocks.cost, found.currency)}")
        table(
            "",
            ["Block", "From", "To", "#Price"],
            [(one.name, one.start, one.end, money(one.price, found.currency)) for one in found.blocks.blocks],
        )
        _because(found.blocks.because)
    if found.plan is not None:
        saving = found.plan.saving
        at_once = "" if saving is None else f", {money(saving, found.currency)} less than at once"
        say(f"{money(found.plan.cost, found.currency)}{at_once}")
        table(
            "",
            ["From", "To", "#Cost"],
            [(one.start, one.end, money(one.cost, found.currency)) for one in found.plan.periods],
        )
        _because(found.plan.because)


def _tell_curve(curve: BreakEvenCurve, currency: str) -> None:
    table(
        "",
        [f"#{curve.axis}", *(f"#{way}" for way in curve.ways)],
        [(one.at, *(money(cost, currency) for cost in one.costs)) for one in curve.points[::4]],
    )
    _because(curve.because)
    say()


def _because(lines: Sequence[str]) -> None:
    say()
    for line in lines:
        say(line)


def _percent(share: Decimal | None) -> str | None:
    return None if share is None else f"{100 * share:.1f} %"
