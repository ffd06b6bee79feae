"""Vast.ai: offers become distributions, never prices."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pricing_sources.compute.vast import GPU_NAMES, LONGEST_ANSWER, SOURCE
from pricing_sources.documents import exact_json
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, PricingCategory, Reading, RecordSeries, Rejected, Skipped, Status
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.test_transport import Feed, reply

TYPED = (Path(__file__).parents[2] / "documents" / "vast" / "typed_eight_offers.json").read_bytes()
NOW = day("2026-11-01T12:00")
PATH = "/api/v0/bundles/"

OFFER = {
    "id": 1,
    "gpu_name": "L40S",
    "num_gpus": 2,
    "gpu_ram": 46068,
    "geolocation": "Oslo, NO",
    "verification": "verified",
    "rentable": True,
    "dph_base": 1.2,
    "dph_total": 1.3,
    "min_bid": 0.8,
}


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="vast", url=SOURCE.info.url, body=body, fetched_at=NOW)))


def offers(*changes: dict[str, Any]) -> list[Reading]:
    listed = [{**OFFER, "id": number, **change} for number, change in enumerate(changes, start=1)]
    return read(json.dumps({"offers": listed}).encode())


def many(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [{"dph_base": 1 + number / 64, "dph_total": 1 + number / 64, **changes} for number in range(count)]


def amounts(readings: list[Reading]) -> dict[str, Decimal]:
    return {each.series.key: each.amount for each in readings if isinstance(each, Observation)}


def reasons(readings: list[Reading]) -> Counter[str]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def test_both_prices_of_every_offer_are_accounted_for_and_the_statistics_come_on_top() -> None:
    readings = read(TYPED)
    assert reasons(readings) == {
        "aggregated": 10,
        "bid_above_price": 1,
        "no_price": 1,
        "deverified": 2,
        "rented": 2,
        # Three markets have asking prices and a depth, two have bids.
        "Observation": (3 + 2) * 7 + 3,
    }
    assert [isinstance(each, Observation) for each in readings] == [False] * 8 * 2 + [True] * 38


def test_percentiles_are_of_the_nearest_rank_and_never_between_two_offers() -> None:
    found = amounts(read(TYPED))
    market = "vast/1x_H100_SXM_80GB/US/verified/on_demand"
    assert {name: str(found[f"{market}/{name}"]) for name in ("min", "p10", "p25", "median", "p75", "p90", "max")} == {
        "min": "1.75",
        "p10": "1.75",
        "p25": "1.75",
        "median": "1.8",
        "p75": "2.0",
        "p90": "4.1",
        "max": "4.1",
    }


def test_of_ten_prices_the_fifth_is_the_median_and_the_ninth_the_p90() -> None:
    prices = [{"dph_base": tenth, "num_gpus": 1} for tenth in (9, 3, 1, 10, 4, 8, 2, 6, 5, 7)]
    found = amounts(offers(*prices))
    market = "vast/1x_L40S_45GB/NO/verified/on_demand"
    assert [int(found[f"{market}/{name}"]) for name in ("min", "p10", "p25", "median", "p75", "p90", "max")] == [
        *(1, 1, 3, 5, 8, 9, 10),
    ]


def test_the_price_of_an_offer_is_for_all_its_gpus_and_is_divided() -> None:
    found = amounts(read(TYPED))
    assert found["vast/8x_H100_SXM_80GB/NL/unverified/on_demand/median"] == Decimal("2.2")
    assert found["vast/8x_H100_SXM_80GB/NL/unverified/bid/median"] == Decimal("1.05")


def test_a_third_that_no_decimal_holds_is_kept_to_twelve_digits() -> None:
    found = amounts(offers({"dph_base": 1.0, "num_gpus": 3}))
    assert found["vast/3x_L40S_45GB/NO/verified/on_demand/min"] == Decimal("0.333333333333")


def test_a_statistic_says_what_it_is_made_of_and_whose_price_it_is() -> None:
    median = next(
        each
        for each in read(TYPED)
        if isinstance(each, Observation) and each.series.key == "vast/1x_H100_SXM_80GB/US/verified/on_demand/median"
    )
    assert (median.status, median.currency, median.unit) == (Status.DERIVED, "USD", Unit.GPU_HOUR)
    assert (median.published_amount, median.locator) == ("1.8", "/offers/1/dph_base")
    assert (median.valid_from, median.dated) == (NOW, False)
    assert (median.series.accelerator, median.series.gpu_count, median.series.gpu_memory_gb) == ("H100 SXM", 1, 80)
    assert median.series.pricing_category is PricingCategory.STANDARD


def test_a_bid_is_dynamic_and_one_above_the_price_is_no_bid() -> None:
    found = {each.series.key: each for each in read(TYPED) if isinstance(each, Observation)}
    highest = found["vast/1x_H100_SXM_80GB/US/verified/bid/max"]
    assert (str(highest.amount), highest.series.pricing_category) == ("1.5", PricingCategory.DYNAMIC)
    assert Skipped("bid_above_price", "/offers/2/min_bid") in read(TYPED)


def test_a_bid_of_the_price_itself_is_one() -> None:
    assert amounts(offers({"min_bid": 1.2}))["vast/2x_L40S_45GB/NO/verified/bid/max"] == Decimal("0.6")


def test_the_depth_of_a_market_counts_gpus_and_states_offers() -> None:
    [depth] = [
        each
        for each in offers({}, {"gpu_ram": 46000}, {"min_bid": None})
        if isinstance(each, Observation) and isinstance(each.series, RecordSeries)
    ]
    assert (depth.series.key, depth.amount, depth.unit, depth.currency) == (
        *("vast/market_depth/2x_L40S_45GB_NO/verified", 6, Unit.GPU, None),
    )
    assert (depth.published_amount, depth.published_unit) == ("3", "offers")


def test_a_note_does_not_change_with_the_number_of_offers() -> None:
    one, three = offers({}), offers({}, {}, {})
    notes = [{each.note for each in readings if isinstance(each, Observation)} for readings in (one, three)]
    assert notes[0] == notes[1]


@pytest.mark.parametrize(
    ("change", "market"),
    [
        ({"gpu_name": "RTX 4090", "gpu_ram": 24564}, "2x_RTX_4090_24GB/NO/verified"),
        ({"gpu_name": "RTX 4090", "gpu_ram": 49140}, "2x_RTX_4090_48GB/NO/verified"),
        ({"gpu_ram": 143771}, "2x_L40S_141GB/NO/verified"),
        ({"geolocation": ", US"}, "2x_L40S_45GB/US/verified"),
        ({"geolocation": None}, "2x_L40S_45GB/global/verified"),
        ({"verification": "unverified"}, "2x_L40S_45GB/NO/unverified"),
        ({"num_gpus": 14}, "14x_L40S_45GB/NO/verified"),
    ],
)
def test_a_market_is_a_gpu_its_memory_a_count_a_country_and_a_verification(change: dict[str, Any], market: str) -> None:
    assert f"vast/{market}/on_demand/median" in amounts(offers(change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"verification": "deverified"}, "deverified"),
        ({"rentable": False}, "not_rentable"),
        ({"rented": True}, "rented"),
        ({"is_bid": True}, "bid_listing"),
        ({"num_gpus": 0}, "not_accelerated"),
        ({"gpu_name": None}, "not_accelerated"),
    ],
)
def test_an_offer_nobody_can_take_is_named_and_counts_nowhere(change: dict[str, Any], reason: str) -> None:
    assert offers(change) == [Skipped(reason, "/offers/0/dph_base"), Skipped(reason, "/offers/0/min_bid")]


def test_an_offer_listed_twice_counts_once() -> None:
    readings = offers({}, {"id": 1, "dph_base": 9.0})
    assert reasons(readings)["duplicate"] == 2
    assert amounts(readings)["vast/2x_L40S_45GB/NO/verified/on_demand/max"] == Decimal("0.6")


def test_a_price_of_zero_is_no_gift() -> None:
    assert Skipped("zero_price", "/offers/0/dph_base") in offers({"dph_base": 0, "min_bid": None})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dph_base": "1.2"}, "dph_base is '1.2'; a number not below zero was expected"),
        ({"dph_base": -1}, "a number not below zero was expected"),
        ({"gpu_ram": 0}, "gpu_ram is Decimal('0'); a number above zero was expected"),
        ({"num_gpus": 1.5}, "num_gpus is 1.5; a whole number was expected"),
        ({"geolocation": "Norway"}, "geolocation is 'Norway'; a place that ends with a country's code was expected"),
        ({"verification": "gold"}, "verification is 'gold'; accepted: deverified, unverified, verified"),
        ({"gpu_name": 4090}, "a text was expected"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_the_reason(change: dict[str, Any], words: str) -> None:
    first = offers(change)[0]
    assert isinstance(first, Rejected)
    assert words in first.reason


def test_of_an_answer_cut_off_at_its_dear_end_only_the_lowest_price_is_known() -> None:
    readings = offers(*many(LONGEST_ANSWER))
    stated = [each for each in readings if isinstance(each, Observation)]
    assert [(each.series.key, each.amount, each.status) for each in stated] == [
        ("vast/2x_L40S_45GB/NO/verified/on_demand/min", Decimal("0.5"), Status.DERIVED),
        ("vast/market_depth/2x_L40S_45GB_NO/verified", 128, Status.LOWER_BOUND),
    ]


def test_a_cut_off_answer_in_no_order_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="64 offers, as many as one answer holds, but not the cheapest first"):
        offers(*reversed(many(LONGEST_ANSWER)))


def test_an_answer_one_offer_shorter_is_whole() -> None:
    assert "vast/2x_L40S_45GB/NO/verified/bid/p90" in amounts(offers(*many(LONGEST_ANSWER - 1)))


@pytest.mark.parametrize("body", [b"[]", b'{"offers": []}', b'{"offers": {}}', b'{"offers": ["x"]}'])
def test_an_answer_without_offers_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged, match="/offers"):
        read(body)


@pytest.mark.parametrize("name", sorted(OFFER))
def test_an_offer_without_one_of_its_fields_is_refused_with_its_place(name: str) -> None:
    broken = {key: value for key, value in OFFER.items() if key != name}
    with pytest.raises(ShapeChanged, match=f"'{name}' is missing \\(at /offers/0\\)"):
        read(json.dumps({"offers": [broken]}).encode())


class Market:
    """A market over loopback: how many offers it has for a question."""

    def __init__(self, feed: Feed, stock: dict[str, int]) -> None:
        self.questions: list[dict[str, Any]] = []
        self._stock = stock
        feed.answers[PATH] = [self.answer]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        question = exact_json(parse_qs(urlsplit(handler.path).query)["q"][0].encode())
        self.questions.append(question)
        left = self._stock.get(question["gpu_name"]["eq"], 0)
        if "num_gpus" in question:
            left = left // 2 if question["num_gpus"] == {"eq": 1} else 0
        if "verified" in question:
            left = min(left, 3)
        listed = [{**OFFER, "id": number} for number in range(min(left, LONGEST_ANSWER))]
        reply(json.dumps({"offers": listed}).encode())(handler)


class TestFetch:
    """Asking a market over loopback."""

    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        answering = Feed()
        yield answering
        answering.close()

    def fetched(self, feed: Feed) -> list[Document]:
        with HttpTransport(Limits(attempts=1)) as transport:
            return list(SOURCE.fetch(transport, FetchRequest(url=feed.url(PATH), now=NOW)))

    def test_every_gpu_name_is_asked_for_and_only_answers_with_offers_are_kept(self, feed: Feed) -> None:
        market = Market(feed, {"L40S": 2, "H200": 1})
        documents = self.fetched(feed)
        assert [question["gpu_name"]["eq"] for question in market.questions] == list(GPU_NAMES)
        assert [len(exact_json(each.body)["offers"]) for each in documents] == [1, 2]
        assert all(each.fetched_at == NOW and each.url.startswith(feed.url(PATH)) for each in documents)

    def test_a_question_is_for_what_can_be_rented_now_cheapest_first(self, feed: Feed) -> None:
        market = Market(feed, {"B300": 1})
        self.fetched(feed)
        assert market.questions[0] == {
            "gpu_name": {"eq": "B300"},
            "rentable": {"eq": True},
            "type": "on-demand",
            "order": [["dph_total", "asc"]],
            "limit": LONGEST_ANSWER,
        }

    def test_an_answer_as_long_as_allowed_is_asked_again_in_parts(self, feed: Feed) -> None:
        market = Market(feed, {"L40S": 100})
        assert len(self.fetched(feed)) == 1
        assert [question["num_gpus"] for question in market.questions if "num_gpus" in question] == [
            *({"eq": count} for count in (1, 2, 4, 8)),
            {"notin": [1, 2, 4, 8]},
        ]
        assert not any("verified" in question for question in market.questions)

    def test_a_part_still_too_long_is_asked_by_verification(self, feed: Feed) -> None:
        market = Market(feed, {"L40S": 200})
        assert [len(exact_json(each.body)["offers"]) for each in self.fetched(feed)] == [3, 3]
        assert [question["verified"] for question in market.questions if "verified" in question] == [
            {"eq": True},
            {"eq": False},
        ]

    def test_a_market_without_a_single_offer_is_a_question_not_understood(self, feed: Feed) -> None:
        Market(feed, {})
        with pytest.raises(FetchFailed, match="not one offer"):
            self.fetched(feed)

    def test_an_answer_in_another_shape_is_refused(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(b'{"success": false, "msg": "too many requests"}')]
        with pytest.raises(ShapeChanged, match="/offers"):
            self.fetched(feed)


class TestRecordedAnswer:
    """Forty-eight H100 offers of August 2026."""

    @pytest.fixture
    def readings(self, recorded: Path) -> list[Reading]:
        return read((recorded / "gpu/vast/compute_index_vast_bundles.json").read_bytes())

    def test_both_prices_of_every_offer_are_accounted_for(self, readings: list[Reading]) -> None:
        assert reasons(readings) == {"aggregated": 79, "deverified": 14, "bid_above_price": 3, "Observation": 428}
        assert 79 + 14 + 3 == 48 * 2

    def test_no_deverified_machine_is_in_any_statistic(self, readings: list[Reading]) -> None:
        offered = sum(
            int(each.published_amount)
            for each in readings
            if isinstance(each, Observation) and isinstance(each.series, RecordSeries)
        )
        assert offered == 24 + 17

    def test_three_american_hosts_ask_from_1_31_to_1_67_for_an_unverified_h100(self, readings: list[Reading]) -> None:
        found, market = amounts(readings), "vast/1x_H100_SXM_80GB/US/unverified/on_demand"
        assert str(found[f"{market}/min"]) == "1.3066666666666666"
        assert str(found[f"{market}/median"]) == "1.6533333333333333"
        assert str(found[f"{market}/max"]) == "1.6666666666666667"

    def test_the_dearest_of_them_all_asks_4_65(self, readings: list[Reading]) -> None:
        highest = max(amount for key, amount in amounts(readings).items() if key.endswith("/max"))
        assert highest == Decimal("18.613333333333333") / 4

    def test_nothing_is_implausible(self, readings: list[Reading]) -> None:
        assert list(screened(readings, SOURCE.info.plausible)) == readings
