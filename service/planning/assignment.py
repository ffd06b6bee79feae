"""One option for each piece of work, within limits they share, at least cost: proven, not guessed.

The search goes through the works one by one. What is left open is bounded from below by pricing the limits
(Lagrange multipliers): a branch that cannot beat the best plan found is not entered. Everything is a whole
number, the multipliers too, so that no branch is cut by a rounding error. Works that share no limit that
could bind are searched apart from one another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

FINENESS: Final = 10**6
"""Parts of a unit of cost in which the limits are priced."""
ROUNDS: Final = 200
"""Of improving those prices."""


class TooLarge(Exception):
    """The search was given up: more branches than asked for."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to do a piece of work."""

    cost: int
    uses: Mapping[int, int]
    """How much it takes of which limit; above 0."""


def cheapest(works: Sequence[Sequence[Option]], limits: Sequence[int], most_branches: int) -> list[int] | None:
    """The number of the option taken for each work, or None if no choice keeps within the limits.

    Of equals, the same one every time. Raises TooLarge.
    """
    if not most_branches:
        raise TooLarge
    binding = frozenset(_binding(works, limits))
    chosen: list[int] = [0] * len(works)
    for part in _apart(works, binding):
        kept = [_undominated(works[number], binding) for number in part]
        found = _Search.of(
            [[works[number][one] for one in own] for number, own in zip(part, kept, strict=True)], limits, binding
        )
        best = found.run(most_branches)
        if best is None:
            return None
        for number, own, one in zip(part, kept, best, strict=True):
            chosen[number] = own[one]
    return chosen


def _binding(works: Sequence[Sequence[Option]], limits: Sequence[int]) -> Iterator[int]:
    """The limits that some choice exceeds."""
    most = [0] * len(limits)
    for options in works:
        largest: dict[int, int] = {}
        for limit, use in (use for option in options for use in option.uses.items()):
            largest[limit] = max(largest.get(limit, 0), use)
        for limit, use in largest.items():
            most[limit] += use
    return (limit for limit, used in enumerate(most) if used > limits[limit])


def _apart(works: Sequence[Sequence[Option]], binding: frozenset[int]) -> list[list[int]]:
    """Groups of works that share no binding limit with any other group, in order of their first work."""
    group = list(range(len(works)))
    owner: dict[int, int] = {}

    def root(one: int) -> int:
        while group[one] != one:
            one = group[one]
        return one

    for number, options in enumerate(works):
        for limit in {limit for option in options for limit in option.uses if limit in binding}:
            first = root(owner.setdefault(limit, number))
            group[max(first, root(number))] = min(first, root(number))
    parts: dict[int, list[int]] = {}
    for number in range(len(works)):
        parts.setdefault(root(number), []).append(number)
    return list(parts.values())


def _undominated(options: Sequence[Option], binding: frozenset[int]) -> list[int]:
    """Without options that cost no less than another and take no less of any limit that could bind."""
    cheapest_of: dict[tuple[tuple[int, int], ...], int] = {}
    for number in sorted(range(len(options)), key=lambda one: (options[one].cost, one)):
        taken = tuple(sorted((limit, use) for limit, use in options[number].uses.items() if limit in binding))
        cheapest_of.setdefault(taken, number)
    kept: list[tuple[dict[int, int], int]] = []
    for taken, number in cheapest_of.items():
        uses = dict(taken)
        if not any(all(uses.get(limit, 0) >= use for limit, use in other.items()) for other, _ in kept):
            kept.append((uses, number))
    return [number for _, number in kept]


def least_uses(options: Sequence[Option]) -> dict[int, int]:
    """What a piece of work takes of each limit at least, whichever option it is done by; 0 of what is not named."""
    return {limit: min(option.uses.get(limit, 0) for option in options) for limit in options[0].uses}


@dataclass(slots=True)
class _Search:
    """Works in the order they are decided, their options cheapest first once limits are priced."""

    works: list[list[Option]]
    order: list[int]
    options: list[list[int]]
    reduced: list[list[int]]
    """Cost of each of those options with what it uses of the limits priced, in fine units."""
    at_least: list[int]
    """Reduced cost of the works from each on, whatever is chosen."""
    priced: int
    """All limits at their prices, in fine units."""
    room: list[list[int]]
    """What the works up to each may use of a limit for the rest to fit."""

    @classmethod
    def of(cls, works: list[list[Option]], limits: Sequence[int], binding: frozenset[int]) -> "_Search":
        """Price the limits and put everything in order."""
        prices = _prices(works, limits, binding)
        cost = [[_reduced(option, prices) for option in options] for options in works]
        order = sorted(range(len(works)), key=lambda one: (-_regret(cost[one]), one))
        options = [sorted(range(len(works[one])), key=lambda two, own=one: (cost[own][two], two)) for one in order]  # type: ignore[misc]
        at_least, room = [0], [list(limits)]
        for one in reversed(order):
            at_least.append(at_least[-1] + min(cost[one]))
            least = least_uses(works[one])
            room.append([left - least.get(limit, 0) for limit, left in enumerate(room[-1])])
        return cls(
            works=works,
            order=order,
            options=options,
            reduced=[[cost[one][two] for two in own] for one, own in zip(order, options, strict=True)],
            at_least=at_least[::-1],
            priced=sum(price * limit for price, limit in zip(prices, limits, strict=True)),
            room=room[::-1],
        )

    def run(self, most_branches: int) -> list[int] | None:
        """The best choice, by depth first. Raises TooLarge."""
        depth, last = 0, len(self.order)
        following, spent, cost = [0] * last, [0] * (last + 1), [0] * (last + 1)
        used, taken = [0] * len(self.room[0]), [0] * last
        best: list[int] | None = None
        best_cost, branches = 0, 0
        while depth >= 0:
            if following[depth]:
                self._release(used, depth, taken[depth])
            place = following[depth]
            if place == len(self.options[depth]) or (
                best is not None
                and spent[depth] + self.reduced[depth][place] + self.at_least[depth + 1] - self.priced
                > best_cost - FINENESS
            ):
                following[depth], depth = 0, depth - 1
                continue
            following[depth], branches = place + 1, branches + 1
            if branches > most_branches:
                raise TooLarge
            taken[depth] = self.options[depth][place]
            option = self.works[self.order[depth]][taken[depth]]
            fits = all(used[limit] + use <= self.room[depth + 1][limit] for limit, use in option.uses.items())
            for limit, use in option.uses.items():
                used[limit] += use
            if not fits:
                continue
            spent[depth + 1] = spent[depth] + self.reduced[depth][place]
            cost[depth + 1] = cost[depth] + option.cost * FINENESS
            if depth + 1 < last:
                depth += 1
            elif best is None or cost[last] < best_cost:
                best, best_cost = taken.copy(), cost[last]
        return None if best is None else [best[self.order.index(one)] for one in range(last)]

    def _release(self, used: list[int], depth: int, option: int) -> None:
        for limit, use in self.works[self.order[depth]][option].uses.items():
            used[limit] -= use


def _prices(works: Sequence[Sequence[Option]], limits: Sequence[int], binding: frozenset[int]) -> list[int]:
    """Prices of the limits that bound the cost from below as high as a few rounds of subgradients reach.

    A limit that cannot bind has none, and its room says nothing of how far to go with those of others.
    """
    idle = [limit for limit in range(len(limits)) if limit not in binding]
    costs = np.array([float(option.cost) for options in works for option in options])
    starts = np.cumsum([0, *(len(options) for options in works[:-1])])
    lengths = np.diff([*starts, len(costs)])
    taking = [
        (place, use) for place, option in enumerate(o for own in works for o in own) for use in option.uses.items()
    ]
    of = np.array([place for place, _ in taking], dtype=np.int64)
    which, uses = (np.array([use[side] for _, use in taking], dtype=kind) for side, kind in ((0, np.int64), (1, float)))
    most, spread = (
        np.array(limits, dtype=float),
        float((np.maximum.reduceat(costs, starts) - np.minimum.reduceat(costs, starts)).max()),
    )
    prices = best = np.zeros(len(limits))
    highest, stride = float("-inf"), 1.0
    for _ in range(ROUNDS):
        values = costs + np.bincount(of, prices[which] * uses, len(costs))
        least = np.minimum.reduceat(values, starts)
        ties = np.flatnonzero(values == np.repeat(least, lengths))
        taken = np.zeros(len(costs), dtype=bool)
        taken[ties[np.searchsorted(ties, starts)]] = True
        over = np.bincount(which[taken[of]], uses[taken[of]], len(limits)) - most
        over[idle] = 0.0
        bound = float(least.sum() - prices @ most)
        if bound > highest:
            highest, best = bound, prices
        else:
            stride *= 0.95
        length = float(over @ over)
        if not length:
            break
        prices = np.maximum(0.0, prices + stride * spread * over / length)
    return [round(price * FINENESS) for price in best.tolist()]


def _reduced(option: Option, prices: Sequence[int]) -> int:
    return option.cost * FINENESS + sum(prices[limit] * use for limit, use in option.uses.items())


def _regret(costs: Sequence[int]) -> int:
    """How much more the second best costs: what is most to lose is decided first."""
    best, *others = sorted(costs)
    return others[0] - best if others else FINENESS**4
