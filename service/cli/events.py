"""What happened that somebody may want to hear of."""

import sys
from typing import Annotated

import typer

from service.cli.output import AsJson, show, table
from service.cli.session import session
from service.notifying.calendars import calendar_bytes
from service.usecases.agenda import agenda
from service.usecases.events import list_events, told


def events(
    *,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be given again.")] = None,
    subject: Annotated[str, typer.Option(help="Only of this budget, source, series or plan.")] = "",
    after: Annotated[int | None, typer.Option(min=0, help="Those after this event, in order.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List events, the last first."""
    with session() as opened:
        found = list_events(opened.store, types or (), subject, after, limit)
    if as_json:
        show([told(one) for one in found])
    else:
        rows = [(one.event_id, one.event.occurred_at, one.event.type, one.event.text) for one in found]
        table("", ["#Event", "When", "Type", "What"], rows)


def calendar(*, as_json: AsJson = False) -> None:
    """Print what lies ahead as a calendar (iCal): refreshes, budgets, announced prices, agreements that end."""
    with session() as opened:
        now = opened.now()
        ahead = agenda(opened.store, opened.feeds, now)
    if as_json:
        show(ahead)
    else:
        sys.stdout.write(calendar_bytes(ahead, now).decode())
