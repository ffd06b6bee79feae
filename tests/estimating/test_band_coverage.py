"""What a measured spread promises is held against what the euro really did, with nothing known but the past."""

from bisect import bisect_right
from collections import defaultdict
from datetime import timedelta
from math import log
from pathlib import Path

import pytest

from pricing_sources.observation import Observation
from pricing_sources.registry import source_by_id
from pricing_sources.source import Document
from service.domain.band import PricePath
from service.estimating.volatility import LOOKBACK, UPPER_DECILE, Volatility, measured
from tests.conftest import day, recorded_folder

CURRENCIES = ("USD", "GBP", "JPY", "CHF")


@pytest.fixture(scope="module")
def rates() -> dict[str, PricePath]:
    """The euro's daily reference rates since 1999, from the recorded file."""
    body = (Path(recorded_folder()) / "other/ecb/eurofxref-hist.zip").read_bytes()
    document = Document(source_id="ecb", url="file:eurofxref-hist.zip", body=body, fetched_at=day("2026-11-01"))
    found = defaultdict(list)
    for reading in source_by_id("ecb").parse(document):
        if isinstance(reading, Observation) and reading.series.quote_currency in CURRENCIES:
            found[reading.series.quote_currency].append((reading.valid_from, reading.amount))
    return {currency: PricePath(currency, *zip(*sorted(rows), strict=True)) for currency, rows in found.items()}


@pytest.mark.parametrize("days", [30, 90, 365])
def test_four_fifths_promised_are_about_four_fifths_kept(rates: dict[str, PricePath], days: int) -> None:
    kept = [inside for path in rates.values() for inside in outcomes(path, days)]
    assert len(kept) > 1000
    assert 0.74 < sum(kept) / len(kept) < 0.86


def outcomes(path: PricePath, days: int) -> list[bool]:
    """Every thirty days since 2002: did the mean of the days that followed stay between P10 and P90?"""
    found, at = [], day("2002-01-01")
    while at < path.moments[-1] - timedelta(days=days):
        first, last = bisect_right(path.moments, at - LOOKBACK), bisect_right(path.moments, at)
        past = PricePath(path.series, path.moments[first:last], path.amounts[first:last])
        spread = measured(past, at, days)
        assert isinstance(spread, Volatility)
        following = [float(path.amounts[bisect_right(path.moments, at + timedelta(days=n)) - 1]) for n in range(days)]
        moved = log(sum(following) / days / float(past.amounts[-1]))
        found.append(abs(moved) <= UPPER_DECILE * spread.log_sd)
        at += timedelta(days=30)
    return found
