from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.llm_api.openrouter import METERS, SOURCE
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document
from pricing_sources.units import Unit
from tests.conftest import day

TYPED = Path(__file__).parents[2] / "documents" / "openrouter" / "typed_five_models.json"


def parsed(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="openrouter", url="file:x", body=body, fetched_at=day("2026-11-01"))))


def prices(readings: list[Reading]) -> dict[str, Observation]:
    return {one.series.key: one for one in readings if isinstance(one, Observation)}


def test_a_price_of_one_token_is_kept_for_a_million() -> None:
    price = prices(parsed(TYPED.read_bytes()))["openrouter/openrouter/google_gemini-3.1-flash-lite/input"]
    assert (price.amount, price.unit) == (Decimal("0.25"), Unit.TOKENS_1M)
    assert (price.published_amount, price.published_unit) == ("0.00000025", "USD per token")


def test_a_search_is_priced_by_the_request() -> None:
    price = prices(parsed(TYPED.read_bytes()))["openrouter/openrouter/google_gemini-3.1-flash-lite/web_searches"]
    assert (price.amount, price.unit) == (Decimal("0.014"), Unit.REQUEST)


def test_what_is_no_price_is_skipped_by_name_and_what_should_be_one_is_held_back() -> None:
    readings = parsed(TYPED.read_bytes())
    assert Counter(one.reason for one in readings if isinstance(one, Skipped)) == {
        "unit_unclear": 1,
        "free": 2,
        "decided_per_request": 2,
        "whichever_is_newest": 2,
    }
    assert [one.reason for one in readings if isinstance(one, Rejected)] == [
        "'$1' where a price in USD was expected",
        f"'per_page' is no meter we know; known are {', '.join(METERS)}",
    ]
    assert len(readings) == 16


def test_a_model_without_its_two_prices_is_a_changed_shape() -> None:
    with pytest.raises(ShapeChanged, match="'completion' is missing"):
        parsed(b'{"data": [{"id": "a/b", "pricing": {"prompt": "0.1"}}]}')


def test_the_recorded_models_are_read_to_the_last_price(recorded: Path) -> None:
    readings = parsed((recorded / "other/openrouter/api_v1_models.json").read_bytes())
    skipped = Counter(one.reason for one in readings if isinstance(one, Skipped))
    assert len(readings) == 1065
    assert not [one for one in readings if isinstance(one, Rejected)]
    assert (len(prices(readings)), dict(skipped)) == RECORDED


RECORDED = (944, {"free": 58, "whichever_is_newest": 42, "unit_unclear": 15, "decided_per_request": 6})
