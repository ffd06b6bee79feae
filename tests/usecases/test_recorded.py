"""Real documents through the whole chain: imported, served over loopback, priced, and walked back to the byte."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pricing_sources.registry import source_by_id
from pricing_sources.source import Document
from pricing_sources.transport import HttpTransport
from service.domain.refreshes import Refresh
from service.store.store import Store
from service.usecases.refresh import import_document, refresh
from tests.conftest import day

DOCUMENTS = (
    ("azure_retail_prices", "gpu/azure/terracost_retail_prices.json"),
    ("runpod", "gpu/runpod/compute_index_gputypes.json"),
    ("eia_861m", "other/eia-861m/sales_revenue.xlsx"),
    ("bls_oews", "other/bls/oews_v1_2026-07-22_abridged.json"),
    ("bls_oews", "other/bls/topcoded_2018.json"),
    ("ecb", "other/ecb/eurofxref-hist.zip"),
    ("ecb", "other/ecb/eurofxref-daily.xml"),
    ("ecb", "other/ecb/eurofxref.csv"),
    ("aws_spot_prices", "gpu/aws_spot_js/spot-price-data_2021.json"),
    ("aws_spot_advisor", "gpu/aws_spot_advisor/spot-advisor-data.json"),
    ("aws_capacity_blocks", "gpu/aws_capacity_blocks/pricing_2026-03-01_ff99bc1.json"),
    ("vast", "gpu/vast/compute_index_vast_bundles.json"),
    ("skypilot_catalog", "gpu/skypilot/v8_nebius_vms_0082b043.csv"),
    ("skypilot_catalog", "gpu/skypilot/v8_verda_vms_538675a0.csv"),
    ("genai_prices", "other/genai-prices/v2-data.json"),
    ("openrouter", "other/openrouter/api_v1_models.json"),
)
REFUSED = (
    ("bls_oews", "other/bls/threshold_http200.json", "Daily threshold"),
    ("bls_oews", "other/bls/series_does_not_exist_excerpt.json", "not one price in the document"),
)


def bring(store: Store, source: str, path: Path, clock) -> Refresh:
    document = Document(
        source_id=source, url=f"file:{path.name}", body=path.read_bytes(), fetched_at=clock() - timedelta(minutes=1)
    )
    return import_document(store, source_by_id(source), document, now=clock())


@pytest.mark.parametrize(("source", "name"), DOCUMENTS, ids=[name.rsplit("/", 1)[1] for _, name in DOCUMENTS])
def test_a_recorded_document_imports_twice_and_the_second_time_changes_nothing(
    store: Store, recorded: Path, clock, source: str, name: str
) -> None:
    first = bring(store, source, recorded / name, clock)
    clock.set(clock() + timedelta(days=1))
    second = bring(store, source, recorded / name, clock)

    assert first.status == second.status == "sealed"
    assert first.added > 0
    assert (second.added, second.corrected) == (0, 0)
    assert second.rows_read == first.rows_read
    assert first.rows_read == first.observed + first.rejected + sum(first.skipped.values())


@pytest.mark.parametrize(("source", "name", "words"), REFUSED)
def test_an_answer_that_is_no_success_is_refused_in_the_feeds_own_words(
    store: Store, recorded: Path, clock, source: str, name: str, words: str
) -> None:
    failed = bring(store, source, recorded / name, clock)

    assert failed.status == "quarantined"
    assert words in failed.error


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


def test_golden_prices_hold_from_import_to_answer(store: Store, recorded: Path, clock) -> None:
    from service.domain.as_of import AsOf
    from service.usecases.prices import get_document, get_price

    for source, name in DOCUMENTS:
        bring(store, source, recorded / name, clock)
    now = AsOf(clock(), clock())

    def amount(series: str, valid: str = "2026-11-01") -> str:
        return str(get_price(store, AsOf(day(valid), now.known_at), series).amount)

    assert amount("eia_861m/US/industrial/retail_average", "2025-04-15") == "0.082064719"
    assert amount("eia_861m/US/commercial/retail_average", "2025-04-15") == "0.13088276"
    assert amount("eia_861m/US-AK/industrial/retail_average", "2025-04-15") == "0.2001"
    assert amount("bls_oews/15-1252/US/mean") == "148100"
    assert amount("ecb/EUR/USD", "2026-04-13T20:00") == "1.1684"
    assert amount("ecb/EUR/USD", "2026-04-13T12:00") == "1.1711"
    assert amount("runpod/NVIDIA_H100_80GB_HBM3/global/secure/on_demand") == "2.99"
    price = get_price(store, now, "runpod/NVIDIA_H100_80GB_HBM3/global/secure/on_demand")
    body = get_document(store, price.citation.document_sha256).body
    assert price.citation.published_amount.encode() in body
