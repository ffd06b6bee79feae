"""The page about notifications holds: its targets can be kept, its events and waits are the ones there are."""

import re
from pathlib import Path

from service.domain.events import EVENT_TYPES
from service.domain.notifications import WAITS
from service.usecases.scenario_files import read_target

PAGE = (Path(__file__).parents[1] / "docs" / "notifications.md").read_text(encoding="utf-8")


def test_every_target_of_the_page_reads() -> None:
    targets = [read_target(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert [one.kind for one in targets] == ["webhook", "slack", "mail"]


def test_the_page_names_every_event_there_is() -> None:
    assert re.findall(r"^\| `([a-z_.]+)` \|", PAGE, re.MULTILINE) == list(EVENT_TYPES)


def test_the_page_names_the_waits_there_are() -> None:
    hours = [int(one.total_seconds() // 3600) for one in WAITS[3:]]
    told = f"{WAITS[0].seconds} seconds, {WAITS[1].seconds // 60} and {WAITS[2].seconds // 60} minutes, "
    told += f"{', '.join(map(str, hours[:-1]))} and {hours[-1]} hours"
    assert told in " ".join(PAGE.split())
