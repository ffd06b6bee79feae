"""Every source we know: a tuple you can read. A new feed is one module, one document, one line."""

from difflib import get_close_matches
from typing import Final

from typing_extensions import override

from pricing_sources.compute.aws_capacity_blocks import SOURCE as AWS_CAPACITY_BLOCKS
from pricing_sources.compute.aws_ec2_offers import SOURCE as AWS_EC2_OFFERS
from pricing_sources.compute.aws_spot_advisor import SOURCE as AWS_SPOT_ADVISOR
from pricing_sources.compute.aws_spot_prices import SOURCE as AWS_SPOT_PRICES
from pricing_sources.compute.azure_retail_prices import SOURCE as AZURE_RETAIL_PRICES
from pricing_sources.compute.cloudrift import SOURCE as CLOUDRIFT
from pricing_sources.compute.digitalocean import SOURCE as DIGITALOCEAN
from pricing_sources.compute.gcp_billing_catalog import SOURCE as GCP_BILLING_CATALOG
from pricing_sources.compute.gpuhunt_catalog import SOURCE as GPUHUNT_CATALOG
from pricing_sources.compute.hyperbolic import SOURCE as HYPERBOLIC
from pricing_sources.compute.lambda_cloud import SOURCE as LAMBDA_CLOUD
from pricing_sources.compute.linode import SOURCE as LINODE
from pricing_sources.compute.lium import SOURCE as LIUM
from pricing_sources.compute.oci import SOURCE as OCI
from pricing_sources.compute.ovhcloud import SOURCE as OVHCLOUD
from pricing_sources.compute.primeintellect import SOURCE as PRIMEINTELLECT
from pricing_sources.compute.runpod import SOURCE as RUNPOD
from pricing_sources.compute.runpod_rest_v2 import SOURCE as RUNPOD_REST_V2
from pricing_sources.compute.scaleway import SOURCE as SCALEWAY
from pricing_sources.compute.shadeform import SOURCE as SHADEFORM
from pricing_sources.compute.skypilot_catalog import SOURCE as SKYPILOT_CATALOG
from pricing_sources.compute.vast import SOURCE as VAST
from pricing_sources.compute.verda import SOURCE as VERDA
from pricing_sources.compute.vultr import SOURCE as VULTR
from pricing_sources.electricity.aemo import SOURCE as AEMO
from pricing_sources.electricity.caiso import SOURCE as CAISO
from pricing_sources.electricity.eia_861m import SOURCE as EIA_861M
from pricing_sources.electricity.eia_v2 import SOURCE as EIA_V2
from pricing_sources.electricity.ember_monthly import SOURCE as EMBER_MONTHLY
from pricing_sources.electricity.energy_charts import SOURCE as ENERGY_CHARTS
from pricing_sources.electricity.entsoe import SOURCE as ENTSOE
from pricing_sources.electricity.eurostat_nrg_pc_205 import SOURCE as EUROSTAT_NRG_PC_205
from pricing_sources.electricity.nyiso import SOURCE as NYISO
from pricing_sources.electricity.octopus_agile import SOURCE as OCTOPUS_AGILE
from pricing_sources.electricity.smard import SOURCE as SMARD
from pricing_sources.errors import SourceError
from pricing_sources.fx.bls_price_indexes import SOURCE as BLS_PRICE_INDEXES
from pricing_sources.fx.ecb import SOURCE as ECB
from pricing_sources.fx.us_treasury import SOURCE as US_TREASURY
from pricing_sources.fx.world_bank_ppp import SOURCE as WORLD_BANK_PPP
from pricing_sources.labor.bls_ecec import SOURCE as BLS_ECEC
from pricing_sources.labor.bls_oews import SOURCE as BLS_OEWS
from pricing_sources.labor.h1b_lca import SOURCE as H1B_LCA
from pricing_sources.labor.ilostat import SOURCE as ILOSTAT
from pricing_sources.labor.lc_lci_lev import SOURCE as LC_LCI_LEV
from pricing_sources.llm_api.genai_prices import SOURCE as GENAI_PRICES
from pricing_sources.llm_api.openrouter import SOURCE as OPENROUTER
from pricing_sources.records.baseline import SOURCE as BASELINE
from pricing_sources.source import Source
from pricing_sources.storage.aws_data_transfer import SOURCE as AWS_DATA_TRANSFER
from pricing_sources.storage.aws_s3_storage import SOURCE as AWS_S3_STORAGE
from pricing_sources.storage.azure_bandwidth import SOURCE as AZURE_BANDWIDTH
from pricing_sources.storage.azure_storage import SOURCE as AZURE_STORAGE

SOURCES: Final[tuple[Source, ...]] = (
    AZURE_RETAIL_PRICES,
    RUNPOD,
    EIA_861M,
    ECB,
    BLS_OEWS,
    BLS_ECEC,
    AWS_EC2_OFFERS,
    AWS_SPOT_PRICES,
    AWS_SPOT_ADVISOR,
    AWS_CAPACITY_BLOCKS,
    VAST,
    AWS_S3_STORAGE,
    AWS_DATA_TRANSFER,
    SKYPILOT_CATALOG,
    GPUHUNT_CATALOG,
    GENAI_PRICES,
    OPENROUTER,
    GCP_BILLING_CATALOG,
    RUNPOD_REST_V2,
    VERDA,
    LINODE,
    VULTR,
    PRIMEINTELLECT,
    OCI,
    OVHCLOUD,
    SCALEWAY,
    ENERGY_CHARTS,
    EMBER_MONTHLY,
    SMARD,
    DIGITALOCEAN,
    LAMBDA_CLOUD,
    SHADEFORM,
    CLOUDRIFT,
    OCTOPUS_AGILE,
    US_TREASURY,
    BLS_PRICE_INDEXES,
    WORLD_BANK_PPP,
    AEMO,
    ENTSOE,
    NYISO,
    CAISO,
    EIA_V2,
    EUROSTAT_NRG_PC_205,
    LC_LCI_LEV,
    H1B_LCA,
    ILOSTAT,
    AZURE_STORAGE,
    AZURE_BANDWIDTH,
    HYPERBOLIC,
    LIUM,
    BASELINE,
)


class UnknownSource(SourceError, KeyError):
    """No source has this id; the message names those that exist."""

    code = "unknown_source"

    @override
    def __str__(self) -> str:
        """The sentence itself; a KeyError would quote it."""
        return str(self.args[0])


def source_by_id(source_id: str) -> Source:
    """The source with this id. Raises UnknownSource, which lists the ids and the nearest of them."""
    known = {source.info.id: source for source in SOURCES}
    if source_id in known:
        return known[source_id]
    nearest = get_close_matches(source_id, known, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    raise UnknownSource(f"no source is called {source_id!r}; {hint}there are {', '.join(known)}")
