"""BLS price indexes: what a dollar of one year is worth in another, for consumers and for data centres.

An index has no unit of its own; only the ratio of two of its values means anything. The consumer
index is final when it comes out; a producer index is preliminary for four months.

The envelope mixes months with their mean (`M13`), halves and years; only months are kept.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from pricing_sources.documents import decimal_text
from pricing_sources.observation import Kind, Observation, Reading, RecordSeries, Status
from pricing_sources.protocols import bls_api
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

SERIES: Final[Mapping[str, tuple[str, str]]] = {
    "CUUR0000SA0": ("us_cpi_u", "CPI-U, all items, not seasonally adjusted, 1982-84=100"),
    "PCU518210518210": ("us_ppi_data_processing", "PPI, data processing and hosting, Dec 2000=100"),
}
"""BLS series to our name and what it is an index of."""
MONTHS: Final = {f"M{month:02}": month for month in range(1, 13)}
YEARS_BACK: Final = 9
"""With the current year, the ten years a query without a key may span."""


class BlsPriceIndexes:
    """Consumer prices of the United States, and producer prices of data processing and hosting."""

    info = SourceInfo(
        id="bls_price_indexes",
        title="BLS consumer and producer price indexes",
        publisher="U.S. Bureau of Labor Statistics",
        kinds=(Kind.RECORD,),
        homepage="https://www.bls.gov/developers/",
        url=bls_api.URL,
        licence=bls_api.LICENCE,
        attribution=bls_api.ATTRIBUTION,
        cadence=Cadence(
            cron="0 10 17 * *",
            timezone="America/New_York",
            jitter=timedelta(hours=2),
            # A month's index is out by the seventeenth of the next, and the newest until that day of the one after.
            newest_within=timedelta(days=79),
        ),
        plausible={Unit.INDEX: (Decimal(20), Decimal(5000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask once for both: ten years at first, two later. Raises FetchFailed."""
        last = request.now.year
        first = last - (YEARS_BACK if request.seed else 1)
        for reply in bls_api.ask(transport, request.url, tuple(SERIES), first_year=first, last_year=last):
            yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per figure.

        Raises Quarantined where BLS refused the request, ShapeChanged where the envelope is another.
        """
        for figure in bls_api.figures(document):
            yield _reading(figure) if isinstance(figure, bls_api.Figure) else figure


SOURCE: Final = BlsPriceIndexes()


def _reading(figure: bls_api.Figure) -> Reading:
    if figure.series_id not in SERIES:
        return figure.rejected(f"an unknown series; {', '.join(SERIES)} were expected")
    if figure.period not in MONTHS:
        return figure.skipped("not_a_month")
    if figure.value == "-":
        return figure.skipped("not_available")
    try:
        amount = decimal_text(figure.value)
    except ValueError as error:
        return figure.rejected(str(error))
    name, words = SERIES[figure.series_id]
    return Observation(
        series=RecordSeries(source=BlsPriceIndexes.info.id, topic="price_index", name=name),
        amount=amount,
        currency=None,
        unit=Unit.INDEX,
        valid_from=datetime(int(figure.year), MONTHS[figure.period], 1, tzinfo=UTC),
        status=Status.PRELIMINARY if figure.preliminary else Status.FINAL,
        vintage=f"{figure.year}-{MONTHS[figure.period]:02}",
        published_amount=figure.value,
        published_unit=words,
        locator=figure.locator,
    )
