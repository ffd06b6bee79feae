from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.llm_api.genai_prices import SOURCE
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document
from pricing_sources.units import Unit
from tests.conftest import day

TYPED = Path(__file__).parents[2] / "documents" / "genai_prices" / "typed_three_providers.json"
NOW = day("2026-11-01")


def parsed(body: bytes, now: datetime = NOW) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="genai_prices", url="file:x", body=body, fetched_at=now)))


def prices(now: datetime = NOW) -> dict[str, Observation]:
    return {one.series.key: one for one in parsed(TYPED.read_bytes(), now) if isinstance(one, Observation)}


def test_a_price_is_per_million_tokens() -> None:
    price = prices()["genai_prices/anthropic/claude-2/input"]
    assert (price.amount, price.currency, price.unit, price.dated) == (Decimal(8), "USD", Unit.TOKENS_1M, False)
    assert (price.locator, price.published_unit) == ("/0/models/0/prices/input_mtok", "USD per million tokens")


def test_a_tier_is_a_price_of_its_own_above_its_start() -> None:
    before = prices(day("2026-03-01"))
    assert before["genai_prices/anthropic/claude-opus-4-6/input"].amount == 5
    assert before["genai_prices/anthropic/claude-opus-4-6/input/above_200000"].amount == 10
    assert before["genai_prices/anthropic/claude-opus-4-6/cache_write_1h/above_200000"].amount == 20


def test_a_price_with_a_start_date_holds_from_it_and_supersedes_the_set_before() -> None:
    after = prices()
    price = after["genai_prices/anthropic/claude-opus-4-6/input"]
    assert (price.valid_from, price.dated) == (day("2026-03-13"), True)
    assert "genai_prices/anthropic/claude-opus-4-6/input/above_200000" not in after


def test_a_price_announced_for_the_future_stands_beside_todays() -> None:
    key = "genai_prices/anthropic/claude-sonnet-5/input"
    rows = [one for one in parsed(TYPED.read_bytes()) if isinstance(one, Observation) and one.series.key == key]
    assert [(one.amount, one.valid_from, one.dated) for one in rows] == [
        (Decimal(2), NOW, False),
        (Decimal(3), day("2027-01-01"), True),
    ]
    assert rows[0].note == "deprecated by the provider"


def test_hours_of_the_day_are_a_condition_and_so_is_the_rest_of_the_day() -> None:
    found = prices()
    assert found["genai_prices/deepseek/deepseek-chat/input/0030_to_1630_utc"].amount == Decimal("0.27")
    assert found["genai_prices/deepseek/deepseek-chat/input/not_0030_to_1630_utc"].amount == Decimal("0.135")
    assert "genai_prices/deepseek/deepseek-chat/input" not in found


def test_a_price_per_thousand_is_kept_for_one() -> None:
    price = prices()["genai_prices/anthropic/claude-sonnet-5/web_searches"]
    assert (price.amount, price.unit, price.published_amount) == (Decimal("0.01"), Unit.REQUEST, "10")


def test_every_price_ends_with_a_name() -> None:
    readings = parsed(TYPED.read_bytes())
    skipped = Counter(one.reason for one in readings if isinstance(one, Skipped))
    [odd] = [one for one in readings if isinstance(one, Rejected)]
    assert skipped == {"superseded": 5, "zero_price": 2}
    assert "'input_pages' is no meter we know" in odd.reason
    assert len(readings) == 19


def test_the_frozen_first_version_is_refused() -> None:
    body = TYPED.read_bytes().replace(b"cache_write_1h_mtok", b"cache_write_mtok")
    with pytest.raises(ShapeChanged, match="the frozen first version of the list; ask for new_data/v2"):
        parsed(body)


@pytest.mark.parametrize("constraint", [b'"start_date": "soon"', b'"weekday": "monday"'])
def test_a_condition_nobody_announced_is_refused_by_name(constraint: bytes) -> None:
    with pytest.raises(ShapeChanged, match="/0/models/1/prices/1"):
        parsed(TYPED.read_bytes().replace(b'"start_date": "2026-03-13"', constraint))


def test_a_model_without_a_price_is_skipped_by_name() -> None:
    bare = TYPED.read_bytes().replace(b'"models": [', b'"models": [{"id": "free-for-all", "prices": {}}, ', 1)
    assert Skipped("no_price", "/0/models/0/prices") in parsed(bare)


def test_the_recorded_list_is_read_to_the_last_price(recorded: Path) -> None:
    readings = parsed((recorded / "other/genai-prices/v2-data.json").read_bytes())
    skipped = Counter(one.reason for one in readings if isinstance(one, Skipped))
    observed = [one for one in readings if isinstance(one, Observation)]
    assert not [one for one in readings if isinstance(one, Rejected)]
    assert len(readings) == len(observed) + skipped.total()
    o3 = "genai_prices/openai/o3/input"
    assert [one.amount for one in observed if one.series.key == o3] == [Decimal(2)]
    assert (len(observed), dict(skipped)) == RECORDED


def test_the_recorded_frozen_list_is_refused(recorded: Path) -> None:
    with pytest.raises(ShapeChanged, match="frozen"):
        parsed((recorded / "other/genai-prices/v1-data-FROZEN.json").read_bytes())


RECORDED = (3256, {"no_price": 157, "superseded": 67})
