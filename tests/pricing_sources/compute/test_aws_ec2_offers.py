"""Amazon EC2 offers: what is kept of half a gigabyte, and what of it is a price."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.aws_shaped import head, offer_row
from pricing_sources.compute.aws_ec2_offers import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, PricingCategory, Reading, Rejected, Skipped, Status
from pricing_sources.source import Archive, Document, Excerpting
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.pricing_sources.compute.aws_loopback import INDEX, NOW, asking, file_of, index, streamed
from tests.pricing_sources.test_transport import Feed

# On-demand figures: AWS price list of 2026-07-20 (p5, p4d, g4dn, g6f). The reservations' figures are
# round ones, chosen so that the arithmetic can be done in one's head.
TYPED = (Path(__file__).parents[2] / "documents" / "aws_ec2_offers" / "typed_seventeen_rows.csv").read_bytes()
P5 = {"Instance Type": "p5.48xlarge", "PricePerUnit": "55.0400000000"}
RESERVED = {
    "TermType": "Reserved",
    "OfferTermCode": "HU7G6KETJZ",
    "SKU": "P5",
    "StartingRange": "",
    "LeaseContractLength": "3yr",
    "PurchaseOption": "Partial Upfront",
    "OfferingClass": "standard",
    "Instance Type": "p5.4xlarge",
}


@pytest.fixture
def feed() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    with HttpTransport(Limits(attempts=1)) as opened:
        yield opened


def read(body: bytes, url: str = "file:AmazonEC2.csv") -> list[Reading]:
    return list(SOURCE.parse(Document(source_id=SOURCE.info.id, url=url, body=body, fetched_at=NOW)))


def rows(*cells: Mapping[str, str], url: str = "file:AmazonEC2.csv") -> list[Reading]:
    return read(head() + b"".join(offer_row(number, row) for number, row in enumerate(cells)), url)


def row(**changes: str) -> Reading:
    [only] = rows({**P5, **{name.replace("_", " "): cell for name, cell in changes.items()}})
    return only


def priced(reading: Reading) -> Observation:
    assert isinstance(reading, Observation), reading
    return reading


def reason(reading: Reading) -> str:
    assert isinstance(reading, Rejected), reading
    return reading.reason


def counts(readings: list[Reading]) -> dict[str, int]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def ledger(readings: list[Reading]) -> dict[str, int]:
    """How many rows ended how, those counted that an excerpt says it left out."""
    ended = Counter[str]()
    for each in readings:
        ended[each.reason if isinstance(each, Skipped) else type(each).__name__] += getattr(each, "rows", 1)
    return ended


def prices(readings: list[Reading]) -> dict[str, Decimal]:
    return {
        each.series.key.removeprefix("aws_ec2_offers/"): each.amount
        for each in readings
        if isinstance(each, Observation)
    }


def test_every_row_of_a_file_is_a_price_a_named_skip_or_a_doubt() -> None:
    assert counts(read(TYPED)) == {
        "Observation": 8,
        "upfront_part": 2,
        "capacity_block": 1,
        "other_tenancy": 1,
        "other_operating_system": 1,
        "capacity_reservation": 1,
        "bundled_software": 1,
        "not_accelerated": 1,
        "Rejected": 1,
    }
    assert len(read(TYPED)) == TYPED.count(b"\n") - 6


def test_prices_are_read_per_gpu_hour_and_way_of_buying() -> None:
    assert prices(read(TYPED)) == {
        "p5.48xlarge/us-east-1/on_demand": Decimal("6.88"),
        "p4d.24xlarge/us-east-1/on_demand": Decimal("2.74470525"),
        "g6f.large/us-east-1/on_demand": Decimal("1.616"),
        "g4dn.xlarge/us-east-1/on_demand": Decimal("0.526"),
        "g4dn.xlarge/us-east-1/reserved_1y": Decimal("0.316"),
        "g4dn.xlarge/us-east-1/reserved_1y_partial_upfront": Decimal("0.3"),
        "g4dn.xlarge/us-east-1/reserved_3y_all_upfront": Decimal("0.2"),
        "g4dn.xlarge/us-east-1/reserved_1y_convertible": Decimal("0.37"),
    }


def test_an_on_demand_price_carries_its_machine_and_the_publication_it_was_seen_in() -> None:
    first = priced(read(TYPED)[0])
    assert (first.currency, first.unit, first.status) == ("USD", Unit.GPU_HOUR, Status.FINAL)
    assert (first.valid_from, first.dated) == (datetime(2026, 7, 20, 13, 44, 30, tzinfo=UTC), False)
    assert (first.published_amount, first.published_unit, first.locator) == ("55.0400000000", "Hrs", "line 7")
    assert (first.series.provider, first.series.sku, first.series.region) == ("aws", "p5.48xlarge", "us-east-1")
    assert (first.series.accelerator, first.series.gpu_count, first.series.gpu_memory_gb) == ("H100 SXM", 8, 80)
    assert first.series.pricing_category == PricingCategory.STANDARD
    assert first.note.startswith("price of a machine with 8 accelerators (https://docs.aws.amazon.com/")


def test_a_partial_upfront_price_is_the_hourly_part_plus_the_upfront_sum_over_the_term() -> None:
    upfront, hourly = {"Unit": "Quantity", "PricePerUnit": "26280"}, {"Unit": "Hrs", "PricePerUnit": "2.5"}
    price, other = rows({**RESERVED, **upfront}, {**RESERVED, **hourly})
    found = priced(price)
    assert found.amount == Decimal("3.5")
    assert (found.published_amount, found.published_unit) == ("2.5 + 26280", "Hrs + Quantity")
    assert (found.status, found.series.pricing_category) == (Status.DERIVED, PricingCategory.COMMITTED)
    assert found.note.startswith("the upfront sum (Quantity) is spread over 26280 hours")
    assert (found.locator, other) == ("line 8", Skipped("upfront_part", "line 7"))


@pytest.mark.parametrize(
    ("option", "unit", "missing"),
    [
        ("Partial Upfront", "Quantity", "Hrs"),
        ("Partial Upfront", "Hrs", "Quantity"),
        ("All Upfront", "Hrs", "Quantity"),
        ("No Upfront", "Quantity", "Hrs"),
    ],
)
def test_half_a_reservation_is_not_a_price(option: str, unit: str, missing: str) -> None:
    [only] = rows({**RESERVED, "PurchaseOption": option, "Unit": unit, "PricePerUnit": "3"})
    assert reason(only) == f"{option} without its {missing} row would be stated too low"


def test_a_reservation_of_an_unknown_term_is_not_a_price() -> None:
    [only] = rows({**RESERVED, "LeaseContractLength": "5yr", "Unit": "Hrs", "PricePerUnit": "3"})
    assert reason(only) == "a reservation of '5yr', 'Partial Upfront', 'standard' is not known"


def test_a_third_row_of_one_reservation_is_not_added_to_it() -> None:
    parts = [{**RESERVED, "Unit": unit, "PricePerUnit": "26280"} for unit in ("Hrs", "Quantity", "Quantity", "GB")]
    third, fourth, price, _ = rows(*parts)
    assert reason(third) == "a second Quantity row of one reservation; the first is line 8"
    assert reason(fourth) == "Unit is 'GB'; Hrs or Quantity was expected of a reservation"
    assert priced(price).amount == Decimal(26281)


def test_a_reservation_that_costs_nothing_is_no_price() -> None:
    free = [{**RESERVED, "Unit": unit, "PricePerUnit": "0"} for unit in ("Hrs", "Quantity")]
    assert rows(*free) == [Skipped("zero_price", "line 7"), Skipped("upfront_part", "line 8")]


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"Instance_Type": "m7i.large"}, "not_accelerated"),
        ({"Instance_Type": "f2.12xlarge"}, "not_accelerated"),
        ({"Instance_Type": ""}, "not_accelerated"),
        ({"operation": "RunInstances:CB", "PricePerUnit": "0.0000000000"}, "capacity_block"),
        ({"operation": "RunInstances:CB", "PricePerUnit": "31.4640000000"}, "capacity_block"),
        ({"MarketOption": "CapacityBlock"}, "capacity_block"),
        ({"Operating_System": "RHEL"}, "other_operating_system"),
        ({"Tenancy": "Host"}, "other_tenancy"),
        ({"CapacityStatus": "UnusedCapacityReservation"}, "capacity_reservation"),
        ({"Pre_Installed_S/W": "SQL Web"}, "bundled_software"),
        ({"MarketOption": "Spot"}, "other_market"),
        ({"Location_Type": "AWS Local Zone"}, "local_zone"),
        ({"TermType": "FlatRate"}, "other_term"),
        ({"PricePerUnit": "0.0000000000"}, "zero_price"),
        ({"StartingRange": "1000"}, "volume_tier"),
    ],
)
def test_a_row_that_is_no_price_of_ours_is_skipped_by_name(changes: dict[str, str], slug: str) -> None:
    assert row(**changes) == Skipped(slug, "line 7")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Unit": "Quantity"}, "Unit is 'Quantity'; Hrs was expected"),
        ({"PricePerUnit": "-1"}, "PricePerUnit is -1; a number not below zero was expected"),
        ({"PricePerUnit": "$55.04"}, "PricePerUnit: '$55.04' is not a plain decimal number such as 12.34"),
        ({"Currency": "dollars"}, "Currency is 'dollars'; an ISO 4217 code was expected"),
        ({"Region_Code": ""}, "neither the row nor its file's address names a region such as eu-west-3"),
    ],
)
def test_a_row_that_cannot_be_believed_is_kept_with_its_reason(changes: dict[str, str], words: str) -> None:
    assert reason(row(**changes)) == words


def test_yuan_stay_yuan() -> None:
    assert priced(row(Currency="CNY", Region_Code="cn-north-1")).currency == "CNY"


@pytest.mark.parametrize(
    "url",
    [
        "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/20201019204802/eu-west-3/index.csv",
        "file:AmazonEC2_eu-west-3_excerpt.csv",
    ],
)
def test_an_old_file_without_region_codes_is_of_the_region_in_its_address(url: str) -> None:
    [only] = rows({**P5, "Region Code": ""}, url=url)
    assert priced(only).series.region == "eu-west-3"


def test_a_file_from_before_capacity_reservations_states_the_same_prices() -> None:
    assert prices(read(TYPED.replace(b'"CapacityStatus"', b'"Comments"'))) == prices(read(TYPED))


def test_a_type_newer_than_our_table_takes_the_feeds_own_count() -> None:
    known = priced(row(Instance_Type="p9.48xlarge", GPU="8"))
    assert (known.amount, known.unit, known.series.gpu_count) == (Decimal("6.88"), Unit.GPU_HOUR, 8)
    assert (known.series.accelerator, known.series.gpu_memory_gb) == ("", None)
    assert known.note == "price of a machine with 8 accelerators (column GPU)"


@pytest.mark.parametrize("count", ["", "0", "NA"])
def test_a_type_without_a_count_is_priced_per_machine(count: str) -> None:
    unknown = priced(row(Instance_Type="p9.48xlarge", GPU=count))
    assert (unknown.amount, unknown.unit, unknown.series.gpu_count) == (Decimal("55.04"), Unit.INSTANCE_HOUR, None)


@pytest.mark.parametrize("count", ["", "0", "1", "4", "16"])
@pytest.mark.parametrize(("kind", "documented"), [("g6f.large", Decimal("0.125")), ("p5.48xlarge", Decimal(8))])
def test_a_wrong_count_of_the_feed_does_not_matter_where_the_table_knows(
    kind: str, documented: Decimal, count: str
) -> None:
    known = priced(row(Instance_Type=kind, GPU=count))
    assert (known.series.gpu_count, known.unit) == (documented, Unit.GPU_HOUR)
    assert known.amount == Decimal("55.04") / documented


def test_the_first_price_of_a_machine_stands() -> None:
    _, same, other = rows(P5, P5, {**P5, "PricePerUnit": "56"})
    assert same == Skipped("duplicate", "line 8")
    assert reason(other) == (
        "a second price of aws_ec2_offers/p5.48xlarge/us-east-1/on_demand: 55.0400000000 at line 7 (kept), "
        "56 here; one price was expected"
    )


def test_the_file_of_another_service_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="OfferCode AmazonEC2 was expected, not AmazonS3"):
        read(TYPED.replace(b'"AmazonEC2"\n', b'"AmazonS3"\n', 1))


@pytest.mark.parametrize("column", ["Tenancy", "PricePerUnit", "operation"])
def test_a_file_that_lost_a_column_is_refused(column: str) -> None:
    with pytest.raises(ShapeChanged, match=f"no column {column}"):
        read(TYPED.replace(f'"{column}"'.encode(), b'"Something"', 1))


@pytest.mark.parametrize("published", ["", "yesterday", "2026-07-20T13:44:30"])
def test_a_file_without_the_moment_of_its_publication_is_refused(published: str) -> None:
    with pytest.raises(ShapeChanged, match="Publication Date is"):
        read(TYPED.replace(b"2026-07-20T13:44:30Z", published.encode(), 1))


class TestExcerpt:
    """Leaving out, as the file arrives, what cannot be a price."""

    def test_preamble_header_and_candidate_rows_are_kept_byte_for_byte(self) -> None:
        lines = TYPED.splitlines(keepends=True)
        kept = SOURCE.excerpt(iter([TYPED])).splitlines(keepends=True)
        # Dropped: other tenancy, Windows, a reservation of capacity, a machine without accelerator.
        wanted = [line for number, line in enumerate(lines, start=1) if number not in {12, 13, 14, 16}]
        assert (kept[:5], kept[10:]) == (lines[:5], wanted[5:])

    def test_its_preamble_says_how_many_rows_there_were_and_why_some_are_left_out(self) -> None:
        assert SOURCE.excerpt(iter([TYPED])).splitlines()[5:10] == [
            b'"Rows Of The Original","17"',
            b'"Left Out: capacity_reservation","1"',
            b'"Left Out: not_accelerated","1"',
            b'"Left Out: other_operating_system","1"',
            b'"Left Out: other_tenancy","1"',
        ]

    def test_the_account_of_an_excerpt_is_that_of_the_whole_file(self) -> None:
        kept = SOURCE.excerpt(iter([TYPED]))
        assert ledger(read(kept)) == ledger(read(TYPED))
        assert SOURCE.rows_of_original(kept) == len(read(TYPED))
        assert SOURCE.rows_of_original(TYPED) is None

    def test_a_file_of_which_every_row_is_kept_is_kept_as_it_came(self) -> None:
        whole = head() + offer_row(1, P5)
        assert SOURCE.excerpt(iter([whole])) == whole

    def test_an_excerpt_of_an_excerpt_says_what_both_left_out(self) -> None:
        kept = SOURCE.excerpt(iter([TYPED]))
        assert SOURCE.excerpt(iter([kept])) == kept
        again = SOURCE.excerpt(iter([kept, offer_row(1, {})]))
        assert (SOURCE.rows_of_original(again), ledger(read(again))["not_accelerated"]) == (18, 2)

    def test_a_blank_line_is_no_row(self) -> None:
        kept = SOURCE.excerpt(iter([head(), b"\n", offer_row(1, P5), b"\n", offer_row(2, {})]))
        assert (SOURCE.rows_of_original(kept), ledger(read(kept))) == (2, {"Observation": 1, "not_accelerated": 1})

    @pytest.mark.parametrize("size", [1, 7, 1000])
    def test_where_the_pieces_are_cut_does_not_matter(self, size: int) -> None:
        pieces = (TYPED[start : start + size] for start in range(0, len(TYPED), size))
        assert SOURCE.excerpt(pieces) == SOURCE.excerpt(iter([TYPED]))

    def test_the_excerpt_states_the_prices_of_the_whole_file(self) -> None:
        assert prices(read(SOURCE.excerpt(iter([TYPED])))) == prices(read(TYPED))

    def test_a_file_cut_off_in_a_row_that_would_be_left_out_is_still_refused(self) -> None:
        whole = head() + offer_row(1, P5)
        with pytest.raises(ShapeChanged):
            read(SOURCE.excerpt(iter([whole, offer_row(2, {})[:200]])))

    @pytest.mark.parametrize(
        "body", [b"<html>\n" * 30, b'{\n"products": {\n' * 30, b"x" * 1_100_000], ids=["html", "json", "one line"]
    )
    def test_what_is_no_price_list_is_refused_before_it_is_read_to_its_end(self, body: bytes) -> None:
        def pieces() -> Iterator[bytes]:
            yield body
            raise AssertionError("read on")

        with pytest.raises(ShapeChanged, match="an AWS price list in CSV was expected"):
            SOURCE.excerpt(pieces())

    def test_the_source_says_that_its_documents_are_excerpts_and_that_it_keeps_its_past(self) -> None:
        assert isinstance(SOURCE, Excerpting)
        assert isinstance(SOURCE, Archive)

    def test_fifty_megabytes_are_read_over_the_network_in_less_than_twenty(
        self, feed: Feed, transport: HttpTransport
    ) -> None:
        sent = 50 * 1024 * 1024
        feed.answers[INDEX] = [index("us-east-1")]
        feed.answers[file_of("us-east-1")] = [streamed(sent)]
        tracemalloc.start()
        [document] = SOURCE.fetch(transport, asking(feed, "?regions=us-east-1"))
        assert isinstance(document, Document)
        readings = read(document.body)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * 1024 * 1024
        assert prices(readings) == {"p5.48xlarge/us-east-1/on_demand": Decimal("6.88")}
        assert len(document.body) < sent / 50


def test_of_the_recorded_file_of_2020_every_row_is_about_storage(recorded: Path) -> None:
    path = recorded / "gpu/aws_offer/AmazonEC2_eu-west-3_excerpt.csv"
    readings = read(path.read_bytes(), f"file:{path.name}")
    assert readings == [Skipped("not_accelerated", f"line {line}") for line in range(7, 12)]
    excerpt = SOURCE.excerpt(iter([path.read_bytes()]))
    assert read(excerpt, f"file:{path.name}") == [Skipped("not_accelerated", "line 7", left_out=5)]
