"""A price list in the shape of AWS's Amazon EC2 file for one region, of any size, without keeping it.

The real file has 450 MB and more, of which about one row in a hundred is about an accelerated
machine under Linux. `make bench` and a test send this one through the feed instead.
"""

from collections.abc import Iterator, Mapping
from typing import Final

COLUMNS: Final = (
    *("SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange"),
    *("EndingRange", "Unit", "PricePerUnit", "Currency", "RelatedTo", "LeaseContractLength", "PurchaseOption"),
    *("OfferingClass", "Product Family", "serviceCode", "Location", "Location Type", "Instance Type"),
    *("Current Generation", "Instance Family", "vCPU", "Physical Processor", "Clock Speed", "Memory", "Storage"),
    *("Network Performance", "Processor Architecture", "Storage Media", "Volume Type", "Tenancy", "EBS Optimized"),
    *("Operating System", "License Model", "Group", "Group Description", "Transfer Type", "From Location"),
    *("To Location", "usageType", "operation", "AvailabilityZone", "CapacityStatus", "ClassicNetworkingSupport"),
    *("Dedicated EBS Throughput", "ECU", "Enhanced Networking Supported", "GPU", "GPU Memory", "instanceSKU"),
    *("Intel AVX Available", "Intel AVX2 Available", "Intel Turbo Available", "MarketOption"),
    *("Normalization Size Factor", "Physical Cores", "Pre Installed S/W", "Processor Features", "Product Type"),
    *("Region Code", "Resource Type", "serviceName", "Volume API Name"),
)
"""Of about a hundred, in their order."""
PREAMBLE: Final = (
    '"FormatVersion","v1.0"\n'
    '"Disclaimer","This pricing list is for informational purposes only."\n'
    '"Publication Date","2026-07-20T13:44:30Z"\n'
    '"Version","20260720134430"\n'
    '"OfferCode","AmazonEC2"\n'
)
ACCELERATED_EVERY: Final = 100
ROWS_IN_A_BLOCK: Final = 500
OPERATING_SYSTEMS: Final = ("Linux", "Windows", "RHEL", "SUSE", "Ubuntu Pro")
TENANCIES: Final = ("Shared", "Dedicated", "Host")


def head() -> bytes:
    """The preamble and the header."""
    return (PREAMBLE + _line(dict(zip(COLUMNS, COLUMNS, strict=True)))).encode()


def offer_row(number: int, cells: Mapping[str, str]) -> bytes:
    """One row: a shared Linux machine on demand in us-east-1, but for `cells`."""
    sku = f"SHAPED{number:010d}"
    row = {
        "SKU": sku,
        "OfferTermCode": "JRTCKXETXF",
        "RateCode": f"{sku}.JRTCKXETXF.6YS6EN2CT7",
        "TermType": "OnDemand",
        "PriceDescription": "$ per On Demand instance hour, a sentence of about the usual length",
        "EffectiveDate": "2026-07-01",
        "StartingRange": "0",
        "EndingRange": "Inf",
        "Unit": "Hrs",
        "PricePerUnit": "0.1234000000",
        "Currency": "USD",
        "Product Family": "Compute Instance",
        "serviceCode": "AmazonEC2",
        "Location": "US East (N. Virginia)",
        "Location Type": "AWS Region",
        "Instance Type": "m7i.large",
        "Physical Processor": "Intel Xeon Scalable (Sapphire Rapids)",
        "Network Performance": "Up to 12500 Megabit",
        "Tenancy": "Shared",
        "Operating System": "Linux",
        "License Model": "No License required",
        "usageType": f"BoxUsage:{cells.get('Instance Type', 'm7i.large')}",
        "operation": "RunInstances",
        "CapacityStatus": "Used",
        "MarketOption": "OnDemand",
        "Pre Installed S/W": "NA",
        "Processor Features": "Intel AVX; Intel AVX2; Intel AVX512; Intel Turbo; Intel AMX",
        "Region Code": "us-east-1",
        "serviceName": "Amazon Elastic Compute Cloud",
    }
    return _line(row | dict(cells)).encode()


def aws_shaped_offer(size: int) -> Iterator[bytes]:
    """At least `size` bytes of a price list, in pieces of some hundred kilobytes.

    One row in a hundred is a p5.48xlarge at 55.04 an hour; as all are the same price, one is read
    as a price and the others as its duplicates.
    """
    yield head()
    block = b"".join(_some_row(number) for number in range(ROWS_IN_A_BLOCK))
    for _ in range(-(-size // len(block))):
        yield block


def _some_row(number: int) -> bytes:
    if number % ACCELERATED_EVERY == 0:
        return offer_row(number, {"Instance Type": "p5.48xlarge", "PricePerUnit": "55.0400000000", "GPU": "8"})
    tenancy, system = TENANCIES[number % len(TENANCIES)], OPERATING_SYSTEMS[number % len(OPERATING_SYSTEMS)]
    return offer_row(number, {"Tenancy": tenancy, "Operating System": system})


def _line(row: Mapping[str, str]) -> str:
    return ",".join(f'"{row.get(name, "")}"' for name in COLUMNS) + "\n"
