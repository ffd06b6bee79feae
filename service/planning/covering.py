"""The cheapest whole counts that cover every need: depth first, cut off by what the rest must cost at least."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from service.planning.assignment import TooLarge

DEEPEST: Final = 300
"""More kinds than this are left to a solver."""
Ratio = tuple[int, int]
"""Cost over units."""


@dataclass(frozen=True, slots=True)
class Need:
    """An amount that all kinds must cover together, but for some."""

    amount: int
    without: frozenset[int] = frozenset()
    """Kinds that do not count towards it."""


@dataclass(frozen=True, slots=True)
class Cap:
    """An amount that what is taken must not exceed."""

    amount: int
    uses: tuple[int, ...]
    """Of each kind, by one of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """How many of each kind to take; everything in whole numbers."""

    costs: tuple[int, ...]
    units: tuple[int, ...]
    """What one of each kind covers; above 0."""
    most: tuple[int, ...]
    groups: tuple[str, ...]
    """To which group each kind belongs."""
    group_cost: int
    """Paid once for every group of which anything is taken."""
    most_groups: int | None
    budget: int | None
    needs: tuple[Need, ...]
    caps: tuple[Cap, ...]

    def cost(self, counts: Sequence[int]) -> int:
        """Of so many of each kind."""
        groups = {group for group, count in zip(self.groups, counts, strict=True) if count}
        return sum(map(int.__mul__, self.costs, counts)) + self.group_cost * len(groups)

    def allows(self, counts: Sequence[int]) -> bool:
        """True if so many of each kind keep to everything."""
        groups = {group for group, count in zip(self.groups, counts, strict=True) if count}
        return (
            all(0 <= count <= most for count, most in zip(counts, self.most, strict=True))
            and (self.most_groups is None or len(groups) <= self.most_groups)
            and (self.budget is None or self.cost(counts) <= self.budget)
            and not self.uncovered(counts)
            and all(sum(map(int.__mul__, cap.uses, counts)) <= cap.amount for cap in self.caps)
        )

    def uncovered(self, counts: Sequence[int]) -> list[int]:
        """The numbers of the needs that so many of each kind do not cover."""
        covered = {kind: self.units[kind] * count for kind, count in enumerate(counts) if count}
        everything = sum(covered.values())
        return [
            number
            for number, need in enumerate(self.needs)
            if everything - sum(units for kind, units in covered.items() if kind in need.without) < need.amount
        ]

    def only(self, kinds: Sequence[int]) -> "Covering":
        """The same question of some of the kinds."""
        numbers = {kind: number for number, kind in enumerate(kinds)}

        def some(column: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(column[kind] for kind in kinds)

        return Covering(
            costs=some(self.costs),
            units=some(self.units),
            most=some(self.most),
            groups=some(self.groups),
            group_cost=self.group_cost,
            most_groups=self.most_groups,
            budget=self.budget,
            needs=tuple(
                Need(need.amount, frozenset(numbers[kind] for kind in need.without if kind in numbers))
                for need in self.needs
            ),
            caps=tuple(Cap(cap.amount, some(cap.uses)) for cap in self.caps),
        )


def undominated(covering: Covering) -> list[int]:
    """The kinds an answer may need: not those in whose place as many of another as cover the same cost no more.

    Only a kind of which there is enough can take another's place, and only one that covers the same needs, in the
    same group where groups matter, and uses no more of any cap. The least cost is the same without the others.
    """
    are_groups_told = bool(covering.group_cost) or covering.most_groups is not None

    def alike(kind: int) -> tuple[object, ...]:
        return (covering.groups[kind] if are_groups_told else "", *(kind in need.without for need in covering.needs))

    def worth(kind: int) -> tuple[object, ...]:
        uses = (cap.uses[kind] for cap in covering.caps)
        return (Fraction(covering.costs[kind], covering.units[kind]), covering.units[kind], *uses, kind)

    kept: dict[tuple[object, ...], list[int]] = {}
    for kind in sorted(range(len(covering.costs)), key=worth):
        better = kept.setdefault(alike(kind), [])
        if not any(_takes_the_place(covering, one, kind) for one in better):
            better.append(kind)
    return sorted(kind for some in kept.values() for kind in some)


def _takes_the_place(covering: Covering, one: int, of: int) -> bool:
    lacking = max((need.amount for need in covering.needs if one not in need.without), default=0)
    many = -(-covering.units[of] // covering.units[one])
    return (
        covering.most[one] * covering.units[one] >= lacking
        and many * covering.costs[one] <= covering.costs[of]
        and all(many * cap.uses[one] <= cap.uses[of] for cap in covering.caps)
    )


def cheapest_cover(covering: Covering, most_branches: int) -> tuple[int, ...] | None:
    """The cheapest counts, or None if nothing covers every need. Raises TooLarge.

    Of equally cheap ones the one with most of the first kind, then of the second, and so on.
    """
    if len(covering.costs) > DEEPEST:
        raise TooLarge
    search = _Search(covering, most_branches)
    search.go(0, [need.amount for need in covering.needs], [cap.amount for cap in covering.caps], 0)
    return search.best


@dataclass(slots=True)
class _Search:
    covering: Covering
    branches: int
    best: tuple[int, ...] | None = None
    best_cost: int = 0
    cheapest: list[list[Ratio | None]] = field(init=False)
    """For each need, from each kind on: the least cost over units of those that cover it."""
    taken: list[int] = field(init=False)

    def __post_init__(self) -> None:
        asked = self.covering
        self.taken = [0] * len(asked.costs)
        self.cheapest = [self._ratios(need) for need in asked.needs]

    def _ratios(self, need: Need) -> list[Ratio | None]:
        ratios: list[Ratio | None] = [None]
        for kind in reversed(range(len(self.covering.costs))):
            cost, unit, last = self.covering.costs[kind], self.covering.units[kind], ratios[-1]
            better = kind not in need.without and (last is None or cost * last[1] < last[0] * unit)
            ratios.append((cost, unit) if better else last)
        return ratios[::-1]

    def go(self, kind: int, lacking: list[int], room: list[int], spent: int) -> None:
        """Settle this kind and all after it, given what still lacks and what room is left."""
        self.branches -= 1
        if self.branches < 0:
            raise TooLarge
        if self._is_hopeless(kind, lacking, spent):
            return
        if max(lacking) <= 0:
            self.best, self.best_cost = tuple(self.taken), spent
            return
        asked = self.covering
        for count in range(self._most(kind, lacking, room), -1, -1):
            self.taken[kind] = count
            covered = count * asked.units[kind]
            self.go(
                kind + 1,
                [one if kind in n.without else one - covered for one, n in zip(lacking, asked.needs, strict=True)],
                [one - count * cap.uses[kind] for one, cap in zip(room, asked.caps, strict=True)],
                spent + count * asked.costs[kind] + (asked.group_cost if count and self._is_new(kind) else 0),
            )
        self.taken[kind] = 0

    def _is_hopeless(self, kind: int, lacking: list[int], spent: int) -> bool:
        """True if even the best of what is left cannot cover what lacks, or not for less than is known."""
        least = 0
        for one, ratios in zip(lacking, self.cheapest, strict=True):
            if one > 0:
                ratio = ratios[kind]
                if ratio is None:
                    return True
                least = max(least, -(-one * ratio[0] // ratio[1]))
        if self.covering.budget is not None and spent + least > self.covering.budget:
            return True
        return self.best is not None and spent + least >= self.best_cost

    def _most(self, kind: int, lacking: list[int], room: list[int]) -> int:
        """As many as could still be of use, and as there is room for."""
        asked = self.covering
        if asked.most_groups is not None and self._is_new(kind) and self._groups() >= asked.most_groups:
            return 0
        helped = (one for one, need in zip(lacking, asked.needs, strict=True) if kind not in need.without)
        useful = -(-max(helped, default=0) // asked.units[kind])
        fitting = (left // cap.uses[kind] for left, cap in zip(room, asked.caps, strict=True) if cap.uses[kind])
        return max(0, min(asked.most[kind], useful, *fitting))

    def _is_new(self, kind: int) -> bool:
        groups = self.covering.groups
        return not any(n and groups[one] == groups[kind] for one, n in enumerate(self.taken[:kind]))

    def _groups(self) -> int:
        return len({group for group, count in zip(self.covering.groups, self.taken, strict=True) if count})
