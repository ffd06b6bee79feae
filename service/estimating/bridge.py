"""Why two estimates differ: every line split by cause, without an order, without a remainder."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Final, TypeVar

from pricing_sources.units import Unit
from service.domain.bridge import Bridge, Cause, ComparedLine, Comparison, Effect, LineBridge, PriceMove
from service.domain.estimate import Estimate, LineItem, MissingItem
from service.domain.quantities import EXACT, plain
from service.domain.scenario import PartName
from service.errors import Invalid
from service.estimating.attribution import WIDE, Explained, Factor, Split, split, whole
from service.estimating.line_quantities import quantity_of
from service.formulas.catalog import Formula, formula

ONE: Final = Decimal(1)
CAUSE_OF_INPUT: Final[Mapping[str, Cause]] = {
    "utilisation": "efficiency",
    "server_factor": "efficiency",
    "pue": "efficiency",
    "idle_hours": "interruptions",
    "idle_power_per_gpu_kw": "interruptions",
    "busy_share": "efficiency",
    "loading": "staff",
}
"""What a changed input means; any other is the scope."""
CAUSE_OF_UNIT: Final[Mapping[Unit, Cause]] = {
    Unit.KWH: "electricity",
    Unit.PERSON_YEAR: "staff",
    Unit.PERSON_HOUR: "staff",
    Unit.TB: "data",
    Unit.TB_MONTH: "data",
    Unit.LICENCE: "data",
    Unit.LABEL: "data",
}
"""Whose price moved, by what it buys; any other is that of an offer."""

Line = TypeVar("Line", LineItem, MissingItem)
Elsewhere = tuple[Estimate | None, Estimate | None]
"""The later scenario as of the earlier estimate, and the earlier scenario as of the later one, where known."""
LineName = tuple[PartName, str, int]
"""Part, name, and which of several lines of one name."""


def bridge(before: Estimate, after: Estimate, elsewhere: Elsewhere = (None, None)) -> Bridge:
    """Split the difference between two estimates in one currency by cause.

    `elsewhere` prices what only one of them has at the other's moment; without it such a line is scope as a whole.
    Raises Invalid if the currencies differ.
    """
    if before.currency != after.currency:
        raise Invalid(f"one estimate is in {before.currency}, the other in {after.currency}; price one of them anew")
    lines = tuple(_line_bridges(before, after, elsewhere))
    return Bridge(
        currency=after.currency,
        before=before.total,
        after=after.total,
        difference=plain(EXACT.subtract(after.total, before.total)),
        lower_bound=before.lower_bound or after.lower_bound,
        effects=_added_up(effect for line in lines for effect in line.effects),
        lines=lines,
    )


def needs_elsewhere(before: Estimate, after: Estimate) -> bool:
    """True if a line is on one side only, or is bought elsewhere."""
    ours, theirs = _named(before.line_items), _named(after.line_items)
    return set(ours) != set(theirs) or any(ours[name].price_series != theirs[name].price_series for name in ours)


def side_by_side(ids: Sequence[str], estimates: Sequence[Estimate]) -> Comparison:
    """Estimates of one currency beside one another, line by line."""
    lines = [_named(one.line_items) for one in estimates]
    names = dict.fromkeys(name for one in lines for name in one)
    totals = tuple(one.total for one in estimates)
    return Comparison(
        estimate_ids=tuple(ids),
        names=tuple(one.scenario.name for one in estimates),
        currency=estimates[0].currency,
        totals=totals,
        lower_bounds=tuple(one.lower_bound for one in estimates),
        differences=tuple(tuple(plain(EXACT.subtract(to, of)) for to in totals) for of in totals),
        lines=tuple(
            ComparedLine(
                part=name[0],
                name=name[1],
                costs=tuple(one[name].cost if name in one else None for one in lines),
            )
            for name in names
        ),
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """One line at both moments, and each as it would have been bought at the other's."""

    before: LineItem | None
    after: LineItem | None
    after_then: LineItem | None
    before_now: LineItem | None
    there: Cause
    """What it is that the line is on one side only."""

    @property
    def costs(self) -> tuple[Decimal, Decimal]:
        """What the line cost at both moments; nothing where it was not there."""
        return (self.before.cost if self.before else Decimal(0), self.after.cost if self.after else Decimal(0))


def _line_bridges(before: Estimate, after: Estimate, elsewhere: Elsewhere) -> Iterator[LineBridge]:
    ours, theirs = _named(before.line_items), _named(after.line_items)
    then, now = (_named(one.line_items) if one else {} for one in elsewhere)
    unpriced_before, unpriced_after = _named(before.unpriced), _named(after.unpriced)
    gone = ours.keys() - theirs.keys() - unpriced_after.keys()
    come = theirs.keys() - ours.keys() - unpriced_before.keys()
    replaced = _replaced(gone, come)
    for name in [*ours, *(one for one in theirs if one not in ours)]:
        there: Cause = "offer_switch" if name in replaced else "scope"
        sides = _Sides(ours.get(name), theirs.get(name), then.get(name), now.get(name), there)
        earlier, later = sides.costs
        if sides.before is None and name in unpriced_before:
            yield _told(name, sides, whole("newly_priced", later))
        elif sides.after is None and name in unpriced_after:
            yield _told(name, sides, whole("unpriced", -earlier))
        else:
            yield _told(name, sides, _split(sides))


def _replaced(gone: Iterable[LineName], come: Iterable[LineName]) -> frozenset[LineName]:
    """Machines that left while others came: the work is done on another offer."""
    sides = [frozenset(name for name in names if _is_rented(name)) for names in (gone, come)]
    return sides[0] | sides[1] if all(sides) else frozenset()


def _is_rented(name: LineName) -> bool:
    return name[0] == "training" and name[1].split(".")[0] == "gpu_hours"


def _split(sides: _Sides) -> Split:
    earlier, later = sides.costs
    explained = _explained(sides)
    if explained is None:
        return whole(sides.there, EXACT.subtract(later, earlier))
    return split(explained, earlier, later)


def _explained(sides: _Sides) -> Explained | None:
    """The line's cost as a function of what it depends on; None where one side was never priced."""
    if sides.before and sides.after:
        return _of_both(sides.before, sides.after, sides.after_then)
    first, last = sides.before or sides.after_then, sides.after or sides.before_now
    if first is None or last is None:
        return None
    there = Factor(sides.there, Decimal(int(sides.before is not None)), Decimal(int(sides.after is not None)))
    quantity = (sides.before or last).pricing_quantity
    return Explained({"there": there, **_money(first, last, None)}, lambda chosen: _product(quantity, chosen.values()))


def _of_both(before: LineItem, after: LineItem, after_then: LineItem | None) -> Explained:
    inputs, money = _inputs(before, after), _money(before, after, after_then)
    asked = [(_formula(line), [one.name for one in line.inputs]) for line in (before, after)]
    # Another formula, or one that is told more, counts what was not asked for before: that is no new version.
    (used_before, told_before), (used_after, told_after) = asked
    anew: Cause = "formula" if used_before.id == used_after.id and used_before != used_after else "scope"
    differs = used_before != used_after or set(told_before) != set(told_after)
    version = Factor(anew, Decimal(0), Decimal(int(differs)))

    def cost(chosen: Mapping[str, Decimal]) -> Decimal:
        used, names = asked[int(chosen["version"])]
        quantity = quantity_of(used, {name: chosen[f"input {name}"] for name in names})
        return _product(quantity, (chosen[name] for name in money))

    return Explained({**inputs, **money, "version": version}, cost)


def _inputs(before: LineItem, after: LineItem) -> dict[str, Factor]:
    """Every input of either; one that only one formula knows does not change."""
    earlier = {one.name: one.value for one in before.inputs}
    later = {one.name: one.value for one in after.inputs}
    return {
        f"input {name}": Factor(
            CAUSE_OF_INPUT.get(name, "scope"),
            earlier.get(name, later.get(name, ONE)),
            later.get(name, earlier.get(name, ONE)),
        )
        for name in {**earlier, **later}
    }


def _money(before: LineItem, after: LineItem, after_then: LineItem | None) -> dict[str, Factor]:
    """What one unit costs, as a product; a switch of offers is seen at the earlier moment's prices."""
    cause = "data" if after.part == "data" else CAUSE_OF_UNIT.get(after.pricing_unit, "offer_price")
    if before.price_series == after.price_series and before.list_currency == after.list_currency:
        return _moves(cause, before, after)
    paid_before, paid_after = _paid(before), _paid(after)
    if after_then is None or not _paid(after_then):
        return {"switch": Factor("offer_switch", paid_before, paid_after)}
    switch = Factor("offer_switch", WIDE.divide(paid_before, _paid(after_then)), ONE)
    return {"switch": switch, **_moves(cause, after_then, after)}


def _moves(cause: Cause, before: LineItem, after: LineItem) -> dict[str, Factor]:
    (listed_before, contract_before), (listed_after, contract_after) = _tag(before), _tag(after)
    return {
        "price": Factor(cause, listed_before, listed_after),
        "contract": Factor("contract", contract_before, contract_after),
        "fx": Factor("fx", before.fx_rate, after.fx_rate),
    }


def _tag(line: LineItem) -> tuple[Decimal, Decimal]:
    """The list price and what the contract makes of it, as a factor."""
    contracted = line.contracted_unit_price
    if contracted is None:
        return line.list_unit_price, ONE
    if line.contracted_currency != line.list_currency or not line.list_unit_price:
        return contracted, ONE
    return line.list_unit_price, WIDE.divide(contracted, line.list_unit_price)


def _paid(line: LineItem) -> Decimal:
    """What one unit costs in the estimate's currency."""
    paid = line.list_unit_price if line.contracted_unit_price is None else line.contracted_unit_price
    return WIDE.multiply(paid, line.fx_rate)


def _product(quantity: Decimal, values: Iterable[Decimal]) -> Decimal:
    for value in values:
        quantity *= value
    return quantity


def _formula(line: LineItem) -> Formula:
    name, _, version = line.formula.partition("@")
    return formula(name, int(version))


def _named(lines: Iterable[Line]) -> dict[LineName, Line]:
    """The lines by name, those of one name counted."""
    seen: dict[tuple[PartName, str], count[int]] = {}
    named = {}
    for line in lines:
        number = next(seen.setdefault((line.part, line.name), count()))
        named[(line.part, line.name, number)] = line
    return named


def _told(name: LineName, sides: _Sides, found: Split) -> LineBridge:
    earlier, later = sides.costs
    return LineBridge(
        part=name[0],
        name=name[1],
        cost_before=earlier,
        cost_after=later,
        difference=plain(EXACT.subtract(later, earlier)),
        method=found.method,
        effects=found.effects,
        price=_price_move(sides.before, sides.after),
    )


def _price_move(before: LineItem | None, after: LineItem | None) -> PriceMove:
    return PriceMove(
        series_before=before.price_series if before else None,
        series_after=after.price_series if after else None,
        unit_price_before=before.list_unit_price if before else None,
        unit_price_after=after.list_unit_price if after else None,
        currency_before=before.list_currency if before else None,
        currency_after=after.list_currency if after else None,
        fx_rate_before=before.fx_rate if before else None,
        fx_rate_after=after.fx_rate if after else None,
    )


def _added_up(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """One effect per cause, the largest first."""
    totals: dict[Cause, Decimal] = {}
    for effect in effects:
        totals[effect.cause] = EXACT.add(totals.get(effect.cause, Decimal(0)), effect.amount)
    ranked = sorted(totals.items(), key=lambda one: (-abs(one[1]), one[0]))
    return tuple(Effect(cause=cause, amount=plain(amount)) for cause, amount in ranked)
