"""What one machine of every offer on the market carries of a service, and what an hour of it costs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

import numpy as np

from service.domain.market import Codes, Floats, Words
from service.domain.plan import RefusedHardware, RejectedOffers
from service.domain.quantities import significant
from service.planning.answering import Asked
from service.planning.candidates import OFFERED, Offers, Rows, kinds
from service.planning.charging import Kind, paid_hours
from service.planning.configurations import Configuration, configured
from service.planning.mixed_fleets import MOST_MACHINES, LoadOffer
from service.planning.offering import OWN, TAKEN_AWAY, offering

DIGITS: Final = 9
"""Of what a machine carries: a prediction is good for far fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSearched:
    """What became of the market."""

    offers: int
    """Looked at."""
    able: int
    """That carry some of the load and are the cheapest of their kind where they are."""
    rejected: tuple[RejectedOffers, ...]
    refused: tuple[RefusedHardware, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """Machines for a load, and where they were found."""

    offers: tuple[LoadOffer, ...]
    market: MarketSearched


def carriers(asked: Asked, rate: float) -> Carriers:
    """Of every kind of machine in every region the cheapest that carry a service of a goal.

    `rate` of output [tokens/s]. Raises Invalid for work that cannot be meant.
    """
    offers = offering(asked.goal, asked.market, asked.known)
    allowed = offers.counts == 0
    known = {name for name, is_allowed in zip(offers.accelerators, allowed, strict=True) if is_allowed}
    found = configured(asked.goal, known)
    by: dict[str, list[Configuration]] = {}
    for one in found.configurations:
        by.setdefault(one.accelerator, []).append(one)
    places = _places(offers)
    made: list[LoadOffer] = []
    lost: Counter[str] = Counter(OFFERED[code] for code in offers.reasons[~allowed])
    for kind, rows in kinds(offers):
        can = rows[allowed[rows]]
        best = _best(by.get(kind.accelerator, []), kind)
        if best is None:
            lost[found.refused.get(kind.accelerator, ("machine", ""))[0]] += len(can)
        elif _carried(best, kind) * MOST_MACHINES >= rate:
            made += _offers(asked, offers, kind, best, _cheapest(offers, places, can))
        else:
            lost["throughput"] += len(can)
    return Carriers(
        offers=tuple(made),
        market=MarketSearched(
            offers=len(offers),
            able=len(made),
            rejected=tuple(
                RejectedOffers(constraint=name, offers=many)
                for name, many in sorted(lost.items(), key=lambda one: (-one[1], one[0]))
                if many
            ),
            refused=tuple(
                RefusedHardware(accelerator=name, constraint=word, reason=reason)
                for name, (word, reason) in sorted(found.refused.items())
            ),
        ),
    )


def _best(ways: Sequence[Configuration], kind: Kind) -> Configuration | None:
    """The configuration of which a machine carries most; of equals the first in order."""
    fitting = [one for one in ways if one.gpus <= kind.gpus]
    return max(fitting, key=lambda one: _carried(one, kind), default=None)


def _carried(one: Configuration, kind: Kind) -> float:
    """By the replicas that one machine holds [tokens/s]."""
    return floor(kind.gpus / one.gpus) * one.carries


def _places(offers: Offers) -> Codes:
    """A number for each provider, region and whether machines may be taken away."""
    spot = [one in TAKEN_AWAY for one in offers.purchases]
    return Words.of(zip(offers.providers, offers.regions, spot, strict=True)).codes


def _cheapest(offers: Offers, places: Codes, rows: Rows) -> Rows:
    """Of offers of a kind the cheapest in each place: the others carry as much for more."""
    order = rows[np.lexsort((rows, offers.prices[rows], places[rows]))]
    first: Rows = np.unique(places[order], return_index=True)[1]
    return order[first]


def _offers(asked: Asked, offers: Offers, kind: Kind, best: Configuration, rows: Rows) -> Iterator[LoadOffer]:
    missing = 1 + kind.hazard * asked.goal.checkpoints.restart_hours
    hours = best.hours
    hourly = _machine_hours(offers.prices[rows], kind, hours)
    for row, machine_hour in zip(rows.tolist(), hourly.tolist(), strict=True):
        is_own = offers.purchases[row] == OWN
        yield LoadOffer(
            name=offers.keys[row],
            provider=offers.providers[row],
            region=offers.regions[row],
            place=f"{offers.providers[row]}/{offers.regions[row]}",
            accelerator=kind.accelerator,
            gpus=significant(kind.gpus),
            machine_hour=significant(machine_hour),
            throughput=significant(_carried(best, kind), DIGITS),
            available=significant(1 / missing, DIGITS),
            spot=offers.purchases[row] in TAKEN_AWAY,
            machines=floor(kind.most_gpus / kind.gpus) if is_own else None,
            paid_hours=significant(float(paid_hours(np.array([hours]), kind)[0])),
            spread=best.spread,
            words=f"{kind.gpus:g} × {kind.accelerator}, {best.precision}, {best.words}",
        )


def _machine_hours(prices: Floats, kind: Kind, hours: float) -> Floats:
    """What is paid for a machine, spread over the hours it serves."""
    paid = float(paid_hours(np.array([hours]), kind)[0])
    cost = prices * kind.gpus * paid
    if kind.by_hour is not None:
        cost = cost + kind.by_hour.cost(np.array([kind.gpus]), np.array([hours]))
    spread: Floats = cost / hours
    return spread
