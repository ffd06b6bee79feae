"""gpuhunt's catalogs: what an offer is, whose, and how it is bought."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest

from pricing_sources.compute.gpuhunt_catalog import PROVIDERS, SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Observation, PricingCategory, Reading, Rejected, Skipped, Status
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest, Missing
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.conftest import day
from tests.documents.gpuhunt_catalog import typed_by_hand_gcp, typed_by_hand_runpod
from tests.documents.gpuhunt_catalog.packing import HEADER, packed
from tests.pricing_sources.test_transport import Feed, reply

NOW = day("2026-11-01T12:00")
ROW = "{name},{location},{price},8,64.0,{count},{gpu},{memory},{spot},,{vendor},{flags},x86,{{}}"


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="gpuhunt_catalog", url=SOURCE.info.url, body=body, fetched_at=NOW)))


def row(**changes: str) -> str:
    usual = {
        "name": "m-8",
        "location": "eu-1",
        "price": "16.0",
        "count": "8",
        "gpu": "H100",
        "memory": "80.0",
        "spot": "False",
        "vendor": "nvidia",
        "flags": "",
    }
    return ROW.format(**{**usual, **changes})


def one(cloud: str = "nebius", **changes: str) -> Reading:
    [reading] = read(packed(cloud, row(**changes)))
    return reading


def price(reading: Reading) -> Observation:
    assert isinstance(reading, Observation)
    return reading


def series(reading: Reading) -> GpuSeries:
    found = price(reading).series
    assert isinstance(found, GpuSeries)
    return found


def prices(readings: list[Reading]) -> dict[str, tuple[str, Unit]]:
    return {
        each.series.key.split("/", 2)[2]: (str(each.amount), each.unit)
        for each in readings
        if isinstance(each, Observation)
    }


def reasons(readings: list[Reading]) -> Counter[str]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def test_google_clouds_offers_are_read_by_region_and_machine() -> None:
    readings = read(typed_by_hand_gcp.workbook())
    assert prices(readings) == {
        "a2-highgpu-1g/us-central1/on_demand": ("3.673388", Unit.GPU_HOUR),
        "a2-highgpu-1g/us-central1/spot": ("1.8", Unit.GPU_HOUR),
        "n1-standard-8+1xT4/us-central1/on_demand": ("0.729998", Unit.GPU_HOUR),
        "n1-standard-8+2xT4/us-central1/on_demand": ("0.539999", Unit.GPU_HOUR),
        "a4-highgpu-8g/us-central1/calendar_mode": ("8.0", Unit.GPU_HOUR),
        "v6e-8/us-east5/on_demand": ("21.6", Unit.INSTANCE_HOUR),
    }
    assert reasons(readings) == {"Observation": 6, "not_accelerated": 1, "duplicate": 1, "edge_appliance": 1}
    assert len(readings) == 9


def test_a_sum_of_parts_is_derived_and_a_price_of_the_cloud_is_not() -> None:
    assert {each.status for each in read(typed_by_hand_gcp.workbook()) if isinstance(each, Observation)} == {
        Status.DERIVED
    }
    assert price(one("nebius")).status is Status.FINAL
    assert price(one("oci", flags="oci-spot", spot="True")).status is Status.DERIVED


def test_runpods_price_is_per_gpu_times_their_number() -> None:
    readings = read(typed_by_hand_runpod.workbook())
    assert prices(readings) == {
        "NVIDIA_L4/US-KS-2/secure/on_demand": ("0.69", Unit.GPU_HOUR),
        "NVIDIA_L4/US/community/on_demand": ("0.43", Unit.GPU_HOUR),
        "NVIDIA_H100_80GB_HBM3/US-KS-2/cluster/on_demand": ("2.99", Unit.GPU_HOUR),
    }
    assert reasons(readings) == {"Observation": 3, "duplicate": 1, "not_accelerated": 1}
    assert {series(each).gpu_count for each in readings if isinstance(each, Observation)} == {1}


def test_a_price_says_what_was_published_and_where() -> None:
    offer = price(one())
    assert (offer.amount, offer.currency, offer.unit) == (Decimal(2), "USD", Unit.GPU_HOUR)
    assert (offer.published_amount, offer.published_unit, offer.locator) == ("16.0", "per machine per hour", "line 2")
    assert (offer.valid_from, offer.dated) == (NOW, False)
    assert (series(offer).gpu_count, series(offer).gpu_memory_gb, series(offer).accelerator) == (8, 80, "H100")


def test_the_noise_of_binary_fractions_is_not_a_price() -> None:
    noisy = price(one(price="2.0699999999999998", count="3"))
    assert (noisy.amount, noisy.published_amount) == (Decimal("0.69"), "2.0699999999999998")


@pytest.mark.parametrize(
    ("changes", "name", "category"),
    [
        ({}, "on_demand", PricingCategory.STANDARD),
        ({"spot": "True"}, "spot", PricingCategory.DYNAMIC),
        ({"flags": "gcp-dws-calendar-mode"}, "calendar_mode", PricingCategory.COMMITTED),
    ],
)
def test_how_it_is_bought_stands_in_two_columns(changes: dict[str, str], name: str, category: PricingCategory) -> None:
    offer = series(one("gcp", **changes))
    assert (offer.purchase, offer.pricing_category) == (name, category)


def test_a_slice_of_a_tpu_and_a_part_of_an_a10_are_priced_per_machine() -> None:
    tpu = one("gcp", name="v6e-8", vendor="google", gpu="v6e-8", count="1", price="21.6", memory="256.0")
    part = one("azure", name="Standard_NV6ads_A10_v5", gpu="A10", count="1", price="0.454", memory="4.0")
    whole = one("azure", name="Standard_NV36ads_A10_v5", gpu="A10", count="1", price="3.2", memory="24.0")
    assert [price(each).unit for each in (tpu, part, whole)] == [
        *(Unit.INSTANCE_HOUR, Unit.INSTANCE_HOUR, Unit.GPU_HOUR),
    ]
    assert (series(tpu).gpu_count, series(tpu).gpu_memory_gb) == (None, None)


@pytest.mark.parametrize(
    ("location", "region"),
    [("us-central1-a", "us-central1"), ("us-south1-ai1b", "us-south1"), ("us-east5", "us-east5"), ("", "global")],
)
def test_a_zone_of_google_cloud_is_its_region(location: str, region: str) -> None:
    assert series(one("gcp", location=location)).region == region


def test_a_zone_of_another_cloud_stays_as_it_is() -> None:
    assert series(one("verda", location="us-central1-a")).region == "us-central1-a"


def test_the_file_is_named_after_its_folder_and_the_seller_by_us() -> None:
    assert series(one("lambdalabs")).provider == "lambda"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"count": "0"}, "not_accelerated"),
        ({"count": "0.0"}, "not_accelerated"),
        ({"gpu": ""}, "not_accelerated"),
        ({"price": "0.0"}, "zero_price"),
        ({"name": "a3-edgegpu-8g"}, "edge_appliance"),
    ],
)
def test_what_is_no_offer_of_gpus_is_named(changes: dict[str, str], reason: str) -> None:
    assert one(**changes) == Skipped(reason, "line 2")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price": ""}, "'' at price is not a plain decimal number"),
        ({"price": "-1"}, "price is -1; a number above zero was expected"),
        ({"count": "-8"}, "gpu_count is -8; a number above zero was expected"),
        ({"spot": "yes"}, "spot is 'yes'; True or False was expected"),
        ({"name": ""}, "instance_name is blank; a text was expected"),
        ({"memory": "80GB"}, "'80GB' at gpu_memory is not a plain decimal number"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_the_reason(changes: dict[str, str], words: str) -> None:
    doubt = one(**changes)
    assert isinstance(doubt, Rejected)
    assert words in doubt.reason


def test_a_second_price_of_a_series_is_held_and_names_the_first() -> None:
    _, held = read(packed("nebius", row(price="16"), row(price="17")))
    assert isinstance(held, Rejected)
    assert held.reason == (
        "gpuhunt_catalog/nebius/m-8/eu-1/on_demand has two prices: 16 at line 2 (kept) and 17 here; one was expected"
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (packed("nebius"), "a header without a single row"),
        (packed("nebius", "m,eu", header="instance_name,location"), "no column price, gpu_count, gpu_name"),
        (packed("crusoe", row()), "a file of one of nebius, aws"),
        (packed("nebius", "m-8,eu-1,16.0"), "3 cells where the header has 14"),
        (HEADER.encode(), "not a whole zip archive"),
    ],
)
def test_a_catalog_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        read(body)


def test_an_archive_with_two_tables_is_refused() -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("nebius.csv", HEADER)
        archive.writestr("aws.csv", HEADER)
    with pytest.raises(ShapeChanged, match=r"one member \*.csv was expected"):
        read(body.getvalue())


def test_nothing_typed_is_implausible() -> None:
    for module in (typed_by_hand_gcp, typed_by_hand_runpod):
        readings = read(module.workbook())
        assert list(screened(readings, SOURCE.info.plausible)) == readings


class TestFetch:
    """Asking for versions and catalogs over loopback."""

    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        answering = Feed()
        yield answering
        answering.close()

    def fetched(self, feed: Feed) -> list[Document | Missing]:
        with HttpTransport(Limits(attempts=1)) as transport:
            return list(SOURCE.fetch(transport, FetchRequest(url=feed.url("/mirror/v3/"), now=NOW)))

    def test_the_newest_catalog_of_every_cloud_is_asked_for(self, feed: Feed) -> None:
        for number, folder in enumerate(PROVIDERS):
            feed.answers[f"/mirror/v3/{folder}/version"] = [reply(f"20260819-{number}\n".encode())]
            feed.answers[f"/mirror/v3/{folder}/20260819-{number}/catalog.zip"] = [reply(packed(folder, row()))]
        documents = self.fetched(feed)
        assert [each.url for each in documents] == [
            feed.url(f"/mirror/v3/{folder}/20260819-{number}/catalog.zip") for number, folder in enumerate(PROVIDERS)
        ]
        assert [series(next(iter(SOURCE.parse(each)))).provider for each in documents] == list(PROVIDERS.values())

    @pytest.mark.parametrize("version", [b"", b"latest", b"../../secret", b"<Error><Code>AccessDenied</Code></Error>"])
    def test_what_is_no_version_is_not_made_an_address(self, feed: Feed, version: bytes) -> None:
        feed.answers["/mirror/v3/nebius/version"] = [reply(version)]
        with pytest.raises(FetchFailed, match="a version such as 20260819-7375 was expected"):
            self.fetched(feed)

    def test_catalogs_that_are_gone_are_named_and_the_others_are_read(self, feed: Feed) -> None:
        for folder in PROVIDERS:
            feed.answers[f"/mirror/v3/{folder}/version"] = [reply(b"20260819-1")]
            feed.answers[f"/mirror/v3/{folder}/20260819-1/catalog.zip"] = [reply(packed(folder, row()))]
        feed.answers["/mirror/v3/nebius/20260819-1/catalog.zip"] = [reply(b"", 403)]
        feed.answers["/mirror/v3/oci/version"] = [reply(b"latest")]
        *documents, gone, unnamed = self.fetched(feed)
        assert len(documents) == len(PROVIDERS) - 2
        assert all(isinstance(each, Document) for each in documents)
        assert gone == Missing(f"{feed.url('/mirror/v3/nebius/20260819-1/catalog.zip')}: answered 403")
        assert isinstance(unnamed, Missing)
        assert unnamed.reason.startswith(f"{feed.url('/mirror/v3/oci/version')} says b'latest'")

    def test_no_catalog_at_all_is_a_failure(self, feed: Feed) -> None:
        for folder in PROVIDERS:
            feed.answers[f"/mirror/v3/{folder}/version"] = [reply(b"", 403)]
        with pytest.raises(FetchFailed, match=r"/mirror/v3/nebius/version: answered 403"):
            self.fetched(feed)
