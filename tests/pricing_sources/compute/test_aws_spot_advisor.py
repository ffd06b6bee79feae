"""The Spot Advisor: buckets of risk, and savings that are no prices."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.aws_spot_advisor import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document, FetchRequest, NotModified
from pricing_sources.transport import HttpTransport, Limits, Validators
from pricing_sources.units import Unit
from tests.pricing_sources.test_transport import Feed, reply

# Figures: the feed as spotinfo recorded it; the Windows savings are made up.
TYPED = (Path(__file__).parents[2] / "documents" / "aws_spot_advisor" / "typed_two_regions.json").read_bytes()
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LABELS = ("<5%", "5-10%", "10-15%", "15-20%", ">20%")


@pytest.fixture
def feed() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id=SOURCE.info.id, url=SOURCE.info.url, body=body, fetched_at=NOW)))


def advice(entry: object, name: str = "p5.48xlarge", labels: tuple[str, ...] = LABELS) -> bytes:
    ranges = [{"index": index, "label": label} for index, label in enumerate(labels)]
    return json.dumps({"ranges": ranges, "spot_advisor": {"us-east-1": {"Linux": {name: entry}}}}).encode()


def ratios(readings: list[Reading]) -> dict[str, Decimal]:
    return {
        each.series.key.removeprefix("aws_spot_advisor/interruption/"): each.amount
        for each in readings
        if isinstance(each, Observation)
    }


def counts(readings: list[Reading]) -> dict[str, int]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def test_an_accelerated_type_under_linux_gives_three_readings_and_any_other_entry_one() -> None:
    assert counts(read(TYPED)) == {
        "Observation": 8,
        "Rejected": 1,
        "not_accelerated": 1,
        "other_operating_system": 1,
    }


def test_both_bounds_of_the_bucket_and_the_savings_are_ratios() -> None:
    assert ratios(read(TYPED)) == {
        "aws_p5.48xlarge_us-east-1/low": Decimal("0.20"),
        "aws_p5.48xlarge_us-east-1/high": Decimal(1),
        "aws_p5.48xlarge_us-east-1/savings": Decimal("0.52"),
        "aws_p4d.24xlarge_us-east-1/low": Decimal("0.10"),
        "aws_p4d.24xlarge_us-east-1/high": Decimal("0.15"),
        "aws_p4d.24xlarge_us-east-1/savings": Decimal("0.67"),
        "aws_p5.48xlarge_ca-central-1/low": Decimal(0),
        "aws_p5.48xlarge_ca-central-1/high": Decimal("0.05"),
    }


def test_a_figure_is_no_money_and_keeps_the_words_it_was_published_in() -> None:
    low, _, savings = (each for each in read(TYPED)[:3] if isinstance(each, Observation))
    assert (low.currency, low.unit, low.valid_from, low.dated) == (None, Unit.RATIO, NOW, False)
    assert (low.published_amount, savings.published_amount) == (">20%", "52")
    assert low.published_unit == "% of spot instances reclaimed in the trailing month, as a bucket"
    assert (low.locator, savings.locator) == (
        "/spot_advisor/us-east-1/Linux/p5.48xlarge/r",
        "/spot_advisor/us-east-1/Linux/p5.48xlarge/s",
    )


@pytest.mark.parametrize(
    ("index", "low", "high"), [(0, "0", "0.05"), (1, "0.05", "0.1"), (3, "0.15", "0.2"), (4, "0.2", "1")]
)
def test_bounds_are_those_of_the_label(index: int, low: str, high: str) -> None:
    found = list(ratios(read(advice({"s": 10, "r": index}))).values())
    assert found[:2] == [Decimal(low), Decimal(high)]


def test_savings_below_zero_are_not_believed() -> None:
    [doubt] = [each for each in read(TYPED) if isinstance(each, Rejected)]
    assert doubt.reason == "savings of -62 per cent on the on-demand price; 0 to 100 was expected"
    assert doubt.locator == "/spot_advisor/ca-central-1/Linux/p5.48xlarge/s"


@pytest.mark.parametrize("savings", [101, "52", None])
def test_savings_that_are_no_percentage_are_not_believed(savings: object) -> None:
    assert counts(read(advice({"s": savings, "r": 0}))) == {"Observation": 2, "Rejected": 1}


@pytest.mark.parametrize("index", [5, -1, "0", None])
def test_a_bucket_the_file_does_not_list_is_not_guessed(index: object) -> None:
    assert counts(read(advice({"s": 10, "r": index}))) == {"Observation": 1, "Rejected": 2}


@pytest.mark.parametrize(
    ("name", "reason"),
    [("m7i.large", "not_accelerated"), ("vt1.3xlarge", "not_accelerated"), ("p9.48xlarge", "undocumented_type")],
)
def test_other_types_are_skipped_by_name(name: str, reason: str) -> None:
    assert counts(read(advice({"s": 10, "r": 0}, name))) == {reason: 1}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{}", "'ranges' is missing"),
        (b'{"ranges": []}', "/ranges"),
        (advice({"s": 1, "r": 0}, labels=("often",)), "/ranges/0"),
        (b'{"ranges": [{"index": 0, "label": "<5%"}], "spot_advisor": {}}', "/spot_advisor"),
        (b'{"ranges": [{"index": 0, "label": "<5%"}], "spot_advisor": {"us-east-1": []}}', "/spot_advisor/us-east-1"),
        (advice({"s": 1}), "/spot_advisor/us-east-1/Linux/p5.48xlarge"),
        (advice([]), "/spot_advisor/us-east-1/Linux/p5.48xlarge"),
    ],
)
def test_a_file_in_another_shape_is_refused_with_its_place(body: bytes, path: str) -> None:
    with pytest.raises(ShapeChanged, match=path):
        read(body)


def test_fetch_asks_again_only_for_what_changed(feed: Feed) -> None:
    feed.answers["/advice.json"] = [reply(TYPED), reply(b"", 304)]
    url = feed.url("/advice.json")
    with HttpTransport(Limits(attempts=1)) as transport:
        [document] = SOURCE.fetch(transport, FetchRequest(url=url, now=NOW))
        again = SOURCE.fetch(transport, FetchRequest(url=url, now=NOW, known={url: Validators(etag='"1"')}))
        assert list(again) == [NotModified(url)]
    assert isinstance(document, Document)
    assert document.body == TYPED


class TestRecordedFile:
    """The file spotinfo keeps: 33 regions, 25,323 entries."""

    @pytest.fixture
    def readings(self, recorded: Path) -> list[Reading]:
        return read((recorded / "gpu/aws_spot_advisor/spot-advisor-data.json").read_bytes())

    def test_every_entry_is_accounted_for(self, readings: list[Reading]) -> None:
        assert counts(readings) == {
            "Observation": 2471,
            "Rejected": 1,
            "not_accelerated": 23895,
            "other_operating_system": 604,
        }

    def test_golden_figures(self, readings: list[Reading]) -> None:
        found: dict[str, Any] = ratios(readings)
        assert found["aws_g6.xlarge_eu-north-1/savings"] == Decimal("0.69")
        assert found["aws_g5.xlarge_us-east-1/low"] == Decimal("0.2")
        assert found["aws_p4d.24xlarge_us-east-1/high"] == Decimal("0.15")

    def test_every_ratio_lies_between_nothing_and_all(self, readings: list[Reading]) -> None:
        assert all(0 <= ratio <= 1 for ratio in ratios(readings).values())
