"""The promise: the same scenario at the same as-of gives the same bytes, whatever was learned since."""

import hashlib
from decimal import Decimal

import pytest

from service.domain.as_of import AsOf
from service.domain.canonical import canonical_bytes
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.errors import Invalid, NoData, NotFound
from service.store.store import Store
from service.usecases.estimates import get_estimate, list_estimates, new_estimate, price_scenario
from tests.conftest import day
from tests.store.conftest import Learn

KEY = "nimbus/h100/global/on_demand"
RUN = Scenario(
    name="One run",
    training=TrainingPart(gpus=Decimal(8), hours=Decimal("100.5"), gpu_price=PriceInput(series=KEY)),
)


def asked(valid: str, known: str) -> AsOf:
    return AsOf(day(valid), day(known))


def test_an_estimate_is_named_by_the_hash_of_its_bytes_and_kept_once(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    first = new_estimate(store, RUN, asked("2026-03-02", "2026-03-02"), now=day("2026-03-02"))
    again = new_estimate(store, RUN, asked("2026-03-02", "2026-03-02"), now=day("2026-03-09"))

    assert first == again
    assert hashlib.sha256(first.body).hexdigest() == first.estimate_id
    assert canonical_bytes(first.estimate) == first.body
    assert first.estimate.total == Decimal(2010)
    assert [one.estimate_id for one in list_estimates(store)] == [first.estimate_id]
    assert get_estimate(store, first.estimate_id[:8]) == first


def test_the_same_question_gives_the_same_bytes_after_a_thousand_later_refreshes(store: Store, learn: Learn) -> None:
    learn("h100 2.50", "a100 1.10", on="2026-03-01")
    question = asked("2026-03-02", "2026-03-02")
    before = canonical_bytes(price_scenario(store, RUN, question))

    for step in range(1_000 if store.is_sqlite else 300):
        learn(f"h100 {2 + step % 7 / 10}", f"a100 1.1 2026-0{1 + step % 3}-01", on=f"2026-04-{1 + step % 28:02}")
    learn("h100 2.22 2026-03-01", "h100 2.33 2026-02-01", on="2026-06-01")

    assert canonical_bytes(price_scenario(store, RUN, question)) == before
    assert canonical_bytes(price_scenario(store, RUN, asked("2026-03-02", "2026-06-02"))) != before


def test_known_at_is_resolved_to_a_seal_so_that_asking_again_is_exact(store: Store, learn: Learn) -> None:
    sealed = learn("h100 2.50", on="2026-03-01")
    answer = price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))

    assert answer.as_of.known_at == sealed.recorded_at
    assert price_scenario(store, RUN, answer.as_of) == answer


def test_every_price_of_an_estimate_leads_back_to_the_bytes(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    [used] = price_scenario(store, RUN, asked("2026-03-04", "2026-03-04")).prices

    citation = used.price.citation
    assert (citation.document_url, citation.locator, citation.published_amount) == ("file:prices.txt", "line 1", "2.50")
    assert citation.document_sha256 == hashlib.sha256(b"h100 2.50").hexdigest()
    assert used.age_days == Decimal(3)


def test_a_missing_price_is_never_zero(store: Store, learn: Learn) -> None:
    learn("a100 1.10", on="2026-03-01")
    answer = price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))

    assert answer.lower_bound
    assert answer.line_items == ()
    [missing] = answer.unpriced
    assert missing.pricing_quantity == Decimal(804)
    assert "no such series was known then" in missing.reason.reason


def test_before_the_first_price_the_answer_says_what_is_covered(store: Store, learn: Learn) -> None:
    with pytest.raises(NoData, match="no prices are recorded yet; run: costplan refresh"):
        price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))
    learn("h100 2.50", on="2026-03-05")
    with pytest.raises(NoData, match="the first prices were recorded at 2026-03-05"):
        price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))


def test_an_estimate_is_found_by_an_unambiguous_start_of_its_id_only(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    with pytest.raises(NotFound, match="there is no estimate abcdef"):
        get_estimate(store, "abcdef")
    with pytest.raises(Invalid, match="at least its first 4 hexadecimal digits"):
        get_estimate(store, "xyz")
