"""What keeps a price believable: release, absence, disagreement, archives, and reading again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import structs

from pricing_sources.errors import FetchFailed
from pricing_sources.observation import Observation, Reading
from pricing_sources.registry import source_by_id
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest
from service.domain.refreshes import Refresh, SourceStatus
from service.errors import Conflict, Invalid, NotFound
from service.settings import Settings
from service.store.store import Store
from service.usecases.archive import backfill, reparse
from service.usecases.prices import as_of, get_price, price_history
from service.usecases.quarantine import get_quarantined, list_quarantine, release_price
from service.usecases.refresh import import_document
from service.usecases.refresh import refresh as refresh_source
from service.usecases.sources import Feed, list_disagreements, list_sources, terms_of
from tests.conftest import TickingClock, day
from tests.store.conftest import Learn, LineFeed

KEY = "nimbus/h100/global/on_demand"


def look(store: Store, feed: LineFeed, clock: TickingClock, body: str, on: str) -> Refresh:
    """Refresh the feed as its schedule would."""
    feed.answer = body.encode()
    clock.set(day(on))
    return refresh_source(store, feed, None, now=day(on), trigger="schedule")


def amount(store: Store, valid: str, known: str, key: str = KEY) -> Decimal:
    return get_price(store, as_of(day("2026-12-01"), day(valid), day(known)), key).amount


def test_a_true_jump_is_released_in_one_step_and_holds_from_when_it_was_read(
    store: Store, feed: LineFeed, learn: Learn, clock: TickingClock
) -> None:
    learn("h100 2.50", on="2026-03-01")
    held = learn("h100 0.20", on="2026-03-05")
    [row] = list_quarantine(store)
    assert (held.rejected, row.locator, row.released_by) == (1, "line 1", None)

    clock.set(day("2026-03-09"))
    released = release_price(store, feed, row.quarantine_id, "confirmed with the seller", now=day("2026-03-09"))

    assert (released.trigger, released.added) == ("release", 1)
    assert amount(store, "2026-03-06", "2026-03-10") == Decimal("0.20")
    assert amount(store, "2026-03-06", "2026-03-08") == Decimal("2.50"), "what was known before stays"
    assert get_quarantined(store, row.quarantine_id).released_by == released.refresh_id


def test_a_released_price_leads_back_to_the_document_it_was_held_back_from(
    store: Store, feed: LineFeed, learn: Learn, clock: TickingClock
) -> None:
    learn("h100 2.50", on="2026-03-01")
    learn("a100 1.00", "h100 0.20", on="2026-03-05")
    clock.set(day("2026-03-09"))
    release_price(store, feed, list_quarantine(store)[0].quarantine_id, "true", now=day("2026-03-09"))

    cited = get_price(store, as_of(day("2026-03-10")), KEY).citation
    assert (cited.locator, cited.fetched_at) == ("line 2", day("2026-03-05"))


def test_a_released_price_outside_the_band_is_not_held_back_again(
    store: Store, feed: LineFeed, learn: Learn, clock: TickingClock
) -> None:
    learn("h100 5000", "a100 1.00", on="2026-03-05")
    [row] = list_quarantine(store)
    assert "outside the plausible" in row.reason
    clock.set(day("2026-03-09"))
    release_price(store, feed, row.quarantine_id, "a whole rack", now=day("2026-03-09"))

    again = learn("h100 5000", "a100 1.00", on="2026-03-10")
    other = learn("h100 6000", "a100 1.00", on="2026-03-11")
    assert (again.rejected, other.rejected) == (0, 1)


def test_a_row_is_released_once_and_for_a_reason(
    store: Store, feed: LineFeed, learn: Learn, clock: TickingClock
) -> None:
    learn("h100 5000", "a100 1.00", on="2026-03-05")
    number = list_quarantine(store)[0].quarantine_id
    clock.set(day("2026-03-09"))
    with pytest.raises(Invalid, match="say in a few words"):
        release_price(store, feed, number, "  ", now=day("2026-03-09"))
    release_price(store, feed, number, "true", now=day("2026-03-09"))
    with pytest.raises(Conflict, match="was released before"):
        release_price(store, feed, number, "true", now=day("2026-03-09"))
    with pytest.raises(NotFound, match="costplan quarantine ls"):
        release_price(store, feed, 999, "true", now=day("2026-03-09"))


def test_a_row_the_parser_could_not_read_cannot_be_released(
    store: Store, feed: LineFeed, learn: Learn, clock: TickingClock
) -> None:
    learn("h100 ?", "a100 1.00", on="2026-03-05")
    with pytest.raises(Invalid, match=r"no price can be read at line 1: odd; once .* costplan reparse"):
        release_price(store, feed, list_quarantine(store)[0].quarantine_id, "true", now=day("2026-03-09"))


@pytest.fixture
def listing() -> LineFeed:
    return LineFeed(snapshot=True)


def test_an_offer_ends_only_after_three_looks_without_it_and_from_the_first_of_them(
    store: Store, listing: LineFeed, clock: TickingClock
) -> None:
    both, one = "h100 2.50\na100 1.00", "a100 1.00"
    for body, on in ((both, "2026-03-01"), (one, "2026-03-02"), (one + "\n", "2026-03-03")):
        look(store, listing, clock, body, on)
    assert amount(store, "2026-03-03T12:00", "2026-03-03T12:00") == Decimal("2.50")

    look(store, listing, clock, one, "2026-03-04")
    with pytest.raises(Exception, match="no longer offered since 2026-03-02"):
        amount(store, "2026-03-05", "2026-03-05")
    assert amount(store, "2026-03-03T12:00", "2026-03-03T12:00") == Decimal("2.50"), "as it was known then"


def test_a_listing_confirmed_unchanged_counts_as_a_look(store: Store, listing: LineFeed, clock: TickingClock) -> None:
    look(store, listing, clock, "h100 2.50\na100 1.00", "2026-03-01")
    for on in ("2026-03-02", "2026-03-03", "2026-03-04"):
        look(store, listing, clock, "a100 1.00", on)
    assert [point.change for point in price_history(store, KEY, day("2026-03-05"))] == ["observed", "absent"]


def test_an_offer_that_returns_in_between_was_never_gone(store: Store, listing: LineFeed, clock: TickingClock) -> None:
    both, one = "h100 2.50\na100 1.00", "a100 1.00"
    days = ("01", "02", "03", "04", "05", "06")
    for body, number in zip((both, one, one, both, one, one), days, strict=True):
        look(store, listing, clock, body, f"2026-03-{number}")
    assert [point.change for point in price_history(store, KEY, day("2026-03-07"))] == ["observed"]


@pytest.mark.parametrize("dated", ["", " 2026-01-01"])
def test_an_offer_that_comes_back_after_its_end_has_a_price_again(
    store: Store, listing: LineFeed, clock: TickingClock, dated: str
) -> None:
    both, one = f"h100 2.50{dated}\na100 1.00{dated}", f"a100 1.00{dated}"
    for body, number in zip((both, one, one, one, both), range(1, 6), strict=True):
        look(store, listing, clock, body, f"2026-03-0{number}")
    assert amount(store, "2026-03-06", "2026-03-06") == Decimal("2.50")
    with pytest.raises(Exception, match="no longer offered since"):
        amount(store, "2026-03-04T12:00", "2026-03-06")


def test_a_price_that_is_held_back_is_not_missing(store: Store, listing: LineFeed, clock: TickingClock) -> None:
    look(store, listing, clock, "h100 2.50\na100 1.00", "2026-03-01")
    for number in (2, 3, 4, 5):
        look(store, listing, clock, f"h100 0.0{number}\na100 1.00", f"2026-03-0{number}")
    assert amount(store, "2026-03-06", "2026-03-06") == Decimal("2.50")


def test_a_feed_that_does_not_list_everything_ends_nothing(store: Store, feed: LineFeed, clock: TickingClock) -> None:
    look(store, feed, clock, "h100 2.50\na100 1.00", "2026-03-01")
    for number in (2, 3, 4, 5):
        look(store, feed, clock, "a100 1.00" + "\n" * number, f"2026-03-0{number}")
    assert amount(store, "2026-03-06", "2026-03-06") == Decimal("2.50")


def test_two_feeds_that_price_one_offer_differently_are_shown_side_by_side(store: Store, clock: TickingClock) -> None:
    one, other = LineFeed("nimbus"), LineFeed("cumulus", provider="nimbus")
    look(store, one, clock, "h100 2.00\na100 1.00", "2026-03-01")
    look(store, other, clock, "h100 2.50\na100 1.001", "2026-03-02")

    [found] = list_disagreements(store)
    assert (found.series, found.other_series) == ("cumulus/h100/global/on_demand", KEY)
    assert (found.amount, found.other_amount, found.share) == (Decimal("2.50"), Decimal("2.00"), 0.2)
    assert list_disagreements(store, series=KEY) == list_disagreements(store, source="cumulus") == [found]
    assert list_disagreements(store, source="cumul") == []


def test_feeds_that_come_to_agree_disagree_no_more(store: Store, clock: TickingClock) -> None:
    one, other = LineFeed("nimbus"), LineFeed("cumulus", provider="nimbus")
    look(store, one, clock, "h100 2.00", "2026-03-01")
    look(store, other, clock, "h100 2.50", "2026-03-02")
    look(store, one, clock, "h100 2.50", "2026-03-03")
    assert list_disagreements(store) == []


class Regional(LineFeed):
    """`h100@oslo 2.50` is a price in Oslo; a list of many providers names the provider in its keys."""

    def __init__(self, *named: str, resold: bool = False, **more: object) -> None:
        super().__init__(*named, **more)
        self.resold = resold

    def parse(self, document: Document) -> Iterator[Reading]:
        for reading in super().parse(document):
            assert isinstance(reading, Observation)
            sku, _, region = reading.series.sku.partition("@")
            series = replace(reading.series, sku=sku, region=region or "global", resold=self.resold)
            yield structs.replace(reading, series=series)


def apart(store: Store) -> set[tuple[str, str]]:
    return {(one.series, one.other_series) for one in list_disagreements(store)}


OSLO = "catalogue/nimbus/h100/oslo/on_demand"


@pytest.mark.parametrize("own_first", [True, False])
def test_a_providers_price_for_everywhere_is_held_against_each_region_of_another_feed(
    store: Store, clock: TickingClock, *, own_first: bool
) -> None:
    own = Regional("nimbus"), "h100 2.00\na100 1.00"
    other = Regional("catalogue", "nimbus", resold=True), "h100@oslo 2.50\nh100@rome 2.00\na100@oslo 1.00"
    for on, (feed, body) in zip(("2026-03-01", "2026-03-02"), (own, other) if own_first else (other, own), strict=True):
        look(store, feed, clock, body, on)
    assert apart(store) == {(OSLO, KEY)}
    look(store, own[0], clock, "h100 2.50\na100 1.00", "2026-03-03")
    assert apart(store) == {("catalogue/nimbus/h100/rome/on_demand", KEY)}, "Oslo agrees now, Rome no more"


def test_a_price_for_everywhere_is_none_of_a_region_with_a_price_of_its_own_while_that_holds(
    store: Store, clock: TickingClock
) -> None:
    own, other = Regional("nimbus", snapshot=True), Regional("catalogue", "nimbus", resold=True)
    look(store, own, clock, "h100 2.00\nh100@oslo 2.50\nh100@rome 2.50", "2026-03-01")
    look(store, other, clock, "h100@oslo 2.50\nh100@rome 2.60", "2026-03-02")
    assert apart(store) == {("catalogue/nimbus/h100/rome/on_demand", "nimbus/h100/rome/on_demand")}
    for number in (3, 4, 5):
        look(store, own, clock, f"h100 2.00\nh100@rome 2.5{number}", f"2026-03-0{number}")
    assert (OSLO, KEY) in apart(store)


def test_a_catalogue_that_names_no_region_does_not_speak_of_every_region(store: Store, clock: TickingClock) -> None:
    catalogue = Regional("catalogue", "nimbus", resold=True)
    look(store, catalogue, clock, "h100 2.00", "2026-03-01")
    look(store, Regional("nimbus"), clock, "h100@oslo 2.50", "2026-03-02")
    assert apart(store) == set()
    look(store, Regional("broker", "nimbus", resold=True), clock, "h100 2.50", "2026-03-03")
    assert apart(store) == {("broker/nimbus/h100/global/on_demand", "catalogue/nimbus/h100/global/on_demand")}


GENAI = b"""[
  {"id": "openrouter", "models": [{"id": "acme/one", "prices": {"input_mtok": 3, "output_mtok": 15}}]},
  {"id": "other", "models": [{"id": "x", "prices": {"cache_write_1h_mtok": 10, "web_searches_kcount": 10}}]}
]"""
LIVE = b'{"data": [{"id": "acme/one", "pricing": {"prompt": "0.000002", "completion": "0.000015"}}]}'


def test_a_token_price_that_two_lists_state_differently_is_flagged(store: Store, clock: TickingClock) -> None:
    clock.set(day("2026-03-20"))
    for name, body in (("genai_prices", GENAI), ("openrouter", LIVE)):
        document = Document(source_id=name, url="file:x.json", body=body, fetched_at=day("2026-03-20"))
        done = import_document(store, source_by_id(name), document, now=clock())
        assert done.status == "sealed", done.error

    [found] = list_disagreements(store)
    assert {found.series, found.other_series} == {
        "genai_prices/openrouter/acme_one/input",
        "openrouter/openrouter/acme_one/input",
    }
    assert {found.amount, found.other_amount} == {Decimal(3), Decimal(2)}
    assert (found.unit, found.kind) == ("1000000 Tokens", "llm_api")


def test_a_feed_that_may_not_be_served_on_is_off_until_somebody_turns_it_on_and_says_so_at_every_price(
    store: Store, clock: TickingClock
) -> None:
    private = LineFeed(republish=False)
    assert not Feed.of(private.info, Settings({})).enabled
    assert Feed.of(private.info, Settings({"COSTPLAN_SOURCE_NIMBUS_ENABLED": "true"})).enabled
    look(store, private, clock, "h100 2.50", "2026-03-01")

    assert get_price(store, as_of(day("2026-03-02")), KEY).citation.republish is False
    assert [one.republish for one in terms_of(store, [KEY])] == [False]
    [status] = list_sources(store, [Feed.of(private.info, Settings({}))], day("2026-03-02"))
    assert (status.republish, status.enabled) == (False, False)


def test_terms_are_those_of_the_newest_refresh_and_those_of_before_stay_with_its_prices(
    store: Store, clock: TickingClock
) -> None:
    feed = LineFeed()
    look(store, feed, clock, "h100 2.50", "2026-03-01")
    feed.info = replace(feed.info, licence="CC-BY-4.0", attribution="Nimbus, 2026")
    look(store, feed, clock, "h100 2.60", "2026-03-05")
    [now] = terms_of(store, [KEY, "cumulus/none"])
    assert (now.licence, now.attribution) == ("CC-BY-4.0", "Nimbus, 2026")
    before = get_price(store, as_of(day("2026-03-06"), day("2026-03-02"), day("2026-03-06")), KEY)
    assert before.citation.licence == "CC0-1.0"


class ArchivedFeed(LineFeed):
    """A feed whose past is a page a day."""

    def __init__(self, pages: dict[str, str]) -> None:
        super().__init__()
        self.pages, self.asked = pages, []

    def chapters(self, transport: object, request: FetchRequest) -> Sequence[Chapter]:
        return [Chapter(name, f"{request.url}/{name}") for name in sorted(self.pages)]

    def fetch_chapter(self, transport: object, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        self.asked.append(chapter.name)
        if not self.pages[chapter.name]:
            raise FetchFailed(f"{chapter.url}: answered 404")
        body = self.pages[chapter.name].encode()
        yield Document(source_id=self.info.id, url=chapter.url, body=body, fetched_at=request.now)


PAGES = {"2026-01": "h100 3.00 2026-01-01", "2026-02": "h100 2.75 2026-02-01"}


def test_an_archive_is_read_oldest_first_and_marked_as_learned_today(store: Store, clock: TickingClock) -> None:
    feed = ArchivedFeed(PAGES)
    clock.set(day("2026-03-01"))
    steps = list(backfill(store, feed, None, now=day("2026-03-01")))

    assert [(step.number, step.of, step.name, step.refresh.trigger) for step in steps] == [
        (1, 2, "2026-01", "backfill"),
        (2, 2, "2026-02", "backfill"),
    ]
    points = price_history(store, KEY, day("2026-03-02"))
    assert [point.valid_from for point in points] == [day("2026-01-01"), day("2026-02-01")]
    assert all(point.recorded_at >= day("2026-03-01") for point in points)


def test_an_interrupted_archive_goes_on_where_it_stopped(store: Store, clock: TickingClock) -> None:
    feed = ArchivedFeed(PAGES)
    clock.set(day("2026-03-01"))
    next(backfill(store, feed, None, now=day("2026-03-01")))
    rest = list(backfill(store, feed, None, now=day("2026-03-01")))
    assert [step.name for step in rest] == ["2026-02"]
    assert feed.asked == ["2026-01", "2026-02"]


def test_a_chapter_that_fails_is_tried_again_next_time_and_three_in_a_row_end_the_matter(
    store: Store, clock: TickingClock
) -> None:
    feed = ArchivedFeed({**PAGES, "2026-03": "", "2026-04": "", "2026-05": "", "2026-06": "h100 2.50 2026-06-01"})
    clock.set(day("2026-07-01"))
    ended = [step.refresh.status for step in backfill(store, feed, None, now=day("2026-07-01"))]
    assert ended == ["sealed", "sealed", "failed", "failed", "failed"]
    feed.pages["2026-04"] = "h100 2.60 2026-04-01"
    again = [(step.name, step.refresh.status) for step in backfill(store, feed, None, now=day("2026-07-02"))]
    assert again == [("2026-03", "failed"), ("2026-04", "sealed"), ("2026-05", "failed"), ("2026-06", "sealed")]


def test_an_archive_is_read_from_a_chapter_on(store: Store, clock: TickingClock) -> None:
    clock.set(day("2026-03-01"))
    steps = backfill(store, ArchivedFeed(PAGES), None, now=day("2026-03-01"), since="2026-02")
    assert [step.name for step in steps] == ["2026-02"]


def test_a_feed_whose_answer_is_its_history_is_asked_for_that(store: Store, clock: TickingClock) -> None:
    class Historic(LineFeed):
        def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document]:
            body = b"h100 3.00 2026-01-01\nh100 2.50 2026-03-01" if request.seed else b"h100 2.50 2026-03-01"
            yield Document(source_id=self.info.id, url=request.url, body=body, fetched_at=request.now)

    clock.set(day("2026-03-02"))
    for added in (2, 0):
        [step] = backfill(store, Historic(), None, now=day("2026-03-02"))
        assert (step.name, step.refresh.added) == ("history", added)


def test_a_feed_that_only_knows_today_says_so(store: Store, listing: LineFeed) -> None:
    with pytest.raises(Invalid, match="nimbus only says what is on offer now; it keeps no past"):
        list(backfill(store, listing, None, now=day("2026-03-01")))


class MendedFeed(LineFeed):
    """Once took Windows machines for prices, and cents for dollars."""

    def __init__(self) -> None:
        super().__init__()
        self.info = replace(self.info, parser_version=2)

    def parse(self, document: Document) -> Iterator[Reading]:
        for reading in super().parse(document):
            if isinstance(reading, Observation) and "windows" not in reading.series.key:
                yield structs.replace(reading, amount=reading.amount / 100)


def test_a_mended_parser_corrects_the_past_and_the_old_reading_stays_visible(
    store: Store, learn: Learn, clock: TickingClock
) -> None:
    learn("h100 250", "windows 3.00", on="2026-03-01")
    learn("h100 250", "windows 3.00", "a100 100", on="2026-03-02")
    learn("h100 300", "windows 3.50", "a100 100", on="2026-03-03")
    clock.set(day("2026-04-01"))
    steps = list(reparse(store, MendedFeed(), now=day("2026-04-01")))

    assert [(step.refresh.trigger, step.refresh.status) for step in steps] == [("reparse", "sealed")] * 3
    for valid, was, true in (("2026-03-01T01", "250", "2.50"), ("2026-03-04", "300", "3.00")):
        assert amount(store, valid, "2026-03-31") == Decimal(was)
        assert amount(store, valid, "2026-04-02") == Decimal(true)
    windows = "nimbus/windows/global/on_demand"
    assert amount(store, "2026-03-04", "2026-03-31", windows) == Decimal("3.50")
    with pytest.raises(Exception, match="no longer offered"):
        amount(store, "2026-03-04", "2026-04-02", windows)


def test_documents_read_by_todays_parser_are_not_read_again(store: Store, learn: Learn, clock: TickingClock) -> None:
    learn("h100 250", on="2026-03-01")
    clock.set(day("2026-04-01"))
    assert len(list(reparse(store, MendedFeed(), now=day("2026-04-01")))) == 1
    assert list(reparse(store, MendedFeed(), now=day("2026-04-02"))) == []


def test_a_failed_document_gets_its_second_chance_with_the_mended_parser(store: Store, clock: TickingClock) -> None:
    class Worse(LineFeed):
        def parse(self, document: Document) -> Iterator[Reading]:
            raise KeyError("price")

    clock.set(day("2026-03-01"))
    document = Document(source_id="nimbus", url="file:a", body=b"h100 250", fetched_at=day("2026-03-01"))
    assert import_document(store, Worse(), document, now=day("2026-03-01")).status == "failed"
    [step] = reparse(store, MendedFeed(), now=day("2026-04-01"))
    assert step.refresh.added == 1
    assert amount(store, "2026-03-02", "2026-04-02") == Decimal("2.50")


def test_coverage_is_what_the_last_look_read_over_the_best_of_late(store: Store, clock: TickingClock) -> None:
    feed = LineFeed()
    look(store, feed, clock, "h100 2.50\na100 1.00\nl4 0.50\nt4 0.30", "2026-03-01")
    look(store, feed, clock, "h100 2.50\na100 1.00\nl4 0.50", "2026-03-02")
    feeds = [Feed.of(feed.info, Settings({}))]
    [status] = list_sources(store, feeds, day("2026-03-03"))
    assert status.coverage == 0.75
    [never] = list_sources(store, [Feed.of(LineFeed("cumulus").info, Settings({}))], day("2026-03-03"))
    assert never.coverage is None


def test_a_saved_file_changes_nothing_of_how_much_the_feed_itself_brings(
    store: Store, feed: LineFeed, learn: Learn, clock: TickingClock
) -> None:
    learn("h100 2.50", "a100 1.00", "l4 0.50", on="2026-02-01")
    assert standing(store, feed, "2026-02-02").coverage is None, "it was never asked"
    look(store, feed, clock, "h100 2.50\na100 1.00", "2026-03-01")
    learn("h100 2.50", on="2026-03-02")
    assert standing(store, feed, "2026-03-03").coverage == 1.0


def test_days_just_past_are_not_measured_against_the_whole_history(store: Store, clock: TickingClock) -> None:
    feed = LineFeed()
    look(store, feed, clock, "\n".join(f"h100 2.50 2026-02-{number:02}" for number in range(1, 11)), "2026-03-01")
    look(store, feed, clock, "h100 2.50\na100 1.00\nh200 3\nb200 4\nb300 5", "2026-03-02")
    assert standing(store, feed, "2026-03-03").coverage == 0.5
    look(store, feed, clock, "h100 2.51\na100 1.00\nh200 3\nb200 4", "2026-03-03")
    assert standing(store, feed, "2026-03-04").coverage == 0.8


def standing(store: Store, feed: LineFeed, on: str) -> SourceStatus:
    [status] = list_sources(store, [Feed.of(feed.info, Settings({}))], day(on))
    return status


def test_what_is_held_back_is_counted_until_it_is_released_or_read_anew(store: Store, clock: TickingClock) -> None:
    feed, listed = LineFeed(), "h100 2.50\na100 1.00\nl4 ?\nt4 ?\nb200 5000"
    for on in ("2026-03-01", "2026-03-02", "2026-03-03"):
        look(store, feed, clock, listed, on)
        assert standing(store, feed, on).quarantined_rows == 3, "also where the same bytes were only confirmed"
    row = next(one for one in list_quarantine(store) if "outside the plausible" in one.reason)
    release_price(store, feed, row.quarantine_id, "a whole rack", now=day("2026-03-03"))
    assert standing(store, feed, "2026-03-03").quarantined_rows == 2
    look(store, feed, clock, "h100 2.50\na100 1.00\nl4 0.5", "2026-03-04")
    assert standing(store, feed, "2026-03-05").quarantined_rows == 0


def test_releasing_a_row_or_reading_it_again_does_not_make_a_silent_feed_fresh(
    store: Store, clock: TickingClock
) -> None:
    feed = LineFeed()
    look(store, feed, clock, "h100 2.50\nb200 5000", "2026-03-01T07:00")
    clock.set(day("2026-03-05T07:00"))
    release_price(store, feed, list_quarantine(store)[0].quarantine_id, "a rack", now=day("2026-03-05T07:00"))
    list(reparse(store, MendedFeed(), now=day("2026-03-05T07:00")))
    status = standing(store, feed, "2026-03-05T07:30")
    assert (status.freshness, status.missed_publications) == ("stale", 4)
    assert status.last_good_at is not None
    assert status.last_good_at.date() == day("2026-03-01").date()


def test_a_feed_that_answers_with_what_it_said_months_ago_is_stale_and_one_that_moves_is_fresh(
    store: Store, clock: TickingClock
) -> None:
    monthly = Cadence(cron="0 12 26 * *", newest_within=timedelta(days=122))
    frozen, healthy = LineFeed("cumulus"), LineFeed()
    for feed in (frozen, healthy):
        feed.info = replace(feed.info, cadence=monthly)
    for month in range(3, 10):
        told = f"h100 2.50 2026-0{month - 2}-01"
        look(store, healthy, clock, told, f"2026-0{month}-26T13:00")
        look(store, frozen, clock, "h100 2.50 2026-01-01", f"2026-0{month}-26T13:00")
        if month == 5:
            assert standing(store, frozen, "2026-05-26T14:00").freshness == "fresh", "one may be missed"
    status = standing(store, frozen, "2026-09-26T14:00")
    assert (status.freshness, status.missed_publications, status.newest_period) == ("stale", 5, day("2026-01-01"))
    assert status.last_good_at is not None
    assert status.last_good_at.date() == day("2026-09-26").date()
    status = standing(store, healthy, "2026-09-26T14:00")
    assert (status.freshness, status.missed_publications, status.newest_period) == ("fresh", 0, day("2026-07-01"))


def test_a_price_that_carries_no_date_tells_no_period(store: Store, clock: TickingClock) -> None:
    feed = LineFeed()
    feed.info = replace(feed.info, cadence=replace(feed.info.cadence, newest_within=timedelta(0)))
    look(store, feed, clock, "h100 2.50", "2026-03-01")
    status = standing(store, feed, "2026-03-01")
    assert (status.newest_period, status.freshness) == (None, "fresh")


def test_a_key_that_is_needed_and_not_set_is_told(store: Store) -> None:
    keyed = LineFeed(key_setting="COSTPLAN_SOURCE_NIMBUS_KEY")
    for environment, has_key in (({}, False), ({"COSTPLAN_SOURCE_NIMBUS_KEY": "k3y"}, True)):
        [status] = list_sources(store, [Feed.of(keyed.info, Settings(environment))], day("2026-03-03"))
        assert (status.key_needed, status.has_key) == (True, has_key)
    assert standing(store, LineFeed("cumulus"), "2026-03-03").has_key
