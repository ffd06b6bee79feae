from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.electricity.eia_v2 import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_by_hand_five_rows.json")


def test_cents_become_dollars_whether_they_are_text_or_number() -> None:
    found = prices(read(SOURCE, BODY))
    california, nation = found["eia_v2/US-CA/industrial/retail_average"], found["eia_v2/US/commercial/retail_average"]
    assert (california.amount, california.unit, california.currency) == (Decimal("0.2174"), Unit.KWH, "USD")
    assert (california.valid_from, california.published_amount) == (day("2026-03-01"), "21.74")
    assert (nation.amount, nation.published_unit) == (Decimal("0.134"), "cents per kilowatthour")


def test_what_is_no_price_has_a_name() -> None:
    readings = read(SOURCE, BODY)
    assert skipped(readings) == {"no_price": 1, "other_sector": 1}
    assert rejected(readings) == ["period '2026'; a month such as 2026-03 was expected"]
    assert len(readings) == 5


def test_another_unit_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="prices in 'dollars per megawatthour'"):
        read(SOURCE, BODY.replace(b"cents per kilowatthour", b"dollars per megawatthour"))


@pytest.mark.parametrize("name", ["US-NW-PGE-with-nulls.json", "US_NW_BPAT-consumption.json"])
def test_a_recorded_answer_to_another_question_is_refused(recorded: Path, name: str) -> None:
    with pytest.raises(ShapeChanged, match="'price' is missing"):
        read(SOURCE, (recorded / "other/eia" / name).read_bytes())


def test_pages_are_asked_for_in_a_fixed_order_with_the_key_in_a_header(feed: Feed) -> None:
    feed.answers = {"/": [reply(BODY.replace(b'"total": "5"', b'"total": "10"'))]}
    assert len(list(fetched(SOURCE, feed.url("/"), api_key="k3y"))) == 2
    assert [path.partition("offset=")[2].partition("&")[0].join(("offset=", "")) for path, _ in feed.asked] == [
        "offset=0",
        "offset=5",
    ]
    assert all(headers["x-api-key"] == "k3y" and "k3y" not in path for path, headers in feed.asked)
    assert all("sort%5B0%5D%5Bcolumn%5D=period" in path for path, _ in feed.asked)
