"""Cost over time: asked again, explained, side by side, over a period."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, cast

import typer

from service.cli.files import text_of
from service.cli.output import AsJson, money, say, show, table, text
from service.cli.prices import KnownAt, ValidAt
from service.cli.session import moment, session
from service.cli.terms import cite
from service.domain.bridge import Bridge, EstimateBridge, LineBridge
from service.domain.cost_history import CostHistory, CostPoint
from service.domain.scenario import Scenario
from service.errors import Invalid
from service.usecases.comparisons import bridge_estimates, compare_estimates, explain_scenario, rerun_estimate
from service.usecases.cost_history import Period, Step, cost_history
from service.usecases.prices import as_of
from service.usecases.scenario_files import in_currency, read_scenario

EstimateName = Annotated[str, typer.Argument(help="Id of an estimate, or the first digits of it.")]
Currency = Annotated[str | None, typer.Option(help="Give the totals in this currency; prices you state keep theirs.")]
CAUSES = {
    "offer_price": "offer prices moved",
    "electricity": "electricity prices moved",
    "staff": "salaries moved",
    "data": "data prices moved",
    "fx": "exchange rates moved",
    "contract": "your contract",
    "scope": "more or less work",
    "efficiency": "efficiency",
    "interruptions": "interruptions",
    "formula": "another formula version",
    "offer_switch": "another offer",
    "newly_priced": "priced for the first time",
    "unpriced": "no price any more",
}


def rerun(
    estimate: EstimateName,
    *,
    valid_at: ValidAt = None,
    known_at: KnownAt = None,
    today: Annotated[bool, typer.Option("--today", help="With the prices of now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Price an estimate's scenario again: with the same prices unless another as-of is asked for."""
    with session() as opened:
        now = opened.now()
        moments = moment("--valid-at", valid_at), moment("--known-at", known_at)
        if today and any(moments):
            raise Invalid.field("--today", "is an as-of of its own; leave out --valid-at and --known-at")
        question = as_of(now, *moments) if today or any(moments) else None
        again = rerun_estimate(opened.store, estimate, question, now=now)
        if as_json:
            stored = again.estimate
            show({"estimate_id": stored.estimate_id, "same_bytes": again.same_bytes, "estimate": stored.estimate})
            return
        answer = again.estimate.estimate
        lower = "at least " if answer.lower_bound else ""
        say(f"{answer.scenario.name}: {lower}{money(answer.total, answer.currency)}")
        same = "the same bytes" if again.same_bytes else f"a new estimate; see: costplan estimate why {estimate} …"
        say(f"estimate {again.estimate.estimate_id[:12]}: {same}")


def why(before: EstimateName, after: EstimateName, *, as_json: AsJson = False) -> None:
    """Explain why one estimate differs from another, cause by cause and line by line."""
    with session() as opened:
        found = bridge_estimates(opened.store, before, after)
        if as_json:
            show(found)
        else:
            tell(found)


def why_then(
    file: Annotated[Path, typer.Argument(help="A scenario in YAML or JSON; - reads standard input.")],
    *,
    start: Annotated[str, typer.Option("--from", help="The earlier moment (RFC 3339).")],
    end: Annotated[str | None, typer.Option("--to", help="The later moment; now if left out.")] = None,
    currency: Currency = None,
    then: Annotated[bool, typer.Option("--known-then", help="What we would have said at each moment.")] = False,
    as_json: AsJson = False,
) -> None:
    """Explain why a scenario costs something else than it did."""
    scenario = _scenario(file, currency)
    earlier, later = moment("--from", start), moment("--to", end)
    with session() as opened:
        now = opened.now()
        questions = [as_of(now, one, one if then else None) for one in (earlier, later or now)]
        found = explain_scenario(opened.store, scenario, *questions)
    if as_json:
        show(found)
    else:
        tell_bridge(found.bridge)
        cite(found.terms)


def tell(found: EstimateBridge) -> None:
    """A bridge of two estimates for people."""
    tell_bridge(found.bridge)
    cite(found.terms)


def tell_bridge(one: Bridge) -> None:
    """A bridge for people."""
    say(f"{money(one.before, one.currency)} → {money(one.after, one.currency)}")
    if one.lower_bound:
        say("A line of one of them has no price: both totals are lower bounds.")
    say()
    rows = [(CAUSES[effect.cause], signed(effect.amount, one.currency)) for effect in one.effects]
    table("", ["Because", "#Effect"], [*rows, ("together", signed(one.difference, one.currency))])
    say()
    changed = [line for line in one.lines if line.effects]
    table(
        "",
        ["Line", "#Effect", "Because", "Price before", "Price after"],
        [_line(line, one.currency) for line in changed],
    )


def signed(amount: Decimal, currency: str) -> str:
    """A change of an amount, for reading."""
    return ("+" if amount > 0 else "") + money(amount, currency)


def compare(
    estimates: Annotated[list[str], typer.Argument(help="Two or more estimates.")], *, as_json: AsJson = False
) -> None:
    """Set estimates side by side, line by line, in the currency of the first."""
    with session() as opened:
        found = compare_estimates(opened.store, estimates)
    if as_json:
        show(found)
        return
    columns = ["Line", *(f"#{one[:8]} {name}" for one, name in zip(found.estimate_ids, found.names, strict=True))]
    rows: list[list[object]] = [
        [f"{line.part} {line.name}", *("–" if cost is None else money(cost, found.currency) for cost in line.costs)]
        for line in found.lines
    ]
    bounds = ("≥ " if bound else "" for bound in found.lower_bounds)
    totals = [f"{bound}{money(total, found.currency)}" for bound, total in zip(bounds, found.totals, strict=True)]
    rows.append(["total", *totals])
    rows.append(["against the first", *(signed(one, found.currency) for one in found.differences[0])])
    table("", columns, rows)


def over_time(
    file: Annotated[Path, typer.Argument(help="A scenario in YAML or JSON; - reads standard input.")],
    *,
    start: Annotated[str, typer.Option("--from", help="First moment (RFC 3339).")],
    end: Annotated[str, typer.Option("--to", help="Moment after the last (RFC 3339).")],
    step: Annotated[str, typer.Option(help="change, hour, day, week or month.")] = "change",
    zone: Annotated[str, typer.Option(help="Time zone whose days are meant.")] = "UTC",
    currency: Currency = None,
    then: Annotated[bool, typer.Option("--known-then", help="What we would have said at each moment.")] = False,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What a scenario cost over a period, and what happened to its prices."""
    scenario = _scenario(file, currency)
    period = Period(start=moment("--from", start), end=moment("--to", end), step=cast("Step", step), zone=zone)
    with session() as opened:
        known = as_of(opened.now(), None, moment("--known-at", known_at)).known_at
        found = cost_history(opened.store, scenario, period, "known_then" if then else "known_now", known)
    if as_json:
        show(found)
    else:
        _tell_history(found)


def _scenario(file: Path, currency: str | None) -> Scenario:
    scenario = read_scenario(text_of(file, "SCENARIO"))
    return in_currency(scenario, currency) if currency else scenario


def _tell_history(found: CostHistory) -> None:
    table(
        "",
        ["At", "#Total", "Missing"],
        [(one.at, _total(one, found.currency), "; ".join(one.missing)) for one in found.points],
    )
    if found.events:
        say()
        table(
            "",
            ["When", "What", "Series", "#Before", "#After"],
            [
                (one.at, one.kind.replace("_", " "), one.series, one.amount_before, one.amount_after)
                for one in found.events
            ],
        )
    cite(found.terms)


def _total(point: CostPoint, currency: str) -> str:
    if point.total is None:
        return "no price"
    return ("≥ " if point.lower_bound else "") + money(point.total, currency)


def _line(line: LineBridge, currency: str) -> tuple[str, ...]:
    because = ", ".join(f"{CAUSES[one.cause]} {signed(one.amount, currency)}" for one in line.effects)
    move = line.price
    before = f"{text(move.unit_price_before)} {move.currency_before or ''}".strip()
    after = f"{text(move.unit_price_after)} {move.currency_after or ''}".strip()
    return (f"{line.part} {line.name}", signed(line.difference, currency), because, before, after)
