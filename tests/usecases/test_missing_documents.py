"""A feed of several files, one of which cannot be had: the others are read, and nothing is gone because of it."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from pricing_sources.errors import FetchFailed
from pricing_sources.protocols.side_by_side import documents_of
from pricing_sources.source import Document, FetchRequest, Missing
from service.domain.refreshes import Refresh
from service.settings import Settings
from service.store.store import Store
from service.usecases.archive import backfill
from service.usecases.prices import as_of, get_price, price_history
from service.usecases.refresh import refresh as refresh_source
from service.usecases.sources import Feed, list_sources
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

KEY = "nimbus/h100/global/on_demand"
GONE = None


class SeveralFiles(LineFeed):
    """A feed with a file for each letter; one that is None cannot be had."""

    def __init__(self, **more: object) -> None:
        super().__init__(**more)
        self.files: dict[str, str | None] = {}

    def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document | Missing]:
        yield from documents_of([lambda name=name: self._file(name, request) for name in self.files])

    def _file(self, name: str, request: FetchRequest) -> Document:
        text = self.files[name]
        if text is None:
            raise FetchFailed(f"{request.url}/{name}: answered 404", status=404)
        url = f"{request.url}/{name}"
        return Document(source_id=self.info.id, url=url, body=text.encode(), fetched_at=request.now)


@pytest.fixture
def listing() -> SeveralFiles:
    return SeveralFiles(snapshot=True)


def look(store: Store, feed: LineFeed, clock: TickingClock, on: str, **files: str | None) -> Refresh:
    feed.files = files
    clock.set(day(on))
    return refresh_source(store, feed, None, now=day(on), trigger="schedule")


def amount(store: Store, on: str, key: str = KEY) -> Decimal:
    return get_price(store, as_of(day("2026-12-01"), day(on), day(on)), key).amount


def test_the_files_that_could_be_had_are_read_and_the_one_that_could_not_is_told(
    store: Store, listing: SeveralFiles, clock: TickingClock
) -> None:
    look(store, listing, clock, "2026-03-01", a="h100 2.50", b="a100 1.00")
    done = look(store, listing, clock, "2026-03-02", a=GONE, b="a100 1.10")
    assert (done.status, done.observed, done.added, done.error_code) == ("sealed", 1, 1, "fetch_failed")
    assert done.error == "1 of 2 documents could not be had: https://nimbus.example/prices/a: answered 404"
    assert amount(store, "2026-03-03", "nimbus/a100/global/on_demand") == Decimal("1.10")
    assert amount(store, "2026-03-03") == Decimal("2.50")


def test_a_source_says_what_its_last_look_could_not_have_until_it_can(
    store: Store, listing: SeveralFiles, clock: TickingClock
) -> None:
    def said() -> tuple[str | None, str | None]:
        [status] = list_sources(store, [Feed.of(listing.info, Settings({}))], day("2026-03-03"))
        return status.last_status, status.last_error

    look(store, listing, clock, "2026-03-01", a=GONE, b="a100 1.00")
    assert said() == (
        "sealed",
        "1 of 2 documents could not be had: https://nimbus.example/prices/a: answered 404",
    )
    look(store, listing, clock, "2026-03-02", a="h100 2.50", b="a100 1.00")
    assert said() == ("sealed", None)


def test_no_file_at_all_is_a_failure(store: Store, listing: SeveralFiles, clock: TickingClock) -> None:
    done = look(store, listing, clock, "2026-03-01", a=GONE, b=GONE)
    assert (done.status, done.error) == ("failed", "https://nimbus.example/prices/a: answered 404")


@pytest.mark.parametrize("other", [("1.00", "1.00", "1.00", "1.00"), ("1.01", "1.02", "1.03", "1.04")])
def test_an_offer_does_not_end_because_its_file_could_not_be_had(
    store: Store, listing: SeveralFiles, clock: TickingClock, other: tuple[str, ...]
) -> None:
    look(store, listing, clock, "2026-03-01", a="h100 2.50", b="a100 1.00")
    for number, price in enumerate(other, start=2):
        look(store, listing, clock, f"2026-03-0{number}", a=GONE, b=f"a100 {price}")
    assert amount(store, "2026-03-06") == Decimal("2.50")


def test_an_offer_that_was_missing_before_is_not_missing_once_more(
    store: Store, listing: SeveralFiles, clock: TickingClock
) -> None:
    look(store, listing, clock, "2026-03-01", a="h100 2.50\nl4 0.80", b="a100 1.00")
    for number in (2, 3):
        look(store, listing, clock, f"2026-03-0{number}", a="l4 0.80", b="a100 1.00")
    for number in (4, 5):
        look(store, listing, clock, f"2026-03-0{number}", a="l4 0.80", b=GONE)
    assert amount(store, "2026-03-06") == Decimal("2.50")
    look(store, listing, clock, "2026-03-07", a="l4 0.80", b="a100 1.00")
    with pytest.raises(Exception, match="no longer offered since 2026-03-02"):
        amount(store, "2026-03-08")


def test_an_offer_in_half_a_listing_is_on_offer(store: Store, listing: SeveralFiles, clock: TickingClock) -> None:
    both, one = "h100 2.50\nl4 0.80", "l4 0.80"
    look(store, listing, clock, "2026-03-01", a=both, b="a100 1.00")
    for number in (2, 3):
        look(store, listing, clock, f"2026-03-0{number}", a=one, b="a100 1.00")
    look(store, listing, clock, "2026-03-04", a=both, b=GONE)
    look(store, listing, clock, "2026-03-05", a=one, b="a100 1.00")
    assert [point.change for point in price_history(store, KEY, day("2026-03-06"))] == ["observed"]


def test_an_offer_that_had_ended_is_back_with_half_a_listing(
    store: Store, listing: SeveralFiles, clock: TickingClock
) -> None:
    both, one = "h100 2.50 2026-01-01\nl4 0.80 2026-01-01", "l4 0.80 2026-01-01"
    look(store, listing, clock, "2026-03-01", a=both, b="a100 1.00")
    for number in (2, 3, 4):
        look(store, listing, clock, f"2026-03-0{number}", a=one, b="a100 1.00")
    look(store, listing, clock, "2026-03-05", a=both, b=GONE)
    assert amount(store, "2026-03-06") == Decimal("2.50")


MANY = "\n".join(f"x{number} 1.00" for number in range(9))


def test_a_missing_file_is_no_collapse_and_what_was_read_without_it_no_measure(
    store: Store, listing: SeveralFiles, clock: TickingClock
) -> None:
    for number in (1, 2):
        look(store, listing, clock, f"2026-03-0{number}", a=MANY, b=f"a100 1.0{number}")
    without = look(store, listing, clock, "2026-03-03", a=GONE, b="a100 1.03")
    collapsed = look(store, listing, clock, "2026-03-04", a="x1 1.00", b="a100 1.04")
    assert (without.status, collapsed.status) == ("sealed", "quarantined")
    assert collapsed.error is not None
    assert "only 2 prices where the last good refresh had 10" in collapsed.error


def test_a_history_that_is_not_whole_says_so(store: Store, clock: TickingClock) -> None:
    feed = SeveralFiles()
    feed.files = {"a": "h100 3.00 2026-01-01", "b": GONE}
    clock.set(day("2026-03-02"))
    [step] = backfill(store, feed, None, now=day("2026-03-02"))
    assert (step.refresh.status, step.refresh.added) == ("sealed", 1)
    assert step.refresh.error == "1 of 2 documents could not be had: https://nimbus.example/prices/b: answered 404"
