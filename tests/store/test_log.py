import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from pricing_sources.source import Document
from service.domain.as_of import AsOf
from service.domain.price_book import Price, Unpriced
from service.errors import Cancelled, LeaseLost, NoData
from service.store import log, prices, quarantine, refreshes
from service.store.log import Attempt
from service.store.prices import PriceFilter
from service.store.store import Store
from service.store.tables import gpu_observation, gpu_series, refresh
from service.usecases.prices import get_price, price_history, search_prices
from service.usecases.refresh import import_document
from service.usecases.refresh import refresh as refresh_source
from tests.conftest import day
from tests.store.conftest import Learn, LineFeed, PagedFeed

KEY = "nimbus/h100/global/on_demand"


def price(store: Store, *, valid: str, known: str, key: str = KEY) -> Decimal | str:
    book = store.read(lambda c: prices.price_book(c, AsOf(day(valid), day(known)), [key]))
    found = book.price(key)
    return found.amount if isinstance(found, Price) else found.reason


def test_a_price_holds_from_its_date_and_is_known_from_its_seal(store: Store, learn: Learn) -> None:
    learn("h100 2.50 2026-03-01", on="2026-03-02")

    assert price(store, valid="2026-03-01", known="2026-03-03") == Decimal("2.5")
    assert "the first known then held from 2026-03-01" in price(store, valid="2026-02-28", known="2026-03-03")
    with pytest.raises(NoData, match="the first prices were recorded at 2026-03-02"):
        price(store, valid="2026-03-05", known="2026-03-01T23:59")


def test_a_correction_changes_the_past_but_not_what_we_said_then(store: Store, learn: Learn) -> None:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    sealed = learn("h100 2.40 2026-03-01", on="2026-03-05")

    assert (sealed.added, sealed.corrected) == (0, 1)
    assert price(store, valid="2026-03-02", known="2026-03-02") == Decimal("2.50")
    assert price(store, valid="2026-03-02", known="2026-03-06") == Decimal("2.40")


def test_a_reading_cancelled_half_way_leaves_nothing(store: Store) -> None:
    def stop(_: str) -> None:
        raise Cancelled("enough")

    feed = LineFeed()
    lines = "\n".join(f"gpu{number} 2.50" for number in range(10_001)).encode()
    document = Document(source_id="nimbus", url="file:x", body=lines, fetched_at=day("2026-03-01"))
    with pytest.raises(Cancelled):
        import_document(store, feed, document, now=day("2026-03-01"), progress=stop)
    for table in (gpu_observation, gpu_series, refresh):
        assert store.read(lambda c, t=table: c.execute(select(t)).first()) is None
    assert import_document(store, feed, document, now=day("2026-03-01")).added == 10_001


def test_a_late_correction_of_an_old_price_does_not_shadow_a_newer_one(store: Store, learn: Learn) -> None:
    learn("h100 2.50 2026-03-01", "h100 3.00 2026-04-01", on="2026-04-02")
    learn("h100 2.40 2026-03-01", on="2026-05-01")

    assert price(store, valid="2026-03-15", known="2026-05-02") == Decimal("2.40")
    assert price(store, valid="2026-04-15", known="2026-05-02") == Decimal("3.00")


def test_a_document_imported_twice_changes_nothing(store: Store, learn: Learn) -> None:
    first = learn("h100 2.50 2026-03-01", "a100 1.10", "b200 -", "t4 ?", on="2026-03-01")
    second = learn("h100 2.50 2026-03-01", "a100 1.10", "b200 -", "t4 ?", on="2026-03-02")

    assert (first.rows_read, first.added, first.rejected, first.skipped) == (4, 2, 1, {"blank": 1})
    assert (second.rows_read, second.added, second.corrected, second.unchanged) == (4, 0, 0, 2)
    assert len(price_history(store, KEY, day("2026-03-03"))) == 1


def test_a_series_stated_twice_in_one_document_keeps_the_first(store: Store, learn: Learn) -> None:
    sealed = learn("h100 2.50 2026-03-01", "h100 2.5 2026-03-01", "h100 2.60 2026-03-01", on="2026-03-02")

    assert (sealed.observed, sealed.skipped, sealed.rejected, sealed.rows_read) == (1, {"repeated": 1}, 1, 3)
    assert price(store, valid="2026-03-02", known="2026-03-03") == Decimal("2.5")
    [held] = store.read(lambda c: quarantine.newest(c))
    assert held.reason == "2.6 contradicts 2.5, stated before for the same date"


def test_a_live_price_is_stored_when_it_changes_and_only_then(store: Store, learn: Learn) -> None:
    for date, amount in [("2026-03-01", "2.50"), ("2026-03-02", "2.5"), ("2026-03-03", "2.60"), ("2026-03-04", "2.60")]:
        learn(f"h100 {amount}", on=date)

    history = price_history(store, KEY, day("2026-03-05"))
    assert [(point.valid_from, point.amount) for point in history] == [
        (day("2026-03-01"), "2.5"),
        (day("2026-03-03"), "2.6"),
    ]


def test_a_late_import_of_a_live_document_does_not_overrule_later_checks(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    learn("h100 2.50", on="2026-05-01")
    learn("h100 2.20", on="2026-06-01", fetched="2026-04-01")

    assert price(store, valid="2026-04-15", known="2026-06-02") == Decimal("2.20")
    assert price(store, valid="2026-05-15", known="2026-06-02") == Decimal("2.50")
    assert price(store, valid="2026-04-15", known="2026-05-02") == Decimal("2.50")


def test_a_price_ten_times_off_its_history_is_held_back_and_the_old_one_stands(store: Store, learn: Learn) -> None:
    learn("h100 2.50", "a100 1.10", on="2026-03-01")
    sealed = learn("h100 250.00", "a100 1.20", on="2026-03-02")

    assert (sealed.status, sealed.added, sealed.rejected, sealed.rows_read) == ("sealed", 1, 1, 2)
    assert price(store, valid="2026-03-03", known="2026-03-03") == Decimal("2.50")
    [held] = store.read(lambda c: quarantine.newest(c))
    assert held.reason == "250 is over 10 times off 2.5, the price before it"
    assert held.text == KEY


def test_a_document_full_of_jumps_is_not_believed_at_all(store: Store, learn: Learn) -> None:
    skus = [f"g{n}" for n in range(20)]
    learn(*(f"{sku} 2.50" for sku in skus), on="2026-03-01")
    failed = learn(*(f"{sku} 250" for sku in skus[:10]), *(f"{sku} 2.50" for sku in skus[10:]), on="2026-03-02")

    assert (failed.status, failed.error_code) == ("quarantined", "quarantined")
    assert "the unit or the currency may have changed" in failed.error
    assert price(store, valid="2026-03-03", known="2026-03-03", key="nimbus/g0/global/on_demand") == Decimal("2.50")


@pytest.mark.parametrize("factor", [Decimal(8), Decimal(2), Decimal("0.25")])
def test_prices_of_machines_are_not_taken_for_those_of_gpus(store: Store, learn: Learn, factor: Decimal) -> None:
    prices = {f"g{n}": Decimal("2.50") + n for n in range(20)}
    learn(*(f"{sku} {amount}" for sku, amount in prices.items()), on="2026-03-01")
    failed = learn(*(f"{sku} {amount * factor}" for sku, amount in prices.items()), on="2026-03-02")

    assert failed.status == "quarantined"
    assert "20 of 20 prices are 2, 4 or 8 times what they were, or that part of it" in failed.error
    assert price(store, valid="2026-03-03", known="2026-03-03", key="nimbus/g0/global/on_demand") == Decimal("2.50")


def test_a_price_may_double_and_all_may_fall_by_44_percent(store: Store, learn: Learn) -> None:
    prices = {f"g{n}": Decimal("2.50") + n for n in range(20)}
    learn(*(f"{sku} {amount}" for sku, amount in prices.items()), on="2026-03-01")
    doubled = learn(*(f"{sku} {amount * (2 if sku in {'g0', 'g1'} else 1)}" for sku, amount in prices.items()),
                    on="2026-03-02")  # fmt: skip
    cut = learn(*(f"{sku} {amount * Decimal('0.56')}" for sku, amount in prices.items()), on="2026-03-03")

    assert [(one.status, one.added) for one in (doubled, cut)] == [("sealed", 2), ("sealed", 20)]


def test_implausible_rows_are_rejected_and_the_others_stored(store: Store, learn: Learn) -> None:
    sealed = learn("h100 2.50", "free 0", "minus -1", "huge 1e300", on="2026-03-01")

    assert (sealed.observed, sealed.rejected, sealed.rows_read) == (1, 3, 4)


def test_a_document_that_changes_shape_midway_leaves_nothing_behind(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    failed = learn("h100 9.99", "broken x", on="2026-03-02")

    assert (failed.status, failed.error) == ("failed", "not a price line (at line 2)")
    assert price(store, valid="2026-03-03", known="2026-03-03") == Decimal("2.50")


def test_a_document_that_breaks_the_parser_is_a_failed_refresh_not_a_crash(store: Store, learn: Learn) -> None:
    failed = learn("<html>", on="2026-03-02")

    assert (failed.status, failed.error_code) == ("failed", "shape_changed")
    assert "nimbus cannot read file:prices.txt: ValueError: not enough values" in failed.error


def test_a_document_without_one_price_is_not_success(store: Store, learn: Learn) -> None:
    failed = learn("h100 -", on="2026-03-01")

    assert failed.status == "quarantined"
    assert "not one price in the document" in failed.error


def test_a_feed_that_lost_most_of_its_rows_is_quarantined(store: Store, feed: LineFeed, clock) -> None:
    def ask(text: str, on: str):
        feed.answer = text.encode()
        clock.set(day(on))
        return refresh_source(store, feed, None, now=clock(), trigger="manual")

    assert ask("a 1\nb 1\nc 1\nd 1", "2026-03-01").scope == "seed"
    assert ask("a 1\nb 1\nc 1\nd 2", "2026-03-02").scope == "feed"
    failed = ask("a 1", "2026-03-03")

    assert failed.status == "quarantined"
    assert "only 1 prices where the last good refresh had 4" in failed.error
    assert failed.error.endswith(f"costplan quarantine release --refresh {failed.refresh_id} --reason …")


def test_a_feed_that_confirmed_most_of_its_pages_has_not_lost_them_and_is_no_measure_for_later(
    store: Store, clock
) -> None:
    feed = PagedFeed()

    def ask(*pages: str, on: str):
        feed.pages = pages
        clock.set(day(on))
        return refresh_source(store, feed, None, now=clock(), trigger="schedule")

    def coverage() -> float | None:
        return store.read(refreshes.records)["nimbus"].coverage

    ask("a 1\nb 1", "c 1\nd 1", "e 1\nf 1", "g 1\nh 1", on="2026-03-01")
    ask("a 1\nb 1", "c 1\nd 1", "e 1\nf 1", "g 1\nh 2", on="2026-03-02")
    partly = ask("", "", "", "g 1\nh 3", on="2026-03-03")
    assert (partly.status, partly.observed, partly.added, coverage()) == ("sealed", 2, 1, 1.0)
    again = ask("a 1", "c 1", "e 1", "", on="2026-03-04")
    assert again.status == "sealed", "what the unmodified page holds is not counted here either"
    collapsed = ask("a 2", "c 1", "e 1", on="2026-03-05")
    assert (collapsed.status, "only 3 prices where the last good refresh had 8" in collapsed.error) == (
        "quarantined",
        True,
    )


def test_the_same_bytes_again_are_a_check_without_a_row(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"
    for on in ("2026-03-01", "2026-03-02", "2026-03-03"):
        clock.set(day(on))
        last = refresh_source(store, feed, None, now=clock(), trigger="schedule")

    assert (last.status, last.rows_read, last.added) == ("sealed", 0, 0)
    book = store.read(lambda c: prices.price_book(c, AsOf(clock(), clock()), [KEY]))
    found = book.price(KEY)
    assert found.valid_from == day("2026-03-01") + timedelta(microseconds=1)
    assert found.checked_at.date() == day("2026-03-03").date()


def test_seals_only_grow_even_when_the_clock_goes_back(store: Store, learn: Learn) -> None:
    first = learn("h100 2.50", on="2026-03-05")
    second = learn("h100 2.60", on="2026-03-01", fetched="2026-02-28")

    assert second.refresh_id == first.refresh_id + 1
    assert second.recorded_at > first.recorded_at


def test_a_lost_lease_keeps_nothing(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"

    def lost(_connection) -> None:
        raise LeaseLost("another worker took over")

    with pytest.raises(LeaseLost):
        refresh_source(store, feed, None, now=clock(), trigger="schedule", fence=lost)

    assert store.read(lambda c: refreshes.newest(c)) == []
    assert store.read(lambda c: c.execute(select(gpu_observation)).all()) == []


def test_a_citation_leads_to_the_bytes(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    found = get_price(store, AsOf(day("2026-03-02"), day("2026-03-02")), KEY)

    from service.usecases.prices import get_document

    document = get_document(store, found.citation.document_sha256)
    assert document.body == b"h100 2.50"
    assert document.sha256 == found.citation.document_sha256
    assert (found.citation.locator, found.citation.published_amount) == ("line 1", "2.50")
    assert (found.citation.publisher, found.citation.document_url) == ("Nimbus", "file:prices.txt")


def test_prices_are_found_by_part_of_their_name_a_page_at_a_time(store: Store, learn: Learn) -> None:
    learn("h100 2.50", "h200 3.10", "a100 1.10", on="2026-03-01")
    now = AsOf(day("2026-03-02"), day("2026-03-02"))

    first = search_prices(store, now, PriceFilter(text="H", limit=1))
    rest = search_prices(store, now, PriceFilter(text="H", limit=5, after=first.next_after))
    assert [p.series for p in (*first.prices, *rest.prices)] == [
        "nimbus/h100/global/on_demand",
        "nimbus/h200/global/on_demand",
    ]
    assert rest.next_after is None


def test_an_unknown_series_says_what_is_near(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    assert price(store, valid="2026-03-02", known="2026-03-02", key="nimbus/h100/eu/on_demand") == (
        f"no such series was known then; did you mean {KEY}?"
    )


def test_the_fast_answer_equals_the_slow_one_over_a_random_log(store: Store, learn: Learn) -> None:
    """The oracle reads every row and sorts; the covering query must agree at any two clocks."""
    dice = random.Random(7)
    start = day("2026-01-01")
    for step in range(40):
        lines = {
            f"g{dice.randrange(4)} {day_of(start, dice.randrange(30))}": dice.randrange(100, 300) for _ in range(3)
        }
        learn(
            *(f"{name.split()[0]} {amount / 100} {name.split()[1]}" for name, amount in lines.items()),
            on=day_of(start, 30 + step),
        )
    rows = store.read(
        lambda c: c.execute(
            select(gpu_series.c.key, gpu_observation.c.valid_from, refresh.c.recorded_at, gpu_observation.c.amount)
            .join(gpu_series, gpu_series.c.series_id == gpu_observation.c.series_id)
            .join(refresh, refresh.c.refresh_id == gpu_observation.c.refresh_id)
        ).all()
    )
    for _ in range(200):
        valid = start + timedelta(days=dice.randrange(75), hours=dice.randrange(24))
        known = start + timedelta(days=dice.randrange(31, 80))
        key = f"nimbus/g{dice.randrange(4)}/global/on_demand"
        held = sorted(
            (r.valid_from, r.recorded_at, r.amount)
            for r in rows
            if r.key == key and r.valid_from <= valid and r.recorded_at <= known
        )
        found = found_at(store, AsOf(valid, known), key)
        assert (found.amount if isinstance(found, Price) else None) == (held[-1][2] if held else None)
        assert isinstance(found, Price | Unpriced)


def found_at(store: Store, question: AsOf, key: str) -> Price | Unpriced:
    return store.read(lambda c: prices.price_book(c, question, [key])).price(key)


def day_of(start: datetime, offset: int) -> str:
    return (start + timedelta(days=offset)).date().isoformat()


def test_a_failure_is_recorded_with_the_documents_it_got(store: Store, feed: LineFeed, clock) -> None:
    from pricing_sources.errors import FetchFailed

    attempt = Attempt(info=feed.info, trigger="manual", scope="feed", started_at=clock(), documents=())
    failed = store.write(lambda c: log.record_failure(c, attempt, FetchFailed("no route to host"), clock()))

    assert (failed.status, failed.error_code, failed.error) == ("failed", "fetch_failed", "no route to host")
