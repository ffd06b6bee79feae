"""A BLS that answers every POST with one body and remembers what it was asked."""

import json
from datetime import UTC, datetime
from typing import Any

from pricing_sources.observation import Observation, Reading
from pricing_sources.transport import Reply

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


class AnsweringBls:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.asked: list[dict[str, Any]] = []

    def get(self, url: str, **_: object) -> Reply:
        raise AssertionError(f"BLS is asked by POST, not by GET {url}")

    def post_json(self, url: str, payload: object, **_: object) -> Reply:
        assert isinstance(payload, dict)
        self.asked.append(payload)
        return Reply(url=url, status=200, body=self.body, media_type="application/json")


def envelope(series: dict[str, list[dict[str, Any]]], *messages: str) -> bytes:
    """A BLS answer with these rows per series id."""
    listed = [{"seriesID": name, "data": rows} for name, rows in series.items()]
    return json.dumps(
        {"status": "REQUEST_SUCCEEDED", "responseTime": 1, "message": messages, "Results": {"series": listed}}
    ).encode()


def row(value: str, *, year: str = "2025", period: str = "A01", **more: Any) -> dict[str, Any]:
    return {"year": year, "period": period, "periodName": "", "value": value, **more}


def prices(readings: list[Reading]) -> dict[str, str]:
    return {each.series.key: str(each.amount) for each in readings if isinstance(each, Observation)}
