"""OpenRouter: what it asks for a token of each model it routes to.

The prices are OpenRouter's own. They usually equal the cheapest provider's, and genai-prices lists
them too, under the provider `openrouter`: so the two can be held against one another.

Traps of the feed that decide the shape of this module:

- A price is a text in USD for one token, 0.00000025; we keep it for a million.
- −1 says that the price is decided per request; 0 that the offer is free. Neither is a price.
- An id that begins with `~` stands for whichever model is the newest of its family.
- `image` was once a price per picture and is now, it seems, one per token; nothing says which.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import decimal_text, exact_json, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, Rejected, Skipped, TokenSeries
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
MILLION: Final = 1_000_000
CURRENCY: Final = "USD"
METERS: Final = {
    "prompt": ("input", Unit.TOKENS_1M),
    "completion": ("output", Unit.TOKENS_1M),
    "input_cache_read": ("cache_read", Unit.TOKENS_1M),
    "input_cache_write": ("cache_write", Unit.TOKENS_1M),
    "audio": ("input_audio", Unit.TOKENS_1M),
    "audio_output": ("output_audio", Unit.TOKENS_1M),
    "internal_reasoning": ("output_reasoning", Unit.TOKENS_1M),
    "request": ("requests", Unit.REQUEST),
    "web_search": ("web_searches", Unit.REQUEST),
}
"""Our word and unit for each of theirs (openrouter.ai/docs/client-sdks/python/components/pricing, read 2026-11-23)."""
UNCLEAR: Final = frozenset({"image", "image_token", "image_output"})
SHARES: Final = frozenset({"discount"})
"""Not prices but shares of one."""


class OpenRouter:
    """Models OpenRouter offers, with its prices."""

    info = SourceInfo(
        id="openrouter",
        title="OpenRouter models",
        publisher="OpenRouter",
        kinds=(Kind.LLM_API,),
        homepage="https://openrouter.ai/docs/api/api-reference/models/get-models",
        url="https://openrouter.ai/api/v1/models",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: OpenRouter",
        cadence=Cadence(cron="10 */6 * * *", jitter=timedelta(minutes=20), stale_after=4),
        plausible={
            Unit.TOKENS_1M: (Decimal("0.0005"), Decimal(2000)),
            Unit.REQUEST: (Decimal("0.00001"), Decimal(1)),
        },
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every model. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.get(request.url, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price of each model. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "data")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no models where a list of them was expected", path="/data")
        for position, row in enumerate(rows):
            locator = f"/data/{position}"
            prices = required(row, "pricing", locator)
            for name in ("prompt", "completion"):
                required(prices, name, f"{locator}/pricing")
            for name, text in prices.items():
                yield _reading(row, name, text, document, f"{locator}/pricing/{name}")


SOURCE: Final = OpenRouter()


def _reading(row: Mapping[str, Any], name: str, text: Any, document: Document, locator: str) -> Reading:
    llm = required(row, "id", locator)
    reason = _skip_reason(llm, name, text)
    if reason:
        return Skipped(reason, locator)
    if name not in METERS:
        return Rejected(f"{name!r} is no meter we know; known are {', '.join(METERS)}", locator, f"{llm} {text}"[:500])
    meter, unit = METERS[name]
    try:
        price = decimal_text(text)
    except (AttributeError, ValueError):
        return Rejected(f"{text!r} where a price in USD was expected", locator, f"{llm} {name}"[:500])
    if price < 0:
        return Skipped("decided_per_request", locator)
    if price == 0:
        return Skipped("free", locator)
    return Observation(
        series=TokenSeries(source=OpenRouter.info.id, provider="openrouter", llm=llm, meter=meter),
        amount=price * MILLION if unit is Unit.TOKENS_1M else price,
        currency=CURRENCY,
        unit=unit,
        valid_from=document.fetched_at,
        dated=False,
        published_amount=text,
        published_unit="USD per token" if unit is Unit.TOKENS_1M else "USD per request",
        locator=locator,
    )


def _skip_reason(llm: str, name: str, text: Any) -> str | None:
    if llm.startswith("~"):
        return "whichever_is_newest"
    if name in UNCLEAR:
        return "unit_unclear"
    if name in SHARES:
        return "not_a_price"
    return "no_price" if text is None else None
