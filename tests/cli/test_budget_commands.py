"""Budgets and the gate as a person or a pipeline calls them, in a real process."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.test_cli import SCENARIO, Shell

BUDGET = (
    "name: run\nlimit: 6000\nstart: 2026-11-01\nrepeats: month\nscenario:\n"
    + "\n".join(f"  {line}" for line in SCENARIO.strip().splitlines())
    + "\n"
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("budgets"))
    made("db", "upgrade")
    made("refresh", "baseline")
    return made


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def test_a_budget_is_kept_charged_run_and_shown(shell: Shell) -> None:
    kept = shell("budget", "put", "-", given=BUDGET).stdout
    assert "run: 6,000.00 USD from 2026-11-01, every month (UTC)" in kept
    assert "next runs: " in kept
    charged = shell("budget", "charge", "run", "-", given="date,amount\n2026-11-01,9000\n").stdout
    assert "1 of 1 rows count, 0 left out" in charged
    assert shell.json("budget", "charges", "run")[0]["rows_kept"] == 1
    made = shell.json("budget", "run", "run")
    assert shell.json("estimate", "show", made["estimate_id"])["estimate"]["total"] == "5531.52"
    assert shell.json("budget", "runs", "run") == [made]
    shown = shell("budget", "show", "run").stdout
    assert "of 6,000.00 USD" in shown
    assert "run" in shell("budget", "ls").stdout


def test_a_bad_budget_names_each_field(shell: Shell) -> None:
    wrong = BUDGET.replace("limit: 6000", "limit: 0\nschedul: daily").replace("repeats: month", "repeats: weekly")
    said = shell("budget", "put", "-", given=wrong, expect=2).stderr
    assert "schedul: is not a field; did you mean schedule?" in said
    assert "repeats: " in said


def test_a_pull_request_is_let_through_or_stopped(shell: Shell) -> None:
    git(shell.folder, "init", "--initial-branch", "main")
    file = shell.folder / "scenario.yaml"
    file.write_text(SCENARIO)
    git(shell.folder, "add", "scenario.yaml")
    git(shell.folder, "commit", "-m", "one run")
    file.write_text(SCENARIO.replace("gpus: 8", "gpus: 16"))
    assert "within the limit" in shell("check", "scenario.yaml", "--max", "20000", "--against", "main").stdout
    stopped = shell("check", "scenario.yaml", "--max", "6000", "--against", "main", "--format", "markdown", expect=4)
    assert "| more or less work | +5,531.52 USD |" in stopped.stdout
    assert "STALE" in shell("check", "scenario.yaml", "--stale-after", "0", expect=5).stdout
    (shell.folder / "new.yaml").write_text(SCENARIO)
    assert "there was no such scenario" in shell("check", "new.yaml", "--against", "main").stdout


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--max", "lots"], "--max: 'lots' is not a plain decimal number"),
        (["--max", "1", "--budget", "run"], "--max: is the limit that --budget would give"),
        (["--budget", "ruin"], "there is no budget 'ruin'"),
        (["--against", "nowhere"], "--against: is neither an estimate nor a revision"),
        (["--against=--output=x"], "must be a git revision"),
    ],
)
def test_a_gate_that_cannot_be_asked_so_says_what_would_work(shell: Shell, words: list[str], error: str) -> None:
    (shell.folder / "one.yaml").write_text(SCENARIO)
    assert error in shell("check", "one.yaml", *words, expect=2).stderr
