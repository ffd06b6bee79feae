"""Of a document too large to keep, the rows that were left out are in the account as well."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typing_extensions import override

from pricing_sources.census import census
from pricing_sources.labor.h1b_lca import H1bLca
from pricing_sources.registry import source_by_id
from pricing_sources.source import Document, Source
from pricing_sources.storage.aws_s3_storage import AwsS3Storage
from pricing_sources.transport import HttpTransport, Limits
from service.domain.refreshes import Refresh
from service.store import documents
from service.store.store import Store
from service.usecases.accounting import account_for
from service.usecases.archive import reparse
from service.usecases.refresh import import_saved, refresh
from tests.conftest import TickingClock
from tests.pricing_sources.labor.typed_disclosure import DECEMBER_1, application, workbook
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

TYPED = Path(__file__).parents[1] / "documents"
S3_FILE = (TYPED / "aws_s3_storage" / "typed_by_hand_us_east_1.csv").read_bytes()


@dataclass(frozen=True)
class Large:
    """A file as a feed sends it, and how its rows end."""

    source: str
    body: bytes
    rows: int
    prices: int
    skipped: dict[str, int]
    held: int = 0


DISCLOSURE = workbook(
    [
        *(application(number) for number in range(40)),
        application(39, DECISION_DATE=DECEMBER_1 + 9),
        application(50, CASE_STATUS="Withdrawn"),
        *(application(number, SOC_CODE="29-1141.00") for number in range(60, 65)),
    ]
)
LARGE = (
    Large(
        "aws_ec2_offers",
        (TYPED / "aws_ec2_offers" / "typed_seventeen_rows.csv").read_bytes(),
        rows=17,
        prices=8,
        skipped={
            "upfront_part": 2,
            "capacity_block": 1,
            "other_tenancy": 1,
            "other_operating_system": 1,
            "capacity_reservation": 1,
            "bundled_software": 1,
            "not_accelerated": 1,
        },
        held=1,
    ),
    Large("aws_s3_storage", S3_FILE, rows=8, prices=6, skipped={"other_storage_charge": 1, "not_storage": 1}),
    Large(
        "aws_data_transfer",
        (TYPED / "aws_data_transfer" / "typed_by_hand_eu_west_1.csv").read_bytes(),
        rows=7,
        prices=4,
        skipped={"free_allowance": 1, "other_transfer": 2},
    ),
    Large(
        "h1b_lca",
        DISCLOSURE,
        rows=47,
        prices=20,
        # Of the two rows of the table one is withdrawn; each states two wages, each in the country and in its state.
        skipped={
            "other_occupation": 5,
            "superseded_decision": 1,
            "counted_with_its_like": 39,
            "not_certified": 2,
            "part_of_distribution": 4,
        },
    ),
)
every_feed = pytest.mark.parametrize("one", LARGE, ids=[one.source for one in LARGE])


def imported(store: Store, source: Source, body: bytes, clock: TickingClock) -> tuple[Document, Refresh]:
    pieces = iter([body[:700], body[700:]])
    return import_saved(store, source, "large.csv", pieces, fetched_at=clock(), now=clock())


@every_feed
def test_every_row_that_was_sent_is_a_price_a_named_skip_or_held_back(
    store: Store, clock: TickingClock, one: Large
) -> None:
    document, done = imported(store, source_by_id(one.source), one.body, clock)
    account = account_for(store, source_by_id(one.source), document, done)

    assert (account.rows_in, account.rows_out, account.lost, account.balanced) == (one.rows, one.rows, (), True)
    assert (account.prices, dict(account.skipped), account.held_back) == (one.prices, one.skipped, one.held)
    assert dict(done.skipped) == one.skipped
    assert done.rows_read == account.readings == one.prices + one.held + sum(one.skipped.values())


@every_feed
def test_what_is_stored_gives_the_same_account_when_it_is_read_again(
    store: Store, clock: TickingClock, one: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_by_id(one.source)
    document, done = imported(store, source, one.body, clock)
    [stored] = store.read(lambda c: documents.all_fetched(c, fetch_ids=(1,)))
    assert stored.body == document.body

    info = replace(source.info, parser_version=source.info.parser_version + 1)
    monkeypatch.setattr(type(source), "info", info)
    [step] = reparse(store, source, now=clock())
    assert (step.refresh.skipped, step.refresh.rows_read) == (done.skipped, done.rows_read)


@pytest.mark.parametrize("one", LARGE[:3], ids=[one.source for one in LARGE[:3]])
def test_the_rows_of_the_original_are_those_an_independent_count_of_it_finds(one: Large, clock: TickingClock) -> None:
    source = source_by_id(one.source)
    whole = Document(source_id=one.source, url="file:eu-west-1.csv", body=one.body, fetched_at=clock())
    counted = census(one.body, (reading.locator for reading in source.parse(whole)))
    assert source.rows_of_original(source.excerpt(iter([one.body]))) == counted.rows == one.rows


def test_a_fetched_file_is_accounted_for_like_a_saved_one(store: Store, clock: TickingClock, feed: Feed) -> None:
    link = "/offers/v1.0/aws/AmazonS3/20260720134430/us-east-1/index"
    index = "/offers/v1.0/aws/AmazonS3/current/region_index.json"
    feed.answers[index] = [reply(f'{{"regions": {{"us-east-1": {{"currentVersionUrl": "{link}.json"}}}}}}'.encode())]
    feed.answers[f"{link}.csv"] = [reply(S3_FILE)]
    source, url = source_by_id("aws_s3_storage"), feed.url(f"{index}?regions=us-east-1")
    with HttpTransport(Limits(attempts=1)) as transport:
        done = refresh(store, source, transport, now=clock(), trigger="manual", url=url)

    assert (done.status, done.rows_read) == ("sealed", 8)
    assert dict(done.skipped) == {"not_storage": 1, "other_storage_charge": 1}


class Forgetful(AwsS3Storage):
    """Leaves a row out and does not say so."""

    @override
    def excerpt(self, pieces: Iterator[bytes]) -> bytes:
        return super().excerpt(pieces).replace(b'"Left Out: not_storage","1"\n', b"")


class Forgetting(H1bLca):
    """Loses a row of its table on the way."""

    @override
    def excerpt(self, pieces: Iterator[bytes]) -> bytes:
        kept = super().excerpt(pieces)
        return kept.replace(b'"other_occupation": 5', b'"other_occupation": 4')


@pytest.mark.parametrize(("source", "body"), [(Forgetful(), S3_FILE), (Forgetting(), DISCLOSURE)])
def test_a_row_that_is_left_out_and_not_counted_is_missed(
    store: Store, clock: TickingClock, source: AwsS3Storage | H1bLca, body: bytes
) -> None:
    document, done = imported(store, source, body, clock)
    account = account_for(store, source, document, done)
    assert (done.status, account.balanced) == ("sealed", False)
    assert account.rows_in is not None
    assert account.rows_in - 1 == account.rows_out


def test_a_large_file_in_another_shape_is_a_failed_refresh(store: Store, clock: TickingClock) -> None:
    source = source_by_id("aws_s3_storage")
    document, done = imported(store, source, b"<html>\n" * 200, clock)
    assert (done.status, done.trigger) == ("failed", "import")
    assert "an AWS price list in CSV was expected" in (done.error or "")
    account = account_for(store, source, document, done)
    assert (account.rows_in, account.balanced) == (None, True)
