"""Azure Retail Prices: which rows are prices, and of what."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.azure_retail_prices import SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, PricingCategory, Reading, Rejected, Skipped, Status
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import Reply
from pricing_sources.units import Unit

TYPED = Path(__file__).parents[2] / "documents" / "azure_retail_prices"
FIRST_PAGE = (TYPED / "typed_first_page.json").read_bytes()
LAST_PAGE = (TYPED / "typed_last_page.json").read_bytes()
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)

ROW = {
    "currencyCode": "USD",
    "tierMinimumUnits": 0.0,
    "retailPrice": 3.58,
    "armRegionName": "francecentral",
    "effectiveStartDate": "2020-07-01T00:00:00Z",
    "meterName": "NC6s v3",
    "productName": "Virtual Machines NCSv3 Series",
    "skuName": "NC6s v3",
    "unitOfMeasure": "1 Hour",
    "type": "Consumption",
    "armSkuName": "Standard_NC6s_v3",
}


class Pages:
    """A transport that answers from a list and remembers what it was asked."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = list(bodies)
        self.asked: list[tuple[str, Mapping[str, str] | None]] = []

    def get(self, url: str, *, params: Mapping[str, str] | None = None, **_: object) -> Reply:
        self.asked.append((url, params))
        body = self.bodies[min(len(self.asked), len(self.bodies)) - 1]
        return Reply(url=url, status=200, body=body, media_type="application/json")

    def post_json(self, url: str, payload: object, **_: object) -> Reply:
        raise AssertionError(f"Azure is never posted to: {url}")


def fetched(transport: Pages, url: str = SOURCE.info.url) -> list[Document]:
    return list(SOURCE.fetch(transport, FetchRequest(url=url, now=NOW)))


def page(*rows: Mapping[str, Any], link: object = None) -> bytes:
    return json.dumps({"Items": rows, "NextPageLink": link, "Count": len(rows)}).encode()


def read(body: bytes, url: str = SOURCE.info.url) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id=SOURCE.info.id, url=url, body=body, fetched_at=NOW)))


def reading(**changes: Any) -> Reading:
    [only] = read(page({**ROW, **changes}))
    return only


def priced(**changes: Any) -> Observation:
    only = reading(**changes)
    assert isinstance(only, Observation), only
    return only


def rejection(**changes: Any) -> str:
    only = reading(**changes)
    assert isinstance(only, Rejected), only
    return only.reason


def prices(readings: list[Reading]) -> dict[str, Decimal]:
    return {each.series.key: each.amount for each in readings if isinstance(each, Observation)}


def test_a_page_yields_the_linux_spot_reserved_and_savings_plan_prices_per_gpu() -> None:
    h100 = "azure_retail_prices/Standard_ND96isr_H100_v5/eastus"
    assert prices(read(FIRST_PAGE)) == {
        f"{h100}/on_demand": Decimal("12.29"),
        f"{h100}/savings_plan_3y": Decimal("6.82"),
        f"{h100}/savings_plan_1y": Decimal("10.08"),
        f"{h100}/spot": Decimal("2.271192"),
        "azure_retail_prices/Standard_NV48s_v3/francecentral/reserved_3y": Decimal("0.626997716895"),
        "azure_retail_prices/Standard_NV6ads_A10_v5/eastus/on_demand": Decimal("2.724"),
    }


def test_every_row_of_a_page_is_accounted_for() -> None:
    kinds = Counter(type(each).__name__ for each in read(FIRST_PAGE))
    assert kinds == {"Observation": 6, "Skipped": 2}  # 6 rows and 2 savings plans


def test_an_observation_keeps_the_published_figure_and_says_how_it_was_divided() -> None:
    first = priced(retailPrice=14.321, armSkuName="Standard_NC24s_v3")
    assert first.amount == Decimal("3.58025")
    assert (first.currency, first.unit, first.status) == ("USD", Unit.GPU_HOUR, Status.FINAL)
    assert (first.published_amount, first.published_unit, first.locator) == ("14.321", "1 Hour", "/Items/0")
    assert (first.valid_from, first.dated) == (datetime(2020, 7, 1, tzinfo=UTC), True)
    assert first.note.startswith("price of a machine with 4 accelerators (https://learn.microsoft.com/")
    assert (first.series.accelerator, first.series.gpu_count, first.series.gpu_memory_gb) == ("V100 16GB", 4, 16)
    assert (first.series.purchase, first.series.pricing_category) == ("on_demand", PricingCategory.STANDARD)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "DevTestConsumption"}, "dev_test"),
        ({"productName": "Virtual Machines NCSv3 Series Windows"}, "windows"),
        ({"productName": "Virtual Machines NCCadsv5 Srs Win"}, "windows"),
        ({"productName": "Virtual Machines NCSv3 Series Windows", "skuName": "NC6s v3 Spot"}, "windows"),
        ({"productName": "NCSv3 Series Cloud Services"}, "cloud_services"),
        ({"productName": "NCSv3 Series CloudServices"}, "cloud_services"),
        ({"productName": "NVSv3 Series Dedicated Host"}, "dedicated_host"),
        ({"meterName": "NC6s v3 Low Priority"}, "low_priority"),
        ({"skuName": "NC6s v3 Low Priority"}, "low_priority"),
        ({"armSkuName": "Standard_NP10s"}, "fpga"),
        ({"armSkuName": "Standard_D8s_v5"}, "not_accelerated"),
        ({"armSkuName": ""}, "not_accelerated"),
        ({"retailPrice": 0}, "zero_price"),
        ({"tierMinimumUnits": 100}, "volume_tier"),
        ({"effectiveEndDate": "2026-10-31T00:00:00Z"}, "ended"),
    ],
)
def test_a_row_that_is_no_price_of_ours_is_skipped_by_name(changes: dict[str, Any], reason: str) -> None:
    assert reading(**changes) == Skipped(reason, "/Items/0")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unitOfMeasure": "1 Month"}, "unitOfMeasure is '1 Month'; accepted: 1 Hour"),
        ({"retailPrice": -1}, "retailPrice is Decimal('-1'); a number not below zero was expected"),
        ({"retailPrice": "3.58"}, "retailPrice is '3.58'; a number not below zero was expected"),
        ({"retailPrice": None}, "retailPrice is None; a number not below zero was expected"),
        ({"effectiveStartDate": None}, "effectiveStartDate is None; a text was expected"),
        (
            {"effectiveStartDate": "2020-07-01T00:00:00"},
            "effectiveStartDate is '2020-07-01T00:00:00'; a date with time and zone was expected",
        ),
        ({"effectiveStartDate": "soon"}, "effectiveStartDate is 'soon'; a date with time and zone was expected"),
        ({"currencyCode": None}, "currencyCode is None; a text was expected"),
        ({"currencyCode": "usd"}, "currencyCode is 'usd'; an ISO 4217 code was expected"),
        ({"armRegionName": ""}, "armRegionName is ''; a text was expected"),
        ({"type": "Gift"}, "type is 'Gift'; accepted: Consumption, Reservation, DevTestConsumption"),
        (
            {"type": "Reservation", "reservationTerm": "2 Years"},
            "term is '2 Years'; accepted: 1 Year, 3 Years, 5 Years",
        ),
    ],
)
def test_a_row_that_cannot_be_believed_is_rejected_with_what_was_expected(changes: dict[str, Any], said: str) -> None:
    assert rejection(**changes) == said


def test_a_rejected_row_is_kept_as_it_stood_but_shortened() -> None:
    only = reading(unitOfMeasure="1 Month", location="x" * 1000)
    assert isinstance(only, Rejected)
    assert '"armSkuName": "Standard_NC6s_v3"' in only.text
    assert len(only.text) == 500


def test_a_row_that_is_not_an_object_is_rejected() -> None:
    assert read(b'{"Items": ["free"]}') == [Rejected("expected an object, not str", "/Items/0", '"free"')]


@pytest.mark.parametrize("named", [{"meterName": "NC6s v3 Spot"}, {"skuName": "NC6s v3 Spot"}])
def test_a_spot_meter_is_a_dynamic_price(named: dict[str, str]) -> None:
    spot = priced(**named)
    assert (spot.series.purchase, spot.series.pricing_category) == ("spot", PricingCategory.DYNAMIC)


@pytest.mark.parametrize(
    ("term", "purchase", "hours"), [("1 Year", "1y", 8760), ("3 Years", "3y", 26280), ("5 Years", "5y", 43800)]
)
def test_a_reservation_row_is_a_whole_term_total(term: str, purchase: str, hours: int) -> None:
    reserved = priced(type="Reservation", reservationTerm=term, retailPrice=hours * 3)
    assert reserved.amount == 3
    assert (reserved.series.purchase, reserved.status) == (f"reserved_{purchase}", Status.DERIVED)
    assert reserved.series.pricing_category is PricingCategory.COMMITTED
    assert reserved.published_amount == str(hours * 3)
    assert reserved.published_unit == f"1 Hour (whole-term total, {term})"
    assert reserved.note.startswith(f"total {hours * 3} for {term}, spread over {hours} hours; ")


def test_a_share_that_does_not_divide_evenly_is_rounded_to_twelve_digits() -> None:
    reserved = priced(type="Reservation", reservationTerm="3 Years", retailPrice=30108)
    assert reserved.amount == Decimal("1.14566210046")


def test_a_savings_plan_is_read_only_from_a_linux_on_demand_row() -> None:
    plans = [{"retailPrice": 2.5, "unitPrice": 2.5, "term": "1 Year"}]
    windows = {"productName": "Virtual Machines NCSv3 Series Windows"}
    for changes in ({"skuName": "NC6s v3 Spot"}, windows, {"type": "Reservation", "reservationTerm": "1 Year"}):
        assert len(read(page({**ROW, "savingsPlan": plans, **changes}))) == 1
    _, plan = read(page({**ROW, "savingsPlan": plans}))
    assert isinstance(plan, Observation)
    assert (plan.amount, plan.locator) == (Decimal("2.5"), "/Items/0/savingsPlan/0")
    assert (plan.series.purchase, plan.series.pricing_category) == ("savings_plan_1y", PricingCategory.COMMITTED)


def test_a_savings_plan_of_an_unknown_term_is_rejected_and_its_row_stands() -> None:
    price, plan = read(page({**ROW, "savingsPlan": [{"retailPrice": 2.5, "term": "2 Years"}]}))
    assert isinstance(price, Observation)
    assert isinstance(plan, Rejected)
    assert plan.locator == "/Items/0/savingsPlan/0"


def test_a_price_that_ends_later_still_holds() -> None:
    assert priced(effectiveEndDate="2026-12-01T00:00:00Z").amount == Decimal("3.58")


def test_a_promotion_is_a_size_of_its_own_and_never_the_list_price() -> None:
    list_price, promotion = read(page(ROW, {**ROW, "armSkuName": "Standard_NC6s_v3_Promo", "retailPrice": 1.79}))
    assert isinstance(list_price, Observation)
    assert isinstance(promotion, Observation)
    assert promotion.series.key == "azure_retail_prices/Standard_NC6s_v3_Promo/francecentral/on_demand"
    assert list_price.amount == Decimal("3.58")


def test_a_sixth_of_a_card_is_priced_as_six_times_the_machine() -> None:
    slice_ = priced(armSkuName="Standard_NV6ads_A10_v5", retailPrice=0.454)
    assert slice_.amount == Decimal("2.724")
    assert (slice_.series.gpu_count, slice_.series.gpu_memory_gb) == (Decimal("0.166666666667"), 24)


def test_a_size_without_a_documented_count_stays_per_instance_hour() -> None:
    unknown = priced(armSkuName="Standard_NC8ads_A10_v4", retailPrice=1.1)
    assert (unknown.amount, unknown.unit) == (Decimal("1.1"), Unit.INSTANCE_HOUR)
    assert (unknown.series.gpu_count, unknown.series.accelerator) == (None, "")
    assert "not documented" in unknown.note


def test_a_price_only_alias_is_read_as_the_machine_that_can_be_deployed() -> None:
    [only] = read(LAST_PAGE)
    assert isinstance(only, Observation)
    assert only.series.key == "azure_retail_prices/Standard_ND96asr_v4/westus3/on_demand"
    assert (only.amount, only.series.accelerator) == (Decimal("3.399625"), "A100 SXM 40GB")
    assert only.note.endswith("priced as Standard_ND96asr_A100_v4, the same machine as Standard_ND96asr_v4")


def test_one_machine_under_two_names_is_counted_once() -> None:
    names = ("Standard_ND96asr_v4", "Standard_ND96asr_A100_v4")
    first, second = read(page(*({**ROW, "retailPrice": 27.197, "armSkuName": name} for name in names)))
    assert isinstance(first, Observation)
    assert second == Skipped("duplicate", "/Items/1")


def test_two_prices_of_one_series_from_one_date_leave_the_first_and_quarantine_the_second() -> None:
    first, second = read(page(ROW, {**ROW, "retailPrice": 3.6, "meterName": "NC6sv3"}))
    assert isinstance(first, Observation)
    assert isinstance(second, Rejected)
    assert "3.58 at /Items/0 (kept) and 3.6 here" in second.reason


def test_a_series_may_have_a_second_price_from_a_later_date() -> None:
    readings = read(page(ROW, {**ROW, "retailPrice": 3.06, "effectiveStartDate": "2026-12-01T00:00:00Z"}))
    assert [each.amount for each in readings if isinstance(each, Observation)] == [Decimal("3.58"), Decimal("3.06")]


def test_a_meter_that_is_primary_elsewhere_is_a_price_all_the_same() -> None:
    assert priced(isPrimaryMeterRegion=False).amount == Decimal("3.58")


def test_an_empty_first_page_is_a_failure_not_a_success() -> None:
    with pytest.raises(ShapeChanged, match="no rows where rows were expected"):
        read(page())


def test_an_empty_page_after_the_first_ends_the_list_quietly() -> None:
    assert read(page(), url=f"{SOURCE.info.url}?api-version=1&$skip=1000") == []
    assert read(page(), url=f"{SOURCE.info.url}?%24skip=1000") == []
    with pytest.raises(ShapeChanged):
        read(page(), url=f"{SOURCE.info.url}?$skip=0")


@pytest.mark.parametrize("body", [b"<html></html>", b"", b"[]", b"{}", b'{"Items": null}', b'{"Items": {"a": 1}}'])
def test_a_page_in_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        read(body)


def test_fetch_asks_for_accelerated_machines_and_follows_the_link_to_the_last_page() -> None:
    transport = Pages(FIRST_PAGE, LAST_PAGE)
    documents = fetched(transport)
    assert [document.body for document in documents] == [FIRST_PAGE, LAST_PAGE]
    assert {document.fetched_at for document in documents} == {NOW}
    (first_url, first_params), (second_url, second_params) = transport.asked
    assert first_url == "https://prices.azure.com/api/retail/prices"
    assert first_params == {
        "api-version": "2023-01-01-preview",
        "$filter": "serviceName eq 'Virtual Machines' and contains(armSkuName,'Standard_N')",
    }
    assert second_url.startswith("https://prices.azure.com/api/retail/prices?api-version=2023-01-01-preview&$filter=")
    assert second_url.endswith("&$skip=1000")
    assert second_params is None


def test_a_link_to_the_official_host_is_followed_on_the_mirror_that_was_asked() -> None:
    transport = Pages(FIRST_PAGE, LAST_PAGE)
    fetched(transport, "http://127.0.0.1:8099/azure/prices")
    assert transport.asked[1][0].startswith("http://127.0.0.1:8099/azure/prices?api-version=")


@pytest.mark.parametrize(
    "link",
    [
        "https://prices.azure.com.example.org/api/retail/prices?$skip=1000",
        "https://prices.azure.com@example.org/api/retail/prices?$skip=1000",
        "https://prices.azure.com/api/other?$skip=1000",
        "file:///etc/passwd",
        "https://[",
        17,
    ],
)
def test_a_link_to_a_foreign_place_is_not_followed(link: object) -> None:
    transport = Pages(page(ROW, link=link))
    with pytest.raises(FetchFailed, match="NextPageLink leads to"):
        fetched(transport)
    assert len(transport.asked) == 1


def test_pages_that_run_in_a_circle_are_noticed() -> None:
    transport = Pages(page(ROW, link=f"{SOURCE.info.url}?$skip=1000"))
    with pytest.raises(FetchFailed, match="circle"):
        fetched(transport)
    assert len(transport.asked) == 2


def test_pages_that_do_not_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pricing_sources.protocols.azure_prices.MAX_PAGES", 3)
    transport = Pages(*(page(ROW, link=f"{SOURCE.info.url}?$skip={each}") for each in (1, 2, 3, 4)))
    with pytest.raises(FetchFailed, match="after 3 pages"):
        fetched(transport)
    assert len(transport.asked) == 3


class TestRecordedRegion:
    """A whole region as it was answered in December 2021: 4,436 rows."""

    @pytest.fixture
    def readings(self, recorded: Path) -> list[Reading]:
        return read((recorded / "gpu/azure/terracost_retail_prices.json").read_bytes())

    def test_every_row_is_a_price_or_skipped_by_name(self, readings: list[Reading]) -> None:
        assert len(readings) == 4436
        assert Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings) == {
            "Observation": 28,
            "dev_test": 1200,
            "windows": 1200,
            "dedicated_host": 74,
            "low_priority": 395,
            "not_accelerated": 1539,
        }

    def test_list_prices_are_those_of_linux_machines(self, readings: list[Reading]) -> None:
        on_demand = {
            each.series.sku: each.published_amount
            for each in readings
            if isinstance(each, Observation) and each.series.purchase == "on_demand"
        }
        assert on_demand == {
            "Standard_NC6s_v3": "3.58",
            "Standard_NC12s_v3": "7.16",
            "Standard_NC24s_v3": "14.321",
            "Standard_NC24rs_v3": "15.753",
            "Standard_NV12s_v3": "1.425",
            "Standard_NV24s_v3": "2.85",
            "Standard_NV48s_v3": "5.7",
        }

    def test_spot_prices_are_told_from_list_prices(self, readings: list[Reading]) -> None:
        key = "azure_retail_prices/Standard_NC6s_v3/francecentral"
        assert prices(readings)[f"{key}/on_demand"] == Decimal("3.58")
        assert prices(readings)[f"{key}/spot"] == Decimal("0.761108")

    def test_a_three_year_total_becomes_an_hourly_price(self, readings: list[Reading]) -> None:
        per_gpu = prices(readings)["azure_retail_prices/Standard_NV48s_v3/francecentral/reserved_3y"]
        assert per_gpu == Decimal("0.626997716895")
        per_instance_hour = Fraction(65910, 26280)
        assert abs(Fraction(per_gpu) * 4 - per_instance_hour) < Fraction(1, 10**11)

    def test_every_price_lies_in_the_plausible_band(self, readings: list[Reading]) -> None:
        for each in readings:
            if isinstance(each, Observation):
                low, high = SOURCE.info.plausible[each.unit]
                assert low <= each.amount <= high, each


def test_the_rows_of_a_hand_made_page_without_dates_are_quarantined(recorded: Path) -> None:
    readings = read((recorded / "gpu/azure/compute_index_westeurope_fixture.json").read_bytes())
    assert [getattr(each, "reason", "") for each in readings] == [
        "effectiveStartDate is None; a text was expected",
        "effectiveStartDate is None; a text was expected",
        "effectiveStartDate is None; a text was expected",
        "unitOfMeasure is '1 Month'; accepted: 1 Hour",
        "effectiveStartDate is None; a text was expected",
        "effectiveStartDate is None; a text was expected",
        "not_accelerated",
    ]
