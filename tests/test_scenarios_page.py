"""docs/scenarios.md: every scenario on it is priced by the command under it, which prints what the page shows."""

import re
import shutil
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.testing import CliRunner

from service.cli.main import app
from service.domain.scenario import DataPart, EngineeringPart, FineTuningPart, TrainingPart
from service.formulas.catalog_costs import COSTS

PAGE = (Path(__file__).parents[1] / "docs" / "scenarios.md").read_text(encoding="utf-8")
SCENARIOS = dict(re.findall(r"```yaml (\S+)\n(.*?)```", PAGE, re.DOTALL))
SHOWN = dict(re.findall(r"```console\n\$ costplan (.*?)\n(.*?)```", PAGE, re.DOTALL))
PUBLISHED = {
    DataPart: {"volume_tb", "licensing_fees", "months"},
    TrainingPart: {"gpus", "hours", "gpu_price", "idle_power_per_gpu_kw", "idle_hours"},
    FineTuningPart: {"gpus", "hours", "gpu_price", "new_data_tb", "new_data_price", "new_data_licence"},
    EngineeringPart: set(),
}
"""Fields the page need not name: those of the published formulas, and a licence like the one it shows."""


@pytest.fixture(scope="module")
def seeded(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A database that knows the bundled prices."""
    path = tmp_path_factory.mktemp("scenarios") / "costplan.db"
    shutil.copy(migrated_file, path)
    environment = {"COSTPLAN_DATABASE_URL": f"sqlite:///{path}"}
    assert CliRunner().invoke(app, ["refresh", "baseline"], env=environment).exit_code == 0
    return environment


@pytest.mark.parametrize("command", SHOWN, ids=list(SCENARIOS))
def test_every_scenario_of_the_page_costs_what_the_page_shows(
    command: str, seeded: dict[str, str], tmp_path: Path
) -> None:
    noun, verb, name, *options = command.split()
    (tmp_path / name).write_text(SCENARIOS[name], encoding="utf-8")
    done = CliRunner().invoke(app, [noun, verb, str(tmp_path / name), *options], env=seeded)
    assert done.exit_code == 0, done.stderr
    printed = "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())
    assert re.fullmatch(re.escape(SHOWN[command].rstrip()).replace("…", ".+?"), printed, re.DOTALL), printed


def test_every_scenario_of_the_page_is_shown_with_its_price() -> None:
    assert [command.split()[2] for command in SHOWN] == list(SCENARIOS)


@pytest.mark.parametrize("part", PUBLISHED, ids=lambda one: one.__name__)
def test_the_page_names_every_optional_field(part: type) -> None:
    named = set(re.findall(r"\w+", PAGE))
    assert {name for name in _names(part) - PUBLISHED[part] if name not in named} == set()


def test_the_page_shows_every_formula_that_makes_a_line() -> None:
    shown = {name for block in SHOWN.values() for name in re.findall(r"([a-z_]+\.[a-z_]+)@\d+", block)}
    lines = {"data", "engineering", "labelling", "energy"}
    made = {one.id for one in COSTS if one.id.split(".")[0] in lines} | {"capital.gpus_used_up", "capital.colocation"}
    assert made - {"energy.interval_cost", "labelling.labels"} <= shown


def _names(shape: type) -> set[str]:
    """Every field of a dataclass and of those inside it, but the ones every price has."""
    found: set[str] = set()
    for one in fields(shape):  # type: ignore[arg-type]
        found.add(one.name)
        for inner in _dataclasses(get_type_hints(shape)[one.name]):
            found |= _names(inner)
    return found - {"series", "amount", "currency"}


def _dataclasses(hint: Any) -> list[type]:
    if is_dataclass(hint) and isinstance(hint, type):
        return [hint]
    return [found for one in get_args(hint) for found in _dataclasses(one)]
