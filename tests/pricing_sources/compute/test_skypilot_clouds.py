"""SkyPilot's catalogs: the clouds that came late, each in the shape of its own file."""

from decimal import Decimal

import pytest

from pricing_sources.observation import Observation, Skipped
from pricing_sources.units import Unit
from tests.pricing_sources.compute.test_skypilot_catalog import rows, series


def test_the_floor_of_an_auction_is_no_price() -> None:
    assert rows("mithril", "h200.8x,H200,8,us-central2-b,8.0,8.0") == [Skipped("synthetic_price", "line 2")]


# One row of each file in its own order of columns; machines and figures are of 2026.
IN_THEIR_OWN_SHAPE = {
    "cudo": (
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice",
        "h100_2x8v16gb,H100-SXM,2.0,8,16,5.1416,ca-montreal-3,\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 81920}}]}\",",
        ("cudo", "ca-montreal-3", "2.5708", 80),
    ),
    "daytona": (
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,GpuInfo",
        "2x-H200,H200,2,16,200,13.1264,7.56,earth,\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 144384}}]}\"",
        ("daytona", "earth", "6.5632", 141),
    ),
    "hyperbolic": (
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,StorageGiB,Price,Region,GpuInfo,SpotPrice",
        "2x-H100-149,H100,2,149,1443,1600,2.58,default,\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 81559}}]}\",",
        ("hyperbolic", "default", "1.29", None),
    ),
    "hyperstack": (
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,Region,SpotPrice",
        "n3-L40x2,L40,2,60,116.0,\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 49152}}]}\",2.0,CANADA-1,",
        ("hyperstack", "CANADA-1", "1.0", 48),
    ),
    "jarvislabs": (
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Region,SpotPrice,Price",
        "2x_L4_56V_248G,L4,2,56.0,248,\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 24576}}]}\",IN2,,0.88",
        ("jarvislabs", "IN2", "0.44", 24),
    ),
    "lium": (
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice",
        "L40S_2x,L40S,2.0,24.0,141.0,0.76,US,\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 46080}}]}\",",
        ("lium", "US", "0.38", None),
    ),
    "primeintellect": (
        "InstanceType,UpstreamCloudId,vCPUs,AcceleratorName,AcceleratorCount,Region,AvailabilityZone,Price,SpotPrice",
        "dc_roan__8xH100_80GB__104__1024,h100-sxm5,104.0,H100,8.0,US,us-east-1,15.92,",
        ("dc_roan", "us-east-1", "1.99", None),
    ),
    "spheron": (
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,Price,Region,GpuInfo,SpotPrice,Provider,OperatingSystem",
        'n3-H100x8__CA-1,H100_PCIE,8.0,252.0,16.0,CANADA-1,"{""Gpus"": []}",,spheron-ai,Ubuntu Server 22.04 LTS',
        ("spheron", "CANADA-1", "2.0", None),
    ),
}


@pytest.mark.parametrize("cloud", IN_THEIR_OWN_SHAPE)
def test_each_cloud_is_read_in_the_shape_of_its_own_file(cloud: str) -> None:
    header, line, (provider, region, amount, memory) = IN_THEIR_OWN_SHAPE[cloud]
    first, _ = rows(cloud, line, header=header)
    found = series(first)
    assert (found.provider, found.region, found.gpu_memory_gb) == (provider, region, memory)
    assert isinstance(first, Observation)
    assert (first.amount, first.unit) == (Decimal(amount), Unit.GPU_HOUR)


def test_a_machine_that_is_only_sold_as_spot_has_one_price_in_its_zone() -> None:
    header, _, _ = IN_THEIR_OWN_SHAPE["primeintellect"]
    none, spot = rows(
        "primeintellect",
        "datacrunch__2xA100_80GB__SPOT,2A100.44V_SPOT,44.0,A100-80GB,2.0,FI,FIN-02,,1.05",
        header=header,
    )
    assert none == Skipped("no_price", "line 2, Price")
    assert (series(spot).provider, series(spot).region, series(spot).purchase) == ("verda", "FIN-02", "spot")
