"""An agenda as a calendar that any calendar program subscribes to (RFC 5545)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from icalendar import Calendar, Event

from service.domain.agenda import AgendaItem

MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
HOST: Final = "llm-cost-planner"


def calendar_bytes(items: Iterable[AgendaItem], made_at: datetime) -> bytes:
    """The calendar: every moment in UTC, every UID stable."""
    made = Calendar()
    made.add("prodid", f"-//{HOST}//EN")
    made.add("version", "2.0")
    made.calendar_name = "LLM costs"
    for item in items:
        event = Event()
        event.add("uid", f"{item.uid}@{HOST}")
        event.add("dtstamp", made_at.replace(microsecond=0))
        event.add("dtstart", item.at.replace(microsecond=0))
        event.add("summary", item.title)
        if item.text:
            event.add("description", item.text)
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    found: bytes = made.to_ical()
    return found
