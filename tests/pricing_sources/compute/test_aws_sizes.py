"""The table of EC2 instance types: what it says, and where it contradicts AWS's own API."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.documents import exact_json
from pricing_sources.protocols.aws_sizes import SIZES, looks_accelerated
from pricing_sources.units import divided

OVERRIDDEN = ("g5.", "g6", "gr6", "trn2", "p6-")
"""Families whose memory or count the API misreports, or states for the whole chip."""


@pytest.mark.parametrize(
    ("name", "accelerator", "count", "memory_gb"),
    [
        ("p3.2xlarge", "V100 16GB", "1", "16"),
        ("p3dn.24xlarge", "V100 32GB", "8", "32"),
        ("p4d.24xlarge", "A100 SXM 40GB", "8", "40"),
        ("p4de.24xlarge", "A100 SXM", "8", "80"),
        ("p5.4xlarge", "H100 SXM", "1", "80"),
        ("p5en.48xlarge", "H200 SXM", "8", "141"),
        ("p6-b300.48xlarge", "B300", "8", "268"),
        ("g5.12xlarge", "A10G", "4", "24"),
        ("g6.48xlarge", "L4", "8", "24"),
        ("g6f.large", "L4", "0.125", "24"),
        ("gr6f.4xlarge", "L4", "0.5", "24"),
        ("g6e.24xlarge", "L40S", "4", "48"),
        ("trn2.48xlarge", "Trainium2", "16", "96"),
        ("dl1.24xlarge", "Gaudi", "8", "32"),
    ],
)
def test_a_type_holds_what_its_page_states(name: str, accelerator: str, count: str, memory_gb: str) -> None:
    size = SIZES[name]
    assert (size.accelerator, size.count, size.memory_gb) == (accelerator, Decimal(count), Decimal(memory_gb))


def test_every_type_has_a_page_a_count_and_a_family_that_is_recognised() -> None:
    assert len(SIZES) == 96
    assert all(size.source.startswith("https://") and size.count > 0 for size in SIZES.values())
    assert all(map(looks_accelerated, SIZES))


@pytest.mark.parametrize("name", ["m7i.large", "f1.2xlarge", "vt1.3xlarge", "mac2.metal", "", "p5", "p5.48xlarge x"])
def test_a_type_of_another_family_is_not_accelerated(name: str) -> None:
    assert not looks_accelerated(name)


def test_a_quotient_no_decimal_holds_has_twelve_digits() -> None:
    assert divided(Decimal(1), Decimal(6)) == Decimal("0.166666666667")


def test_counts_and_memories_are_those_of_the_recorded_api_but_for_the_families_it_gets_wrong(recorded: Path) -> None:
    answers = exact_json((recorded / "gpu/aws_describe_instance_types/moto_gpu_subset.json").read_bytes())
    assert set(answers) <= set(SIZES)
    compared = 0
    for name, answer in answers.items():
        if not name.startswith(OVERRIDDEN) or name.startswith("g5g"):
            [stated] = devices(answer)
            memory = (stated["MemoryInfo"]["SizeInMiB"] / 1024).to_integral_value()
            assert (name, SIZES[name].count, SIZES[name].memory_gb) == (name, stated["Count"], memory)
            compared += 1
    assert compared == 49


def test_every_type_that_aws_ever_sold_in_the_recorded_history_is_in_the_table(recorded: Path) -> None:
    with (recorded / "gpu/karpenter_aws/on_demand_gpu_history.csv").open() as file:
        assert {row["instance_type"] for row in csv.DictReader(file)} <= set(SIZES)


def devices(answer: dict[str, dict[str, list[dict[str, dict[str, Decimal]]]]]) -> list[dict[str, dict[str, Decimal]]]:
    places = (("GpuInfo", "Gpus"), ("NeuronInfo", "NeuronDevices"), ("InferenceAcceleratorInfo", "Accelerators"))
    return next(answer[outer][inner] for outer, inner in places if answer.get(outer))
