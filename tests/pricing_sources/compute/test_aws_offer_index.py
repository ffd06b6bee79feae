"""The indexes of the AWS price list, asked through the feed of Amazon EC2: which files are asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pricing_sources.compute.aws_ec2_offers import REGIONS, SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.source import Chapter, Document, FetchRequest, NotModified
from pricing_sources.transport import HttpTransport, Limits, Validators
from tests.pricing_sources.compute.aws_loopback import INDEX, NOW, asking, file_of, index, json_reply
from tests.pricing_sources.test_transport import Feed, reply

TYPED = (Path(__file__).parents[2] / "documents" / "aws_ec2_offers" / "typed_seventeen_rows.csv").read_bytes()
# In the shape of the version index as AWS documents it; the reign of less than a second is of 2021.
VERSIONS = {
    "20170224022054": ("2017-02-01T00:00:00Z", "2017-02-28T23:59:59Z"),
    "20210616194700": ("2021-06-01T00:00:01Z", "2021-06-01T00:00:00Z"),
    "20210624000000": ("2021-06-01T00:00:01Z", "2021-07-01T00:00:00Z"),
    "20260720134430": ("2026-07-20T13:44:30Z", ""),
    "20260703090000": ("2026-07-03T09:00:00Z", "2026-07-20T13:44:30Z"),
}


@pytest.fixture
def feed() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    with HttpTransport(Limits(attempts=1)) as opened:
        yield opened


class TestFetch:
    """Asking an AWS over loopback."""

    def test_the_file_of_each_region_is_asked_for_as_csv_on_the_host_that_was_asked(
        self, feed: Feed, transport: HttpTransport
    ) -> None:
        feed.answers[INDEX] = [index(*REGIONS, "us-east-1-atl-2", "us-gov-west-1")]
        for region in REGIONS:
            feed.answers[file_of(region)] = [reply(TYPED)]
        documents = list(SOURCE.fetch(transport, asking(feed)))
        assert [path for path, _ in feed.asked] == [INDEX, *map(file_of, REGIONS)]
        assert all(isinstance(each, Document) and each.fetched_at == NOW for each in documents)
        assert isinstance(documents[0], Document)
        assert documents[0].body == SOURCE.excerpt(iter([TYPED]))

    def test_a_mirror_under_a_folder_is_never_left(self, feed: Feed, transport: HttpTransport) -> None:
        feed.answers["/aws" + INDEX] = [index("eu-west-3")]
        feed.answers["/aws" + file_of("eu-west-3")] = [reply(TYPED)]
        asked = FetchRequest(url=feed.url(f"/aws{INDEX}?regions=eu-west-3"), now=NOW)
        assert len(list(SOURCE.fetch(transport, asked))) == 1

    def test_the_older_name_of_the_link_is_understood(self, feed: Feed, transport: HttpTransport) -> None:
        feed.answers[INDEX] = [index("eu-west-3", key="currentRegionUrl")]
        feed.answers[file_of("eu-west-3")] = [reply(TYPED)]
        assert len(list(SOURCE.fetch(transport, asking(feed, "?regions=eu-west-3")))) == 1

    def test_all_regions_are_the_ordinary_ones(self, feed: Feed, transport: HttpTransport) -> None:
        feed.answers[INDEX] = [index("us-east-1", "us-east-1-atl-2", "us-gov-west-1")]
        feed.answers[file_of("us-east-1")] = [reply(TYPED)]
        assert len(list(SOURCE.fetch(transport, asking(feed, "?regions=all")))) == 1

    def test_a_file_that_did_not_change_is_not_downloaded(self, feed: Feed, transport: HttpTransport) -> None:
        feed.answers[INDEX] = [index("us-east-1")]
        feed.answers[file_of("us-east-1")] = [reply(b"", 304)]
        url = feed.url(file_of("us-east-1"))
        request = FetchRequest(
            url=feed.url(f"{INDEX}?regions=us-east-1"), now=NOW, known={url: Validators(etag='"e124b8"')}
        )
        assert list(SOURCE.fetch(transport, request)) == [NotModified(url)]
        assert feed.asked[-1][1]["if-none-match"] == '"e124b8"'

    def test_a_region_that_is_not_listed_is_named_with_those_that_are(
        self, feed: Feed, transport: HttpTransport
    ) -> None:
        feed.answers[INDEX] = [index("us-east-1", "us-west-2")]
        with pytest.raises(ShapeChanged, match="no region us-east; there are us-east-1, us-west-2"):
            list(SOURCE.fetch(transport, asking(feed, "?regions=us-east")))

    @pytest.mark.parametrize("link", ["https://elsewhere.example/index.json", "/offers/v1.0/aws/../index.json", 7])
    def test_a_link_that_leads_elsewhere_is_not_followed(
        self, link: object, feed: Feed, transport: HttpTransport
    ) -> None:
        regions = {"us-east-1": {"currentVersionUrl": link}}
        feed.answers[INDEX] = [json_reply({"regions": regions})]
        with pytest.raises(ShapeChanged, match="an address"):
            list(SOURCE.fetch(transport, asking(feed, "?regions=us-east-1")))


class TestArchive:
    """Years of published versions."""

    def listed(self, feed: Feed) -> None:
        versions = {
            name: {
                "versionEffectiveBeginDate": begin,
                "versionEffectiveEndDate": end,
                "offerVersionUrl": f"/offers/v1.0/aws/AmazonEC2/{name}/index.json",
            }
            for name, (begin, end) in VERSIONS.items()
        }
        feed.answers["/offers/v1.0/aws/AmazonEC2/index.json"] = [json_reply({"versions": versions})]

    def test_the_first_version_of_each_month_that_was_ever_in_force_is_a_chapter(
        self, feed: Feed, transport: HttpTransport
    ) -> None:
        self.listed(feed)
        chapters = SOURCE.chapters(transport, asking(feed))
        assert [chapter.name for chapter in chapters] == ["20210624000000", "20260703090000"]
        assert chapters[0].url == feed.url("/offers/v1.0/aws/AmazonEC2/20210624000000/index.csv")

    def test_a_version_with_an_odd_name_is_a_change_of_shape(self, feed: Feed, transport: HttpTransport) -> None:
        feed.answers["/offers/v1.0/aws/AmazonEC2/index.json"] = [json_reply({"versions": {"latest": {}}})]
        with pytest.raises(ShapeChanged, match="/versions/latest"):
            SOURCE.chapters(transport, asking(feed))

    def chapter(self, feed: Feed) -> Chapter:
        feed.answers[INDEX] = [index("us-east-1", "eu-north-1")]
        return Chapter("20170224022054", feed.url("/offers/v1.0/aws/AmazonEC2/20170224022054/index.csv"))

    def test_a_region_that_did_not_exist_yet_is_left_out_of_a_chapter(
        self, feed: Feed, transport: HttpTransport
    ) -> None:
        feed.answers[file_of("eu-north-1", "20170224022054")] = [reply(b"", 403)]
        feed.answers[file_of("us-east-1", "20170224022054")] = [reply(TYPED)]
        request = asking(feed, "?regions=eu-north-1,us-east-1")
        [document] = SOURCE.fetch_chapter(transport, request, self.chapter(feed))
        assert document.url == feed.url(file_of("us-east-1", "20170224022054"))
        assert document.body == SOURCE.excerpt(iter([TYPED]))

    @pytest.mark.parametrize("status", [404, 500])
    def test_a_chapter_without_any_file_has_failed(self, status: int, feed: Feed, transport: HttpTransport) -> None:
        feed.answers[file_of("us-east-1", "20170224022054")] = [reply(b"", status)]
        with pytest.raises(FetchFailed, match=f"answered {status}"):
            list(SOURCE.fetch_chapter(transport, asking(feed, "?regions=us-east-1"), self.chapter(feed)))

    def test_a_region_that_cannot_be_read_is_not_taken_for_one_that_did_not_exist(
        self, feed: Feed, transport: HttpTransport
    ) -> None:
        feed.answers[file_of("us-east-1", "20170224022054")] = [reply(TYPED)]
        feed.answers[file_of("eu-north-1", "20170224022054")] = [reply(b"", 503)]
        with pytest.raises(FetchFailed, match="answered 503"):
            list(SOURCE.fetch_chapter(transport, asking(feed, "?regions=us-east-1,eu-north-1"), self.chapter(feed)))
