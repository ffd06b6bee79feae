"""Amazon EC2 spot prices: a script, five old region names, and prices that are not there."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.aws_spot_prices import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, PricingCategory, Reading, Rejected, Skipped, Status
from pricing_sources.source import Document, FetchRequest, NotModified
from pricing_sources.transport import HttpTransport, Limits, Validators
from pricing_sources.units import Unit
from tests.pricing_sources.test_transport import Feed, reply

# Figures: the feed as spotinfo recorded it in 2021.
TYPED = (Path(__file__).parents[2] / "documents" / "aws_spot_prices" / "typed_two_regions.json").read_bytes()
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def feed() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id=SOURCE.info.id, url=SOURCE.info.url, body=body, fetched_at=NOW)))


def script(*sizes: dict[str, Any], region: str = "us-east-1", rate: str = "perhr") -> bytes:
    config = {"rate": rate, "regions": [{"region": region, "instanceTypes": [{"type": "gpu", "sizes": sizes}]}]}
    return b"callback(" + json.dumps({"config": config}).encode() + b");"


def size(price: object, name: str = "p3.8xlarge", system: str = "linux") -> dict[str, Any]:
    return {"size": name, "valueColumns": [{"name": system, "prices": {"USD": price}}]}


def prices(readings: list[Reading]) -> dict[str, Decimal]:
    return {
        each.series.key.removeprefix("aws_spot_prices/"): each.amount
        for each in readings
        if isinstance(each, Observation)
    }


def counts(readings: list[Reading]) -> dict[str, int]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def test_every_price_of_the_script_is_accounted_for() -> None:
    assert counts(read(TYPED)) == {
        "Observation": 4,
        "not_accelerated": 2,
        "other_operating_system": 5,
        "not_offered": 1,
    }


def test_prices_are_read_per_gpu_hour_under_the_regions_ordinary_codes() -> None:
    assert prices(read(TYPED)) == {
        "p4d.24xlarge/us-east-1/spot": Decimal("1.228975"),
        "inf1.24xlarge/us-east-1/spot": Decimal("0.14278125"),
        "g2.2xlarge/us-east-1/spot": Decimal("0.195"),
        "p3.2xlarge/us-east-2/spot": Decimal("0.918"),
    }


def test_a_price_holds_from_when_it_was_seen_and_says_how_it_was_shared() -> None:
    found = next(each for each in read(TYPED) if isinstance(each, Observation))
    assert (found.currency, found.unit, found.status) == ("USD", Unit.GPU_HOUR, Status.FINAL)
    assert (found.valid_from, found.dated) == (NOW, False)
    assert (found.published_amount, found.published_unit) == ("9.8318", "perhr, whole machine")
    assert found.locator == "/config/regions/0/instanceTypes/1/sizes/0/valueColumns/0/prices/USD"
    assert (found.series.accelerator, found.series.gpu_count, found.series.gpu_memory_gb) == ("A100 SXM 40GB", 8, 40)
    assert (found.series.provider, found.series.pricing_category) == ("aws", PricingCategory.DYNAMIC)
    assert found.note.startswith("price of a machine with 8 accelerators (https://")


def test_a_type_without_a_documented_count_is_priced_per_machine() -> None:
    [old] = read(script(size("0.195", "g2.2xlarge")))
    assert isinstance(old, Observation)
    assert (old.unit, old.series.gpu_count, old.series.accelerator) == (Unit.INSTANCE_HOUR, None, "")


@pytest.mark.parametrize(
    ("legacy", "region"),
    [
        ("us-east", "us-east-1"),
        ("us-west", "us-west-1"),
        ("eu-ireland", "eu-west-1"),
        ("apac-sin", "ap-southeast-1"),
        ("apac-syd", "ap-southeast-2"),
        ("apac-tokyo", "ap-northeast-1"),
        ("us-west-2", "us-west-2"),
        ("us-gov-west-1", "us-gov-west-1"),
    ],
)
def test_an_old_region_name_becomes_the_code_of_today(legacy: str, region: str) -> None:
    assert list(prices(read(script(size("3.672"), region=legacy)))) == [f"p3.8xlarge/{region}/spot"]


def test_a_region_nobody_knows_is_not_guessed() -> None:
    [doubt] = read(script(size("3.672"), region="apac-moon"))
    assert isinstance(doubt, Rejected)
    assert doubt.reason.startswith("region 'apac-moon' is neither a region's code nor one of us-east, us-west,")


@pytest.mark.parametrize("price", ["N/A*", "N/A"])
def test_a_size_that_is_not_offered_is_skipped(price: str) -> None:
    assert counts(read(script(size(price)))) == {"not_offered": 1}


def test_nothing_is_free() -> None:
    assert counts(read(script(size("0.0000")))) == {"zero_price": 1}


@pytest.mark.parametrize("price", ["-1", "$3", "", 3.672, None])
def test_what_is_neither_a_price_nor_its_absence_is_rejected(price: object) -> None:
    [doubt] = read(script(size(price)))
    assert isinstance(doubt, Rejected)
    assert doubt.reason.endswith("is neither a price such as USD '0.918' nor N/A*")


def test_the_first_price_of_a_size_stands() -> None:
    _, same, other = read(script(size("3.672"), size("3.672"), size("3.7")))
    assert isinstance(same, Skipped)
    assert isinstance(other, Rejected)
    assert other.reason.endswith("(kept), 3.7 here")


@pytest.mark.parametrize(
    "written",
    [
        TYPED,
        TYPED.removeprefix(b"callback(").removesuffix(b");\n"),
        TYPED.replace(b'"vers"', b"vers").replace(b'"config"', b"config").replace(b'"size"', b"size"),
        TYPED.replace(b");", b")"),
    ],
    ids=["script", "bare object", "bare keys", "no semicolon"],
)
def test_every_way_the_feed_was_written_reads_the_same(written: bytes) -> None:
    assert prices(read(written)) == prices(read(TYPED))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"callback(",
        b"callback({});",
        b'callback({"config": {}});',
        b'callback({"config": {"rate": "perhr", "regions": []}});',
        b'callback({"config": {"rate": "perhr", "regions": [{"region": "us-east"}]}});',
        script({"size": "p3.8xlarge", "valueColumns": [{"name": "linux", "prices": []}]}),
        script({"size": 7, "valueColumns": [{"name": "linux", "prices": {"USD": "1"}}]}),
        script(size("3.672"), rate="permonth"),
    ],
)
def test_a_script_in_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        read(body)


def test_fetch_asks_again_only_for_what_changed(feed: Feed) -> None:
    feed.answers["/spot.js"] = [reply(TYPED), reply(b"", 304)]
    url = feed.url("/spot.js")
    with HttpTransport(Limits(attempts=1)) as transport:
        [document] = SOURCE.fetch(transport, FetchRequest(url=url, now=NOW))
        known = {url: Validators(etag='"1"', last_modified="Sun, 01 Nov 2026 11:00:00 GMT")}
        again = list(SOURCE.fetch(transport, FetchRequest(url=url, now=NOW, known=known)))
    assert isinstance(document, Document)
    assert (document.body, document.fetched_at) == (TYPED, NOW)
    assert again == [NotModified(url)]
    assert feed.asked[1][1]["if-modified-since"] == "Sun, 01 Nov 2026 11:00:00 GMT"


class TestRecordedScript:
    """The script of 2021, five regions of it."""

    @pytest.fixture
    def readings(self, recorded: Path) -> list[Reading]:
        return read((recorded / "gpu/aws_spot_js/spot-price-data_2021.json").read_bytes())

    def test_every_price_is_accounted_for(self, readings: list[Reading]) -> None:
        assert counts(readings) == {
            "not_accelerated": 3610,
            "other_operating_system": 140,
            "not_offered": 23,
            "Observation": 117,
        }

    def test_golden_prices(self, readings: list[Reading]) -> None:
        found = prices(readings)
        assert found["p4d.24xlarge/us-east-1/spot"] == Decimal("9.8318") / 8
        assert found["p3dn.24xlarge/eu-west-1/spot"] == Decimal("32.266") / 8
        assert found["inf1.xlarge/ap-southeast-2/spot"] == Decimal("0.138")

    def test_every_price_lies_in_the_plausible_band(self, readings: list[Reading]) -> None:
        observed = [each for each in readings if isinstance(each, Observation)]
        assert all(SOURCE.info.plausible[each.unit][0] <= each.amount for each in observed)
        assert all(each.amount <= SOURCE.info.plausible[each.unit][1] for each in observed)
        assert sum(each.unit is Unit.INSTANCE_HOUR for each in observed) == 8  # g2, which no table documents
