"""Splitting the difference of two costs among their causes: additively, without an order, to the last digit.

Where the cost is a product of what changed, by the additive logarithmic mean Divisia index (LMDI-I): the effect
of x is L(C₁, C₀) · ln(x₁ / x₀), with L the logarithmic mean (Ang, "LMDI decomposition approach: a guide for
implementation", Energy Policy 86, 2015). Elsewhere, zeros and sums among them, by Shapley values over the causes
that changed (Ang, Huang and Mu, "Properties and linkages of some index decomposition analysis methods", Energy
Policy 37, 2009). Both are symmetric in time, and neither knows an order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from math import factorial
from typing import Final

from service.domain.bridge import Cause, Effect, Method
from service.domain.quantities import EXACT, plain

WIDE: Final = Context(prec=60)
ROOMY: Final = Context(prec=200)
SLACK: Final = Decimal("1e-10")
"""How far the factors' product may be from the cost's: quantities are rounded to twelve digits."""
FINEST: Final = -12
"""Effects are stated to this power of ten, or to the last digit of the difference if that is finer."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One number the cost depends on, at both moments."""

    cause: Cause
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Explained:
    """A cost as a function of its factors: `cost(after)` takes those named from the later side."""

    factors: Mapping[str, Factor]
    cost: Callable[[Mapping[str, Decimal]], Decimal]


@dataclass(frozen=True, slots=True)
class Split:
    """The effects of one line; they add up to its difference."""

    method: Method
    effects: tuple[Effect, ...]


def whole(cause: Cause, difference: Decimal) -> Split:
    """A difference with one cause."""
    return Split("whole", (Effect(cause=cause, amount=plain(difference)),) if difference else ())


def split(explained: Explained, cost_before: Decimal, cost_after: Decimal) -> Split:
    """The difference of two costs by cause; what did not change has no effect."""
    difference = EXACT.subtract(cost_after, cost_before)
    changed = [one for one in explained.factors.values() if one.before != one.after]
    causes = sorted({one.cause for one in changed})
    if len(causes) < 2:
        return whole(causes[0] if causes else "scope", difference)
    with localcontext(WIDE):
        method: Method = "lmdi"
        shares = _logarithmic(changed, cost_before, cost_after)
        if shares is None:
            method, shares = "shapley", _shapley(explained, causes, cost_before, cost_after)
    return Split(method, _to_the_last_digit(shares, difference))


def _logarithmic(changed: Iterable[Factor], before: Decimal, after: Decimal) -> dict[Cause, Decimal] | None:
    """LMDI-I, or None where the cost is not a product of positive factors."""
    logs: dict[Cause, Decimal] = defaultdict(Decimal)
    for one in changed:
        if min(before, after, one.before, one.after) <= 0:
            return None
        logs[one.cause] += (one.after / one.before).ln()
    of_factors, of_cost = sum(logs.values()), (after / before).ln()
    if abs(of_factors - of_cost) > SLACK:
        return None
    mean = (after - before) / of_cost if abs(of_cost) > SLACK else before
    return {cause: mean * log for cause, log in logs.items()}


def _shapley(explained: Explained, causes: list[Cause], before: Decimal, after: Decimal) -> dict[Cause, Decimal]:
    """Every cause's mean contribution over all orders in which the causes could have changed."""
    everyone = (1 << len(causes)) - 1
    costs = [_cost_with(explained, causes, chosen) for chosen in range(everyone + 1)]
    costs[0], costs[everyone] = before, after
    shares: dict[Cause, Decimal] = defaultdict(Decimal)
    for position, cause in enumerate(causes):
        for others in range(everyone + 1):
            if others >> position & 1:
                continue
            gained = costs[others | 1 << position] - costs[others]
            orders = factorial(others.bit_count()) * factorial(len(causes) - others.bit_count() - 1)
            shares[cause] += gained * orders / factorial(len(causes))
    return shares


def _cost_with(explained: Explained, causes: list[Cause], chosen: int) -> Decimal:
    """The cost with the chosen causes as they are after, the others as they were before."""
    moved = {cause for position, cause in enumerate(causes) if chosen >> position & 1}
    return explained.cost(
        {name: one.after if one.cause in moved else one.before for name, one in explained.factors.items()}
    )


def _to_the_last_digit(shares: Mapping[Cause, Decimal], difference: Decimal) -> tuple[Effect, ...]:
    """The shares rounded so that they add up to the difference: what rounding leaves is the largest effect's."""
    exponent = difference.normalize(EXACT).as_tuple().exponent
    unit = Decimal(1).scaleb(min(FINEST, int(exponent)))
    rounded = {cause: _rounded(share, unit) for cause, share in shares.items()}
    largest = max(rounded, key=lambda cause: (abs(rounded[cause]), cause))
    for cause in set(rounded) - {largest}:
        difference = EXACT.subtract(difference, rounded[cause])
    rounded[largest] = difference
    return tuple(Effect(cause=cause, amount=plain(amount)) for cause, amount in sorted(rounded.items()) if amount)


def _rounded(share: Decimal, unit: Decimal) -> Decimal:
    return share.quantize(unit, ROUND_HALF_EVEN, ROOMY)
