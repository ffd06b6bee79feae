"""genai-prices: what providers ask for tokens, collected by hand from their price pages by Pydantic.

The list says what holds now and, for some models, from which day on another price holds or between
which hours of the day. The last set of prices whose condition is met counts, the first has none.

Traps of the feed that decide the shape of this module:

- The file `prices/data.json` (version 1) is frozen for old clients: it never fails and never changes
  again. Only version 2 knows prices of an hour's cache and of web searches, so a document without
  them is refused.
- A tier is a price for the whole request once its input is longer than `start`, not for the excess.
- A set with a start date replaces the one before it; a set with hours stands beside it.
- A price of 0 is a free offer or one that is not known; it is no price either way.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, Rejected, Skipped, TokenSeries
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
PER_MILLION: Final = "_mtok"
PER_THOUSAND: Final = "_kcount"
ONLY_IN_VERSION_2: Final = ("cache_write_1h_mtok", "web_searches_kcount")
CURRENCY: Final = "USD"
"""The schema says of every price that it is in USD."""


class GenaiPrices:
    """Token prices of some forty providers, with tiers, caches and dates."""

    info = SourceInfo(
        id="genai_prices",
        title="genai-prices, version 2",
        publisher="Pydantic",
        kinds=(Kind.LLM_API,),
        homepage="https://github.com/pydantic/genai-prices",
        url="https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json",
        licence="MIT",
        attribution="Prices: genai-prices by Pydantic",
        cadence=Cadence(cron="40 5 * * *", jitter=timedelta(minutes=30), stale_after=7),
        plausible={
            Unit.TOKENS_1M: (Decimal("0.0005"), Decimal(2000)),
            Unit.REQUEST: (Decimal("0.00001"), Decimal(1)),
        },
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the list. Raises FetchFailed."""
        reply = transport.get(request.url, known=request.known.get(request.url), max_bytes=MAX_BYTES)
        if reply.not_modified:
            yield NotModified(request.url)
        else:
            yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price: of a model, a condition, a meter and a tier.

        Raises ShapeChanged if it is not the second version of the list.
        """
        providers = exact_json(document.body)
        if not isinstance(providers, list) or not providers:
            raise ShapeChanged("a list of providers was expected")
        _refuse_frozen(document.body)
        for position, provider in enumerate(providers):
            where = f"/{position}/models"
            provider_id = required(provider, "id", f"/{position}")
            for number, row in enumerate(required(provider, "models", f"/{position}")):
                yield from _model_readings(provider_id, row, document, f"{where}/{number}")


SOURCE: Final = GenaiPrices()


@dataclass(frozen=True, slots=True)
class _Set:
    """One set of prices of a model, and when it counts."""

    prices: Mapping[str, Any]
    locator: str
    begins: datetime | None = None
    condition: str = ""
    superseded: bool = False
    """Another set without hours has begun since."""


@dataclass(frozen=True, slots=True)
class _Model:
    """Whose prices these are."""

    provider: str
    llm: str
    note: str


def _refuse_frozen(body: bytes) -> None:
    if not all(name.encode() in body for name in ONLY_IN_VERSION_2):
        names = " and ".join(ONLY_IN_VERSION_2)
        raise ShapeChanged(f"no {names} anywhere: the frozen first version of the list; ask for new_data/v2/data.json")


def _model_readings(provider: str, row: Mapping[str, Any], document: Document, locator: str) -> Iterator[Reading]:
    note = "deprecated by the provider" if row.get("deprecated") else ""
    model = _Model(provider, required(row, "id", locator), note)
    for one in _sets(required(row, "prices", locator), document.fetched_at, f"{locator}/prices"):
        if not one.prices:
            yield Skipped("no_price", one.locator)
        for name, value in one.prices.items():
            yield from _price_readings(model, one, name, value, document)


def _sets(prices: Any, now: datetime, locator: str) -> Sequence[_Set]:
    """The sets of a model in order; the last dated one that has begun supersedes those before it."""
    if isinstance(prices, Mapping):
        return [_Set(prices, locator)]
    sets = [_set(one, f"{locator}/{number}") for number, one in enumerate(prices)]
    begun = [number for number, one in enumerate(sets) if one.begins and one.begins <= now]
    hours = next((one.condition for one in sets if one.condition), "")
    return [
        _Set(
            one.prices,
            one.locator,
            one.begins,
            one.condition or (f"not_{hours}" if hours else ""),
            superseded=bool(begun) and number < begun[-1] and not one.condition,
        )
        for number, one in enumerate(sets)
    ]


def _set(row: Mapping[str, Any], locator: str) -> _Set:
    constraint, prices = row.get("constraint"), required(row, "prices", locator)
    if not constraint:
        return _Set(prices, f"{locator}/prices")
    try:
        if "start_date" in constraint:
            day = date.fromisoformat(constraint["start_date"])
            return _Set(prices, f"{locator}/prices", begins=datetime.combine(day, time(), UTC))
        hours = [time.fromisoformat(required(constraint, name, locator)) for name in ("start_time", "end_time")]
    except (TypeError, ValueError) as error:
        raise ShapeChanged(f"constraint {constraint!r}: {error}", path=f"{locator}/constraint") from error
    began, ended = (f"{one:%H%M}" for one in hours)
    return _Set(prices, f"{locator}/prices", condition=f"{began}_to_{ended}_utc")


def _price_readings(model: _Model, one: _Set, name: str, value: Any, document: Document) -> Iterator[Reading]:
    locator = f"{one.locator}/{name}"
    if not isinstance(value, Mapping):
        yield _reading(model, one, name, (0, value), document, locator)
        return
    yield _reading(model, one, name, (0, required(value, "base", locator)), document, f"{locator}/base")
    for number, tier in enumerate(required(value, "tiers", locator)):
        place = f"{locator}/tiers/{number}"
        begins = int(required(tier, "start", place))
        yield _reading(model, one, name, (begins, required(tier, "price", place)), document, place)


def _reading(model: _Model, one: _Set, name: str, tier: tuple[int, Any], document: Document, locator: str) -> Reading:
    above, price = tier
    if one.superseded:
        return Skipped("superseded", locator)
    if price == 0:
        return Skipped("zero_price", locator)
    if not isinstance(price, Decimal) or price < 0:
        return Rejected(f"{price!r} where a price above zero was expected", locator, f"{model.llm} {name}")
    if name.endswith(PER_MILLION):
        unit, amount, words = Unit.TOKENS_1M, price, "USD per million tokens"
    elif name.endswith(PER_THOUSAND):
        unit, amount, words = Unit.REQUEST, price / 1000, "USD per thousand"
    else:
        text = json.dumps({name: price}, default=str)
        return Rejected(f"{name!r} is no meter we know; *_mtok or *_kcount was expected", locator, text)
    return Observation(
        series=TokenSeries(
            source=GenaiPrices.info.id,
            provider=model.provider,
            llm=model.llm,
            meter=name.removesuffix(PER_MILLION).removesuffix(PER_THOUSAND),
            above_tokens=above,
            condition=one.condition,
        ),
        amount=amount,
        currency=CURRENCY,
        unit=unit,
        valid_from=one.begins or document.fetched_at,
        dated=one.begins is not None,
        published_amount=str(price),
        published_unit=words,
        locator=locator,
        note=model.note,
    )
