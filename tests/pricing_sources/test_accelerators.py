"""One identity for hardware: every label means one accelerator, or goes to a person."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.accelerators import ACCELERATORS, FORMATS, VERSION, accelerator_by_id, normalised, resolve
from pricing_sources.compute.azure_retail_prices import SIZES as AZURE_SIZES
from pricing_sources.observation import GpuSeries, Observation
from pricing_sources.protocols.aws_sizes import SIZES as AWS_SIZES
from pricing_sources.registry import source_by_id
from tests.pricing_sources.reading import read

LEFT_TO_A_PERSON = {
    "A100",  # of 80 GB, SXM or PCIe
    "A100 40GB",
    "A100 80GB",
    "A100-40GB",
    "A100-40GB-320GB",
    "A100-80GB",
    "A100-80GB-160GB",
    "A100-80GB-320GB",
    "A100-80GB-640GB",
    "A100-SXM-2-80G",
    "B300-SXM-2-288G",
    "B300-SXM-4-288G",
    "B300-SXM-8-288G",
    "Compute - Bare Metal GPU Standard - X7",
    "Compute - Virtual Machine GPU Standard - X7",
    "H100",
    "H100-1-80G",
    "H100-2-80G",
    "H100-SXM-2-80G",
    "H200",
    "NVIDIA_A100",
    "Nvidia Tesla A100",
    "RTX6000",
    "Tesla-V100",
    "V100",
    "h100",
    "nvidia_h100",
}
"""Labels of recorded documents that do not say which of several accelerators they mean."""
DOCUMENTS = (
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
    unresolved = set()
    for source, name in DOCUMENTS:
        for reading in read(source_by_id(source), (recorded / "gpu" / name).read_bytes()):
            if isinstance(reading, Observation) and isinstance(reading.series, GpuSeries):
                label = reading.series.accelerator
                if label and resolve(label, memory_gb=reading.series.gpu_memory_gb).accelerator is None:
                    unresolved.add(label)
    assert unresolved <= LEFT_TO_A_PERSON


def test_every_label_of_our_own_tables_of_machines_is_known() -> None:
    for size in (*AZURE_SIZES.values(), *AWS_SIZES.values()):
        memory = getattr(size, "gpu_memory_gb", None) or size.memory_gb
        assert resolve(size.accelerator, memory_gb=memory).accelerator is not None, size


@pytest.mark.parametrize(
    ("label", "memory", "found"),
    [
        ("H100 SXM", 80, "nvidia-h100-sxm-80gb"),
        ("h100_sxm", None, "nvidia-h100-sxm-80gb"),
        ("B300 SXM6 268GB", 268, "nvidia-b300-sxm"),
        ("A100 SXM", 80, "nvidia-a100-sxm-80gb"),
        ("Tesla-V100", 32, "nvidia-v100-32gb"),
        ("RTX 4090", 24, "nvidia-rtx-4090"),
    ],
)
def test_a_label_is_looked_up_whatever_its_spelling(label: str, memory: int | None, found: str) -> None:
    match = resolve(label, memory_gb=None if memory is None else Decimal(memory))
    assert match.accelerator is not None
    assert match.accelerator.id == found


def test_a_card_with_other_memory_than_its_name_promises_is_not_taken_for_it() -> None:
    """48 GB RTX 4090s are offered on marketplaces; they are not the card NVIDIA made."""
    match = resolve("RTX 4090", memory_gb=Decimal(48))
    assert (match.accelerator, [one.id for one in match.candidates]) == (None, ["nvidia-rtx-4090"])


def test_a_family_is_never_guessed_at() -> None:
    assert resolve("H100", memory_gb=Decimal(80)).accelerator is None
    assert [one.form_factor for one in resolve("H100", memory_gb=Decimal(80)).candidates] == ["SXM5", "PCIe"]
    assert resolve("something new") == resolve("")


def test_no_two_accelerators_share_an_id_or_an_alias() -> None:
    assert max(Counter(one.id for one in ACCELERATORS).values()) == 1
    spellings = Counter(alias for one in ACCELERATORS for alias in {normalised(alias) for alias in one.aliases})
    assert [alias for alias, times in spellings.items() if times > 1] == []


def test_every_figure_has_an_address_and_a_date() -> None:
    for one in ACCELERATORS:
        for name, figure in one.figures.items():
            assert figure.source.startswith("https://"), (one.id, name)
            assert figure.read_on
            assert figure.value > 0
        assert not one.unsupported & one.figures.keys()
        assert one.unsupported <= set(FORMATS)


def test_peaks_are_dense() -> None:
    h100 = accelerator_by_id("nvidia-h100-sxm-80gb")
    assert (h100.peak_flops("bf16"), h100.peak_flops("fp8"), h100.peak_flops("fp4")) == (989e12, 1979e12, None)
    assert (h100.figures["bandwidth"].value, h100.figures["link"].value) == (3.35e12, 450e9)
    assert "conflicts" in accelerator_by_id("nvidia-b300-sxm").note
    for one in ACCELERATORS:
        low, high = one.peak_flops("bf16"), one.peak_flops("fp8")
        assert low is None or high is None or high <= 2.03 * low, one.id


def test_unknown_and_unsupported_are_two_things() -> None:
    assert "bf16" in accelerator_by_id("nvidia-t4").unsupported
    a10 = accelerator_by_id("nvidia-a10")
    assert (a10.peak_flops("bf16"), "bf16" in a10.unsupported) == (None, False)


def test_an_id_nobody_has_names_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean nvidia-h100-sxm-80gb"):
        accelerator_by_id("nvidia-h100-sxm-80")
    assert VERSION >= 1
