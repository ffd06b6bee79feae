"""Real documents through the whole chain: imported, served over loopback, priced, and walked back to the byte."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pricing_sources.registry import source_by_id
from pricing_sources.source import Document
from pricing_sources.transport import HttpTransport
from service.domain.as_of import AsOf
from service.domain.price_book import Price
from service.domain.refreshes import Refresh
from service.store.store import Store
from service.usecases.accounting import account_for
from service.usecases.prices import get_document, get_price, price_history
from service.usecases.refresh import import_saved, refresh
from tests.conftest import day
from tests.usecases.recorded_documents import AWAITED, NOT_A_FEED, READ, Recorded

PIECE = 1000
DOCUMENTS = tuple(one for one in READ if not one.refused)
REFUSED = tuple(one for one in READ if one.refused)
every_document = pytest.mark.parametrize("one", READ, ids=[one.name.rsplit("/", 1)[1] for one in READ])


def brought(store: Store, one: Recorded, folder: Path, clock) -> tuple[Document, Refresh]:
    """Import a recorded file as the command does: in pieces, of which a large feed keeps an excerpt."""
    name, body = one.saved_as or one.name.rsplit("/", 1)[1], (folder / one.name).read_bytes()
    pieces = (body[start : start + PIECE] for start in range(0, len(body), PIECE))
    at = clock()
    return import_saved(store, source_by_id(one.source), name, pieces, fetched_at=at - timedelta(minutes=1), now=at)


def bring(store: Store, one: Recorded, folder: Path, clock) -> Refresh:
    return brought(store, one, folder, clock)[1]


@pytest.fixture
def embedded(sqlite_url: str, clock) -> Iterator[Store]:
    """A store on SQLite alone: what a row is does not depend on the engine."""
    opened = Store.open(sqlite_url, clock)
    yield opened
    opened.close()


def test_every_recorded_file_is_read_refused_or_no_feeds_document(recorded: Path) -> None:
    files = {str(path.relative_to(recorded)) for path in recorded.rglob("*") if path.is_file()}
    listed = [*(one.name for one in READ), *NOT_A_FEED, *AWAITED]
    assert Counter(listed).most_common(1)[0][1] == 1, "a document is what one table says"
    assert files == set(listed)


@every_document
def test_every_row_of_a_recorded_document_is_accounted_for(
    embedded: Store, recorded: Path, clock, one: Recorded
) -> None:
    document, done = brought(embedded, one, recorded, clock)
    account = account_for(embedded, source_by_id(one.source), document, done)

    assert account.lost == ()
    assert account.rows_in == account.rows_out == (one.rows or None)
    assert (account.prices, dict(account.skipped), account.held_back) == (one.prices, one.skipped, one.held)
    assert account.readings == one.prices + sum(one.skipped.values()) + one.held
    assert (account.balanced, done.rows_read) == (True, 0 if done.status == "failed" else account.readings)
    known_at = clock()
    golden = {key: price_history(embedded, f"{one.source}/{key}", known_at)[-1].amount for key in one.golden}
    assert golden == one.golden


@pytest.mark.parametrize("one", DOCUMENTS, ids=[one.name.rsplit("/", 1)[1] for one in DOCUMENTS])
def test_a_recorded_document_imports_twice_and_the_second_time_changes_nothing(
    store: Store, recorded: Path, clock, one: Recorded
) -> None:
    first = bring(store, one, recorded, clock)
    clock.set(clock() + timedelta(days=1))
    second = bring(store, one, recorded, clock)

    assert first.status == second.status == "sealed"
    assert first.added > 0
    assert (second.added, second.corrected) == (0, 0)
    assert second.rows_read == first.rows_read
    assert first.rows_read == first.observed + first.rejected + sum(first.skipped.values())


@pytest.mark.parametrize("one", REFUSED, ids=[one.name.rsplit("/", 1)[1] for one in REFUSED])
def test_an_answer_that_is_no_success_is_refused_in_words_that_say_why(
    embedded: Store, recorded: Path, clock, one: Recorded
) -> None:
    refused = bring(embedded, one, recorded, clock)

    assert refused.status in {"failed", "quarantined"}
    assert one.refused in (refused.error or "")
    assert refused.added == 0


class Mirror(BaseHTTPRequestHandler):
    """Serves recorded files at the paths a feed would be asked for."""

    def __init__(self, files: dict[str, Path], *args: object) -> None:
        self.files = files
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        body = self.files[self.path.partition("?")[0]].read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def mirror(recorded: Path) -> Iterator[str]:
    files = {
        "/azure": recorded / "gpu/azure/terracost_retail_prices.json",
        "/runpod": recorded / "gpu/runpod/compute_index_gputypes.json",
        "/eia": recorded / "other/eia-861m/sales_revenue.xlsx",
        "/bls": recorded / "other/bls/oews_v1_2026-07-22_abridged.json",
        "/ecb/eurofxref-hist.zip": recorded / "other/ecb/eurofxref-hist.zip",
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, files))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("azure_retail_prices", "/azure"),
        ("runpod", "/runpod"),
        ("eia_861m", "/eia"),
        ("bls_oews", "/bls"),
        ("ecb", "/ecb"),
    ],
)
def test_the_same_files_served_over_loopback_refresh_the_same_prices(
    store: Store, mirror: str, clock, source: str, path: str
) -> None:
    feed = source_by_id(source)
    with HttpTransport() as transport:
        done = refresh(store, feed, transport, now=clock(), trigger="manual", url=mirror + path)

    assert (done.status, done.error) == ("sealed", None)
    assert done.scope == "seed"
    assert done.added > 0


def test_a_price_as_of_a_moment_leads_back_to_its_document(store: Store, recorded: Path, clock) -> None:
    names = {"eurofxref-hist.zip", "compute_index_gputypes.json"}
    for one in DOCUMENTS:
        if one.name.rsplit("/", 1)[1] in names:
            bring(store, one, recorded, clock)
    known_at = clock()

    def price(series: str, valid: str) -> Price:
        return get_price(store, AsOf(day(valid), known_at), series)

    assert str(price("ecb/EUR/USD", "2026-04-13T20:00").amount) == "1.1684"
    assert str(price("ecb/EUR/USD", "2026-04-13T12:00").amount) == "1.1711"
    h100 = price("runpod/NVIDIA_H100_80GB_HBM3/global/secure/on_demand", "2026-11-01T12:00")
    assert str(h100.amount) == "2.99"
    assert h100.citation.published_amount.encode() in get_document(store, h100.citation.document_sha256).body
