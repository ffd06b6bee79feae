"""What no price may be, whatever feed states it: the check every reading passes before it is kept."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from pricing_sources.observation import Observation, Reading, Rejected
from pricing_sources.units import Unit

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def screened(
    readings: Iterable[Reading],
    plausible: Mapping[Unit, tuple[Decimal, Decimal]],
    released: Collection[tuple[str, Decimal]] = (),
) -> Iterator[Reading]:
    """Turn an observation that cannot be believed into a Rejected row that says why.

    `plausible` is the source's inclusive band per unit; empty means that anything goes. `released`
    names series keys and amounts that a person looked at and let through.
    """
    for reading in readings:
        if not isinstance(reading, Observation):
            yield reading
            continue
        reason = _doubt(reading, plausible)
        if reason is None or (reading.series.key, reading.amount) in released:
            yield reading
        else:
            yield Rejected(reason, reading.locator, _words(reading), reading.series.key)


def _doubt(observation: Observation, plausible: Mapping[Unit, tuple[Decimal, Decimal]]) -> str | None:
    if not EARLIEST <= observation.valid_from < LATEST:
        return f"valid from {observation.valid_from.isoformat()}, which is not between 1990 and 2100"
    if not plausible:
        return None
    if observation.unit not in plausible:
        return f"stated per {observation.unit}; this source states {', '.join(sorted(plausible))}"
    low, high = plausible[observation.unit]
    if not low <= observation.amount <= high:
        money = observation.currency or "ratio"
        return f"{observation.amount} {money} per {observation.unit} is outside the plausible {low} to {high}"
    return None


def _words(observation: Observation) -> str:
    return f"{observation.series.key}: {observation.published_amount} {observation.published_unit}"[:500]
