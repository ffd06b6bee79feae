"""Documents that were not believed as a whole, and that a person vouches for."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest

from pricing_sources.source import Document, FetchRequest
from service.domain.refreshes import Refresh, SourceStatus
from service.errors import Conflict, Invalid, NotFound
from service.settings import Settings
from service.store.store import Store
from service.usecases.prices import as_of, get_price, price_history
from service.usecases.quarantine import list_quarantine, release_price, release_refresh
from service.usecases.refresh import refresh as refresh_source
from service.usecases.sources import Feed, get_refresh, list_sources
from tests.conftest import TickingClock, day
from tests.store.conftest import Learn, LineFeed, PagedFeed

A = "nimbus/a/global/on_demand"
FULL = "a 1.00\nb 1.00\nc 1.00\nd 1.00\ne 1.00"
"""Five offers; a look is refused where it holds fewer than half, and where more than three jump."""


@pytest.fixture
def listing() -> LineFeed:
    return LineFeed(snapshot=True)


def look(store: Store, feed: LineFeed, clock: TickingClock, body: str, on: str) -> Refresh:
    feed.answer = body.encode()
    clock.set(day(on))
    return refresh_source(store, feed, None, now=day(on), trigger="schedule")


def release(store: Store, feed: LineFeed, clock: TickingClock, refused: Refresh, on: str) -> Refresh:
    clock.set(day(on))
    return release_refresh(store, feed, refused.refresh_id, "the seller says so")


def standing(store: Store, feed: LineFeed, on: str) -> SourceStatus:
    [status] = list_sources(store, [Feed.of(feed.info, Settings({}))], day(on))
    return status


def amount(store: Store, sku: str, on: str) -> Decimal:
    return get_price(store, as_of(day("2026-12-01"), day(on), day(on)), f"nimbus/{sku}/global/on_demand").amount


def test_a_true_collapse_is_refused_until_a_person_vouches_for_it_and_then_is_the_measure(
    store: Store, feed: LineFeed, clock: TickingClock
) -> None:
    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    refused = look(store, feed, clock, "a 1.10\nb 1.10", "2026-03-03")
    assert refused.status == look(store, feed, clock, "a 1.10\nb 1.20", "2026-03-04").status == "quarantined"
    assert refused.error == (
        "nimbus: only 2 prices where the last good refresh had 5; if that is true, say why: "
        f"costplan quarantine release --refresh {refused.refresh_id} --reason …"
    )

    released = release(store, feed, clock, refused, "2026-03-05")
    assert (released.status, released.trigger, released.scope, released.added) == ("sealed", "release", "feed", 2)
    assert amount(store, "a", "2026-03-06") == Decimal("1.10")
    later = look(store, feed, clock, "a 1.10\nb 1.20", "2026-03-06")
    assert (later.status, later.added) == ("sealed", 1)


def test_offers_that_a_vouched_listing_leaves_out_end_as_any_others(
    store: Store, listing: LineFeed, clock: TickingClock
) -> None:
    look(store, listing, clock, FULL, "2026-03-01")
    look(store, listing, clock, FULL + "\n", "2026-03-02")
    refused = look(store, listing, clock, "a 1.00\nb 1.00", "2026-03-03")
    release(store, listing, clock, refused, "2026-03-03T12:00")
    for on in ("2026-03-04", "2026-03-05"):
        assert look(store, listing, clock, "a 1.00\nb 1.00", on).status == "sealed"
    ended = price_history(store, "nimbus/e/global/on_demand", day("2026-03-06"))
    assert [(point.change, point.valid_from) for point in ended][1:] == [("absent", day("2026-03-03"))]


def test_a_price_list_that_was_cut_to_a_twentieth_goes_through_when_a_person_vouches_for_it(
    store: Store, learn: Learn, feed: LineFeed, clock: TickingClock
) -> None:
    look(store, feed, clock, FULL, "2026-03-01")
    cut = FULL.replace("1.00", "0.05")
    for refused in (look(store, feed, clock, cut, "2026-03-02"), learn(*cut.splitlines(), on="2026-03-03")):
        assert "5 of 5 prices are over 10 times off their history" in refused.error
        assert "costplan quarantine release --refresh" in refused.error
    released = release(store, feed, clock, get_refresh(store, 2), "2026-03-04")
    assert (released.added, released.rejected) == (5, 0)
    assert amount(store, "e", "2026-03-05") == Decimal("0.05")
    assert look(store, feed, clock, cut, "2026-03-05").status == "sealed"


def test_a_vouched_look_that_was_only_of_a_part_ends_nothing_of_the_rest(store: Store, clock: TickingClock) -> None:
    feed = PagedFeed(snapshot=True)

    def ask(*pages: str, on: str) -> Refresh:
        feed.pages = pages
        return look(store, feed, clock, "", on)

    ask("a 0.02\nb 0.02\nc 0.02\nd 0.02", "e 1", on="2026-03-01")
    for number, jumped in ((2, "0.4"), (3, "8"), (4, "160")):
        refused = ask("\n".join(f"{sku} {jumped}" for sku in "abcd"), "", on=f"2026-03-0{number}")
        assert "4 of 4 prices are over 10 times off" in refused.error
        release(store, feed, clock, refused, f"2026-03-0{number}T12:00")
    assert amount(store, "a", "2026-03-06") == Decimal(160)
    assert amount(store, "e", "2026-03-06") == Decimal(1)


def test_both_doubts_are_told_before_anybody_vouches(store: Store, feed: LineFeed, clock: TickingClock) -> None:
    many = "\n".join(f"s{number} 1.00" for number in range(10))
    look(store, feed, clock, many, "2026-03-01")
    look(store, feed, clock, many + "\n", "2026-03-02")
    refused = look(store, feed, clock, "\n".join(f"s{number} 0.05" for number in range(4)), "2026-03-03")
    assert "only 4 prices where the last good refresh had 10; 4 of 4 prices are over 10 times" in refused.error


def test_what_was_read_of_a_refused_document_is_counted_and_its_held_rows_are_kept(
    store: Store, feed: LineFeed, clock: TickingClock
) -> None:
    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    refused = look(store, feed, clock, "a 0.05\na 0.05\nc 5000\nd ?\ne -", "2026-03-03")

    assert "only 2 prices" in refused.error
    assert (refused.rows_read, refused.observed, refused.rejected) == (5, 0, 3)
    assert (refused.skipped, refused.added, refused.unchanged) == ({"blank": 1, "repeated": 1}, 0, 0)
    held = list_quarantine(store)
    assert [(row.locator, row.refresh_id) for row in reversed(held)] == [
        ("line 3", 3),
        ("line 4", 3),
        ("line 1", 3),
    ]
    assert "over 10 times off" in held[0].reason
    assert standing(store, feed, "2026-03-03").quarantined_rows == 3


def test_a_row_of_a_refused_document_is_released_alone(store: Store, feed: LineFeed, clock: TickingClock) -> None:
    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    look(store, feed, clock, "a 0.05\nb 1.10", "2026-03-03")
    [row] = list_quarantine(store)
    clock.set(day("2026-03-04"))
    release_price(store, feed, row.quarantine_id, "a campaign", now=day("2026-03-04"))
    cited = get_price(store, as_of(day("2026-03-05")), A)
    assert (cited.amount, cited.citation.fetched_at) == (Decimal("0.05"), day("2026-03-03"))


def test_rows_of_a_document_that_was_released_as_a_whole_wait_for_nobody(
    store: Store, feed: LineFeed, clock: TickingClock
) -> None:
    look(store, feed, clock, FULL, "2026-03-01")
    refused = look(store, feed, clock, FULL.replace("1.00", "0.05"), "2026-03-02")
    assert len(list_quarantine(store)) == 5
    by = release(store, feed, clock, refused, "2026-03-02")
    assert {row.released_by for row in list_quarantine(store)} == {by.refresh_id}
    assert standing(store, feed, "2026-03-03").quarantined_rows == 0


def test_a_document_without_a_price_keeps_the_rows_that_should_have_been_some(
    store: Store, feed: LineFeed, clock: TickingClock
) -> None:
    refused = look(store, feed, clock, "a ?\nb 5000\nc -", "2026-03-01")
    assert (refused.rows_read, refused.observed, refused.rejected, refused.skipped) == (3, 0, 2, {"blank": 1})
    assert len(list_quarantine(store)) == standing(store, feed, "2026-03-01").quarantined_rows == 2


def test_a_source_whose_last_look_was_refused_says_so_until_it_is_released_or_read_well(
    store: Store, feed: LineFeed, learn: Learn, clock: TickingClock
) -> None:
    def refused(on: str) -> bool:
        return standing(store, feed, on).refused

    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    assert not refused("2026-03-02")
    collapsed = look(store, feed, clock, "a 1.10", "2026-03-03")
    learn(*FULL.splitlines(), on="2026-03-03")
    assert refused("2026-03-03"), "a saved document is no look at the feed"
    release(store, feed, clock, collapsed, "2026-03-03")
    assert not refused("2026-03-03")
    look(store, feed, clock, "a ?", "2026-03-04")
    assert refused("2026-03-04")
    look(store, feed, clock, FULL, "2026-03-05")
    assert not refused("2026-03-05")


def test_a_few_jumps_in_a_vouched_document_are_held_back_one_by_one(
    store: Store, feed: LineFeed, clock: TickingClock
) -> None:
    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    refused = look(store, feed, clock, "a 0.05\nb 1.10", "2026-03-03")
    released = release(store, feed, clock, refused, "2026-03-03")
    assert (released.observed, released.rejected) == (1, 1)
    assert amount(store, "a", "2026-03-05") == Decimal("1.00")
    assert "over 10 times off 1" in list_quarantine(store)[0].reason


def test_what_was_not_refused_as_a_whole_or_was_released_before_is_not_released(
    store: Store, feed: LineFeed, clock: TickingClock
) -> None:
    sealed = look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    refused = look(store, feed, clock, "a 1.10\nb 1.10", "2026-03-03")
    with pytest.raises(Conflict, match="refresh 1 is sealed; only one that was quarantined is released"):
        release_refresh(store, feed, sealed.refresh_id, "true")
    with pytest.raises(Invalid, match="say in a few words why these prices are true"):
        release_refresh(store, feed, refused.refresh_id, " ")
    with pytest.raises(NotFound, match="there is no refresh 99; see: costplan refreshes ls"):
        release_refresh(store, feed, 99, "true")
    by = release(store, feed, clock, refused, "2026-03-04")
    with pytest.raises(Conflict, match=f"refresh 3 was released before, by refresh {by.refresh_id}"):
        release_refresh(store, feed, refused.refresh_id, "true")


def test_a_document_without_a_price_has_nothing_to_release(store: Store, feed: LineFeed, clock: TickingClock) -> None:
    refused = look(store, feed, clock, "a ?", "2026-03-01")
    assert "quarantine release" not in refused.error
    with pytest.raises(Invalid, match="refresh 1 cannot be released: nimbus: not one price in the document"):
        release_refresh(store, feed, refused.refresh_id, "true")


def test_a_look_that_a_good_one_has_overtaken_only_adds_to_the_past(
    store: Store, listing: LineFeed, clock: TickingClock
) -> None:
    look(store, listing, clock, FULL, "2026-03-01")
    look(store, listing, clock, FULL + "\n", "2026-03-02")
    refused = look(store, listing, clock, "a 1.10\nb 1.10", "2026-03-03")
    look(store, listing, clock, FULL, "2026-03-04")
    released = release(store, listing, clock, refused, "2026-03-05")

    assert released.scope == "release"

    def since(valid: str) -> Decimal:
        return get_price(store, as_of(day("2026-12-01"), day(valid), day("2026-03-06")), A).amount

    assert (since("2026-03-03T12:00"), since("2026-03-04T12:00")) == (Decimal("1.10"), Decimal("1.00"))
    assert look(store, listing, clock, "a 1.10\nb 1.10", "2026-03-06").status == "quarantined", "it is no measure"


def test_a_released_document_that_was_overtaken_is_not_what_the_feed_is_asked_to_confirm(
    store: Store, clock: TickingClock
) -> None:
    class Tagged(LineFeed):
        def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document]:
            self.known = dict(request.known)
            [document] = super().fetch(transport, request)
            yield replace(document, headers={"etag": document.sha256[:8]})

    feed = Tagged()
    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    refused = look(store, feed, clock, "a 1.10", "2026-03-03")
    look(store, feed, clock, FULL, "2026-03-04")
    release(store, feed, clock, refused, "2026-03-05")
    look(store, feed, clock, FULL, "2026-03-06")
    assert feed.known[feed.info.url].etag == sha256(FULL.encode()).hexdigest()[:8]


def test_a_look_that_is_vouched_for_was_good_when_it_was_made_not_when_it_was_released(
    store: Store, feed: LineFeed, clock: TickingClock
) -> None:
    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    refused = look(store, feed, clock, "a 1.10\nb 1.10", "2026-03-03")
    release(store, feed, clock, refused, "2026-03-20")
    status = standing(store, feed, "2026-03-20")
    assert (status.last_good_at, status.freshness) == (refused.recorded_at, "stale")


def test_who_vouched_is_kept_and_cannot_be_rewritten(store: Store, feed: LineFeed, clock: TickingClock) -> None:
    from sqlalchemy import delete, select
    from sqlalchemy.exc import DBAPIError

    from service.store.tables import refresh_release

    look(store, feed, clock, FULL, "2026-03-01")
    look(store, feed, clock, FULL + "\n", "2026-03-02")
    refused = look(store, feed, clock, "a 1.10\nb 1.10", "2026-03-03")
    by = release(store, feed, clock, refused, "2026-03-04")
    kept = store.read(lambda c: c.execute(select(refresh_release)).one())
    assert tuple(kept) == (refused.refresh_id, by.refresh_id, "the seller says so")
    with pytest.raises(DBAPIError, match="append-only"):
        store.write(lambda c: c.execute(delete(refresh_release)))
