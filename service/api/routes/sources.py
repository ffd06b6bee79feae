"""Sources and what reading them brought: refreshes and quarantined rows."""

from typing import Annotated

from fastapi import Body, Path, Request, Response

from service.api.deps import FeedsDep, NowDep, StoreDep
from service.api.desk import Running
from service.api.shapes import (
    DisagreementList,
    Quarantine,
    RefreshAccepted,
    RefreshAsked,
    RefreshList,
    ReleaseAsked,
    RunningList,
    SourceList,
)
from service.api.wire import Limit, Text, answer, door
from service.domain.refreshes import QuarantinedRow, Refresh, SourceStatus
from service.usecases.quarantine import get_quarantined, list_quarantine
from service.usecases.sources import feed_named, get_refresh, list_disagreements, list_refreshes, list_sources, terms_of

router = door("sources")
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_RELEASES = {"true": {"summary": "A true cut", "value": {"reason": "the seller's price list says the same"}}}
_VOUCHED = {"true": {"summary": "A true collapse", "value": {"reason": "the seller closed its European regions"}}}
_EXAMPLES = {"bundled": {"summary": "Read the bundled baseline", "value": {"source": "baseline"}}}


@router.get("/sources", response_model=SourceList, summary="List sources")
def sources(store: StoreDep, feeds: FeedsDep, now: NowDep) -> Response:
    """How every source stands: fresh, stale, never read, and what it held back."""
    return answer(SourceList(sources=tuple(list_sources(store, feeds, now))))


@router.get("/sources/{source}", response_model=SourceStatus, summary="Get one source")
def source_status(store: StoreDep, feeds: FeedsDep, now: NowDep, source: str) -> Response:
    """How one source stands."""
    [status] = list_sources(store, [feed_named(feeds, source)], now)
    return answer(status)


@router.get("/refreshes", response_model=RefreshList, summary="List refreshes")
def refreshes(store: StoreDep, source: Text = "", limit: Limit = 50) -> Response:
    """What was checked, when, how it ended and what changed; newest first."""
    return answer(RefreshList(refreshes=tuple(list_refreshes(store, source, limit))))


@router.post("/refreshes", status_code=202, response_model=RefreshAccepted, summary="Refresh a source now")
def start_refresh(
    request: Request, feeds: FeedsDep, now: NowDep, asked: Annotated[RefreshAsked, Body(openapi_examples=_EXAMPLES)]
) -> Response:
    """Start reading a source; it may take minutes, so the answer says where to look for the outcome."""
    source = feed_named(feeds, asked.source).info.id
    request.app.state.desk.start(source, asked.what, now)
    where = f"/api/v1/sources/{source}"
    return answer(
        RefreshAccepted(source=source, status_url=where, cancel_url=f"/api/v1/refreshes/running/{source}"),
        202,
        {"Location": where},
    )


@router.get("/refreshes/running", response_model=RunningList, summary="List refreshes in progress")
def running(request: Request) -> Response:
    """What was asked of this server and has not ended: where each is, the oldest first."""
    return answer(RunningList(running=request.app.state.desk.running()))


@router.delete(
    "/refreshes/running/{source}", status_code=202, response_model=Running, summary="Cancel a refresh in progress"
)
def cancel(request: Request, source: str) -> Response:
    """Stop at the next step: the document or the chapter being read leaves nothing, those before it stay."""
    return answer(request.app.state.desk.cancel(source), 202)


@router.get("/refreshes/{refresh_id}", response_model=Refresh, summary="Get one refresh")
def one_refresh(store: StoreDep, refresh_id: RowId) -> Response:
    """What one look at a source brought."""
    return answer(get_refresh(store, refresh_id))


@router.post("/refreshes/{refresh_id}/release", response_model=Refresh, summary="Release a quarantined refresh")
def release_refresh(
    request: Request,
    store: StoreDep,
    refresh_id: RowId,
    asked: Annotated[ReleaseAsked, Body(openapi_examples=_VOUCHED)],
) -> Response:
    """Let documents through that were not believed as a whole: the next look is measured against them."""
    source = get_refresh(store, refresh_id).source
    return answer(request.app.state.desk.release_refresh(source, refresh_id, asked.reason))


@router.get("/quarantine", response_model=Quarantine, summary="List quarantined rows")
def quarantine(store: StoreDep, source: Text = "", limit: Limit = 100) -> Response:
    """Rows that should have been prices and could not be believed; newest first."""
    return answer(Quarantine(rows=tuple(list_quarantine(store, source, limit))))


@router.get("/quarantine/{quarantine_id}", response_model=QuarantinedRow, summary="Get one quarantined row")
def quarantined_row(store: StoreDep, quarantine_id: RowId) -> Response:
    """One row that should have been a price and could not be believed."""
    return answer(get_quarantined(store, quarantine_id))


@router.post("/quarantine/{quarantine_id}/release", response_model=Refresh, summary="Release a quarantined price")
def release(
    request: Request,
    store: StoreDep,
    quarantine_id: RowId,
    asked: Annotated[ReleaseAsked, Body(openapi_examples=_RELEASES)],
) -> Response:
    """Let a held price through: it is in the log from when its document was read, and not held back again."""
    source = get_quarantined(store, quarantine_id).source
    return answer(request.app.state.desk.release(source, quarantine_id, asked.reason))


@router.get("/disagreements", response_model=DisagreementList, summary="List disagreements between feeds")
def disagreements(store: StoreDep, series: Text = "", source: Text = "", limit: Limit = 100) -> Response:
    """Offers that two feeds price differently, widest apart first."""
    found = tuple(list_disagreements(store, series, source, limit))
    named = (key for one in found for key in (one.series, one.other_series))
    return answer(DisagreementList(disagreements=found, terms=terms_of(store, named)))
