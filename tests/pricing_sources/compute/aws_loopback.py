"""An AWS price list over loopback: its index, its files, and a file of any size."""

import json
from http.server import BaseHTTPRequestHandler

from benchmarks.aws_shaped import aws_shaped_offer
from pricing_sources.source import FetchRequest
from tests.conftest import day
from tests.pricing_sources.test_transport import Answer, Feed, reply

NOW = day("2026-11-01T12:00")
INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"


def asking(feed: Feed, query: str = "") -> FetchRequest:
    return FetchRequest(url=feed.url(INDEX + query), now=NOW)


def file_of(region: str, version: str = "20260720134430") -> str:
    return f"/offers/v1.0/aws/AmazonEC2/{version}/{region}/index.csv"


def index(*regions: str, key: str = "currentVersionUrl") -> Answer:
    links = {name: {"regionCode": name, key: file_of(name).replace(".csv", ".json")} for name in regions}
    return json_reply({"formatVersion": "v1.0", "publicationDate": "2026-07-20T13:44:30Z", "regions": links})


def json_reply(content: object) -> Answer:

    return reply(json.dumps(content).encode())


def streamed(size: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for piece in aws_shaped_offer(size):
            handler.wfile.write(piece)

    return answer
