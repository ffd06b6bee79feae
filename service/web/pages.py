"""The pages and the one form."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pricing_sources.observation import Kind
from pricing_sources.units import Unit
from service.domain.canonical import json_bytes
from service.domain.refreshes import Disagreement
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.errors import NoData
from service.store.prices import PriceFilter
from service.usecases.bands import band_of
from service.usecases.estimates import get_estimate, list_estimates, new_estimate
from service.usecases.formulas import list_formulas
from service.usecases.prices import PricePage, as_of, get_price, price_history, search_prices
from service.usecases.quarantine import list_quarantine
from service.usecases.sources import list_disagreements, list_refreshes, list_sources, terms_of
from service.web.band_picture import picture
from service.web.home import home
from service.web.render import page
from service.web.visit import (
    Visit,
    VisitDep,
    clean,
    require_same_origin,
    typed_form,
    typed_kind,
    typed_moment,
    typed_number,
)

PAGE_ROWS: Final = 100
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def first(request: Request, visit: VisitDep) -> Response:
    """What this is, an estimate, the latest prices, how the sources stand."""
    return page(request, "home.html", visit.now, home=home(visit), offered=_offered(visit))


@router.get("/prices")
def prices(
    request: Request,
    visit: VisitDep,
    q: str = "",
    kind: str = "",
    source: str = "",
    valid_at: str = "",
    known_at: str = "",
    after: str = "",
) -> Response:
    """Search prices, at any moment, as known at any moment."""
    asked = {"q": q, "kind": kind, "source": source, "valid_at": valid_at, "known_at": known_at, "after": after}
    asked = {name: clean(name, text) for name, text in asked.items()}
    found, missing = None, ""
    try:
        found = _found(visit, asked)
    except NoData as error:
        missing = str(error)
    feeds = [feed.info.id for feed in visit.feeds]
    return page(
        request, "prices.html", visit.now, asked=asked, found=found, missing=missing, kinds=list(Kind), feeds=feeds
    )


@router.get("/series/{series:path}")
def series_page(request: Request, visit: VisitDep, series: str) -> Response:
    """One series: its price now with its citation, and every row of its history."""
    series = clean("series", series)
    points = price_history(visit.store, series, visit.now)
    price, missing = None, ""
    try:
        price = get_price(visit.store, as_of(visit.now), series)
    except NoData as error:
        missing = str(error)
    disputed = list_disagreements(visit.store, series=series)
    return page(
        request,
        "series.html",
        visit.now,
        series=series,
        price=price,
        missing=missing,
        points=points[::-1],
        disagreements=disputed,
        terms=terms_of(visit.store, _keys([series], disputed)),
    )


@router.get("/sources")
def sources(request: Request, visit: VisitDep) -> Response:
    """How every source stands, and the newest refreshes."""
    listed = list_sources(visit.store, visit.feeds, visit.now)
    refreshes = list_refreshes(visit.store, limit=20)
    held, disputed = list_quarantine(visit.store, limit=20), list_disagreements(visit.store, limit=20)
    return page(
        request,
        "sources.html",
        visit.now,
        sources=listed,
        refreshes=refreshes,
        held=held,
        disagreements=disputed,
        terms=terms_of(visit.store, _keys([], disputed)),
    )


@router.get("/estimates")
def estimates(request: Request, visit: VisitDep, after: str = "") -> Response:
    """The ledger."""
    listed = list_estimates(visit.store, limit=PAGE_ROWS, after=clean("after", after))
    following = listed[-1].estimate_id if len(listed) == PAGE_ROWS else ""
    return page(request, "estimates.html", visit.now, estimates=listed, following=following)


@router.post("/estimates")
def make_estimate(
    request: Request,
    visit: VisitDep,
    body: Annotated[bytes, Body(media_type="application/x-www-form-urlencoded")],
) -> Response:
    """Price the form's training run, keep the estimate, show it."""
    require_same_origin(request)
    scenario = _scenario_of(typed_form(body))
    stored = new_estimate(visit.store, scenario, as_of(visit.now), now=visit.now)
    return RedirectResponse(f"/estimates/{stored.estimate_id}", status_code=303)


@router.get("/estimates/{estimate}")
def one_estimate(request: Request, visit: VisitDep, estimate: str) -> Response:
    """One estimate with everything needed to check it and to compute it again."""
    stored = get_estimate(visit.store, estimate)
    as_of_asked = {"valid_at": stored.estimate.as_of.valid_at, "known_at": stored.estimate.as_of.known_at}
    again = json_bytes({"scenario_id": stored.scenario_id, **as_of_asked}).decode()
    band = band_of(visit.store, stored).band
    return page(
        request,
        "estimate.html",
        visit.now,
        stored=stored,
        estimate=stored.estimate,
        band=band,
        picture=picture(band),
        again=again,
        estimate_id=estimate,
    )


@router.get("/formulas")
def formulas(request: Request, visit: VisitDep) -> Response:
    """The equations estimates are computed with."""
    return page(request, "formulas.html", visit.now, formulas=list_formulas())


@router.get("/docs")
def api_pages(request: Request, visit: VisitDep) -> Response:
    """The API, from its own OpenAPI document."""
    document: dict[str, Any] = request.app.openapi()
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return page(request, "docs.html", visit.now, operations=operations)


def error_page(request: Request, visit: Visit, problem: Any) -> HTMLResponse:
    """A problem as a page."""
    return page(request, "error.html", visit.now, status=problem.status, problem=problem)


def _keys(series: Sequence[str], disputed: Sequence[Disagreement]) -> list[str]:
    return [*series, *(key for one in disputed for key in (one.series, one.other_series))]


def _offered(visit: Visit) -> list[str]:
    """GPU-hour series the form suggests."""
    try:
        found = search_prices(visit.store, as_of(visit.now), PriceFilter(kind=Kind.GPU, limit=500))
    except NoData:
        return []
    return [price.series for price in found.prices if price.unit == Unit.GPU_HOUR]


def _found(visit: Visit, asked: dict[str, str]) -> PricePage:
    question = as_of(
        visit.now, typed_moment("valid_at", asked["valid_at"]), typed_moment("known_at", asked["known_at"])
    )
    wanted = PriceFilter(
        kind=typed_kind(asked["kind"]),
        source=asked["source"],
        text=asked["q"],
        after=asked["after"],
        limit=PAGE_ROWS,
    )
    return search_prices(visit.store, question, wanted)


def _scenario_of(form: dict[str, str]) -> Scenario:
    return Scenario(
        name=form.get("name") or "Training run",
        currency=(form.get("currency") or "USD").upper(),
        training=TrainingPart(
            gpus=typed_number("gpus", form.get("gpus", "")),
            hours=typed_number("hours", form.get("hours", "")),
            gpu_price=PriceInput(series=form.get("gpu_price") or None),
        ),
    )
