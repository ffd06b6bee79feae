"""The page about the planner: its goals are planned, its figures over recorded documents are those it gives."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import exp
from pathlib import Path

import pytest

from pricing_sources.records.baseline import SOURCE as BASELINE
from pricing_sources.registry import source_by_id
from pricing_sources.source import Document, FetchRequest
from service.domain.as_of import AsOf
from service.domain.goal import Goal, PretrainingWork
from service.domain.plan import Plan
from service.errors import Infeasible
from service.planning.configurations import UPPER_DECILE, configured
from service.store.store import Store
from service.usecases.estimates import get_estimate
from service.usecases.placement import plan_fleet, plan_pipeline
from service.usecases.placement_questions import read_fleet, read_pipeline
from service.usecases.plan_questions import read_goal
from service.usecases.plans import new_plan
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day, recorded_folder
from tests.usecases.recorded_documents import READ

PAGE = (Path(__file__).parents[2] / "docs" / "planner.md").read_text(encoding="utf-8")
GOALS = dict(re.findall(r"```yaml (\w+)\n(.*?)```", PAGE, flags=re.DOTALL))
QUESTIONS = dict(re.findall(r"```yaml-question (\w+)\n(.*?)```", PAGE, flags=re.DOTALL))
ROW = re.compile(r"^\| ([a-z]+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TABLE = {name: tuple(cells) for name, *cells in ROW.findall(PAGE)}
NOW = day("2026-11-23T12:00")


H100, A100, V4 = "nvidia-h100-sxm-80gb", "nvidia-a100-sxm-80gb", "google-tpu-v4"
PUBLISHED = {
    "OPT-175B took": ("opt-175b", 300e9, 2048, "bf16", A100, 1024, 809_472),
    "PaLM 540B": ("palm-540b", 780e9, 2048, "bf16", V4, 6144, 8_404_992),
    "DeepSeek-V3": ("deepseek-v3", 14.8e12, 4096, "fp8", H100, 2048, 2_664_000),
    "LLaMA 65B": ("llama-65b", 1.4e12, 2048, "bf16", A100, 2048, 1_022_362),
    "Llama 3.1 405B, not among them, took 30.84 million hours of an H100 on 16,384,": (
        *("llama-3.1-405b", 15.6e12, 8192, "bf16", H100, 16_384, 30_840_000),
    ),
}
"""Model, tokens, sequence, format, accelerator, how many of them, and the hours they took as published."""


def planned(store: Store, name: str) -> Plan:
    return new_plan(store, read_goal(GOALS[name]), AsOf(NOW, NOW), now=NOW).plan


@pytest.fixture(scope="module")
def bundled(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """What an installation knows after its first command."""
    path = tmp_path_factory.mktemp("bundled") / "costplan.db"
    shutil.copy(migrated_file, path)
    clock = TickingClock(day("2026-11-23"))
    store = Store.open(f"sqlite:///{path}", clock)
    asked = FetchRequest(now=clock(), url=BASELINE.info.url)
    for document in BASELINE.fetch(None, asked):
        import_document(store, BASELINE, document, now=clock())
    yield store
    store.close()


@pytest.fixture(scope="module")
def market(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Every recorded document with prices of GPUs, and the rates of the day."""
    folder = recorded_folder()
    path = tmp_path_factory.mktemp("recorded") / "costplan.db"
    shutil.copy(migrated_file, path)
    clock = TickingClock(day("2026-11-23"))
    store = Store.open(f"sqlite:///{path}", clock)
    for one in READ:
        if one.refused or not (one.name.startswith("gpu/") or one.name.endswith("eurofxref-daily.xml")):
            continue
        name = one.saved_as or one.name.rsplit("/", 1)[1]
        seen = clock() - timedelta(minutes=1)
        body = (folder / one.name).read_bytes()
        document = Document(source_id=one.source, url=f"file:{name}", body=body, fetched_at=seen)
        import_document(store, source_by_id(one.source), document, now=clock())
    yield store
    store.close()


def test_the_fleet_of_the_page_keeps_what_it_promises(bundled: Store) -> None:
    planned = plan_fleet(bundled, read_fleet(QUESTIONS["fleet"]), AsOf(NOW, NOW), now=NOW)
    machines = {one.offer: one.machines for one in planned.mix.rented}
    carried = {"p5": 8000, "p5 spot": 7200, "far": 7500}
    assert sum(machines[name] * carried[name] for name in machines) >= 20_000
    assert sum(machines[name] * carried[name] for name in machines.keys() - {"p5 spot"}) >= 10_000
    assert machines["far"] * 7500 >= 6_000
    assert planned.mix.proof == "search"
    assert get_estimate(bundled, planned.estimate_id).estimate.total == planned.mix.cost_hour * 730
    assert {one.name for one in planned.mix.limits} >= {
        "left_without_spot",
        "left_without_region",
        "AWS grants 32 GPUs",
    }


def test_the_service_of_the_page_outlives_any_provider_and_any_region(bundled: Store) -> None:
    planned = plan_fleet(bundled, read_fleet(QUESTIONS["survivors"]), AsOf(NOW, NOW), now=NOW)
    assert planned.mix.throughput >= 20_000
    assert {one.name: one.used >= one.limit for one in planned.mix.limits if "left" in one.name} == {
        "left_without_provider": True,
        "left_without_region": True,
    }


def test_what_the_service_costs_over_recorded_documents_is_on_the_page(market: Store) -> None:
    asked = read_fleet(QUESTIONS["survivors"])
    alone, spread = (plan_fleet(market, one, AsOf(NOW, NOW), now=NOW).mix for one in (replace(asked, load=None), asked))
    told = f"costs {alone.cost_hour:.2f} USD an hour, and {spread.cost_hour:.2f} USD so that half of it outlives"
    assert told in " ".join(PAGE.split())


def test_the_pipeline_of_the_page_prepares_where_the_data_lie(bundled: Store) -> None:
    planned = plan_pipeline(bundled, read_pipeline(QUESTIONS["pipeline"]), AsOf(NOW, NOW))
    assert [(one.stage, one.region) for one in planned.plan.placed] == [("prepare", "us-east-1"), ("train", "eu-north")]
    assert planned.plan.cost == 200 + 4000 * Decimal("0.05") + 6400 * Decimal("4.60")
    assert [one.gb for one in planned.plan.transfers] == [4000]


def test_the_stages_of_the_page_that_are_goals_run_where_market_and_moving_are_cheapest(bundled: Store) -> None:
    planned = plan_pipeline(bundled, read_pipeline(QUESTIONS["searched"]), AsOf(NOW, NOW))
    assert [one.stage for one in planned.plan.placed] == ["train", "evaluate"]
    assert planned.plan.cost == sum(one.cost for one in (*planned.plan.placed, *planned.plan.transfers))
    assert {one.series for one in planned.prices} == {one.offer for one in planned.plan.placed}


@pytest.mark.parametrize("name", sorted(GOALS.keys() - {"train"}))
def test_every_goal_of_the_page_is_answered_from_the_bundled_prices(bundled: Store, name: str) -> None:
    plan = planned(bundled, name)
    assert plan.picks[0].cost > 0
    assert plan.explanation.flips


def test_of_the_bundled_prices_those_in_the_eu_are_too_dear_to_train_at_and_the_answer_says_so(bundled: Store) -> None:
    with pytest.raises(Infeasible) as refused:
        planned(bundled, "train")
    assert [one.constraint for one in refused.value.relaxations] == ["budget"]


@pytest.mark.parametrize("name", sorted(TABLE.keys() & GOALS.keys()))
def test_the_figures_over_recorded_documents_are_those_of_the_page(market: Store, name: str) -> None:
    best = planned(market, name).picks[0]
    found = best.candidate

    def time(hours: float) -> str:
        return f"{hours:.1f} h" if hours < 100 else f"{hours / 24:.1f} d"

    assert TABLE[name] == (
        f"{best.cost:,.2f} USD",
        f"{found.gpus:g} × {found.accelerator}, {found.series}",
        time(found.expected_hours),
        time(found.finish_hours),
    )


@pytest.mark.parametrize("words", PUBLISHED)
def test_what_published_fleets_took_of_the_hours_planned_is_on_the_page(words: str) -> None:
    llm, tokens, sequence, precision, accelerator, gpus, hours = PUBLISHED[words]
    work = PretrainingWork(llm=llm, tokens=tokens, sequence=sequence, batch_tokens=16_777_216, precisions=(precision,))
    [made] = [
        one
        for one in configured(Goal(name=words, pretraining=work), [accelerator]).configurations
        if one.gpus == gpus and one.batch <= work.batch_tokens
    ]
    share = hours / (made.hours * made.gpus)
    assert f"{words} {share:.2f}" in " ".join(PAGE.split())
    assert (share >= exp(-UPPER_DECILE * made.spread)) == ("405b" not in llm)


def test_how_sure_the_service_of_the_page_is_the_cheapest_is_on_the_page(market: Store) -> None:
    sure = planned(market, "serve").explanation.robustness
    assert sure is not None
    assert f"the best stays best in {sure.share:.0%} of draws".replace("%", " %") in " ".join(PAGE.split())


def test_the_page_has_the_goals_it_speaks_of() -> None:
    assert set(GOALS) == {"train", "serve", "tune", "everything"}
    assert set(TABLE) == {"train", "serve", "tune"}
