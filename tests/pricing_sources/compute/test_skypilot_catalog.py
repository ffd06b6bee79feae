"""SkyPilot's catalogs: what each cloud's file means by its columns."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.compute.skypilot_catalog import CLOUDS, EVERYWHERE, FETCHED, HALF, SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Observation, PricingCategory, Reading, Rejected, Skipped, Status
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest, Missing
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.test_transport import Feed, reply

DOCUMENTS = Path(__file__).parents[2] / "documents" / "skypilot_catalog"
NOW = day("2026-11-01T12:00")
HEADER = "InstanceType,AcceleratorName,AcceleratorCount,Region,Price,SpotPrice"


def read(cloud: str, body: bytes) -> list[Reading]:
    url = f"https://catalogs.example/v8/{cloud}/vms.csv"
    return list(SOURCE.parse(Document(source_id="skypilot_catalog", url=url, body=body, fetched_at=NOW)))


def typed(cloud: str) -> list[Reading]:
    [path] = DOCUMENTS.glob(f"typed_{cloud}_*.csv")
    return read(cloud, path.read_bytes())


def rows(cloud: str, *lines: str, header: str = HEADER) -> list[Reading]:
    return read(cloud, "\r\n".join([header, *lines, ""]).encode())


def prices(readings: list[Reading]) -> dict[str, tuple[str, Unit]]:
    return {
        each.series.key.split("/", 2)[2]: (str(each.amount), each.unit)
        for each in readings
        if isinstance(each, Observation)
    }


def series(reading: Reading) -> GpuSeries:
    assert isinstance(reading, Observation)
    assert isinstance(reading.series, GpuSeries)
    return reading.series


def reasons(readings: list[Reading]) -> Counter[str]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def test_a_machines_price_is_divided_by_its_gpus_and_both_prices_are_read() -> None:
    readings = typed("nebius")
    assert prices(readings) == {
        "gpu-h200-sxm_8gpu-128vcpu-1600gb/eu-north1/on_demand": ("3.50", Unit.GPU_HOUR),
        "gpu-h200-sxm_8gpu-128vcpu-1600gb/eu-north1/spot": ("1.45", Unit.GPU_HOUR),
        "gpu-l40s-a_1gpu-8vcpu-32gb/eu-north1/on_demand": ("1.5484", Unit.GPU_HOUR),
        "gpu-h200-sxm_8gpu-128vcpu-1600gb/eu-west1/on_demand": ("3.70", Unit.GPU_HOUR),
    }
    assert reasons(readings) == {"Observation": 4, "not_accelerated": 1, "no_spot_price": 1, "zero_price": 1}


def test_a_price_says_what_was_published_and_where() -> None:
    price = typed("nebius")[1]
    assert isinstance(price, Observation)
    assert (price.published_amount, price.published_unit, price.locator) == (
        *("28.00", "per machine per hour", "line 3, Price"),
    )
    assert (price.currency, price.valid_from, price.dated, price.status) == ("USD", NOW, False, Status.FINAL)
    assert (series(price).provider, series(price).accelerator) == ("nebius", "H200")
    assert (series(price).gpu_count, series(price).gpu_memory_gb) == (8, 141)


def test_spot_is_dynamic_and_on_demand_is_standard() -> None:
    categories = {series(each).purchase: series(each).pricing_category for each in typed("nebius")[1:3]}
    assert categories == {"on_demand": PricingCategory.STANDARD, "spot": PricingCategory.DYNAMIC}


def test_on_google_cloud_a_gpu_is_priced_without_its_host() -> None:
    readings = typed("gcp")
    assert prices(readings) == {
        "L4_2/us-central1/accelerator_only/on_demand": ("0.56004", Unit.GPU_HOUR),
        "L4_2/us-central1/accelerator_only/spot": ("0.2231", Unit.GPU_HOUR),
        "L4_4/us-central1/accelerator_only/on_demand": ("0.56004", Unit.GPU_HOUR),
        "L4_4/us-central1/accelerator_only/spot": ("0.2231", Unit.GPU_HOUR),
        "tpu-v6e-128/us-east1/on_demand": ("345.6", Unit.INSTANCE_HOUR),
        "tpu-v6e-128/us-east1/spot": ("69.65862", Unit.INSTANCE_HOUR),
    }
    assert reasons(readings) == {
        "Observation": 6,
        "host_of_accelerators": 1,
        "not_accelerated": 1,
        "duplicate": 2,
        "placeholder_price": 2,
    }


def test_a_slice_of_a_tpu_is_not_one_accelerator() -> None:
    [tpu] = [each for each in typed("gcp") if isinstance(each, Observation) and str(each.amount) == "345.6"]
    assert series(tpu).gpu_count is None


def test_on_aws_spot_differs_by_zone_and_the_price_does_not() -> None:
    readings = typed("aws")
    assert prices(readings) == {
        "g6e.xlarge/us-east-1/on_demand": ("1.861", Unit.GPU_HOUR),
        "g6e.xlarge/use1-az1/spot": ("1.197500", Unit.GPU_HOUR),
        "g6e.xlarge/use1-az2/spot": ("0.915400", Unit.GPU_HOUR),
        "g6f.2xlarge/eu-south-2/on_demand": ("2.13752", Unit.GPU_HOUR),
    }
    assert reasons(readings) == {"Observation": 4, "not_accelerated": 1, "duplicate": 1, "no_spot_price": 1}


def test_memory_is_believed_only_where_it_is_known_to_be_per_gpu() -> None:
    header = f"{HEADER},GpuInfo"
    line = '8B300.240V,B300,8.0,FIN-03,39.6,,"{""Gpus"": [{""MemoryInfo"": {""SizeInMiB"": 2150400}}]}"'
    assert series(rows("verda", line, header=header)[0]).gpu_memory_gb is None
    assert series(rows("nebius", line, header=header)[0]).gpu_memory_gb == 2100


def test_no_price_of_vast_is_anybodys() -> None:
    assert rows("vast", 'x,H200,1,"France, FR, EU",2.65,0.00') == [Skipped("synthetic_price", "line 2")]


def test_a_sellers_machine_is_the_sellers_and_not_the_aggregators() -> None:
    first, _, second, _ = rows(
        "shadeform",
        "massedcompute_A6000x8,A6000,8.0,kansascity-usa-1,4.56,",
        "lambdalabs_A10,A10,1.0,dulles-usa-1,1.29,",
    )
    assert (series(first).provider, series(first).sku) == ("massedcompute", "massedcompute_A6000x8")
    assert series(second).provider == "lambda"


def test_a_machine_without_a_seller_is_rejected() -> None:
    for cloud, between in (("shadeform", "_"), ("primeintellect", "__")):
        doubt = rows(cloud, "A10,A10,1.0,dulles-usa-1,1.29,")[0]
        assert isinstance(doubt, Rejected)
        assert doubt.reason == f"InstanceType is 'A10'; a seller, {between!r} and a type were expected"


def test_a_spot_price_that_repeats_the_price_is_none_on_runpod_and_one_elsewhere() -> None:
    line = "1x_A100-80GB_SECURE,A100-80GB,1.0,IN,1.39,1.39"
    assert rows("runpod", line)[1] == Skipped("spot_repeats_price", "line 2, SpotPrice")
    assert isinstance(rows("verda", line)[1], Observation)


def test_oracles_spot_price_is_half_by_rule_and_says_so() -> None:
    price, spot = rows("oci", "VM.GPU3.1,V100,1,af-casablanca-1,2.95,1.475")
    assert isinstance(price, Observation)
    assert isinstance(spot, Observation)
    assert (price.status, price.note) == (Status.FINAL, EVERYWHERE)
    assert (spot.status, spot.note) == (Status.DERIVED, f"{HALF}; {EVERYWHERE}")
    assert HALF == "half of the price, by the cloud's rule for preemptible machines"


@pytest.mark.parametrize(("cloud", "says_so"), [("lambda", True), ("oci", True), ("runpod", True), ("nebius", False)])
def test_a_price_in_a_region_does_not_say_that_the_machine_is_there(cloud: str, says_so: bool) -> None:
    [price, _] = rows(cloud, "gpu_1x_a10,A10,1,us-east-1,0.75,")
    assert isinstance(price, Observation)
    assert ("does not say that it can be had there" in price.note) is says_so


@pytest.mark.parametrize("size", ["6", "12", "18"])
def test_a_fraction_of_an_a10_listed_as_one_is_priced_per_machine(size: str) -> None:
    [price, _] = rows("azure", f"Standard_NV{size}ads_A10_v5,A10,1,eastus,0.908,")
    assert isinstance(price, Observation)
    assert (price.unit, price.amount, series(price).gpu_count) == (Unit.INSTANCE_HOUR, Decimal("0.908"), None)


def test_a_count_that_was_rounded_divides_nothing() -> None:
    [price, _] = rows("azure", "Standard_X,A10,0.167,eastus,0.908,")
    assert isinstance(price, Observation)
    assert price.unit == Unit.INSTANCE_HOUR


@pytest.mark.parametrize("count", ["", "0", "0.0"])
def test_a_machine_without_accelerators_is_skipped_once(count: str) -> None:
    assert rows("nebius", f"cpu,,{count},eu,1,0.5") == [Skipped("not_accelerated", "line 2")]


def test_a_price_left_blank_is_no_price_and_the_spot_price_still_is_one() -> None:
    absent, spot = rows("verda", "1B200.30V,B200,1.0,FIN-03,,0.95")
    assert absent == Skipped("no_price", "line 2, Price")
    assert isinstance(spot, Observation)


def test_a_missing_price_filled_with_zero_is_no_gift() -> None:
    assert rows("azure", "Standard_ND96isr_H100_v5,H100,8,eastus,0,0.0")[0] == Skipped("zero_price", "line 2, Price")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("m,H100,8,eu,$2.95,", "'$2.95' is not a plain decimal number"),
        ("m,H100,8,eu,-2,", "Price is -2; a price above zero was expected"),
        ("m,H100,,eu,2,", "'' at AcceleratorCount is not a plain decimal number"),
        ("m,H100,-8,eu,2,", "AcceleratorCount is -8; a number above zero was expected"),
    ],
)
def test_what_is_no_price_is_rejected_with_the_reason(line: str, words: str) -> None:
    doubt = rows("nebius", line)[0]
    assert isinstance(doubt, Rejected)
    assert words in doubt.reason
    assert doubt.text == line


def test_a_second_price_of_a_series_is_held_and_names_the_first() -> None:
    line = "m,H100,1,eu,{},"
    held = rows("nebius", line.format("2"), line.format("3"))[2]
    assert isinstance(held, Rejected)
    assert held.reason == (
        "skypilot_catalog/nebius/m/eu/on_demand has two prices: 2 at line 2, Price (kept) and 3 here; one was expected"
    )
    assert held.key == "skypilot_catalog/nebius/m/eu/on_demand"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"{HEADER}\n", "a header without a single row"),
        ("InstanceType,Price\nx,1\n", "no column AcceleratorName, AcceleratorCount, Region, SpotPrice"),
        (f"{HEADER}\nm,H100,1,eu\n", "4 cells where the header has 6"),
        ("404: Not Found", "a header without a single row"),
        (f"{HEADER}\nm,H100,1,eu,12.3,1", "the last line does not end"),
    ],
)
def test_a_file_in_another_shape_is_refused(body: str, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        read("nebius", body.encode())


def test_a_file_of_no_known_cloud_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="names none of the clouds aws, azure, cudo"):
        read("seeweb", f"{HEADER}\nm,H100,1,eu,1,\n".encode())


def test_an_imported_file_may_carry_the_cloud_in_its_name() -> None:
    body = f"{HEADER}\nm,H100,1,eu,1,\n".encode()
    document = Document(source_id="skypilot_catalog", url="file:v8_lambda_vms.csv", body=body, fetched_at=NOW)
    assert series(next(iter(SOURCE.parse(document)))).provider == "lambda"


class TestFetch:
    """Asking for the catalogs over loopback."""

    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        answering = Feed()
        yield answering
        answering.close()

    def fetched(self, url: str) -> list[Document | Missing]:
        with HttpTransport(Limits(attempts=1)) as transport:
            return list(SOURCE.fetch(transport, FetchRequest(url=url, now=NOW)))

    def test_the_file_of_every_cloud_is_asked_for_beside_the_first(self, feed: Feed) -> None:
        for cloud in FETCHED:
            feed.answers[f"/mirror/v8/{cloud}/vms.csv"] = [reply(f"of {cloud}".encode())]
        documents = self.fetched(feed.url("/mirror/v8/nebius/vms.csv"))
        found = [each for each in documents if isinstance(each, Document)]
        assert [each.body.decode() for each in found] == [f"of {cloud}" for cloud in FETCHED]
        assert [each.url for each in found] == [feed.url(f"/mirror/v8/{cloud}/vms.csv") for cloud in FETCHED]
        assert "if-none-match" not in feed.asked[0][1]

    def test_a_file_that_is_gone_is_named_and_the_others_are_read(self, feed: Feed) -> None:
        for cloud in FETCHED:
            feed.answers[f"/v8/{cloud}/vms.csv"] = [reply(b"a")]
        feed.answers["/v8/aws/vms.csv"] = [reply(b"404: Not Found", 404)]
        *documents, missing = self.fetched(feed.url("/v8/nebius/vms.csv"))
        assert len(documents) == len(FETCHED) - 1
        assert all(isinstance(each, Document) for each in documents)
        assert missing == Missing(f"{feed.url('/v8/aws/vms.csv')}: answered 404")

    def test_no_file_at_all_is_a_failure(self, feed: Feed) -> None:
        for cloud in FETCHED:
            feed.answers[f"/v8/{cloud}/vms.csv"] = [reply(b"", 403)]
        with pytest.raises(FetchFailed, match=r"/v8/aws/vms.csv: answered 403"):
            self.fetched(feed.url("/v8/nebius/vms.csv"))

    def test_an_address_without_the_first_file_says_what_was_expected(self) -> None:
        with pytest.raises(FetchFailed, match=r"an address that ends in /nebius/vms.csv was expected"):
            self.fetched("http://127.0.0.1:1/v8/")


def test_every_file_that_is_fetched_can_be_read() -> None:
    assert set(FETCHED) == set(CLOUDS) - {"vast", "mithril"}
    assert len(FETCHED) == 17


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("v8_nebius_vms_0082b043.csv", {"Observation": 29, "not_accelerated": 40, "no_spot_price": 13}),
        ("v8_verda_vms_538675a0.csv", {"Observation": 83, "no_spot_price": 7}),
        ("v8_vast_vms_01b8cdda.csv", {"synthetic_price": 67}),
    ],
)
def test_every_row_of_a_recorded_file_is_accounted_for(recorded: Path, name: str, expected: dict[str, int]) -> None:
    body = (recorded / "gpu/skypilot" / name).read_bytes()
    document = Document(source_id="skypilot_catalog", url=f"file:{name}", body=body, fetched_at=NOW)
    readings = list(SOURCE.parse(document))
    assert reasons(readings) == expected
    assert list(screened(readings, SOURCE.info.plausible)) == readings
    whole_rows = sum(each.locator.count(",") == 0 for each in readings if isinstance(each, Skipped))
    assert whole_rows + (len(readings) - whole_rows) // 2 == len(body.splitlines()) - 1


def test_the_recorded_verda_prices_one_b300_alike_in_every_size(recorded: Path) -> None:
    body = (recorded / "gpu/skypilot/v8_verda_vms_538675a0.csv").read_bytes()
    found = prices(read("verda", body))
    sizes = [found[f"{size}/FIN-03/on_demand"][0] for size in ("1B300.30V", "2B300.60V", "4B300.120V", "8B300.240V")]
    assert sizes == ["4.95"] * 4


def test_the_recorded_list_of_accelerators_is_no_catalog(recorded: Path) -> None:
    with pytest.raises(ShapeChanged, match="no column InstanceType"):
        read("nebius", (recorded / "gpu/skypilot/v8_common_accelerators_001ca549.csv").read_bytes())
