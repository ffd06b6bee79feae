"""The market as a goal sees it: which offers count, at what price, how often taken away, how long bound."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf, log1p, nan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.domain.goal import Goal
from service.domain.market import Floats, Market, Words
from service.domain.regions import is_kept, is_within
from service.planning.by_the_hour import ElectricityByHour
from service.planning.candidates import OFFERED, UNMENDABLE, Offers

HOURS_PER_MONTH: Final = 730.0
HOURS_PER_YEAR: Final = 8760.0
TAKEN_AWAY: Final = ("spot", "low_priority", "bid")
"""Terms on which a machine may be taken away."""
OWN: Final = "own"
"""Terms of one's own hardware."""
BY_THE_DAY: Final = "capacity_block"
TERM: Final = re.compile(r"_(\d+)(m|y)(?![a-z])")
"""How a term stands in the name of a purchase: `reserved_1y`, `reserved_3m`."""
ASKED: Final = ("", "median")
"""Of a market the middle of what is asked stands for an offer; its ends nobody can count on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the goal's prices came to."""

    accelerators: Mapping[Any, str]
    """Id in the registry by label, source, provider and memory, as in `Market.labels`; empty where nobody knows."""
    rates: Mapping[str, float]
    """Currency of the goal per currency of an offer; what is missing cannot be compared."""
    interrupted: Mapping[str, float]
    """Share of machines taken away within a month, by provider, machine and region."""
    wanted: tuple[str, ...] = ()
    """Ids of the accelerators the goal allows; all if empty."""
    egress: float = 0.0
    """Of moving the goal's data [currency]."""
    own: "tuple[OwnOffer, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOffer:
    """Hardware of one's own, as an offer."""

    key: str
    name: str
    accelerator: str
    gpus: int
    gpus_per_machine: int
    price: float
    """Of a GPU-hour, electricity inside [currency]."""
    electricity: float
    """Where it depends on the hour, the mean over a week [currency/kWh]."""
    kwh_per_gpu_hour: float
    """With its share of server and building."""
    region: str
    by_hour: ElectricityByHour | None = None


def offering(goal: Goal, market: Market, known: Known) -> Offers:
    """Every offer as a column, with the first reason that rules it out."""
    accelerators = market.labels.spread((known.accelerators.get(one, "") for one in market.labels.words), object)
    rates = market.currencies.spread((known.rates.get(one, nan) for one in market.currencies.words), float)
    prices = market.prices * rates
    hazards = _hazards(goal, market, known)
    ruled = _Ruled(len(market))
    ruled.out("statistic", ~market.statistics.spread(one in ASKED for one in market.statistics.words))
    ruled.out("price", ~(np.isfinite(prices) & (prices > 0) & (market.gpus > 0)))
    ruled.out("hardware", accelerators == "")
    ruled.out("accelerator", ~_named(accelerators, known.wanted))
    ruled.out("region", ~_together(market, lambda provider, region: is_within(provider, region, goal.regions)))
    ruled.out("provider", ~_matching(market.providers, goal.providers))
    ruled.out("purchase", ~_matching(market.purchases, goal.purchases))
    ruled.out("tier", ~_matching(market.tiers, goal.tiers))
    ruled.out("interruption", ~(hazards < inf))
    columns: dict[str, Any] = {
        "keys": market.keys,
        "providers": market.providers.column(),
        "regions": market.regions.column(),
        "purchases": market.purchases.column(),
        "currencies": market.currencies.column(),
        "accelerators": tuple(accelerators),
        "gpus": market.gpus,
        "prices": prices,
        "fixed": np.where(_at_the_data(goal, market), 0.0, known.egress),
        "hazards": np.where(hazards < inf, hazards, 0.0),
        "bound_hours": market.purchases.spread(map(bound_hours, market.purchases.words), float),
        "slot_hours": market.purchases.spread((24.0 * (one == BY_THE_DAY) for one in market.purchases.words), float),
        "grid": _grid(goal, market),
        "most_gpus": _most(goal, market, accelerators),
        "reasons": ruled.reasons,
        "counts": ruled.counts,
    }
    return _with_own(goal, Offers(**columns), known).ordered()


def bound_hours(purchase: str) -> float:
    """Hours that are paid at least, by the name of the terms.

    >>> bound_hours("reserved_3y"), bound_hours("reserved_1m"), bound_hours("on_demand")
    (26280.0, 730.0, 0.0)
    """
    found = TERM.search(purchase)
    if found is None:
        return 0.0
    return int(found[1]) * (HOURS_PER_YEAR if found[2] == "y" else HOURS_PER_MONTH)


def has_data(goal: Goal, provider: str, region: str) -> bool:
    """True where nothing has to be moved to."""
    data = goal.data
    return data is None or (provider == data.provider and is_within(provider, region, (data.region,)))


class _Ruled:
    def __init__(self, many: int) -> None:
        self.reasons = np.full(many, -1, np.int8)
        self.counts = np.zeros(many, np.int8)

    def out(self, reason: str, which: NDArray[np.bool_]) -> None:
        """Note a reason for some; the first one stays."""
        self.reasons[which & (self.counts == 0)] = OFFERED.index(reason)
        self.counts[which] += 2 if reason in UNMENDABLE else 1


def _hazards(goal: Goal, market: Market, known: Known) -> Floats:
    """Of one machine [1/h]; infinite where it may be taken away and nobody says how often."""
    taken = market.purchases.spread(one in TAKEN_AWAY for one in market.purchases.words)
    hazards = np.full(len(market), goal.interruptions.other_per_hour)
    if goal.interruptions.spot_per_hour is not None:
        hazards[taken] = goal.interruptions.spot_per_hour
        return hazards
    for row in np.flatnonzero(taken):
        name = "_".join(column.at(int(row)) for column in (market.providers, market.skus, market.regions))
        share = known.interrupted.get(name)
        hazards[row] = inf if share is None or share >= 1 else -log1p(-share) / HOURS_PER_MONTH
    return hazards


def _named(accelerators: NDArray[Any], patterns: Sequence[str]) -> NDArray[np.bool_]:
    words = Words.of(accelerators)
    return _matching(words, patterns)


def _matching(column: Words, patterns: Sequence[str]) -> NDArray[np.bool_]:
    return column.spread(not patterns or _matches(one, patterns) for one in column.words)


def _matches(word: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(word, pattern) for pattern in patterns)


def _together(market: Market, test: Callable[[str, str], Any], kind: Any = bool) -> NDArray[Any]:
    """A value for each offer by its provider and region, worked out once for each pair there is."""
    wide = max(len(market.regions.words), 1)
    pairs, place = np.unique(market.providers.codes.astype(np.int64) * wide + market.regions.codes, return_inverse=True)
    of_pairs = (test(market.providers.words[pair // wide], market.regions.words[pair % wide]) for pair in pairs)
    return np.fromiter(of_pairs, kind, len(pairs))[place]


def _at_the_data(goal: Goal, market: Market) -> NDArray[np.bool_]:
    return _together(market, lambda provider, region: has_data(goal, provider, region))


def _grid(goal: Goal, market: Market) -> Floats:
    def of(provider: str, region: str) -> float:
        entries = (one for one in goal.carbon if fnmatchcase(provider, one.provider))
        return next((one.kg_per_kwh for one in entries if is_within(provider, region, (one.region,))), nan)

    return _together(market, of, float)


def _most(goal: Goal, market: Market, accelerators: NDArray[Any]) -> Floats:
    """GPUs at once: the least of the quotas that are about an offer."""
    most = np.full(len(market), inf)
    for one in goal.quotas:
        about = (
            _matching(market.providers, (one.provider,))
            & _matching(market.regions, (one.region,))
            & _matching(market.purchases, (one.purchase,))
            & _named(accelerators, (one.accelerator,))
        )
        most[about] = np.minimum(most[about], one.gpus)
    if goal.batch_inference is None and goal.serving is None:
        # The middle of a market is that of single hosts: nothing says that two of them share a network.
        of_hosts = market.statistics.spread(bool(one) for one in market.statistics.words)
        most[of_hosts] = np.minimum(most[of_hosts], np.nan_to_num(market.gpus[of_hosts]))
    return most


def _with_own(goal: Goal, rented: Offers, known: Known) -> Offers:
    """One's own hardware beside the market: where it stands and what it is rule it out as they would any offer.

    Providers, purchases and tiers narrow the market alone: what is one's own is not bought.
    """
    own = known.own
    if not own:
        return rented
    zeros, ruled = np.zeros(len(own)), _Ruled(len(own))
    ruled.out("accelerator", ~np.array([not known.wanted or one.accelerator in known.wanted for one in own]))
    ruled.out("region", ~np.array([is_kept(one.name, one.region, goal.regions) for one in own]))
    moved = [0.0 if has_data(goal, one.name, one.region) else known.egress for one in own]
    return Offers(
        keys=(*rented.keys, *(one.key for one in own)),
        providers=(*rented.providers, *(one.name for one in own)),
        regions=(*rented.regions, *(one.region for one in own)),
        purchases=(*rented.purchases, *(OWN for _ in own)),
        currencies=(*rented.currencies, *(goal.currency for _ in own)),
        accelerators=(*rented.accelerators, *(one.accelerator for one in own)),
        gpus=np.append(rented.gpus, [float(one.gpus_per_machine) for one in own]),
        prices=np.append(rented.prices, [one.price for one in own]),
        fixed=np.append(rented.fixed, moved),
        hazards=np.append(rented.hazards, np.full(len(own), goal.interruptions.other_per_hour)),
        bound_hours=np.append(rented.bound_hours, zeros),
        slot_hours=np.append(rented.slot_hours, zeros),
        grid=np.append(rented.grid, [_own_grid(goal, one) for one in own]),
        most_gpus=np.append(rented.most_gpus, [_own_most(goal, one) for one in own]),
        reasons=np.append(rented.reasons, ruled.reasons),
        counts=np.append(rented.counts, ruled.counts),
        by_hour={one.key: one.by_hour for one in own if one.by_hour is not None},
    )


def _own_grid(goal: Goal, own: OwnOffer) -> float:
    entries = (one for one in goal.carbon if fnmatchcase(own.name, one.provider))
    return next((one.kg_per_kwh for one in entries if is_kept(own.name, own.region, (one.region,))), nan)


def _own_most(goal: Goal, own: OwnOffer) -> float:
    """GPUs at once: as many as there are, and the least of the quotas that are about them."""
    names = (own.name, own.region, OWN, own.accelerator)
    about = [
        one.gpus
        for one in goal.quotas
        if all(map(fnmatchcase, names, (one.provider, one.region, one.purchase, one.accelerator)))
    ]
    return float(min((own.gpus, *about)))
