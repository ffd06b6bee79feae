"""One identity for hardware: every label means one accelerator, or goes to a person."""

import csv
import gzip
import tomllib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.accelerators import (
    ACCELERATOR_DIGEST,
    ACCELERATOR_VERSION,
    ACCELERATORS,
    FORMATS,
    SCALES,
    accelerator_by_id,
    normalised,
    resolve,
)
from pricing_sources.compute.azure_retail_prices import SIZES as AZURE_SIZES
from pricing_sources.documents import exact_json
from pricing_sources.observation import GpuSeries, Observation
from pricing_sources.protocols.aws_sizes import SIZES as AWS_SIZES
from pricing_sources.registry import source_by_id
from tests.pricing_sources.reading import read

Label = tuple[str, str, Decimal | None]
"""Provider, label, memory beside it."""

LEFT_TO_A_PERSON = {
    ("", "A100"),
    ("", "A100-80GB"),
    ("", "A800"),  # of 40 or 80 GB, on a card or a module
    ("", "GH200"),  # of 96 or 144 GB
    ("", "H100"),
    ("", "H100-MEGA"),
    ("", "H100-NVLINK"),  # a card with a bridge, or a module
    ("", "H200"),
    ("", "P100"),
    ("", "RTX3060"),  # of 8 or 12 GB
    ("", "RTX3080"),  # of 10 or 12 GB
    ("", "RTX6000"),
    ("", "V100"),
    ("", "V100-32GB"),
    ("aws", "Trainium2"),  # EC2 states 512 GiB, which is what the chip does not have
    ("aws", "L4"),  # slices of 3, 6 and 12 GB in g6f
    ("azure", "V100 16GB"),  # Microsoft does not say in which form
    ("digitalocean", "nvidia_h100"),
    ("oci", "A100 40GB"),
    ("oci", "A100 80GB"),
    ("oci", "Compute - Bare Metal GPU Standard - X7"),
    ("oci", "Compute - Virtual Machine GPU Standard - X7"),
    ("oci", "H100"),
    ("oci", "V100"),
    ("ovhcloud", "A100"),
    ("runpod", "NVIDIA GeForce GTX 1050"),
    ("runpod", "NVIDIA GeForce GTX 1050 Ti"),
    ("runpod", "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb"),  # slices
    ("runpod", "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 2g.48gb"),
    ("runpod", "unknown"),
    ("vast", "A100"),
    ("vast", "H100"),
    ("vast", "H200"),
    ("vast", "RTX3060"),
    ("vast", "RTX3080"),
    ("vast", "RTX4060"),  # stands for the 4060 Ti too
    ("vast", "RTX4070"),  # stands for the 4070 Ti SUPER too
    ("vast", "RTXA2000"),
    ("vast", "V100"),
    ("verda", "A100-40GB"),
    ("verda", "A100-40GB-320GB"),
    ("verda", "A100-80GB"),
    ("verda", "A100-80GB-160GB"),
    ("verda", "A100-80GB-320GB"),
    ("verda", "A100-80GB-640GB"),
    ("verda", "H200"),
    ("verda", "RTX-PRO-6000"),
    ("verda", "Tesla V100 16GB"),
    ("verda", "Tesla-V100"),
    ("vultr", "NVIDIA_A100"),
    ("vultr", "h100"),
}
"""Labels of recorded documents that do not say which of several accelerators they mean."""
READ_BY_FEEDS = (
    ("azure_retail_prices", "azure/terracost_retail_prices.json"),
    ("runpod", "runpod/compute_index_gputypes.json"),
    ("vast", "vast/compute_index_vast_bundles.json"),
    ("verda", "verda/gpuhunt_instance_types.json"),
    ("vultr", "vultr/gpuhunt_plans_metal.json"),
    ("vultr", "vultr/gpuhunt_plans_vcg.json"),
    ("linode", "linode/types.json"),
    ("oci", "oci/prices_usd.json"),
    ("ovhcloud", "ovh/catalog_public_cloud_excerpt.json"),
    ("scaleway", "scaleway/compute_index_products_servers_fr_par_2.json"),
    ("scaleway", "scaleway/product_catalog_v2alpha1_excerpt.json"),
    ("aws_capacity_blocks", "aws_capacity_blocks/pricing_2026-03-01_ff99bc1.json"),
    ("aws_spot_prices", "aws_spot_js/spot-price-data_2021.json"),
    ("digitalocean", "digitalocean/gpuhunt_sizes.json"),
    ("gcp_billing_catalog", "gcp/opencost_skus_compute_engine_excerpt.json"),
)


def test_every_label_of_the_recorded_documents_is_known_or_left_to_a_person(recorded: Path) -> None:
    left = {
        (provider, label)
        for provider, label, memory in labels_in(recorded / "gpu")
        if resolve(label, memory_gb=memory, provider=provider).accelerator is None
    }
    changed = {"no longer resolved": left - LEFT_TO_A_PERSON, "resolved by now": LEFT_TO_A_PERSON - left}
    assert not any(changed.values()), changed


def test_every_label_of_our_own_tables_of_machines_is_known_or_left_to_a_person() -> None:
    sizes = [("azure", one.accelerator, one.gpu_memory_gb) for one in AZURE_SIZES.values()]
    sizes += [("aws", one.accelerator, one.memory_gb) for one in AWS_SIZES.values()]
    left = {
        (provider, label)
        for provider, label, memory in sizes
        if resolve(label, memory_gb=memory, provider=provider).accelerator is None
    }
    assert left == {("azure", "V100 16GB")}


@pytest.mark.parametrize(
    ("label", "memory", "found"),
    [
        ("H100 SXM", 80, "nvidia-h100-sxm-80gb"),
        ("h100_sxm", None, "nvidia-h100-sxm-80gb"),
        ("B300 SXM6 268GB", 268, "nvidia-b300-sxm"),
        ("A100 SXM", 80, "nvidia-a100-sxm-80gb"),
        ("A100 SXM", 40, "nvidia-a100-sxm-40gb"),
        ("V100 SXM2", 32, "nvidia-v100-32gb"),
        ("RTX A2000", 12, "nvidia-rtx-a2000-12gb"),
        ("GH200", 96, "nvidia-gh200-96gb"),
        ("RTX 4090", 24, "nvidia-rtx-4090"),
        ("A10G", 22, "nvidia-a10g"),
    ],
)
def test_a_label_is_looked_up_whatever_its_spelling(label: str, memory: int | None, found: str) -> None:
    match = resolve(label, memory_gb=None if memory is None else Decimal(memory))
    assert match.accelerator is not None
    assert match.accelerator.id == found


@pytest.mark.parametrize(
    ("provider", "label", "memory", "found"),
    [
        ("aws", "H100", 80, "nvidia-h100-sxm-80gb"),
        ("aws", "A100", 40, "nvidia-a100-sxm-40gb"),
        ("gcp", "Nvidia Tesla A100", None, "nvidia-a100-sxm-40gb"),
        ("linode", "RTX6000", None, "nvidia-quadro-rtx-6000"),
        ("runpod", "Tesla V100", 16, "nvidia-v100-pcie-16gb"),
        ("scaleway", "H100-2-80G", None, "nvidia-h100-pcie-80gb"),
    ],
)
def test_a_provider_whose_documentation_says_so_means_one_of_them(
    provider: str, label: str, memory: int | None, found: str
) -> None:
    memory_gb = None if memory is None else Decimal(memory)
    match = resolve(label, memory_gb=memory_gb, provider=provider)
    assert match.accelerator is not None
    assert match.accelerator.id == found
    assert match.source.startswith("https://")
    assert resolve(label, memory_gb=memory_gb).accelerator is None


def test_what_holds_everywhere_holds_at_a_provider_too() -> None:
    assert resolve("H100 PCIe", provider="aws") == resolve("H100 PCIe")


def test_a_card_with_other_memory_than_its_name_promises_is_not_taken_for_it() -> None:
    """48 GB RTX 4090s are offered on marketplaces; they are not the card NVIDIA made."""
    match = resolve("RTX 4090", memory_gb=Decimal(48))
    assert (match.accelerator, [one.id for one in match.candidates]) == (None, ["nvidia-rtx-4090"])


@pytest.mark.parametrize(
    ("memory", "forms"),
    [(None, ["SXM5", "PCIe", "NVL"]), (80, ["SXM5", "PCIe"]), (94, ["NVL"]), (40, ["SXM5", "PCIe", "NVL"])],
)
def test_a_family_is_never_guessed_at(memory: int | None, forms: list[str]) -> None:
    """Not even where one candidate is left: there is an H100 SXM5 of 94 GB, which nobody is known to rent out."""
    match = resolve("H100", memory_gb=None if memory is None else Decimal(memory))
    assert (match.accelerator, [one.form_factor for one in match.candidates]) == (None, forms)


def test_what_nobody_knows_has_no_candidates() -> None:
    assert (resolve("something new").accelerator, resolve("something new").candidates) == (None, ())
    assert resolve("").candidates == ()


def test_no_two_accelerators_share_an_id_or_an_alias() -> None:
    assert max(Counter(one.id for one in ACCELERATORS).values()) == 1
    spellings = Counter(alias for one in ACCELERATORS for alias in {normalised(alias) for alias in one.aliases})
    assert [alias for alias, times in spellings.items() if times > 1] == []


def test_no_shared_label_is_the_alias_of_one() -> None:
    aliases = {normalised(alias) for one in ACCELERATORS for alias in one.aliases}
    shared = [normalised(label) for row in table()["family"] for label in row["labels"]]
    assert max(Counter(shared).values()) == 1
    assert aliases.isdisjoint(shared)


def test_what_a_provider_means_is_among_what_the_label_may_mean() -> None:
    for row in table()["offered"]:
        for label in row["labels"]:
            anywhere = {one.id for one in resolve(label).candidates}
            assert not anywhere or set(row["members"]) <= anywhere, label


def test_every_fact_has_an_address_and_a_date() -> None:
    for one in ACCELERATORS:
        facts = (*one.figures.values(), *one.citations.values())
        assert all(fact.source.startswith("https://") and fact.read_on == "2026-11-23" for fact in facts), one.id
        assert ("memory_gb" in one.citations, "released" in one.citations) == (True, bool(one.released))
        assert ("unsupported" in one.citations) == bool(one.unsupported)


def test_every_source_is_used_and_every_figure_is_of_a_known_kind() -> None:
    rows = table()
    used = {source for row in rows["accelerator"] for _, source in row.get("figures", {}).values()}
    used |= {source for row in rows["accelerator"] for stated in row.get("others", {}).values() for _, source in stated}
    used |= {
        row[name][1] for row in rows["accelerator"] for name in ("memory_gb", "released", "unsupported") if name in row
    }
    used |= {row["source"] for row in rows["offered"]}
    assert used == set(rows["sources"])
    for one in ACCELERATORS:
        assert one.figures.keys() <= {*FORMATS, *SCALES}
        assert one.unsupported <= set(FORMATS)
        assert not one.unsupported & one.figures.keys()
        assert all(figure.value > 0 for figure in one.figures.values())


@pytest.mark.parametrize(
    ("accelerator", "tera", "terabytes", "watts", "link"),
    [
        ("nvidia-v100-16gb", {"fp16": 125, "bf16": None}, 0.9, 300, 150),
        ("nvidia-t4", {"fp16": 65, "bf16": None}, 0.32, 70, None),
        ("nvidia-a10g", {"bf16": None, "fp16": None}, 0.6, 150, 31),
        ("nvidia-a100-sxm-40gb", {"bf16": 312, "fp8": None}, 1.56, 400, 300),
        ("nvidia-a100-sxm-80gb", {"bf16": 312, "fp8": None}, 2.04, 400, 300),
        ("nvidia-a100-pcie-80gb", {"bf16": 312}, 1.94, 300, 31),
        ("nvidia-a40", {"bf16": 149.7}, 0.696, 300, 31),
        ("nvidia-rtx-a6000", {"bf16": None}, 0.768, 300, None),
        ("nvidia-l4", {"bf16": 121, "fp8": 242}, 0.3, 72, 31),
        ("nvidia-l40s", {"bf16": 362, "fp8": 733}, 0.86, 350, 31),
        ("nvidia-rtx-4090", {"fp16": 165.15, "fp8": 330.3}, 1.008, 450, 31),
        ("nvidia-rtx-5090", {"fp16": 419.2, "fp8": 838.4, "fp4": 1676}, 1.792, 575, 63),
        ("nvidia-h100-pcie-80gb", {"bf16": 756, "fp8": 1513}, 2.0, 350, 63),
        ("nvidia-h100-sxm-80gb", {"bf16": 989, "fp8": 1979, "fp4": None}, 3.35, 700, 450),
        ("nvidia-h100-nvl-94gb", {"bf16": 835.5, "fp8": None}, 3.94, 400, None),
        ("nvidia-h200-sxm", {"bf16": 989, "fp8": 1979}, 4.8, 700, 450),
        ("nvidia-gh200-96gb", {"bf16": 989, "fp8": 1979}, 4.0, 700, 450),
        ("nvidia-gh200-144gb", {"bf16": 989, "fp8": 1979}, 4.8, None, 450),
        ("nvidia-b200-sxm", {"bf16": 2250, "fp8": 4500, "fp4": 9000}, 8.0, 1000, 900),
        ("nvidia-gb200", {"bf16": 2500, "fp8": 5000, "fp4": 10000}, 8.0, 1200, 900),
        ("nvidia-b300-sxm", {"bf16": 2250, "fp8": 4500, "fp4": 12600}, 8.0, 1000, 900),
        ("nvidia-gb300", {"bf16": 2500, "fp8": 5000, "fp4": 15000}, None, 1400, 900),
        ("amd-mi250x", {"bf16": 383, "fp8": None}, 3.28, 500, 350),
        ("amd-mi300x", {"bf16": 1307, "fp8": 2610}, 5.3, 750, 448),
        ("amd-mi325x", {"bf16": 1300, "fp8": 2610}, 6.0, 1000, 448),
        ("amd-mi355x", {"bf16": 2500, "fp8": 5000, "fp4": 10100}, 8.0, 1400, 535.5),
        ("google-tpu-v4", {"bf16": 275, "fp8": None}, 1.2, None, 45),
        ("google-tpu-v5e", {"bf16": 197, "int8": 394}, 0.82, None, 45),
        ("google-tpu-v5p", {"bf16": 459, "int8": 918}, 2.77, None, 90),
        ("google-tpu-v6e", {"bf16": 918, "fp8": 918, "int8": 1836}, 1.64, None, 90),
        ("google-tpu-v7x", {"bf16": 2307, "fp8": 4614, "fp4": None}, 7.37, None, 600),
        ("aws-trainium", {"bf16": 190, "fp8": 190}, 0.88, None, None),
        ("aws-trainium2", {"bf16": 667, "fp8": 1299}, 2.9, None, 640),
        ("intel-gaudi2", {"bf16": 432, "fp8": 865}, 2.46, 600, 300),
        ("intel-gaudi3", {"bf16": 1677, "fp8": 1677}, 3.7, 900, 600),
    ],
)
def test_figures_are_dense_and_in_one_direction(
    accelerator: str,
    tera: dict[str, float | None],
    terabytes: float | None,
    watts: float | None,
    link: float | None,
) -> None:
    one = accelerator_by_id(accelerator)
    stated = {name: figure.value for name, figure in one.figures.items()}
    for number_format, peak in tera.items():
        assert one.peak_flops(number_format) == (None if peak is None else pytest.approx(peak * 1e12)), number_format
    for name, value, scale in (("bandwidth", terabytes, 1e12), ("tdp", watts, 1), ("link", link, 1e9)):
        assert stated.get(name) == (None if value is None else pytest.approx(value * scale)), name


def test_a_format_of_half_the_bits_is_no_more_than_twice_as_fast() -> None:
    """What a sparse figure among dense ones would break. B300's fp4 is the exception that sources agree on."""
    for one in ACCELERATORS:
        for slower, faster in (("tf32", "bf16"), ("bf16", "fp8"), ("fp8", "fp4")):
            low, high = one.peak_flops(slower), one.peak_flops(faster)
            if low and high and not (one.id in {"nvidia-b300-sxm", "nvidia-gb300"} and faster == "fp4"):
                assert high <= 2.05 * low, (one.id, slower, faster)


def test_a_figure_in_doubt_keeps_what_else_is_stated() -> None:
    b300 = accelerator_by_id("nvidia-b300-sxm")
    assert [other.value for other in b300.figures["fp4"].others] == [13500e12, 15000e12]
    assert [other.value for other in b300.figures["tdp"].others] == [1750]
    assert all(other.source.startswith("https://") for figure in b300.figures.values() for other in figure.others)
    assert "conflict" in b300.note


def test_unknown_and_unsupported_are_two_things() -> None:
    assert "bf16" in accelerator_by_id("nvidia-t4").unsupported
    a10 = accelerator_by_id("nvidia-a10")
    assert (a10.peak_flops("bf16"), "bf16" in a10.unsupported) == (None, False)


def test_what_only_clouds_have_cannot_be_bought() -> None:
    sold = {one.vendor for one in ACCELERATORS if not one.cloud_only}
    assert sold == {"NVIDIA", "AMD", "Intel", "Qualcomm"}
    assert {one.id for one in ACCELERATORS if one.cloud_only and one.vendor == "NVIDIA"} == {
        "nvidia-a10g",
        "nvidia-t4g",
    }


def test_an_id_nobody_has_names_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean nvidia-h100-sxm-80gb"):
        accelerator_by_id("nvidia-h100-sxm-80")


def test_a_changed_table_has_a_new_version() -> None:
    """When this fails: raise `version` in accelerators.toml and write both here."""
    text = files("pricing_sources").joinpath("accelerators.toml").read_bytes()
    assert sha256(text).hexdigest() == ACCELERATOR_DIGEST
    assert (ACCELERATOR_VERSION, ACCELERATOR_DIGEST[:16]) == (2, "7bad506ff3c244d8")


def table() -> dict[str, Any]:
    return tomllib.loads(files("pricing_sources").joinpath("accelerators.toml").read_text(encoding="utf-8"))


def labels_in(folder: Path) -> Iterator[Label]:
    """Every label of the recorded documents, read by our feeds or, where none reads one, as it stands there."""
    for source, name in READ_BY_FEEDS:
        for reading in read(source_by_id(source), (folder / name).read_bytes()):
            if (
                isinstance(reading, Observation)
                and isinstance(reading.series, GpuSeries)
                and reading.series.accelerator
            ):
                yield reading.series.provider, reading.series.accelerator, reading.series.gpu_memory_gb
    yield from described_by_aws(folder)
    yield from listed_by_skypilot(folder / "skypilot")
    for name in (
        "aws_capacity_blocks/pricing_2026-01-31_23bac71.json",
        "aws_capacity_blocks/pricing_2026-03-01_ff99bc1.json",
    ):
        types = exact_json((folder / name).read_bytes())["instance_types"]
        yield from (("aws", row["accelerator_type"], a100_memory(kind)) for kind, row in types.items())
    for row in exact_json((folder / "runpod/compute_index_gputypes.json").read_bytes())["data"]["gpuTypes"]:
        yield "runpod", row["id"], Decimal(row["memoryInGb"])
    for path in (folder / "primeintellect_timeseries").glob("*.jsonl.gz"):
        row = exact_json(gzip.decompress(path.read_bytes()).splitlines()[0])
        yield "", " ".join(part for part in (row["gpu_type"], row["socket_type"]) if part), None
    for label in exact_json((folder / "gcp/gpuhunt_tpu_pricing_table.json").read_bytes()):
        yield "gcp", label, None


def a100_memory(instance_type: str) -> Decimal | None:
    """Capacity blocks say "A100" of both."""
    return {"p4d.24xlarge": Decimal(40), "p4de.24xlarge": Decimal(80)}.get(instance_type)


def described_by_aws(folder: Path) -> Iterator[Label]:
    sections = (
        ("GpuInfo", "Gpus"),
        ("InferenceAcceleratorInfo", "Accelerators"),
        ("NeuronInfo", "NeuronDevices"),
    )
    for row in exact_json((folder / "aws_describe_instance_types/moto_gpu_subset.json").read_bytes()).values():
        for section, kind in sections:
            for one in row.get(section, {}).get(kind, ()):
                yield "aws", one["Name"], Decimal(one["MemoryInfo"]["SizeInMiB"]) / 1024


def listed_by_skypilot(folder: Path) -> Iterator[Label]:
    """Without the memory, which is of one GPU in some files and of all in others."""
    for path in folder.glob("v8_*_vms_*.csv"):
        cloud = path.name.split("_")[1]
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            if row["AcceleratorName"]:
                yield cloud, row["AcceleratorName"], None
    for row in csv.DictReader(
        (folder / "v8_common_accelerators_001ca549.csv").read_text(encoding="utf-8").splitlines()
    ):
        yield "", row["AcceleratorName"], None
