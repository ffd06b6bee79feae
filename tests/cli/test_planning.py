"""The planner on the command line: the same answers as the use cases, told and as JSON."""

import re
from pathlib import Path

import pytest

from tests.cli.test_cli import Shell

COMMITMENTS = """
demand:
  paths: [[8, 8, 24, 24, 24, 8, 8, 8]]
  step_hours: 24
on_demand: {series: baseline/p5.48xlarge/us-east-1/on_demand}
offered:
  - {name: a week, term_hours: 168, hourly: {amount: 4.00}}
  - {name: three days, term_hours: 72, hourly: {amount: 5.00}}
lot: 8
purchase_hours: [48]
"""
START = """
hours: 2
units: 100
earliest: 2026-03-01T00:00:00Z
deadline: 2026-03-01T03:00:00Z
suspendable: true
slots:
  - {start: 2026-03-01T00:00:00Z, end: 2026-03-01T01:00:00Z, price: 0.08}
  - {start: 2026-03-01T01:00:00Z, end: 2026-03-01T02:00:00Z, price: 0.31}
  - {start: 2026-03-01T02:00:00Z, end: 2026-03-01T03:00:00Z, price: 0.07}
"""
BUY_OR_RENT = """
gpus: 64
ways:
  - {name: on demand, rent: {gpu_price: {series: baseline/p5.48xlarge/us-east-1/on_demand}}}
  - {name: reserved, rent: {gpu_price: {amount: 3.44}, committed: true}}
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("plan"))
    made("db", "upgrade")
    made("refresh", "baseline")
    for name, text in (("commit.yaml", COMMITMENTS), ("start.yaml", START), ("buy.yaml", BUY_OR_RENT)):
        (Path(made.folder) / name).write_text(text)
    return made


def test_commitments_are_planned_from_the_price_book(shell: Shell) -> None:
    found = shell.json("plan", "commitments", "commit.yaml")
    assert [one["amount"] for one in found["prices"]] == ["6.88"]
    assert [(one["units"], one["break_even_utilisation"]) for one in found["plan"]["committed"]] == [
        ("8", "0.581395"),
        ("0", "0.726744"),
    ]
    told = shell("plan", "commitments", "commit.yaml").stdout
    assert (
        "0 to 8 units on a week: even the last is needed in 100.0 % of its hours; it beats on demand from 58.1 %"
        in told
    )
    # Sixteen more for the three days of the peak, each hour 1.88 below on demand.
    assert "2,165.76 USD less than buying at the start alone" in told


def test_a_start_is_told(shell: Shell) -> None:
    told = shell("plan", "start", "start.yaml").stdout
    assert "15.00 USD, 24.00 USD less than at once" in told
    assert "suspended from 2026-03-01T01:00:00+00:00 to 2026-03-01T02:00:00+00:00" in told


def test_a_break_even_is_told(shell: Shell) -> None:
    told = shell("plan", "buy-or-rent", "buy.yaml").stdout
    assert "on demand is cheapest up to utilisation 0.5, where the two cost the same; then reserved" in told


def test_what_may_be_chosen_is_said_as_it_is_written(shell: Shell) -> None:
    refused = shell("plan", "commitments", "-", given="unit: hours\n" + COMMITMENTS, expect=2).stderr
    assert "unit: must be 'GPU-Hours' or 'Instance-Hours', not 'hours'" in refused


FLEET = """
load: {throughput: 20000, left_without_region: 0.3}
offers:
  - {name: p5, provider: aws, region: us-east-1, accelerator: H100, gpus: 8, throughput: 8000,
     price: {series: baseline/p5.48xlarge/us-east-1/on_demand}}
  - {name: far, provider: nimbus, region: eu, accelerator: H100, gpus: 8, throughput: 7500, price: {amount: 9}}
"""
PIPELINE = """
data_sets: [{name: text, regions: [us-east-1]}]
stages:
  - name: train
    reads: [{of: text, gb: 1000}]
    offers:
      - {name: p5, region: us-east-1, hours: 10, units: 8, price: {series: baseline/p5.48xlarge/us-east-1/on_demand}}
      - {name: far, region: eu, hours: 10, cost: 100}
egress: [{from_region: us-east-1, price: {amount: 0.05}}]
"""


def test_a_fleet_is_told_with_what_limits_it_and_whose_prices_they_are(shell: Shell) -> None:
    (shell.folder / "fleet.yaml").write_text(FLEET)
    told = shell("plan", "fleet", "fleet.yaml").stdout
    assert "p5" in told
    assert "left_without_region" in told
    found = shell.json("plan", "fleet", "fleet.yaml")
    assert sum(one["machines"] for one in found["mix"]["rented"]) == 3
    assert [one["series"] for one in found["prices"]] == ["baseline/p5.48xlarge/us-east-1/on_demand"]


def test_a_fleet_is_opened_and_run_again_by_the_name_of_its_estimate(shell: Shell) -> None:
    (shell.folder / "fleet.yaml").write_text(FLEET)
    told = shell("plan", "fleet", "fleet.yaml").stdout
    [name] = re.findall(r"for 730 hours; see: costplan estimate show ([0-9a-f]{12})", told)
    assert "assumed: a load without a goal is priced for a month of 730 hours" in told
    shown = shell.json("estimate", "show", name)["estimate"]
    assert {one["name"] for one in shown["line_items"]} == {"gpu_hours.p5", "gpu_hours.far"}
    assert shell.json("estimate", "rerun", name)["same_bytes"]


def test_a_pipeline_is_told_with_what_moves(shell: Shell) -> None:
    (shell.folder / "pipeline.yaml").write_text(PIPELINE)
    told = shell("plan", "pipeline", "pipeline.yaml").stdout
    assert "1000 GB of text move from us-east-1 to eu" in told
    assert shell.json("plan", "pipeline", "pipeline.yaml")["plan"]["cost"] == "150"
