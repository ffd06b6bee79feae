"""What the README shows is what happens: its commands are run, and their output compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
SHOWN = re.compile(r"^\$ (costplan .*)\n((?:(?!\$ ).*\n)*)", flags=re.MULTILINE)


def examples() -> list[tuple[str, str]]:
    return [(c, shown) for kind, block in BLOCKS if kind == "console" for c, shown in SHOWN.findall(block)]


def as_pattern(shown: str) -> str:
    """The README writes … for what differs from run to run."""
    return re.escape(shown.rstrip()).replace("…", r".+?")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("readme")
    scenario, goal, budget = (block for kind, block in BLOCKS if kind == "yaml")
    rates = next(block for kind, block in BLOCKS if kind == "csv")
    files = {"scenario.yaml": scenario, "goal.yaml": goal, "budget.yaml": budget, "eurofxref.csv": rates}
    for name, written in files.items():
        (folder / name).write_text(written)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSTPLAN_")}  # noqa: TID251
    environment |= {
        "COSTPLAN_DATA_DIR": str(folder / "data"),
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "PYTHONUTF8": "1",
    }

    def run(command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_every_command_of_the_readme_prints_what_the_readme_shows(shell) -> None:
    shown = examples()
    assert len(shown) >= 6
    for command, output in shown:
        printed = "\n".join(line.rstrip() for line in shell(command).rstrip().splitlines())
        assert re.fullmatch(as_pattern(output), printed, flags=re.DOTALL), f"$ {command}\n{printed}"


def test_the_readme_names_the_five_formulas_as_the_catalog_does() -> None:
    from service.formulas.catalog import FORMULAS

    for one in FORMULAS:
        if one.mission:
            assert f"| {one.mission} | `{one.id}` | {one.title.split(': ', 1)[1]} |" in README


def test_the_readme_gives_the_defaults_the_settings_have() -> None:
    from service.settings import SETTINGS

    for one in SETTINGS:
        if f"`COSTPLAN_{one.name}`" in README and one.default:
            assert f"`{one.default}`" in README
