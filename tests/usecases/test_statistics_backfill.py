"""The past of the salary statistics, read back into a store that already knows the present."""

import hashlib
from decimal import Decimal

from pricing_sources.labor.bls_oews import SOURCE as OEWS
from pricing_sources.labor.h1b_lca import SOURCE as LCA
from pricing_sources.source import Document
from pricing_sources.transport import HttpTransport
from service.store.store import Store
from service.usecases.archive import backfill
from service.usecases.prices import get_document, price_history
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day
from tests.pricing_sources.labor.asking import envelope, row
from tests.pricing_sources.labor.test_oews_vintages import wage_row, zipped
from tests.pricing_sources.labor.typed_disclosure import DECEMBER_1, PERSONAL, application, workbook
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

MEAN = "bls_oews/15-1252/US/mean"


def test_every_vintage_of_oews_has_its_own_time_and_a_refused_one_is_asked_again(
    store: Store, feed: Feed, clock: TickingClock
) -> None:
    clock.set(day("2026-11-01"))
    newest = envelope({"OEUN000000000000015125204": [row("148100")]})
    document = Document(source_id="bls_oews", url="file:newest.json", body=newest, fetched_at=day("2026-11-01"))
    import_document(store, OEWS, document, now=day("2026-11-01"))
    for year in range(2019, 2025):
        table = zipped(wage_row(), name=f"all_data_M_{year}.xlsx")
        feed.answers[f"/oesm{year % 100}nat.zip"] = [reply(b"", 403)]
        refused = [reply(b"", 403)] if year == 2023 else []
        feed.answers[f"/oesm{year % 100}all.zip"] = [*refused, reply(table)]

    with HttpTransport() as transport:
        first = list(backfill(store, OEWS, transport, url=feed.url(), now=day("2026-11-01")))
        asked = len(feed.asked)
        again = list(backfill(store, OEWS, transport, url=feed.url(), now=day("2026-11-02")))

    assert [(step.name, step.refresh.status) for step in first] == [
        *((str(year), "sealed") for year in range(2019, 2023)),
        ("2023", "failed"),
        ("2024", "sealed"),
    ]
    assert [(step.name, step.refresh.status) for step in again] == [("2023", "sealed")]
    assert [path for path, _ in feed.asked[asked:]] == ["/oesm23nat.zip", "/oesm23all.zip"]
    points = {point.valid_from: Decimal(str(point.amount)) for point in price_history(store, MEAN, day("2026-11-03"))}
    assert points == {
        **{day(f"{year}-05-01"): Decimal(144570) for year in range(2019, 2025)},
        day("2025-05-01"): Decimal(148100),
    }


def test_nothing_about_people_reaches_the_store(store: Store, feed: Feed, clock: TickingClock) -> None:
    clock.set(day("2026-11-01"))
    disclosed = workbook([application(number, DECISION_DATE=DECEMBER_1 - 365) for number in range(40)])
    feed.answers["/LCA_Disclosure_Data_FY2026_Q1.xlsx"] = [reply(disclosed)]
    feed.answers["/LCA_Disclosure_Data_FY2026_Q2.xlsx"] = [reply(b"", 404)]
    url = feed.url().rstrip("/")
    with HttpTransport() as transport:
        [step] = backfill(store, LCA, transport, url=url, now=day("2026-11-01"), since="FY2026")

    assert (step.refresh.status, step.refresh.observed) == ("sealed", 20)
    [point] = price_history(store, "h1b_lca/15-1252/US-CA/median", day("2026-11-02"))
    assert (point.valid_from, Decimal(str(point.amount))) == (day("2025-10-01"), Decimal(150000))
    kept = get_document(store, point.document_sha256).body
    assert hashlib.sha256(disclosed).hexdigest().encode() in kept
    assert not [word for word in (*PERSONAL, "I-200-26", "Sunnyvale") if word.encode() in kept]
