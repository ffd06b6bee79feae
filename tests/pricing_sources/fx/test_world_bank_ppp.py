from decimal import Decimal

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.fx.world_bank_ppp import SOURCE
from tests.conftest import day
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_by_hand_four_rows.json")


def test_a_parity_is_a_factor_of_a_country_and_a_year() -> None:
    [parity] = prices(read(SOURCE, BODY)).values()
    assert (parity.series.key, parity.amount) == ("world_bank_ppp/ppp/DEU", Decimal("0.70512"))
    assert (parity.valid_from, parity.currency, parity.vintage) == (day("2025-01-01"), None, "2025")


def test_groups_and_years_to_come_are_no_parities() -> None:
    readings = read(SOURCE, BODY)
    assert skipped(readings) == {"not_available": 1, "group_of_countries": 1}
    assert rejected(readings) == ["Decimal('-3') for '2025'; a number above zero for a year was expected"]


def test_another_indicator_is_refused() -> None:
    with pytest.raises(ShapeChanged, match=r"PA\.NUS\.PPP was asked for, not 'PA\.NUS\.FCRF'"):
        read(SOURCE, BODY.replace(b"PA.NUS.PPP", b"PA.NUS.FCRF"))


def test_an_answer_of_one_part_is_a_refusal() -> None:
    with pytest.raises(ShapeChanged, match="Invalid value"):
        read(SOURCE, b'[{"message": [{"id": "120", "key": "Invalid value"}]}]')


def test_every_page_is_asked_for(feed: Feed) -> None:
    feed.answers = {"/ppp": [reply(BODY.replace(b'"pages": 1', b'"pages": 3'))]}
    assert len(list(fetched(SOURCE, feed.url("/ppp")))) == 3
