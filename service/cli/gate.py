"""The gate of a pull request: the price of a change, and an exit code that can stop it."""

import subprocess
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from pricing_sources.documents import decimal_text
from service.cli.files import text_of
from service.cli.history import tell_bridge
from service.cli.markdown import last_word, markdown_of
from service.cli.output import OVER_BUDGET, STALE, money, say, show, text
from service.cli.session import Session, session
from service.cli.terms import cite
from service.domain.gate import GateReport
from service.domain.scenario import Scenario
from service.errors import Invalid, NotFound
from service.usecases.budgets import get_budget
from service.usecases.estimates import get_estimate
from service.usecases.gate import Baseline, GateRules, check_scenario
from service.usecases.scenario_files import in_currency, read_scenario

EXIT: Final = {"pass": 0, "over_budget": OVER_BUDGET, "stale": STALE}
GIT_SECONDS: Final = 30
ABSENT: Final = ("does not exist in", "exists on disk, but not in")
"""How git says that a revision it knows has no such file."""

Format = Literal["text", "markdown", "json"]


def check(
    file: Annotated[Path, typer.Argument(help="A scenario in YAML or JSON; - reads standard input.")],
    *,
    limit: Annotated[str | None, typer.Option("--max", help="Most it may cost, in the scenario's currency.")] = None,
    budget: Annotated[str | None, typer.Option(help="Take the limit and its currency from this budget.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Explain the change from this: a git revision of the file, or an estimate's id.")
    ] = None,
    stale_after: Annotated[
        float | None, typer.Option(min=0, help="Days without a look at its source after which a price is stale.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="markdown is shaped for a pull request's comment.")] = "text",
) -> None:
    """Check what a scenario costs: exit 4 if a limit would break, 5 if its prices are stale."""
    scenario = read_scenario(text_of(file, "SCENARIO"))
    with session() as opened:
        now = opened.now()
        scenario, most = _limited(opened, scenario, limit, budget)
        rules = GateRules(limit=most, oldest=timedelta(days=stale_after) if stale_after is not None else None)
        base = _baseline(opened, file, against) if against else None
        report = check_scenario(opened.store, opened.feeds, scenario, rules, base, now=now)
    match form:
        case "json":
            show(report)
        case "markdown":
            say(markdown_of(report))
        case _:
            _tell(report)
    raise typer.Exit(EXIT[report.verdict])


def _limited(
    opened: Session, scenario: Scenario, limit: str | None, budget: str | None
) -> tuple[Scenario, Decimal | None]:
    if limit is not None and budget is not None:
        raise Invalid.field("--max", "is the limit that --budget would give; leave one of them out")
    if budget is not None:
        held = get_budget(opened.store, budget, opened.now()).budget
        return in_currency(scenario, held.currency), held.limit
    if limit is None:
        return scenario, None
    try:
        return scenario, decimal_text(limit)
    except ValueError as error:
        raise Invalid.field("--max", str(error)) from None


def _baseline(opened: Session, file: Path, against: str) -> Baseline:
    """An estimate of the ledger if there is one of that name, else the file at a revision."""
    try:
        kept = get_estimate(opened.store, against)
    except (NotFound, Invalid):
        then = _at_revision(file, against)
        return Baseline(name=against, scenario=read_scenario(then) if then is not None else None)
    return Baseline(name=f"estimate {kept.estimate_id[:12]}", estimate_id=kept.estimate_id)


def _at_revision(file: Path, revision: str) -> str | None:
    """The text of a file at a git revision; None if it was not there yet. Raises Invalid."""
    if revision.startswith("-") or str(file) == "-":
        raise Invalid.field("--against", f"{revision!r} must be a git revision of a file, or the id of an estimate")
    command = ["git", "-C", str(file.parent), "show", f"{revision}:./{file.name}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=GIT_SECONDS)  # noqa: S603  no shell
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Invalid.field("--against", f"git cannot be asked for {revision}: {error}") from None
    if done.returncode == 0:
        return done.stdout.decode(errors="replace")
    words = done.stderr.decode(errors="replace").strip()
    if any(sign in words for sign in ABSENT):
        return None
    raise Invalid.field("--against", f"is neither an estimate nor a revision that git can show: {words[:300]}")


def _tell(report: GateReport) -> None:
    bound = "at least " if report.lower_bound else ""
    limit = f", limit {money(report.limit, report.currency)}" if report.limit is not None else ""
    say(f"{report.name}: {bound}{money(report.total, report.currency)}{limit}")
    say(f"prices as of {text(report.as_of.valid_at)}, known at {text(report.as_of.known_at)}")
    for line in report.unpriced:
        say(f"NOT PRICED  {line}")
    for one in report.stale:
        say(f"STALE  {one.series}: {one.source} {last_word(one)}, {one.missed_publications} publications ago")
    if report.bridge is not None:
        say()
        say(f"against {report.against}:")
        tell_bridge(report.bridge)
    elif report.against is not None:
        say(f"against {report.against}: there was no such scenario")
    cite(report.terms)
    say()
    say(_sentence(report))


def _sentence(report: GateReport) -> str:
    if report.verdict == "over_budget" and report.limit is not None:
        if report.total > report.limit:
            return f"OVER the limit by {money(report.total - report.limit, report.currency)}"
        return "NOT SHOWN to be within the limit: lines have no price"
    if report.verdict == "stale":
        return "STALE prices: refresh their sources before relying on this"
    if report.limit is not None:
        return f"within the limit, {money(report.limit - report.total, report.currency)} left"
    return "no limit given"
