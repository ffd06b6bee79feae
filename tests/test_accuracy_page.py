"""The tables of docs/accuracy.md are what the commands above them print."""

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.main import app
from service.formulas.training_efficiency import CONSTANTS, READ_ON

PAGE = (Path(__file__).parents[1] / "docs" / "accuracy.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (?:\$ costplan )?(?P<command>.*?) -->\n(?P<shown>.*?)<!-- end -->", flags=re.DOTALL)
SHOWN = {found["command"]: found["shown"] for found in BLOCK.finditer(PAGE)}
COMMANDS = [one for one in SHOWN if one.startswith("validate")]


def printed(command: str) -> str:
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 0, done.stderr
    return "\n" + done.stdout.strip() + "\n\n"


def constants() -> str:
    rows = [
        f"| {one.name} | {one.value:g} | {one.expected:g} | {one.tolerance:.0%} | {one.rows} | {one.source} |"
        for one in CONSTANTS
    ]
    head = f"Fitted on {READ_ON}.\n\n| Constant | Value | Expected | Tolerance | Rows | Source |"
    return "\n".join(["", head, "| --- | ---: | ---: | ---: | ---: | --- |", *rows, "", ""])


@pytest.mark.parametrize("command", [one for one in COMMANDS if "$" not in one])
def test_a_table_is_what_its_command_prints(command: str) -> None:
    assert SHOWN[command] == printed(command)


@pytest.mark.parametrize("command", [one for one in COMMANDS if "$" in one])
def test_a_wider_table_is_what_its_command_prints(command: str) -> None:
    folder = os.environ.get("COSTPLAN_TRUTH")  # noqa: TID251  tests only
    if not folder:
        pytest.skip("COSTPLAN_TRUTH is not set")
    assert SHOWN[command] == printed(command.replace("$COSTPLAN_TRUTH", folder))


def test_every_fitted_constant_is_listed() -> None:
    assert SHOWN["constants"] == constants()


def test_the_page_shows_every_kind_of_table_twice() -> None:
    assert len(COMMANDS) == 9
