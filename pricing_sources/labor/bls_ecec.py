"""BLS Employer Costs for Employee Compensation: what an employee costs beside the wage.

Total compensation over wages is the factor that turns a salary into what an employer pays for it.
It is a mean over all occupations, so it overstates the load on a high salary; it holds no office,
no laptop, no recruiting and no equity.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from pricing_sources.documents import decimal_text
from pricing_sources.observation import Kind, Observation, Reading, RecordSeries, Rejected, Status
from pricing_sources.protocols import bls_api
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

PARTS: Final[Mapping[str, str]] = {
    "CMU2010000000000D": "total",
    "CMU2020000000000D": "wages",
    "CMU2030000000000D": "benefits",
}
"""Cost per hour worked, private industry, all workers."""

QUARTERS: Final[Mapping[str, int]] = {"Q01": 1, "Q02": 2, "Q03": 3, "Q04": 4}
"""`Q05` is the mean of the year."""

NAME: Final = "us_private_industry"
CURRENCY: Final = "USD"
YEARS_BACK: Final = 9
"""With the current year, the ten years a query without a key may span."""
SIGNIFICANT_DIGITS: Final = 12
ROUNDING: Final = Decimal("0.02")
"""Wages and benefits are rounded to the cent one by one, and so is their sum."""


class BlsEcec:
    """Hourly compensation, wages and benefits of private industry, each quarter, and their ratio."""

    info = SourceInfo(
        id="bls_ecec",
        title="BLS Employer Costs for Employee Compensation",
        publisher="U.S. Bureau of Labor Statistics",
        kinds=(Kind.RECORD,),
        homepage="https://www.bls.gov/ecec/",
        url=bls_api.URL,
        licence=bls_api.LICENCE,
        attribution=bls_api.ATTRIBUTION,
        # A quarter comes out in the middle of the last month of the next one.
        cadence=Cadence(
            cron="0 15 20 3,6,9,12 *",
            timezone="America/New_York",
            jitter=timedelta(hours=2),
            # A quarter comes out in the last month of the next and is the newest for another quarter.
            newest_within=timedelta(days=265),
        ),
        plausible={
            Unit.PERSON_HOUR: (Decimal(7), Decimal(500)),
            Unit.RATIO: (Decimal(1), Decimal(3)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask once for the three series: ten years at first, two later. Raises FetchFailed."""
        last = request.now.year
        first = last - (YEARS_BACK if request.seed else 1)
        for reply in bls_api.ask(transport, request.url, tuple(PARTS), first_year=first, last_year=last):
            yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per figure, then one ratio per quarter that has both its figures.

        Raises Quarantined where BLS refused the request, ShapeChanged where the envelope is another.
        """
        costs: dict[str, dict[str, Observation]] = {}
        for figure in bls_api.figures(document):
            reading = _reading(figure) if isinstance(figure, bls_api.Figure) else figure
            if isinstance(reading, Observation) and isinstance(reading.series, RecordSeries):
                costs.setdefault(reading.vintage, {})[reading.series.variant] = reading
            yield reading
        for quarter in costs.values():
            if "total" in quarter and "wages" in quarter:
                yield _loading(quarter)


SOURCE: Final = BlsEcec()


def _reading(figure: bls_api.Figure) -> Reading:
    part = PARTS.get(figure.series_id)
    if part is None:
        return figure.rejected(f"an unknown series; {', '.join(PARTS)} were expected")
    if figure.period not in QUARTERS:
        return figure.skipped("not_a_quarter")
    if figure.value == "-":
        return figure.skipped("not_available")
    try:
        amount = decimal_text(figure.value)
    except ValueError as error:
        return figure.rejected(str(error))
    if amount <= 0:
        return figure.rejected(f"{amount} an hour; a cost above zero was expected")
    quarter = QUARTERS[figure.period]
    return Observation(
        series=RecordSeries(source=BlsEcec.info.id, topic="compensation", name=NAME, variant=part),
        amount=amount,
        currency=CURRENCY,
        unit=Unit.PERSON_HOUR,
        valid_from=datetime(int(figure.year), 3 * quarter - 2, 1, tzinfo=UTC),
        status=Status.PRELIMINARY if figure.preliminary else Status.FINAL,
        vintage=f"{figure.year}-Q{quarter}",
        published_amount=figure.value,
        published_unit="cost per hour worked, dollars",
        locator=figure.locator,
    )


def _loading(quarter: Mapping[str, Observation]) -> Reading:
    """Total compensation over wages, if wages and benefits do make the total."""
    total, wages, benefits = quarter["total"], quarter["wages"], quarter.get("benefits")
    locator = f"{total.locator} over {wages.locator}"
    published = f"{total.published_amount} / {wages.published_amount}"
    if benefits is not None and abs(wages.amount + benefits.amount - total.amount) > ROUNDING:
        reason = f"wages {wages.amount} and benefits {benefits.amount} do not make {total.amount} in {total.vintage}"
        return Rejected(reason, locator, published)
    with localcontext(prec=SIGNIFICANT_DIGITS):
        ratio = total.amount / wages.amount
    return Observation(
        series=RecordSeries(source=BlsEcec.info.id, topic="loading", name=NAME),
        amount=ratio,
        currency=None,
        unit=Unit.RATIO,
        valid_from=total.valid_from,
        status=Status.DERIVED,
        vintage=total.vintage,
        published_amount=published,
        published_unit="total compensation over wages and salaries",
        locator=locator,
        note="A mean over all occupations of private industry.",
    )
