"""What a goal costs in every place of the market: the cheapest way in each, for whoever settles where."""

from dataclasses import dataclass
from decimal import Decimal
from math import inf

import numpy as np

from service.domain.market import Words
from service.domain.quantities import significant
from service.planning.answering import Asked, searched


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRun:
    """The cheapest way to meet a goal in one region of one provider."""

    offer: str
    place: str
    """`provider/region`: two providers may call theirs the same."""
    cost: Decimal
    """As likely more as less [currency]."""
    hours: Decimal
    """The same [hours]."""


def runs_by_place(asked: Asked) -> tuple[PlacedRun, ...]:
    """Of every place that meets a goal the cheapest offer. Raises Infeasible, Invalid for work nobody can do."""
    found, _ = searched(asked)
    places = Words.of(map("/".join, zip(found.offers.providers, found.offers.regions, strict=True)))
    able = np.flatnonzero(found.costs < inf)
    order = able[np.lexsort((able, found.costs[able], places.codes[able]))]
    first = np.unique(places.codes[order], return_index=True)[1]
    best = [found.at(int(row), int(found.ways[row])) for row in order[first]]
    return tuple(
        PlacedRun(
            offer=found.offers.keys[one.offer],
            place=places.at(one.offer),
            cost=significant(one.cost),
            hours=significant(one.expected),
        )
        for one in best
    )
