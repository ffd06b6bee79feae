"""Every recorded document, by what becomes of it: read by a feed, refused by one, or no feed's document.

Counts are of the documents as recorded; golden prices are those their collectors named.
"""

from dataclasses import dataclass, field
from typing import Final

NO_PRICE = "not one price in the document"


@dataclass(frozen=True)
class Recorded:
    """A document a feed reads: its rows, and where they end."""

    name: str
    source: str
    rows: int
    prices: int
    skipped: dict[str, int] = field(default_factory=dict)
    held: int = 0
    golden: dict[str, str] = field(default_factory=dict)
    """Amounts by the series' key, without the source."""
    saved_as: str = ""
    """Where the feed reads more off a saved document's name than these keep."""
    refused: str = ""
    """In which words the refresh says no; nothing of such a document becomes a price."""


def _blocks(name: str, rows: int = 60, held: int = 2, **skipped: int) -> Recorded:
    golden = {"p6-b300.48xlarge/us-west-2/capacity_block": "11.7", "p6-b200.48xlarge/us-east-1/capacity_block": "9.36"}
    return Recorded(f"gpu/aws_capacity_blocks/{name}", "aws_capacity_blocks", rows, 58, skipped, held, golden)


READ: Final = (
    _blocks("pricing_2026-01-31_23bac71.json"),
    _blocks("pricing_2026-01-31_45e3e84.json"),
    _blocks("pricing_2026-02-01_9bb2129.json"),
    _blocks("pricing_2026-02-01_9dfcf8b.json"),
    _blocks("pricing_2026-03-01_ff99bc1.json", rows=62, held=0, unknown_region=4),
    Recorded(
        "gpu/aws_spot_advisor/spot-advisor-data.json",
        "aws_spot_advisor",
        rows=25_323,
        prices=2_471,
        skipped={"not_accelerated": 23_895, "other_operating_system": 604},
        held=1,
        golden={
            "interruption/aws_p4d.24xlarge_us-east-1/savings": "0.67",
            "interruption/aws_p5.48xlarge_us-east-1/savings": "0.52",
        },
    ),
    Recorded(
        "gpu/aws_spot_js/spot-price-data_2021.json",
        "aws_spot_prices",
        rows=3_890,
        prices=117,
        skipped={"not_accelerated": 3_610, "not_offered": 23, "other_operating_system": 140},
        golden={"p4d.24xlarge/us-east-1/spot": "1.228975"},
    ),
    Recorded(
        "gpu/azure/terracost_retail_prices.json",
        "azure_retail_prices",
        rows=4_436,
        prices=28,
        skipped={
            "dedicated_host": 74,
            "dev_test": 1_200,
            "low_priority": 395,
            "not_accelerated": 1_539,
            "windows": 1_200,
        },
        golden={
            "Standard_NC6s_v3/francecentral/on_demand": "3.58",
            "Standard_NC6s_v3/francecentral/spot": "0.761108",
            "Standard_NV48s_v3/francecentral/reserved_3y": "0.626997716895",
        },
    ),
    Recorded(
        "gpu/azure/compute_index_westeurope_fixture.json",
        "azure_retail_prices",
        rows=7,
        prices=0,
        skipped={"not_accelerated": 1},
        held=6,
        refused="effectiveStartDate is None",
    ),
    Recorded(
        "gpu/aws_offer/AmazonEC2_eu-west-3_excerpt.csv",
        "aws_ec2_offers",
        rows=5,
        prices=0,
        skipped={"not_accelerated": 5},
        refused=NO_PRICE,
    ),
    Recorded(
        "gpu/digitalocean/gpuhunt_sizes.json",
        "digitalocean",
        rows=3,
        prices=2,
        skipped={"not_accelerated": 1},
        golden={"gpu-h100x8-640gb/global/on_demand": "2.99"},
    ),
    Recorded(
        "gpu/gcp/opencost_skus_compute_engine_excerpt.json",
        "gcp_billing_catalog",
        rows=7,
        prices=3,
        skipped={"not_accelerated": 6},
        golden={"Nvidia_Tesla_A100/us-central1/accelerator_only/on_demand": "2.933908"},
    ),
    Recorded(
        "gpu/linode/libcloud_linode_v4_list_types.json",
        "linode",
        rows=28,
        prices=4,
        skipped={"not_accelerated": 24},
        golden={"g1-gpu-rtx6000-4/global/on_demand": "1.5"},
    ),
    Recorded(
        "gpu/linode/types.json",
        "linode",
        rows=70,
        prices=4,
        skipped={"not_accelerated": 99},
        golden={"g1-gpu-rtx6000-1/global/on_demand": "1.5"},
    ),
    Recorded(
        "gpu/oci/prices_usd.json",
        "oci",
        rows=520,
        prices=19,
        skipped={"not_accelerated": 513},
        golden={"B98415/global/on_demand": "10", "BM.GPU4.8/global/on_demand": "3.05"},
    ),
    Recorded(
        "gpu/oci/gpuhunt_cloudestimator_shapes_excerpt.json",
        "oci",
        rows=0,
        prices=0,
        refused="a list of machine shapes, without a price",
    ),
    Recorded(
        "gpu/oci/opencost_shape_part_numbers.json",
        "oci",
        rows=0,
        prices=0,
        refused="which parts each machine shape is billed by, without a price",
    ),
    Recorded(
        "gpu/ovh/catalog_public_cloud_excerpt.json",
        "ovhcloud",
        rows=13,
        prices=2,
        skipped={"not_accelerated": 11},
        golden={"a100-180/global/on_demand": "2.75"},
    ),
    Recorded(
        "gpu/runpod/compute_index_gputypes.json",
        "runpod",
        rows=49,
        prices=66,
        skipped={"placeholder_price": 30, "unknown_gpu": 2},
        golden={
            "NVIDIA_H100_80GB_HBM3/global/secure/on_demand": "2.99",
            "NVIDIA_H100_80GB_HBM3/global/community/on_demand": "2.69",
            "AMD_Instinct_MI300X_OAM/global/secure/on_demand": "2.19",
        },
    ),
    Recorded(
        "gpu/scaleway/compute_index_products_servers_fr_par_2.json",
        "scaleway",
        rows=11,
        prices=9,
        skipped={"no_price": 1, "not_accelerated": 1},
        golden={"H100-1-80G/fr-par-2/on_demand": "2.8665"},
    ),
    Recorded(
        "gpu/scaleway/product_catalog_v2alpha1_excerpt.json",
        "scaleway",
        rows=17,
        prices=1,
        skipped={"not_accelerated": 16},
        golden={"B300-SXM-8-288G/fr-par-2/on_demand": "7.5"},
    ),
    Recorded(
        "gpu/skypilot/v8_nebius_vms_0082b043.csv",
        "skypilot_catalog",
        rows=61,
        prices=29,
        skipped={"no_spot_price": 13, "not_accelerated": 40},
        golden={"nebius/gpu-h100-sxm_8gpu-128vcpu-1600gb/eu-north1/on_demand": "2.95"},
    ),
    Recorded(
        "gpu/skypilot/v8_verda_vms_538675a0.csv",
        "skypilot_catalog",
        rows=45,
        prices=83,
        skipped={"no_spot_price": 7},
        golden={"verda/8B300.240V/FIN-03/on_demand": "4.95"},
    ),
    Recorded(
        "gpu/skypilot/v8_vast_vms_01b8cdda.csv",
        "skypilot_catalog",
        rows=67,
        prices=0,
        skipped={"synthetic_price": 67},
        refused=NO_PRICE,
    ),
    Recorded(
        "gpu/vast/compute_index_vast_bundles.json",
        "vast",
        rows=48,
        prices=428,
        skipped={"aggregated": 79, "bid_above_price": 3, "deverified": 14},
        golden={"1x_H100_SXM_80GB/US/unverified/on_demand/min": "1.3066666666666666"},
    ),
    Recorded(
        "gpu/verda/gpuhunt_instance_types.json",
        "verda",
        rows=4,
        prices=6,
        skipped={"not_accelerated": 2},
        golden={"1H100.80S.30V/global/on_demand": "3.95", "1H100.80S.30V/global/spot": "1.7"},
    ),
    Recorded(
        "gpu/vultr/gpuhunt_plans_metal.json",
        "vultr",
        rows=2,
        prices=4,
        golden={"vbm-256c-2048gb-8-mi300x-gpu/global/on_demand": "2.19"},
    ),
    Recorded(
        "gpu/vultr/gpuhunt_plans_vcg.json",
        "vultr",
        rows=3,
        prices=3,
        golden={"vcg-a100-12c-120g-80vram/global/on_demand": "2.397"},
    ),
    Recorded(
        "gpu/vultr/libcloud_vultr_v2_bare_metal.json",
        "vultr",
        rows=4,
        prices=0,
        skipped={"not_accelerated": 4},
        refused=NO_PRICE,
    ),
    Recorded(
        "gpu/vultr/libcloud_vultr_v2_list_sizes.json",
        "vultr",
        rows=21,
        prices=0,
        skipped={"not_accelerated": 21},
        refused=NO_PRICE,
    ),
    Recorded(
        "other/aemo/PUBLIC_ARCHIVE%23DISPATCHPRICE%23FILE01%23202409010000.zip",
        "aemo",
        rows=2_881,
        prices=2_880,
        held=1,
        golden={"AU-SA/all/wholesale_spot/PT5M": "103.23767"},
    ),
    Recorded(
        "other/aemo/PUBLIC_DVD_TRADINGPRICE_202109010000.zip",
        "aemo",
        rows=481,
        prices=480,
        held=1,
        golden={"AU-SA/all/wholesale_spot/PT30M": "23.52"},
    ),
    Recorded(
        "other/aemo/PUBLIC_DVD_TRADINGPRICE_202110010000.zip",
        "aemo",
        rows=2_881,
        prices=2_880,
        held=1,
        golden={"AU-SA/all/wholesale_spot/PT5M": "69.45"},
    ),
    Recorded(
        "other/aemo/dispatchis_2026-09-09_excerpt.csv",
        "aemo",
        rows=4,
        prices=2,
        skipped={"another_table": 1},
        held=1,
        golden={"AU-NSW/all/wholesale_spot/PT5M": "65.5"},
    ),
    Recorded(
        "other/bls/oews_v1_2026-07-22_abridged.json",
        "bls_oews",
        rows=4,
        prices=4,
        golden={"15-1252/US/mean": "148100", "15-1252/US-M-0019100/mean": "138810"},
    ),
    Recorded(
        "other/bls/topcoded_2018.json",
        "bls_oews",
        rows=3,
        prices=1,
        skipped={"no_data_for_year": 2},
        golden={"29-1023/US/median": "208000"},
    ),
    Recorded("other/bls/threshold_http200.json", "bls_oews", rows=0, prices=0, refused="Daily threshold"),
    Recorded(
        "other/bls/series_does_not_exist_excerpt.json",
        "bls_oews",
        rows=1,
        prices=0,
        held=1,
        refused=NO_PRICE,
    ),
    Recorded("other/ecb/eurofxref-daily.xml", "ecb", rows=31, prices=31, golden={"EUR/USD": "1.0556"}),
    Recorded("other/ecb/eurofxref.csv", "ecb", rows=1, prices=29, golden={"EUR/USD": "1.1684"}),
    Recorded(
        "other/ecb/eurofxref-hist.zip",
        "ecb",
        rows=6_983,
        prices=217_555,
        skipped={"not_quoted": 68_748},
        golden={"EUR/USD": "1.1684", "EUR/JPY": "186.75"},
    ),
    Recorded(
        "other/eia-861m/sales_revenue.xlsx",
        "eia_861m",
        rows=9_718,
        prices=44_290,
        skipped={"annual_total": 80, "footnote": 3, "no_sales": 4_196},
        held=9,
        golden={
            "US/industrial/retail_average": "0.082064719",
            "US/commercial/retail_average": "0.13088276",
            "US-AK/industrial/retail_average": "0.2001",
        },
    ),
    Recorded("other/eia/US-NW-PGE-with-nulls.json", "eia_v2", rows=0, prices=0, refused="'price' is missing"),
    Recorded("other/eia/US_NW_BPAT-consumption.json", "eia_v2", rows=0, prices=0, refused="'price' is missing"),
    Recorded(
        "other/energy-charts/price_DE-LU_2024-05-04.json",
        "energy_charts",
        rows=24,
        prices=24,
        golden={"DE-LU/all/wholesale_day_ahead/PT1H": "83.6"},
    ),
    Recorded(
        "other/energy-charts/price_DE-LU_2024-12-08_NoUnit.json",
        "energy_charts",
        rows=24,
        prices=0,
        held=24,
        refused="prices in 'No Unit'",
    ),
    Recorded(
        "other/entsoe/ES_day_ahead_price.xml",
        "entsoe",
        rows=240,
        prices=240,
        golden={"ES/all/wholesale_day_ahead/PT15M": "103.27"},
    ),
    Recorded(
        "other/genai-prices/v2-data.json",
        "genai_prices",
        rows=1_544,
        prices=3_256,
        skipped={"no_price": 157, "superseded": 67},
        golden={"openai/o3/input": "2"},
    ),
    Recorded("other/genai-prices/v1-data-FROZEN.json", "genai_prices", rows=0, prices=0, refused="frozen"),
    Recorded(
        "other/openrouter/api_v1_models.json",
        "openrouter",
        rows=364,
        prices=944,
        skipped={"decided_per_request": 6, "free": 58, "unit_unclear": 15, "whichever_is_newest": 42},
        golden={"openrouter/openai_gpt-3.5-turbo/output": "1.5"},
    ),
    Recorded(
        "other/octopus/agile_documented_row.json",
        "octopus_agile",
        rows=2,
        prices=4,
        golden={"GB-C/residential/retail_x_vat/PT30M": "0.1804"},
        saved_as="E-1R-AGILE-24-10-01-C.json",
    ),
    Recorded(
        "gpu/skypilot/v8_common_accelerators_001ca549.csv",
        "skypilot_catalog",
        rows=0,
        prices=0,
        refused="no column InstanceType",
        saved_as="v8_nebius_vms.csv",
    ),
)

PEERS = "what a peer made of prices it read"
FACTS = "facts about hardware, not prices"
NOT_A_FEED: Final = {
    "gpu/README.md": "where the others came from",
    "other/README.md": "where the others came from",
    "gpu/aws_describe_instance_types/moto_gpu_subset.json": f"{FACTS}: test_aws_sizes holds our table against it",
    "gpu/gcp/gpuhunt_tpu_pricing_table.json": "typed by a peer; no page says since when",
    "gpu/hardware/epoch_chip_dataset_excerpt.csv": FACTS,
    "gpu/hardware/epoch_hardware_prices.csv": "purchase prices others collected, each under its own page's terms",
    "gpu/karpenter_aws/on_demand_gpu_history.csv": f"{PEERS}: test_real_history puts it into Amazon's own shape",
    "gpu/karpenter_azure/on_demand_nseries_history.csv.gz": f"{PEERS} of Azure, without meters",
    "gpu/primeintellect_timeseries/A100_80GB_PCIe.jsonl.gz": PEERS,
    "gpu/primeintellect_timeseries/A100_80GB_SXM4.jsonl.gz": PEERS,
    "gpu/primeintellect_timeseries/GH200_96GB.jsonl.gz": PEERS,
    "gpu/primeintellect_timeseries/H100_80GB_PCIe.jsonl.gz": PEERS,
    "gpu/primeintellect_timeseries/H100_80GB_SXM5.jsonl.gz": PEERS,
    "gpu/runpod/openapi_v2_catalog_gpus.json": "a specification: test_runpod_rest_v2 reads the example inside",
    "other/awattar/marketdata_row.json": "one row of a feed we do not ask",
    "other/bls/series_id_codes.json": "a list of codes",
    "other/codecarbon/cloud_impact.csv": "carbon, not prices",
    "other/codecarbon/global_energy_mix.json": "carbon, not prices",
    "other/epoch-fred/PCU518210518210.csv": "a mirror of BLS: test_bls_price_indexes holds a typed figure against it",
    "other/epoch-fred/hardware_prices.head.csv": "purchase prices others collected, without a licence",
    "other/genai-prices/v2-data.schema.json": "the schema of the document beside it",
    "other/mlco2-impact/impact.csv": "carbon, not prices",
}

AWAITED: Final[dict[str, str]] = {}
"""Documents whose feed is not built yet, and its name."""
