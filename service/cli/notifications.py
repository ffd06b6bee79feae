"""Notifications: who is told, how each telling went, trying again."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.files import text_of
from service.cli.output import UNEXPECTED, AsJson, say, show, table, text
from service.cli.session import session
from service.domain.notifications import TargetInForce
from service.scheduling.post import PostOffice
from service.usecases.notifications import (
    deliver_due,
    get_target,
    list_deliveries,
    list_targets,
    put_target,
    replay_delivery,
    try_target,
)
from service.usecases.scenario_files import read_target

app = typer.Typer()
targets = typer.Typer()
app.add_typer(targets, name="target", help="Who is told.", no_args_is_help=True)

TargetName = Annotated[str, typer.Argument(help="Name of a target.")]


@targets.command("put")
def put(
    file: Annotated[Path, typer.Argument(help="A target in YAML or JSON; - reads standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Keep a target, or a new version of it; it is told of what happens from now on."""
    target = read_target(text_of(file, "TARGET"))
    with session() as opened:
        held = put_target(opened.store, target, now=opened.now())
    if as_json:
        show(held)
    else:
        _list([held])


@targets.command("ls")
def ls(*, as_json: AsJson = False) -> None:
    """List targets."""
    with session() as opened:
        found = list_targets(opened.store, opened.now())
    if as_json:
        show(found)
    else:
        _list(found)


@targets.command("show")
def show_one(name: TargetName, *, as_json: AsJson = False) -> None:
    """Show one target."""
    with session() as opened:
        held = get_target(opened.store, name, opened.now())
    if as_json:
        show(held)
    else:
        _list([held])


@targets.command("test")
def trial(name: TargetName, *, as_json: AsJson = False) -> None:
    """Send a target a message that says it is a trial; exit 1 if it does not arrive."""
    with session() as opened, PostOffice(opened.settings) as post:
        tried = try_target(opened.store, post, name, now=opened.now())
    if as_json:
        show(tried)
    else:
        say(f"{'sent' if tried.sent else 'NOT SENT'}: {tried.outcome}")
    if not tried.sent:
        raise typer.Exit(UNEXPECTED)


@app.command("ls")
def deliveries(
    *,
    target: Annotated[str, typer.Option(help="Only to this target.")] = "",
    state: Annotated[str, typer.Option(help="waiting, delivered or dead.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first; --state dead is the dead-letter list."""
    with session() as opened:
        found = list_deliveries(opened.store, target, state, limit)
    if as_json:
        show(found)
        return
    rows = [
        (one.delivery_id, one.target, one.type, one.state, one.attempts, text(one.due_at), one.outcome) for one in found
    ]
    table("", ["#Delivery", "Target", "Event", "State", "#Attempts", "Next", "Outcome"], rows)


@app.command("replay")
def replay(
    delivery: Annotated[int, typer.Argument(min=1, help="Number of a delivery.")], *, as_json: AsJson = False
) -> None:
    """Have a delivery made again, with the id it had."""
    with session() as opened:
        again = replay_delivery(opened.store, delivery, now=opened.now())
    if as_json:
        show(again)
    else:
        say(f"delivery {again.delivery_id} to {again.target} is due")


@app.command("run")
def run(*, as_json: AsJson = False) -> None:
    """Send what is due now; the scheduler does so every half minute."""
    with session() as opened, PostOffice(opened.settings) as post:
        done = deliver_due(opened.store, post)
    if as_json:
        show(done)
    else:
        say(f"{done.delivered} delivered, {done.failed} to be tried again, {done.dead} dead")


def _list(found: list[TargetInForce]) -> None:
    rows = [
        (
            one.target.name,
            one.target.kind,
            one.target.url or ", ".join(one.target.to) or "in the settings",
            ", ".join(one.target.types) or "all",
            ", ".join(one.target.subjects) or "all",
            one.target.enabled,
        )
        for one in found
    ]
    table("", ["Target", "Kind", "Where", "Events", "Subjects", "On"], rows)
