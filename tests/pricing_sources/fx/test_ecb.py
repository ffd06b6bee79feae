import io
import re
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.fx.ecb import SOURCE
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest, NotModified
from pricing_sources.transport import Reply, Validators
from pricing_sources.units import Unit
from tests.conftest import day

DOCUMENTS = Path(__file__).parents[2] / "documents" / "ecb"


def parsed(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="ecb", url="file:x", body=body, fetched_at=day("2026-08-01"))))


def typed(name: str) -> list[Reading]:
    return parsed((DOCUMENTS / name).read_bytes())


def rates(readings: list[Reading]) -> dict[tuple[str, str], Decimal]:
    return {(one.vintage, one.currency): one.amount for one in readings if isinstance(one, Observation)}


@pytest.mark.parametrize(
    ("name", "vintage", "dollars", "locator"),
    [
        ("typed_daily.xml", "2026-07-13", "1.1700", "Cube[@time='2026-07-13']/Cube[@currency='USD']"),
        ("typed_history.csv", "2026-01-12", "1.1684", "line 2, USD"),
        ("typed_daily.csv", "2026-04-13", "1.1684", "line 2, USD"),
        ("typed_sdmx.csv", "2026-04-13", "1.1684", "line 2"),
    ],
)
def test_every_form_the_bank_publishes_reads_the_same(name: str, vintage: str, dollars: str, locator: str) -> None:
    first = typed(name)[0]
    assert isinstance(first, Observation)
    assert (first.series.key, first.vintage, str(first.amount)) == ("ecb/EUR/USD", vintage, dollars)
    assert (first.unit, first.dated, first.locator) == (Unit.EURO, True, locator)


def test_ninety_days_of_dated_cubes_are_read_whichever_quotes_they_use() -> None:
    body = (DOCUMENTS / "typed_daily.xml").read_text().replace("'", '"')
    earlier = '<Cube time="2026-07-10"><Cube currency="USD" rate="1.1688"/></Cube>\n\t</Cube>\n</gesmes'
    found = rates(parsed(body.replace("</Cube>\n</gesmes", earlier).encode()))

    assert found == {
        ("2026-07-13", "USD"): Decimal("1.1700"),
        ("2026-07-13", "JPY"): Decimal("186.75"),
        ("2026-07-10", "USD"): Decimal("1.1688"),
    }


def test_a_rate_of_today_is_kept_and_one_of_tomorrow_is_held_back() -> None:
    [tomorrow, today] = parsed(b"Date,USD,\n2026-08-02,1.2,\n2026-08-01,1.1,\n")
    assert isinstance(today, Observation)
    assert tomorrow == Rejected("dated 2026-08-02, after the document was fetched", "line 2, USD", "1.2")


def test_an_observation_the_data_portal_leaves_empty_is_not_quoted() -> None:
    body = b"KEY,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\nx,USD,EUR,2026-01-12,\n"
    assert parsed(body) == [Skipped("not_quoted", "line 2")]


def test_a_rate_is_kept_per_euro_as_published() -> None:
    [usd, jpy] = typed("typed_daily.xml")
    assert (jpy.amount, jpy.currency, jpy.published_unit) == (Decimal("186.75"), "JPY", "JPY per EUR")
    assert usd.published_amount == "1.1700"
    assert usd.series.key == "ecb/EUR/USD"


def test_a_rate_holds_from_four_in_frankfurt_summer_and_winter() -> None:
    assert typed("typed_daily.xml")[0].valid_from == day("2026-07-13T14:00")
    assert typed("typed_history.csv")[0].valid_from == day("2026-01-12T15:00")


def test_a_dead_currency_is_skipped_and_its_last_rate_kept() -> None:
    readings = typed("typed_history.csv")
    assert Skipped("not_quoted", "line 2, HRK") in readings
    assert rates(readings)["2022-12-30", "HRK"] == Decimal("7.5365")
    assert len(readings) == 6


def test_a_history_zip_is_read_through() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("eurofxref-hist.csv", (DOCUMENTS / "typed_history.csv").read_bytes())
    assert rates(parsed(packed.getvalue())) == rates(typed("typed_history.csv"))


@pytest.mark.parametrize("cell", ["0", "-1.2", "1,17", "NaN", "$1.1"])
def test_what_is_no_rate_is_held_back(cell: str) -> None:
    [held] = parsed(f'Date,USD,\n2026-01-12,"{cell}",\n'.encode())
    assert isinstance(held, Rejected)
    assert (held.locator, held.text) == ("line 2, USD", cell)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty document"),
        (b"Date,USD,\n", "a header without a single date"),
        (b"Date,\n2026-02-20,\n", "a date without a single currency"),
        (b"<html><body>eurofxref is down</body></html>", "an HTML page"),
        (b"<Envelope xmlns='eurofxref'><Cube/></Envelope>", "no dated Cube"),
        (b"<Envelope xmlns='eurofxref'><Cube time='2026-02-20'/></Envelope>", "a date without a single rate"),
        (b"<Envelope xmlns='eurofxref'><Cube time='20 Feb'><Cube/></Cube></Envelope>", "'20 Feb' is not a date"),
        (
            b"<Envelope xmlns='eurofxref'><Cube time='2026-02-20'><Cube rate='1'/></Cube></Envelope>",
            "'currency' is mis",
        ),
        (b"Date,USD,\n2026-02-30,1.1,\n", "'2026-02-30' is not a date"),
        (b"Date,USD,\n31 April 2026,1.1,\n", "'31 April 2026' is not a date"),
        (b"Date,USD,\n30 Brumaire 2026,1.1,\n", "'30 Brumaire 2026' is not a date"),
        (b"Date,Dollar,\n2026-02-20,1.1,\n", "'Dollar' is not a currency code"),
        (b"Date,Dollar,\n2026-02-20,N/A,\n", "'Dollar' is not a currency code"),
        (b"Day,USD,\n2026-02-20,1.1,\n", "'Date' is missing"),
        (b"PK\x03\x04 cut short", "not a whole zip archive"),
        (
            b"KEY,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\nx,EUR,USD,2026-01-12,1.1\n",
            "rates against USD; only rates per euro can be read",
        ),
    ],
)
def test_a_document_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(words)):
        parsed(body)


class Recorder:
    def __init__(self, status: int = 200) -> None:
        self.asked: list[tuple[str, Validators | None]] = []
        self.status = status

    def get(self, url: str, *, known: Validators | None = None, **_: object) -> Reply:
        self.asked.append((url, known))
        return Reply(url=url, status=self.status, body=b"x")


def test_the_history_seeds_and_ninety_days_refresh() -> None:
    feed, known = Recorder(), Validators('"a"', "")
    base = "http://mirror/ecb/"
    request = {"url": base, "now": day("2026-08-01")}
    list(SOURCE.fetch(feed, FetchRequest(**request, seed=True)))
    list(SOURCE.fetch(feed, FetchRequest(**request, known={"http://mirror/ecb/eurofxref-hist-90d.xml": known})))
    assert feed.asked == [
        ("http://mirror/ecb/eurofxref-hist.zip", None),
        ("http://mirror/ecb/eurofxref-hist-90d.xml", known),
    ]


def test_a_confirmed_file_is_not_read_again() -> None:
    [answer] = SOURCE.fetch(Recorder(304), FetchRequest(url="http://m", now=day("2026-08-01")))
    assert answer == NotModified("http://m/eurofxref-hist-90d.xml")


def test_the_recorded_history_is_complete(recorded: Path) -> None:
    readings = parsed((recorded / "other/ecb/eurofxref-hist.zip").read_bytes())
    found = rates(readings)

    assert len(readings) == 6_983 * 41
    assert len({vintage for vintage, _ in found}) == 6_983
    assert min(found)[0] == "1999-01-04"
    assert found["2026-04-13", "USD"] == Decimal("1.1684")
    assert Counter(type(one).__name__ for one in readings) == {"Observation": 217_555, "Skipped": 68_748}
    assert list(screened(readings, SOURCE.info.plausible)) == readings


def test_the_recorded_daily_files_read(recorded: Path) -> None:
    assert rates(parsed((recorded / "other/ecb/eurofxref-daily.xml").read_bytes()))["2017-03-08", "USD"] == Decimal(
        "1.0556"
    )
    assert rates(parsed((recorded / "other/ecb/eurofxref.csv").read_bytes()))["2026-04-13", "JPY"] == Decimal("186.75")
