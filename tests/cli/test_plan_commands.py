"""Goals on the command line, in one process: planned, shown, explained, and refused with a code of their own."""

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from service.cli.main import app
from service.domain.standing_goal import StandingGoal
from service.store.store import Store
from service.usecases.plan_questions import read_goal
from service.usecases.standing_goals import watch_goal
from tests.conftest import TickingClock, day
from tests.usecases.market import learn_market

AT = "2026-03-02T00:00:00Z"
GOAL = """
name: an ablation
gpu_hours: {gpus: 16, hours: 100, together: 8}
accelerators: [nvidia-h100-sxm-80gb]
"""


@pytest.fixture
def run(sqlite_url: str, clock: TickingClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command over a typed market; files are written beside it."""
    store = Store.open(sqlite_url, clock)
    learn_market(store, clock, on="2026-03-01")
    store.close()
    monkeypatch.setenv("COSTPLAN_DATABASE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, given: str = "", expect: int = 0) -> Result:
        done = CliRunner().invoke(app, words, input=given)
        assert done.exit_code == expect, f"{words}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return done

    return run


def planned(run, goal: str = GOAL):
    return msgspec.json.decode(
        run("plan", "new", "-", "--valid-at", "2026-03-02T00:00:00Z", "--json", given=goal).stdout
    )


def test_a_goal_is_planned_kept_and_found_again(run) -> None:
    made = planned(run)
    assert made["plan"]["picks"][0]["cost"] == "3200"
    assert made == msgspec.json.decode(run("plan", "show", made["plan_id"][:8], "--json").stdout)
    told = run("plan", "new", "-", "--valid-at", AT, given=GOAL).stdout
    assert told.startswith(f"an ablation: 3,200.00 USD, plan {made['plan_id'][:12]}\n12 offers with 2 configurations")
    assert "market: Prices by Nimbus; CC0-1.0" in told
    assert made["plan_id"][:12] in run("plan", "ls").stdout
    [kept] = msgspec.json.decode(run("plan", "ls", "--json").stdout)
    assert kept["cost"] == "3200"
    estimate = msgspec.json.decode(
        run("estimate", "show", made["plan"]["picks"][0]["estimate_id"][:12], "--json").stdout
    )
    assert estimate["estimate"]["total"] == "3200"


def test_why_the_cheapest_is_the_cheapest_is_told(run) -> None:
    name = planned(run)["plan_id"][:12]
    told = run("plan", "explain", name).stdout
    assert "next: aws, market/aws/p5/us-east-1/on_demand, 1,600.00 USD (50.0%) dearer" in told
    assert "cheapest in 100% of 4,096 draws against 3 other offers" in told
    assert "price [currency/GPU-Hour]    2         3  +50.0%  market/aws/p5/us-east-1/on_demand" in told
    why = msgspec.json.decode(run("plan", "explain", name, "--json").stdout)
    assert why["margin"] == {"amount": "1600", "relative": 0.5}
    assert "3,200.00 USD" in run("plan", "pareto", name).stdout
    assert len(msgspec.json.decode(run("plan", "pareto", name, "--json").stdout)) == 1


def test_a_goal_that_nothing_meets_has_an_exit_code_of_its_own(run) -> None:
    impossible = f"{GOAL}budget: 10\n"
    told = run("plan", "new", "-", given=impossible, expect=3).stderr
    assert told.startswith("nothing meets the goal; it would be met with budget 3200 USD (12 offers: 4 budget, ")
    problem = msgspec.json.decode(run("plan", "new", "-", "--json", given=impossible, expect=3).stderr)
    assert problem["code"] == "infeasible-plan"
    assert [one["constraint"] for one in problem["relaxations"]] == ["budget"]


def test_a_misspelt_goal_and_a_plan_that_is_none_are_bad_input(run) -> None:
    assert "did you mean budget?" in run("plan", "new", "-", given=f"{GOAL}budgte: 1\n", expect=2).stderr
    assert "there is no plan abcdef" in run("plan", "show", "abcdef", expect=2).stderr
    assert "is not a plan id" in run("plan", "show", "no", expect=2).stderr


def test_a_goal_is_watched_planned_and_listed(run) -> None:
    assert "an ablation: watched" in run("plan", "watch", "-", "--hysteresis", "0.1", given=GOAL).stdout
    told = run("plan", "replan", "an ablation").stdout
    assert told == "best is market/nimbus/n8/eu-west-1/on_demand at 3,200.00 USD\n"
    [kept] = msgspec.json.decode(run("plan", "watched", "--json").stdout)
    assert (kept["standing_goal"]["standing"]["hysteresis"], kept["last_run"]["flipped"]) == ("0.1", False)
    assert "best is market/nimbus" in run("plan", "watched").stdout


def test_a_goal_whose_deadline_is_past_is_listed_as_ended(run, sqlite_url: str, clock: TickingClock) -> None:
    store = Store.open(sqlite_url, clock)
    goal = read_goal(f"{GOAL}deadline: 2026-04-01T00:00:00Z\n")
    watch_goal(store, StandingGoal(goal=goal), now=day("2026-03-02"))
    store.close()
    assert run("plan", "replan", "an ablation").stdout.startswith("has ended: its deadline 2026-04-01")
    assert "ended" in run("plan", "watched").stdout
    [kept] = msgspec.json.decode(run("plan", "watched", "--json").stdout)
    assert (kept["standing_goal"]["ended"], kept["standing_goal"]["standing"]["enabled"]) == (True, True)
