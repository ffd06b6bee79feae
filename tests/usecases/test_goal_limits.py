"""What a goal's own limits keep out: it is named, with the least that would have to give."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.as_of import AsOf
from service.errors import Infeasible, Invalid
from service.store.store import Store
from service.usecases.plan_questions import read_goal
from service.usecases.plans import new_plan
from tests.conftest import TickingClock, day
from tests.usecases.market import learn_market

NOW = day("2026-03-02")
RUN = "name: a run\naccelerators: [nvidia-h100-sxm-80gb]\npurchases: [on_demand]\n"


@pytest.fixture(scope="module")
def market(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("limits") / "costplan.db"
    shutil.copy(migrated_file, path)
    clock = TickingClock(day("2026-03-01"))
    opened = Store.open(f"sqlite:///{path}", clock)
    learn_market(opened, clock)
    yield opened
    opened.close()


def best(store: Store, goal: str):
    return new_plan(store, read_goal(RUN + goal), AsOf(NOW, NOW), now=NOW).plan.picks[0].candidate


def missing(store: Store, goal: str) -> tuple[dict[str, str], str]:
    """The relaxations of a goal that nothing meets, and the sentence."""
    with pytest.raises(Infeasible) as refused:
        best(store, goal)
    return {one.constraint: one.needs for one in refused.value.relaxations}, str(refused.value)


def test_a_frontier_run_is_planned_on_the_fleet_its_batch_feeds(market: Store) -> None:
    goal = (
        "pretraining: {llm: llama-3.1-405b, tokens: 15e12, batch_tokens: 16777216, sequence: 8192}\n"
        "most_gpus: 16384\nwithin_hours: 7000"
    )
    found = best(market, goal)
    assert found.gpus > 16_777_216 // 8192, "more accelerators than there are sequences in a step"
    assert found.finish_hours < 7000


def test_most_gpus_that_keep_a_goal_out_are_named_with_how_many_would_do(market: Store) -> None:
    goal = "pretraining: {llm: llama-2-7b, tokens: 2e12}\nwithin_hours: 500\n"
    needs, said = missing(market, goal + "most_gpus: 64")
    assert re.search(rf"most_gpus {needs['most_gpus']} for [0-9,.]+ USD, or deadline", said)
    assert best(market, f"{goal}most_gpus: {needs['most_gpus']}").gpus == int(needs["most_gpus"])


def test_a_batch_that_keeps_a_goal_out_is_named_with_the_one_that_would_do(market: Store) -> None:
    goal = "within_hours: 500\npretraining: {llm: llama-2-7b, tokens: 2e12, batch_tokens: "
    needs, said = missing(market, goal + "262144}")
    assert f"batch_tokens {needs['batch_tokens']}" in said
    assert best(market, f"{goal}{needs['batch_tokens']}}}").gpus > 256
    goal = "within_hours: 20\nfine_tuning: {llm: llama-3.1-70b, tokens: 1e9, batch_sequences: "
    needs, _ = missing(market, goal + "1}")
    assert best(market, f"{goal}{needs['batch_sequences']}}}").finish_hours <= 20


def test_what_takes_more_than_five_years_is_no_plan_unless_a_deadline_says_so(market: Store) -> None:
    goal = "pretraining: {llm: llama-2-7b, tokens: 2e12}\nmost_gpus: 8\n"
    small = goal.replace("2e12", "10e12")
    needs, said = missing(market, small)
    assert "without a deadline nothing is planned that may take over 43800 hours" in said
    assert best(market, goal).finish_hours < 43_800
    assert best(market, small + needs["horizon"].replace(" ", ": ")).finish_hours > 43_800


def test_what_no_deadline_would_be_accepted_for_is_not_told_as_one_that_would_do(market: Store) -> None:
    needs, said = missing(market, "pretraining: {llm: llama-3.1-405b, tokens: 1e18}")
    assert (needs, "horizon" in said) == ({}, True)
    taken = "gpu_hours: {gpus: 8, hours: 100}\ninterruptions: {other_per_hour: 100}\ncheckpoints: {write_hours: 100}"
    needs, said = missing(market, taken)
    assert "horizon" in said
    assert "deadline" not in needs
    needs, _ = missing(market, "pretraining: {llm: llama-3.1-405b, tokens: 1e18}\nwithin_hours: 100")
    assert "deadline" not in needs


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("regions: [eu, us, eu]", "regions.2: 'eu' is given twice"),
        ("providers: [aws, aws]", "providers.1: 'aws' is given twice"),
        ("tiers: [secure, secure]", "tiers.1: 'secure' is given twice"),
        ("within_hours: 1e18", "within_hours: must be 0.01 to 87600, not 1e+18"),
    ],
)
def test_a_list_names_each_once_and_a_deadline_is_within_ten_years(market: Store, more: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        best(market, f"gpu_hours: {{gpus: 8, hours: 100}}\n{more}")
    assert said in str(refused.value)


def test_formats_are_named_once_and_a_size_is_one_that_may_be_trained(market: Store) -> None:
    with pytest.raises(Invalid, match=r"pretraining\.precisions\.2: 'bf16' is given twice"):
        best(market, f"pretraining: {{llm: llama-2-7b, tokens: 1e12, precisions: [{', '.join(['bf16, fp8'] * 50)}]}}")
    with pytest.raises(Invalid, match=r"pretraining\.active_parameters: must be 1000 to 1e\+14, not 1e\+18"):
        best(market, "pretraining: {active_parameters: 1e18, tokens: 1e12}")
