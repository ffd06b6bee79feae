"""The pages: every number beside its source and its age, nothing unescaped, something useful even when empty."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient
from typing_extensions import override

from pricing_sources.source import Document, FetchRequest, Missing
from service.usecases.refresh import import_document, refresh
from tests.api.conftest import H100, MixedFeed, seed
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

PAGES = ("/", "/prices", "/sources", "/estimates", "/formulas", "/docs")
FORM = {"name": "Run <i>one</i>", "gpus": "1,000", "hours": "10", "gpu_price": H100, "currency": "usd"}
TYPED = Document(source_id="baseline", url="", body=b"h100 ?", fetched_at=day("2026-03-02"))
OURS = {"Origin": "http://testserver"}
VOID = {"meta", "link", "br", "input", "img", "rect"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects what a browser would load or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.scripts = 0
        self.inline_styles = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.addresses += [named[name] or "" for name in ("href", "src", "action") if name in named]
        self.scripts += tag == "script" or any(name.startswith("on") for name in named)
        self.inline_styles += tag == "style" or "style" in named
        if tag not in VOID | {"option"}:
            self.open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing to nest."""

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag != "option":
            assert self.open.pop() == tag


def outline(response) -> Outline:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    parsed = Outline()
    parsed.feed(response.text)
    assert parsed.open == []
    return parsed


def words(response) -> str:
    """The text a reader sees."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def make(client: TestClient, **changes: str):
    return client.post("/estimates", data=FORM | changes, headers=OURS, follow_redirects=False)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_renders_with_and_without_prices_and_loads_nothing_from_elsewhere(
    empty: TestClient, sqlite_store, feed: MixedFeed, clock, path: str
) -> None:
    for _ in range(2):
        parsed = outline(empty.get(path))
        assert parsed.scripts == parsed.inline_styles == 0
        assert [one for one in parsed.addresses if not one.startswith(("/", "#"))] == []
        seed(sqlite_store, feed, clock)


def test_every_link_of_every_page_leads_somewhere(client: TestClient) -> None:
    made = make(client).headers["location"]
    seen: set[str] = set()
    for path in (*PAGES, made, f"/series/{H100}"):
        seen.update(one.partition("#")[0] for one in outline(client.get(path)).addresses if one.startswith("/"))
    assert {path: client.get(path).status_code for path in seen if client.get(path).status_code != 200} == {}


def test_the_first_page_of_an_empty_database_says_what_to_run(empty: TestClient) -> None:
    text = words(empty.get("/"))
    assert "No prices are recorded yet" in text
    assert "costplan refresh baseline" in text
    assert "never" in text


def test_the_first_page_shows_an_example_priced_from_what_is_recorded(client: TestClient) -> None:
    text = words(client.get("/"))
    # 8 GPUs × 240 h × 2.5 = 4,800; a quarter of 148,100 = 37,025
    assert "41,825.00 USD" in text
    assert "An example, priced just now" in text
    assert "Nimbus & Sons" in text
    assert "244 days ago" in text


def test_the_first_page_shows_the_newest_kept_estimate(client: TestClient) -> None:
    location = make(client).headers["location"]
    parsed = outline(client.get("/"))
    assert location in parsed.addresses
    assert "25,000.00" in words(client.get("/"))


def test_an_estimate_page_shows_quantity_times_price_and_where_the_price_is_from(either: TestClient) -> None:
    made = make(either)
    assert made.status_code == 303
    page = either.get(made.headers["location"])
    outline(page)
    text = words(page)
    assert "Run <i>one</i>" in text
    assert "10,000 GPU-Hours 2.5 USD 25,000.00 USD 1 25,000.00" in text
    assert H100 in text
    assert "file:typed.txt, line 1" in text
    assert "2.50 (as <em>typed</em>)" in text
    assert "CC0-1.0. Prices by Nimbus" in text
    assert "training.gpu_hours@1" in text


def test_an_estimate_page_shows_how_to_get_the_same_bytes_again(client: TestClient, sqlite_store, feed, clock) -> None:
    location = make(client).headers["location"]
    again = re.search(r"application/json\s+(\{.*?\})</pre>", client.get(location).text, re.DOTALL)
    assert again
    seed(sqlite_store, feed, clock, b"h100 9.99", on="2026-05-01")
    answered = client.post(
        "/api/v1/estimates", content=html.unescape(again[1]), headers={"Content-Type": "application/json"}
    )
    assert location == f"/estimates/{answered.json()['estimate_id']}"


def test_an_estimate_page_shows_what_makes_it_uncertain_and_what_is_held_fixed(client: TestClient) -> None:
    hours = {"input": "training.hours", "distribution": "uniform", "low": "90", "high": "140", "source": "<b>runs</b>"}
    price = {"input": "training.gpu_price", "distribution": "lognormal", "relative_sd": "0.01"}
    training = {"gpus": "8", "hours": "100", "gpu_price": {"series": H100}}
    asked = {"scenario": {"name": "Run", "training": training, "spreads": [price, hours]}}
    made = client.post("/api/v1/estimates", json=asked).json()
    response = client.get(f"/estimates/{made['estimate_id']}")
    parsed, text = outline(response), words(response)

    assert parsed.scripts == parsed.inline_styles == 0
    assert "Four times out of five between" in text
    assert text.index("training.hours 1,900.00 2,700.00") < text.index("training.gpu_price")
    assert "uniform, 90 to 140 [Hours] <b>runs</b>" in text
    assert "Held fixed, for no spread is known: 1" in text
    assert "training.gpus 8 GPUs stated in the scenario, without a spread" in text
    widths = [float(one) for one in re.findall(r'<rect x="[\d.]+" width="([\d.]+)" y="2"', response.text)]
    assert len(widths) == 2
    assert widths[0] > 10 * widths[1] > 0


def test_an_estimate_without_any_known_spread_says_that_it_is_a_point(client: TestClient) -> None:
    text = words(client.get(make(client).headers["location"]))
    assert "No input has a known spread: the estimate is a point." in text
    assert "prices are known in the 730 days before; 8 are needed to tell how it moves" in text


def test_an_estimate_page_says_what_could_not_be_priced(client: TestClient) -> None:
    text = words(client.get(make(client, gpu_price="baseline/h200/global/on_demand").headers["location"]))
    assert "at least 0.00 USD" in text
    assert "Not priced" in text
    assert "no such series" in text


def test_a_form_from_another_site_is_refused(client: TestClient) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {}):
        response = client.post("/estimates", data=FORM, headers=headers)
        assert response.status_code == 422
        assert "from our own page" in words(response)
    assert client.get("/api/v1/estimates").json()["estimates"] == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("gpus", "many", "gpus : must be a number such as 8 or 0.5"),
        ("hours", "", "hours : must be a number"),
        ("gpus", "-1", "training.gpus : must be"),
        ("currency", "euro", "currency : must be an ISO 4217 code"),
        ("name", "x" * 301, "name : must be at most 300 characters"),
        ("name", "a\x00b", "name : must be at most 300 characters without control"),
        ("gpu_price", "", "training.gpu_price"),
    ],
)
def test_a_form_that_cannot_be_priced_says_which_field_is_wrong(
    client: TestClient, field: str, value: str, said: str
) -> None:
    response = make(client, **{field: value})
    assert response.status_code == 422
    assert said in words(response)


def test_hostile_text_is_shown_and_never_run(client: TestClient) -> None:
    attack = '"><script>alert(1)</script>'
    location = make(client, name=attack).headers["location"]
    pages = (
        client.get("/prices", params={"q": attack, "source": attack, "valid_at": "2026-06-01"}),
        client.get(location),
        client.get("/estimates"),
        client.get("/"),
        client.get("/sources"),
    )
    for page in pages:
        parsed = outline(page)
        assert parsed.scripts == 0
        assert [one for one in parsed.addresses if one.lower().startswith("javascript:")] == []
    assert attack in html.unescape(pages[0].text)
    assert attack in words(pages[1])
    for path in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/series/%3Cscript%3E", f"/prices?kind={attack}"):
        page = client.get(path)
        assert page.status_code in {404, 422}
        assert "<script" not in page.text


def test_a_search_finds_prices_at_a_date_as_known_at_a_date(client: TestClient, sqlite_store, feed, clock) -> None:
    seed(sqlite_store, feed, clock, b"h100 2.25", on="2026-05-01")

    def text(**asked: str) -> str:
        return words(client.get("/prices", params={"q": "h100", **asked}))

    assert "2.25 USD GPU-Hours" in text()
    assert "2.5 USD GPU-Hours" in text(valid_at="2026-06-01", known_at="2026-04-01")
    assert "nothing was known at 2025-01-01" in text(known_at="2025-01-01")
    assert "No price matches" in text(kind="fx")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("valid_at=yesterday", "must be a date such as"),
        ("valid_at=0001-01-01T00:00%2B14:00", "must be a date such as"),
        ("known_at=2030-01-01", "lies in the future"),
        ("kind=coal", "must be one of gpu"),
        ("q=%00", "control characters"),
    ],
)
def test_a_search_that_makes_no_sense_is_an_error_page(client: TestClient, query: str, said: str) -> None:
    response = client.get(f"/prices?{query}")
    assert response.status_code == 422
    assert said in words(response)


def test_a_series_page_shows_the_price_its_citation_and_its_history(
    client: TestClient, sqlite_store, feed, clock
) -> None:
    seed(sqlite_store, feed, clock, b"h100 2.25\na100 1.10", on="2026-05-01")
    page = client.get(f"/series/{H100}")
    outline(page)
    text = words(page)
    assert "2.25 USD per GPU-Hours" in text
    assert "Published as 2.25 (as <em>typed</em>)" in text
    assert text.index("2026-05-01 00:00 UTC") < text.index("2026-03-01 00:00 UTC")
    assert "Electricity included" in text


def test_a_source_that_was_read_in_part_says_what_is_missing(client: TestClient, sqlite_store, feed, clock) -> None:
    class InPart(MixedFeed):
        def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document | Missing]:
            yield from super().fetch(transport, request)
            yield Missing("https://nimbus.example/<b>more</b>: answered 404")

    refresh(sqlite_store, InPart(), None, now=clock(), trigger="manual")
    said = "read in part: 1 of 2 documents could not be had: https://nimbus.example/<b>more</b>: answered 404"
    page = client.get("/sources")
    assert said in words(page)
    assert html.escape(said) in page.text


def test_a_page_that_is_not_there_is_a_page(client: TestClient) -> None:
    for path in ("/nothing", "/series/nobody/knows", "/estimates/abcdef", "/static/nothing.css"):
        response = client.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"].startswith("text/html")
        assert "Not Found" in words(response)


def test_every_page_that_shows_a_price_says_whose_it_is_and_on_what_terms(
    client: TestClient, clock: TickingClock
) -> None:
    clock.set(day("2026-11-01"))
    other = LineFeed("cumulus", republish=False)
    document = Document(source_id="cumulus", url="file:x", body=b"b200 9.00", fetched_at=day("2026-11-01"))
    import_document(client.app.state.store, other, document, now=clock())
    for path in ("/", "/prices", f"/series/{H100}", make(client).headers["location"]):
        shown = words(client.get(path))
        assert "Prices by Nimbus" in shown, path
        assert "CC0-1.0" in shown, path
    for path in ("/prices", "/series/cumulus/b200/global/on_demand"):
        assert "not to be republished" in words(client.get(path)), path
        outline(client.get(path))


def test_what_was_held_back_and_where_feeds_disagree_is_shown(
    client: TestClient, feed: MixedFeed, clock: TickingClock
) -> None:
    seed(client.app.state.store, feed, clock, b"h100 0.001\na100 1.10\n", on="2026-03-02")
    clock.set(day("2026-03-03"))
    other = LineFeed("cumulus", provider="baseline")
    document = Document(source_id="cumulus", url="file:x", body=b"h100 2.00", fetched_at=day("2026-03-03"))
    import_document(client.app.state.store, other, document, now=clock())

    sources = words(client.get("/sources"))
    assert "0.001 is over 10 times off 2.5, the price before it" in sources
    assert "Feeds that disagree" in sources
    assert "fresh refused" not in sources
    series = words(client.get(f"/series/{H100}"))
    assert "Other feeds say cumulus/h100/global/on_demand : 2 USD per GPU-Hours, 20.0% apart" in series
    outline(client.get("/sources"))
    outline(client.get(f"/series/{H100}"))


def test_a_feed_whose_last_look_was_refused_says_so(client: TestClient, feed: MixedFeed, clock: TickingClock) -> None:
    clock.set(day("2026-03-02"))
    refresh(client.app.state.store, feed, None, now=clock(), trigger="schedule")
    with patch.object(feed, "fetch", lambda _, asked: [replace(TYPED, url=asked.url)]):
        refresh(client.app.state.store, feed, None, now=clock(), trigger="schedule")
    assert "fresh refused last try quarantined: baseline: not one price" in words(client.get("/sources"))
