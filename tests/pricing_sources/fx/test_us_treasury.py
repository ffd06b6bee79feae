from decimal import Decimal

import pytest

from pricing_sources.fx.us_treasury import CURRENCIES, SOURCE
from pricing_sources.observation import Observation
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import fetched, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_by_hand_five_rates.json")


def test_a_rate_is_kept_per_dollar_and_never_inverted() -> None:
    newest, amended, older = (one for one in read(SOURCE, BODY) if isinstance(one, Observation))
    assert (newest.series.key, newest.amount, newest.currency) == ("us_treasury/USD/TWD", Decimal("30.52"), "TWD")
    assert (newest.unit, newest.valid_from, newest.vintage) == (Unit.DOLLAR, day("2026-09-30"), "2026-Q3")
    assert amended.valid_from == day("2026-10-15"), "an amended rate holds from its amendment"
    assert (older.amount, older.vintage) == (Decimal("29.18"), "2026-Q2")


def test_what_is_no_rate_has_a_name() -> None:
    assert skipped(read(SOURCE, BODY)) == {"other_currency": 1}
    assert rejected(read(SOURCE, BODY)) == ["Vietnam-Dong: 'null' is not a plain decimal number such as 12.34"]


def test_no_currency_of_the_european_central_bank_is_among_ours() -> None:
    assert not set(CURRENCIES.values()) & {"USD", "GBP", "JPY", "CHF", "INR", "CNY", "BRL", "KRW", "ILS", "EUR"}


@pytest.mark.parametrize(("seed", "since"), [(True, "2001-01-01"), (False, "2025-10-31")])
def test_the_first_time_everything_is_asked_for(feed: Feed, seed: bool, since: str) -> None:
    pages = [BODY.replace(b'"total-pages": 1', b'"total-pages": 2')] * 2
    feed.answers = {"/rates": [reply(page) for page in pages]}
    assert len(list(fetched(SOURCE, feed.url("/rates"), seed=seed))) == 2
    assert all(f"record_date%3Agte%3A{since}" in path for path, _ in feed.asked)
    assert [path.rpartition("&")[2] for path, _ in feed.asked] == ["page%5Bnumber%5D=1", "page%5Bnumber%5D=2"]
