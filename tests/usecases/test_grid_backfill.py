"""The past of a grid operator, who lets the oldest of it go while we read."""

from pricing_sources.electricity.caiso import HUBS, SOURCE
from pricing_sources.transport import HttpTransport
from service.store.store import Store
from service.usecases.archive import FAILURES_IN_A_ROW, backfill
from tests.conftest import TickingClock, day
from tests.documents.caiso.typed_by_hand_two_hours import packed, workbook
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

NOTHING = packed("x.xml", "<OASISReport><ERROR><ERR_CODE>1000</ERR_CODE></ERROR></OASISReport>")


def test_months_that_were_let_go_do_not_keep_the_others_from_being_read(
    store: Store, feed: Feed, clock: TickingClock
) -> None:
    clock.set(day("2026-12-15"))
    gone = FAILURES_IN_A_ROW + 1
    feed.answers = {"/": [*[reply(NOTHING)] * gone * 2 * len(HUBS), reply(workbook())]}
    with HttpTransport() as transport:
        steps = list(backfill(store, SOURCE, transport, url=feed.url("/"), now=day("2026-12-15")))
        again = list(backfill(store, SOURCE, transport, url=feed.url("/"), now=day("2026-12-16")))

    assert [(step.name, step.refresh.status) for step in (steps[0], steps[-1])] == [
        ("202309", "sealed"),
        ("202611", "sealed"),
    ]
    assert [step.refresh.observed > 0 for step in steps] == [False] * gone + [True] * (39 - gone)
    assert again == []
