"""What the first page shows, gathered: the newest estimate, headline prices, how the sources stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pricing_sources.observation import Kind
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.estimate import Estimate
from service.domain.price_book import Price
from service.domain.refreshes import SourceStatus
from service.errors import NoData, ServiceError
from service.store.prices import PriceFilter
from service.usecases.estimates import get_estimate, list_estimates, price_scenario
from service.usecases.prices import as_of, search_prices
from service.usecases.sources import list_sources
from service.web.example import example_scenario
from service.web.visit import Visit

ROWS: Final = 6
_SECTIONS: Final = (
    (Kind.GPU, "GPUs", ("H100", "A100", "")),
    (Kind.ELECTRICITY, "Electricity", ("/US/", "")),
    (Kind.SALARY, "Salaries", ("15-1252/US/", "15-1252", "")),
    (Kind.FX, "Exchange rates", ("EUR/USD", "")),
)
"""Which series lead each table: the first search text that finds anything."""


@dataclass(frozen=True, slots=True)
class Headlines:
    """One table of the first page."""

    kind: Kind
    title: str
    searched: str
    prices: Sequence[Price]


@dataclass(frozen=True, slots=True)
class Home:
    """Everything the first page shows."""

    estimate: Estimate | None
    estimate_id: str | None
    """None for the example, which is not kept."""
    headlines: Sequence[Headlines]
    sources: Sequence[SourceStatus]

    @property
    def empty(self) -> bool:
        """True before the first refresh."""
        return not any(one.prices for one in self.headlines)

    @property
    def suggested(self) -> str:
        """The series the form starts with; empty where there is none."""
        gpus = next((one.prices for one in self.headlines if one.kind is Kind.GPU), ())
        return next((price.series for price in gpus if price.unit == Unit.GPU_HOUR), "")


def home(visit: Visit) -> Home:
    """Gather the first page; an empty database is no error here."""
    question = as_of(visit.now)
    headlines = [_headlines(visit, question, *section) for section in _SECTIONS]
    estimate, estimate_id = _newest(visit) or _example(visit, question, headlines)
    return Home(estimate, estimate_id, headlines, list_sources(visit.store, visit.feeds, visit.now))


def _headlines(visit: Visit, question: AsOf, kind: Kind, title: str, texts: Sequence[str]) -> Headlines:
    for text in texts:
        try:
            found = search_prices(visit.store, question, PriceFilter(kind=kind, text=text, limit=ROWS)).prices
        except NoData:
            break
        if found:
            return Headlines(kind, title, text, found)
    return Headlines(kind, title, "", ())


def _newest(visit: Visit) -> tuple[Estimate, str] | None:
    for summary in list_estimates(visit.store, limit=1):
        return get_estimate(visit.store, summary.estimate_id).estimate, summary.estimate_id
    return None


def _example(visit: Visit, question: AsOf, headlines: Sequence[Headlines]) -> tuple[Estimate | None, None]:
    scenario = example_scenario({one.kind: one.prices for one in headlines})
    if scenario is None:
        return None, None
    try:
        return price_scenario(visit.store, scenario, question), None
    except ServiceError:
        # The page is more than its example; without it, it still shows prices and sources.
        return None, None
