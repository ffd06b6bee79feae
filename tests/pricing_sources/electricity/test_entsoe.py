import re
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pricing_sources.electricity.entsoe import SOURCE, ZONES
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, Reading, Skipped
from pricing_sources.screening import screened
from pricing_sources.source import Archive, Chapter, Document, FetchRequest
from pricing_sources.transport import HttpTransport
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import NOW, fetched, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

# In the shape of the platform's answers; the figures are made up.
CURVES = typed(SOURCE, "typed_by_hand_two_curves.xml")
BERLIN = ZoneInfo("Europe/Berlin")


def acknowledged(reason: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><Acknowledgement_MarketDocument '
        'xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<mRID>a</mRID><Reason><code>999</code><text>{reason}</text></Reason></Acknowledgement_MarketDocument>"
    ).encode()


NOTHING = acknowledged(
    "No matching data found for Data item ENERGY_PRICES and interval 2025-10-01T22:00:00.000Z/2025-10-02T22:00:00.000Z"
)


def period(start: str, end: str, resolution: str, *points: tuple[int, str]) -> str:
    """A period with its prices by position."""
    stated = "".join(
        f"<Point><position>{at}</position><price.amount>{price}</price.amount></Point>" for at, price in points
    )
    interval = f"<timeInterval><start>{start}</start><end>{end}</end></timeInterval>"
    return f"<Period>{interval}<resolution>{resolution}</resolution>{stated}</Period>"


HOUR = period("2025-10-01T22:00Z", "2025-10-01T23:00Z", "PT60M", (1, "50"))


def series(*periods: str, **changed: str) -> str:
    """A Spanish day-ahead series in EUR/MWh, but for what is changed."""
    usual = {
        "in": "10YES-REE------0",
        "out": "10YES-REE------0",
        "contract": "A01",
        "currency": "EUR",
        "unit": "MWH",
        "sequence": "",
        "curve": "A03",
    } | changed
    tag = "classificationSequence_AttributeInstanceComponent.position"
    return (
        f"<TimeSeries><in_Domain.mRID>{usual['in']}</in_Domain.mRID><out_Domain.mRID>{usual['out']}</out_Domain.mRID>"
        f"<contract_MarketAgreement.type>{usual['contract']}</contract_MarketAgreement.type>"
        f"<currency_Unit.name>{usual['currency']}</currency_Unit.name>"
        f"<price_Measure_Unit.name>{usual['unit']}</price_Measure_Unit.name>"
        + (f"<{tag}>{usual['sequence']}</{tag}>" if usual["sequence"] else "")
        + f"<curveType>{usual['curve']}</curveType>{''.join(periods)}</TimeSeries>"
    )


def publication(*parts: str, version: str = "7:3", kind: str = "A44") -> bytes:
    name = f"urn:iec62325.351:tc57wg16:451-3:publicationdocument:{version}"
    body = (
        f'<Publication_MarketDocument xmlns="{name}"><type>{kind}</type>{"".join(parts)}</Publication_MarketDocument>'
    )
    return body.encode()


def found(readings: list[Reading]) -> list[tuple[datetime, str, str]]:
    return [
        (one.valid_from, one.series.key.partition("/")[2], one.published_amount)
        for one in readings
        if isinstance(one, Observation)
    ]


def test_hours_and_quarter_hours_of_one_answer_are_two_series() -> None:
    quarterly = "DE-LU/all/wholesale_day_ahead/PT15M"
    assert found(read(SOURCE, CURVES)) == [
        (day("2025-09-30T21:00"), "DE-LU/all/wholesale_day_ahead/PT1H", "88.60"),
        (day("2025-09-30T22:00"), quarterly, "105.1"),
        (day("2025-09-30T22:15"), quarterly, "105.1"),
        (day("2025-09-30T22:30"), quarterly, "-3.2"),
        (day("2025-09-30T22:45"), quarterly, "-3.2"),
    ]


def test_a_point_that_is_left_out_repeats_the_one_before_in_a_variable_curve() -> None:
    repeated = read(SOURCE, CURVES)[3]
    assert isinstance(repeated, Observation)
    assert (repeated.amount, repeated.currency, repeated.unit) == (Decimal("105.1"), "EUR", Unit.MWH)
    assert repeated.locator == "TimeSeries[2]/Period[1]/position 2"
    assert repeated.note == "not stated: the price of position 1 goes on"


def test_a_point_that_is_left_out_has_no_price_in_a_fixed_curve() -> None:
    assert read(SOURCE, CURVES)[0] == Skipped("no_price", "TimeSeries[1]/Period[1]/position 1")


def test_a_variable_curve_that_begins_late_has_no_price_before() -> None:
    late = period("2025-10-01T22:00Z", "2025-10-01T23:00Z", "PT15M", (3, "7"))
    readings = read(SOURCE, publication(series(late)))
    assert skipped(readings) == {"no_price": 2}
    assert [amount for _, _, amount in found(readings)] == ["7", "7"]


def test_every_interval_is_a_reading_and_the_second_auction_is_skipped() -> None:
    readings = read(SOURCE, CURVES)
    assert len(readings) == 10
    assert skipped(readings) == {"no_price": 1, "exaa_auction": 4}


def test_the_second_auction_is_no_replacement_for_a_late_first() -> None:
    austria = {"in": ZONES["AT"], "out": ZONES["AT"]}
    assert skipped(read(SOURCE, publication(series(HOUR, sequence="2", **austria)))) == {"exaa_auction": 1}


def test_another_sequence_than_the_first_is_held_back_elsewhere() -> None:
    assert rejected(read(SOURCE, publication(series(HOUR, sequence="2")))) == [
        "sequence '2' in ES, of which only 1 is known"
    ]


def test_intraday_prices_are_skipped() -> None:
    assert skipped(read(SOURCE, publication(series(HOUR, contract="A07")))) == {"not_day_ahead": 1}


@pytest.mark.parametrize("currency", ["PLN", "RON", "GBP"])
def test_a_price_stays_in_the_currency_of_its_zone(currency: str) -> None:
    [price] = read(SOURCE, publication(series(HOUR, currency=currency), version="7:0"))
    assert isinstance(price, Observation)
    assert (price.currency, price.published_unit) == (currency, f"{currency}/MWH")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"currency": "XTS"}, "prices in 'XTS/MWH'; BGN, EUR, GBP, PLN, RON per MWH can be read"),
        ({"unit": "KWH"}, "prices in 'EUR/KWH'; BGN, EUR, GBP, PLN, RON per MWH can be read"),
        ({"out": "10YFR-RTE------C"}, "prices from 10YES-REE------0 to 10YFR-RTE------C; those within"),
        ({"in": "10Y1001A1001A83F", "out": "10Y1001A1001A83F"}, "prices from 10Y1001A1001A83F to 10Y1001A1001A83F"),
    ],
)
def test_a_series_that_cannot_be_believed_is_held_back(changed: dict[str, str], words: str) -> None:
    [reason] = rejected(read(SOURCE, publication(series(HOUR, **changed))))
    assert reason.startswith(words)


@pytest.mark.parametrize("price", ["NaN", "1,5", "n/e"])
def test_what_is_no_number_is_held_back(price: str) -> None:
    hour = period("2025-10-01T22:00Z", "2025-10-01T23:00Z", "PT60M", (1, price))
    assert rejected(read(SOURCE, publication(series(hour)))) == [f"{price!r} where a price was expected"]


def test_zeros_for_days_to_come_are_no_prices() -> None:
    zeros = period("2025-10-01T22:00Z", "2025-10-02T00:00Z", "PT60M", (1, "0"))
    assert skipped(read(SOURCE, publication(series(zeros)), now=day("2025-10-01T12:00"))) == {"placeholder_zeros": 2}
    assert len(found(read(SOURCE, publication(series(zeros)), now=day("2025-10-02T12:00")))) == 2


def test_a_zero_among_other_prices_of_tomorrow_is_a_price() -> None:
    hours = period("2025-10-01T22:00Z", "2025-10-02T00:00Z", "PT60M", (1, "0"), (2, "5"))
    assert len(found(read(SOURCE, publication(series(hours)), now=day("2025-10-01T12:00")))) == 2


def test_a_price_beyond_tomorrow_is_no_auction_result() -> None:
    assert rejected(read(SOURCE, publication(series(HOUR)), now=day("2025-09-29T12:00"))) == [
        "a delivery whose auction had not been held when the document was fetched"
    ]


@pytest.mark.parametrize(
    ("date", "resolution", "count"),
    [
        ("2025-03-30", "PT60M", 23),
        ("2024-10-27", "PT60M", 25),
        ("2026-03-29", "PT15M", 92),
        ("2025-10-26", "PT15M", 100),
    ],
)
def test_the_days_on_which_clocks_change_have_an_hour_less_or_more(date: str, resolution: str, count: int) -> None:
    start = datetime.fromisoformat(date).replace(tzinfo=BERLIN)
    begin, end = (moment.astimezone(ZoneInfo("UTC")) for moment in (start, start + timedelta(days=1)))
    whole = period(f"{begin:%Y-%m-%dT%H:%MZ}", f"{end:%Y-%m-%dT%H:%MZ}", resolution, (1, "50"), (count, "60"))
    readings = found(read(SOURCE, publication(series(whole))))
    assert (len(readings), readings[0][0], readings[-1][2]) == (count, begin, "60")


def hour(
    start: str = "2025-10-01T22:00Z", end: str = "2025-10-01T23:00Z", *, position: int = 1, step: str = "PT60M"
) -> str:
    return series(period(start, end, step, (position, "50")))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (NOTHING, "an acknowledgement instead of prices: No matching data found for Data item ENERGY_PRICES"),
        (publication(), "no TimeSeries where prices were expected"),
        (publication(series()), "no Period where prices were expected (at TimeSeries[1])"),
        (publication(series(HOUR), kind="A65"), "a Publication_MarketDocument of type A44 was expected"),
        (publication(series(HOUR), version="8:0"), "a Publication_MarketDocument of type A44 was expected"),
        (b"<prices/>", "a Publication_MarketDocument of type A44 was expected (at prices)"),
        (publication(series(HOUR, curve="A05")), "curve type 'A05'; A01 and A03 can be read"),
        (publication(series(HOUR, currency="")), "currency_Unit.name is missing (at TimeSeries[1])"),
        (publication(hour(step="P1D")), "a resolution of PT15M, PT30M, PT60M, PT1H was expected"),
        (publication(hour(end="2025-10-01T22:30Z")), "in steps of PT1H; whole ones were expected"),
        (publication(hour(end="2025-10-01T22:00Z")), "in steps of PT1H; whole ones were expected"),
        (publication(hour(end="2090-10-01T22:00Z")), "in steps of PT1H; whole ones were expected"),
        (publication(hour(start="today")), "'today' is not a moment such as 2025-10-01T22:00Z"),
        (publication(hour(position=2)), "position '2'; one of 1 to 1, each once, was expected"),
        (publication(hour(position=0)), "position '0'; one of 1 to 1, each once, was expected"),
        (publication(series(HOUR.replace("<timeInterval><start>2025-10-01T22:00Z</start>", "<timeInterval>"))),
         "timeInterval/start is missing (at TimeSeries[1]/Period[1])"),
    ],
)  # fmt: skip
def test_an_answer_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(words)):
        read(SOURCE, body)


def test_the_recorded_switch_to_quarter_hours_is_whole(recorded: Path) -> None:
    readings = read(SOURCE, (recorded / "other/entsoe/ES_day_ahead_price.xml").read_bytes())
    assert len(readings) == 240
    assert Counter(key for _, key, _ in found(readings)) == {
        "ES/all/wholesale_day_ahead/PT1H": 48,
        "ES/all/wholesale_day_ahead/PT15M": 192,
    }
    assert sum(bool(one.note) for one in readings if isinstance(one, Observation)) == 10
    moments = [began for began, _, _ in found(readings)]
    assert (moments[0], moments[48], moments[-1]) == (
        day("2025-09-28T22:00"),
        day("2025-09-30T22:00"),
        day("2025-10-02T21:45"),
    )
    assert list(screened(readings, SOURCE.info.plausible)) == readings


def test_prices_of_others_are_neither_served_on_nor_asked_for_unbidden() -> None:
    assert (SOURCE.info.republish, SOURCE.info.on_by_default) == (False, False)


def asked(feed: Feed) -> list[str]:
    return [path.partition("in_Domain=")[2].partition("&")[0] for path, _ in feed.asked]


def test_every_zone_is_asked_for_with_the_token_and_the_token_is_not_kept(feed: Feed) -> None:
    feed.answers = {"/api": [reply(CURVES)]}
    documents = list(fetched(SOURCE, feed.url("/api"), api_key="s3cret"))
    assert asked(feed) == list(ZONES.values())
    assert feed.asked[0][0] == (
        "/api?documentType=A44&in_Domain=10YAT-APG------L&out_Domain=10YAT-APG------L&periodStart=202610282300"
        "&periodEnd=202611022300&contract_MarketAgreement.type=A01&securityToken=s3cret"
    )
    assert all(isinstance(one, Document) and "s3cret" not in one.url for one in documents)
    assert len(documents) == len(ZONES)


def test_the_first_look_goes_back_a_month_of_the_zones_that_are_named(feed: Feed) -> None:
    feed.answers = {"/api": [reply(CURVES)]}
    list(fetched(SOURCE, feed.url("/api?zones=ES,PT"), api_key="k", seed=True))
    assert asked(feed) == [ZONES["ES"], ZONES["PT"]]
    assert "periodStart=202609302200&periodEnd=202611022300" in feed.asked[0][0]


def test_a_zone_without_prices_is_left_out(feed: Feed) -> None:
    feed.answers = {"/api": [reply(NOTHING), reply(CURVES)]}
    assert len(list(fetched(SOURCE, feed.url("/api?zones=ES,PT"), api_key="k"))) == 1


@pytest.mark.parametrize(
    ("answer", "words", "count"),
    [
        (NOTHING, "No matching data found", 2),
        (acknowledged("Invalid query attributes or parameters."), "ES: Invalid query attributes or parameters.", 1),
    ],
)
def test_no_price_at_all_is_a_failure(feed: Feed, answer: bytes, words: str, count: int) -> None:
    feed.answers = {"/api": [reply(answer)]}
    with pytest.raises(FetchFailed, match=re.escape(words)):
        list(fetched(SOURCE, feed.url("/api?zones=ES,PT"), api_key="k"))
    assert len(feed.asked) == count


def test_without_a_token_or_a_known_zone_nothing_is_asked(feed: Feed) -> None:
    with pytest.raises(FetchFailed, match="COSTPLAN_SOURCE_ENTSOE_KEY is not set"):
        list(fetched(SOURCE, feed.url("/api")))
    with pytest.raises(FetchFailed, match="no zone DE; there are AT, BE"):
        list(fetched(SOURCE, feed.url("/api?zones=DE"), api_key="k"))
    assert feed.asked == []


def test_every_full_month_is_a_chapter_from_midnight_to_midnight(feed: Feed) -> None:
    assert isinstance(SOURCE, Archive)
    feed.answers = {"/api": [reply(CURVES)]}
    request = FetchRequest(url=feed.url("/api?zones=ES"), now=NOW, api_key="k")
    with HttpTransport() as transport:
        chapters = SOURCE.chapters(transport, request)
        assert (chapters[0].name, chapters[-1].name, len(chapters)) == ("2015-02", "2026-10", 141)
        list(SOURCE.fetch_chapter(transport, request, Chapter("2026-03", request.url)))
    assert "periodStart=202602282300&periodEnd=202603312200" in feed.asked[0][0]
