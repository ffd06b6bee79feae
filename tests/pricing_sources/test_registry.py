"""The contract every source keeps, and the tuple that names them all."""

from collections import Counter
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

import pricing_sources
from pricing_sources.census import census
from pricing_sources.errors import ShapeChanged, SourceError
from pricing_sources.observation import Observation, Rejected, Skipped
from pricing_sources.registry import SOURCES, source_by_id
from pricing_sources.source import Cadence, Document, Source, Wrapping

PACKAGE = Path(pricing_sources.__file__).parent
DOCUMENTS = Path(__file__).parents[1] / "documents"
ROOMS = ("compute", "electricity", "labor", "fx", "llm_api", "storage", "records")
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)

every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.info.id)


def typed_documents(source: Source) -> list[Document]:
    """The documents we typed in the feed's true shape, but for those a feed refuses to answer with."""
    if source.info.bundled:
        paths = [PACKAGE / "records" / f"{source.info.id}.toml"]
    else:
        paths = sorted((DOCUMENTS / source.info.id).glob("typed_*.*"))
    return [document(source, typed_body(path)) for path in paths if "_refused_" not in path.name]


def typed_body(path: Path) -> bytes:
    """The bytes of a typed document; a workbook is typed as a module that packs it."""
    if path.suffix != ".py":
        return path.read_bytes()
    body: bytes = import_module(f"tests.documents.{path.parent.name}.{path.stem}").workbook()
    return body


def document(source: Source, body: bytes) -> Document:
    return Document(source_id=source.info.id, url=source.info.url, body=body, fetched_at=NOW)


def test_every_feed_module_is_registered_under_its_own_name() -> None:
    modules = {path.stem for room in ROOMS for path in (PACKAGE / room).glob("*.py")} - {"__init__"}
    assert {source.info.id for source in SOURCES} == modules


def test_a_weekday_is_written_out() -> None:
    with pytest.raises(ValueError, match="write weekdays as mon, tue…, not '1'"):
        Cadence(cron="30 5 * * 1")


def test_no_id_stands_twice() -> None:
    assert max(Counter(source.info.id for source in SOURCES).values()) == 1


def test_a_source_is_found_by_its_id() -> None:
    assert [source_by_id(source.info.id) for source in SOURCES] == list(SOURCES)


def test_an_unknown_id_names_the_nearest_and_all_that_exist() -> None:
    with pytest.raises(SourceError) as caught:
        source_by_id("bls_oew")
    assert str(caught.value) == (
        "no source is called 'bls_oew'; did you mean 'bls_oews'? "
        f"there are {', '.join(source.info.id for source in SOURCES)}"
    )


def test_an_id_like_no_other_gets_the_list_and_no_guess() -> None:
    with pytest.raises(KeyError, match="no source is called 'zzzz'; there are azure_retail_prices"):
        source_by_id("zzzz")


@every_source
def test_a_source_says_who_publishes_it_and_on_what_terms(source: Source) -> None:
    info = source.info
    assert all((info.title, info.publisher, info.kinds, info.homepage, info.url, info.licence, info.attribution))
    assert len(info.cadence.cron.split()) == 5
    assert info.plausible
    assert all(low <= high for low, high in info.plausible.values())


@every_source
def test_what_may_not_be_republished_is_asked_only_when_somebody_decides_so(source: Source) -> None:
    assert source.info.republish or not source.info.on_by_default


def test_catalogs_gathered_by_others_without_a_licence_are_treated_alike() -> None:
    gathered = [source_by_id(name).info for name in ("skypilot_catalog", "gpuhunt_catalog")]
    assert [(info.republish, info.on_by_default) for info in gathered] == [(False, False)] * 2


@every_source
def test_a_source_has_a_document_in_its_true_shape(source: Source) -> None:
    assert typed_documents(source)


@every_source
def test_parsing_gives_observations_skipped_rows_and_rejected_rows_only(source: Source) -> None:
    readings = [reading for each in typed_documents(source) for reading in source.parse(each)]
    assert all(isinstance(reading, Observation | Skipped | Rejected) for reading in readings)
    assert any(isinstance(reading, Observation) for reading in readings)


@every_source
def test_an_observation_is_keyed_by_its_source_dated_with_a_zone_and_in_a_band_of_its_unit(source: Source) -> None:
    for each in typed_documents(source):
        for reading in source.parse(each):
            if isinstance(reading, Observation):
                assert reading.series.key.startswith(f"{source.info.id}/")
                assert reading.series.kind in source.info.kinds
                assert reading.valid_from.tzinfo is not None
                assert reading.amount.is_finite()
                assert reading.unit in source.info.plausible
                assert reading.locator
                assert reading.published_amount


@every_source
def test_the_same_document_gives_the_same_readings_for_ever(source: Source) -> None:
    for each in typed_documents(source):
        assert list(source.parse(each)) == list(source.parse(each))


@every_source
def test_no_row_of_a_document_ends_nowhere(source: Source) -> None:
    for each in typed_documents(source):
        body = source.unwrapped(each.body) if isinstance(source, Wrapping) else each.body
        assert census(body, (reading.locator for reading in source.parse(each))).lost == ()


@every_source
@pytest.mark.parametrize(
    "body",
    [b"<!DOCTYPE html><html><body>Please retry after 5 seconds</body></html>", b"", b"  \n", b"{}", b"\xff\xfe\x00"],
    ids=["html", "empty", "blank", "no_object", "no_text"],
)
def test_what_is_no_document_of_the_feed_is_refused(source: Source, body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        list(source.parse(document(source, body)))


@every_source
def test_half_a_document_is_refused(source: Source) -> None:
    for whole in typed_documents(source):
        with pytest.raises(ShapeChanged):
            list(source.parse(document(source, whole.body[: len(whole.body) // 2])))
