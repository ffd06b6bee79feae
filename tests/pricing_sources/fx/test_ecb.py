import io
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.fx.ecb import SOURCE
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document, FetchRequest, NotModified
from pricing_sources.transport import Reply, Validators
from tests.conftest import day

DOCUMENTS = Path(__file__).parents[2] / "documents" / "ecb"


def parsed(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="ecb", url="file:x", body=body, fetched_at=day("2026-08-01"))))


def typed(name: str) -> list[Reading]:
    return parsed((DOCUMENTS / name).read_bytes())


def rates(readings: list[Reading]) -> dict[tuple[str, str], Decimal]:
    return {(one.vintage, one.currency): one.amount for one in readings if isinstance(one, Observation)}


@pytest.mark.parametrize(
    ("name", "vintage"),
    [
        ("typed_daily.xml", "2026-07-13"),
        ("typed_history.csv", "2026-01-12"),
        ("typed_daily.csv", "2026-04-13"),
        ("typed_sdmx.csv", "2026-04-13"),
    ],
)
def test_every_form_the_bank_publishes_reads_the_same(name: str, vintage: str) -> None:
    assert rates(typed(name))[vintage, "USD"] in {Decimal("1.1684"), Decimal("1.1700")}


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


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Date,USD,\n",
        b"<html><body>eurofxref is down</body></html>",
        b"Date,USD,\n2026-02-30,1.1,\n",
        b"Date,USD,\n30 Brumaire 2026,1.1,\n",
        b"Date,Dollar,\n2026-02-20,1.1,\n",
        b"PK\x03\x04 cut short",
        b"KEY,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\nx,EUR,USD,2026-01-12,1.1\n",
    ],
)
def test_a_document_in_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
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
    assert isinstance(answer, NotModified)


def test_the_recorded_history_is_complete(recorded: Path) -> None:
    readings = parsed((recorded / "other/ecb/eurofxref-hist.zip").read_bytes())
    found = rates(readings)

    assert len(readings) == 6_983 * 41
    assert len({vintage for vintage, _ in found}) == 6_983
    assert min(found)[0] == "1999-01-04"
    assert found["2026-04-13", "USD"] == Decimal("1.1684")
    assert not [one for one in readings if isinstance(one, Rejected)]


def test_the_recorded_daily_files_read(recorded: Path) -> None:
    assert rates(parsed((recorded / "other/ecb/eurofxref-daily.xml").read_bytes()))["2017-03-08", "USD"] == Decimal(
        "1.0556"
    )
    assert rates(parsed((recorded / "other/ecb/eurofxref.csv").read_bytes()))["2026-04-13", "JPY"] == Decimal("186.75")
