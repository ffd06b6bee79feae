"""Start times against trying them all: gaps, odd slots, days of 23 and 25 hours, ties, starts that cost, blocks."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.planning import capacity_blocks
from service.planning.capacity_blocks import BlockRun, CapacityBlock, best_blocks
from service.planning.slots import PriceSlot, only_within, with_profile
from service.planning.start_times import RunAsked, best_start, cheapest_hours
from service.planning.suspending import StartCost, cheapest_with_starts
from tests.conftest import day

HOUR = timedelta(hours=1)
START = day("2026-03-28")


def hourly(*prices: str | None, start: datetime = START) -> list[PriceSlot]:
    """A price for each hour; None is a gap."""
    return [
        PriceSlot(start=start + n * HOUR, end=start + (n + 1) * HOUR, price=Decimal(price))
        for n, price in enumerate(prices)
        if price is not None
    ]


def run(hours: str, window: int, **more) -> RunAsked:
    return RunAsked(hours=Decimal(hours), earliest=START, deadline=START + window * HOUR, **more)


PRICES = st.lists(
    st.one_of(st.none(), st.integers(-3, 9).map(lambda n: str(Decimal(n) / 4))), min_size=1, max_size=8
).filter(lambda prices: any(prices))


def quarters(slots: list[PriceSlot], window: int) -> list[Decimal | None]:
    """The price of every quarter of an hour of the window; None in a gap."""
    found: list[Decimal | None] = []
    for number in range(window * 4):
        at = START + number * HOUR / 4
        found.append(next((slot.price for slot in slots if slot.start <= at < slot.end), None))
    return found


@settings(max_examples=150, deadline=None)
@given(prices=PRICES, work=st.integers(1, 20), latest=st.booleans())
def test_no_other_start_costs_less(prices: list[str | None], work: int, *, latest: bool) -> None:
    window = len(prices)
    if work > window * 4:
        return
    asked = run(str(Decimal(work) / 4), window, units=Decimal(3), prefer="latest" if latest else "earliest")
    cells = quarters(hourly(*prices), window)
    # Slots begin at whole hours and the work is whole quarters, so the best start is one of the quarters.
    costs = {
        start: sum(cells[start : start + work]) * 3 / 4
        for start in range(window * 4 - work + 1)
        if None not in cells[start : start + work]
    }
    if not costs:
        with pytest.raises(Invalid, match="has prices throughout"):
            best_start(hourly(*prices), asked)
        return
    found = best_start(hourly(*prices), asked)
    assert found.cost == min(costs.values())
    ties = [start for start, cost in costs.items() if cost == found.cost]
    assert found.periods[0].start == START + (max(ties) if latest else min(ties)) * HOUR / 4
    assert found.at_once == costs.get(0)


@settings(max_examples=150, deadline=None)
@given(prices=PRICES, work=st.integers(1, 20), latest=st.booleans())
def test_no_other_hours_cost_less(prices: list[str | None], work: int, *, latest: bool) -> None:
    window = len(prices)
    known = sorted(one for one in quarters(hourly(*prices), window) if one is not None)
    if work > window * 4:
        return
    asked = run(str(Decimal(work) / 4), window, prefer="latest" if latest else "earliest")
    if work > len(known):
        with pytest.raises(Invalid, match="more than have prices"):
            cheapest_hours(hourly(*prices), asked)
        return
    found = cheapest_hours(hourly(*prices), asked)
    assert found.cost == sum(known[:work]) / 4
    assert sum((one.end - one.start for one in found.periods), timedelta(0)) == work * HOUR / 4


def cost_of_pattern(
    on: tuple[bool, ...], cells: list[Decimal | None], warm: int, work: int
) -> tuple[Decimal, int] | None:
    """What running in just these hours costs and how often it starts, if it does exactly the work."""
    if any(one and price is None for one, price in zip(on, cells, strict=True)):
        return None
    lengths = [len(part) for part in "".join("x" if one else "." for one in on).split(".") if part]
    if any(length <= warm for length in lengths) or sum(lengths) - warm * len(lengths) != work:
        return None
    return sum((price or Decimal(0) for one, price in zip(on, cells, strict=True) if one), Decimal(0)), len(lengths)


@settings(max_examples=120, deadline=None)
@given(
    prices=PRICES,
    work=st.integers(1, 6),
    warm=st.integers(0, 2),
    cost=st.integers(0, 8).map(lambda n: Decimal(n) / 8),
)
def test_no_other_hours_cost_less_where_starts_cost(
    prices: list[str | None], work: int, warm: int, cost: Decimal
) -> None:
    window = len(prices)
    if work > window:
        return
    cells = [None if one is None else Decimal(one) for one in prices]
    tried = [cost_of_pattern(on, cells, warm, work) for on in product((True, False), repeat=window)]
    costs = [one + starts * cost for one, starts in filter(None, tried)]
    start = StartCost(cost=cost, hours=Decimal(warm))
    if not costs:
        with pytest.raises(Invalid):
            cheapest_with_starts(hourly(*prices), run(str(work), window), start)
        return
    found = cheapest_with_starts(hourly(*prices), run(str(work), window), start)
    assert found.cost == min(costs)
    assert found.starts == len(found.periods)
    assert sum((one.end - one.start for one in found.periods), timedelta(0)) == (work + warm * found.starts) * HOUR


def test_the_day_clocks_go_forward_has_23_hours_and_the_other_25() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for date, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        midnight = datetime.fromisoformat(date).replace(tzinfo=berlin).astimezone(UTC)
        end = (datetime.fromisoformat(date) + timedelta(days=1)).replace(tzinfo=berlin).astimezone(UTC)
        slots = hourly(*[str(n) for n in range(hours)], start=midnight)
        asked = RunAsked(hours=Decimal(hours), earliest=midnight, deadline=end)
        assert best_start(slots, asked).cost == sum(range(hours))
        with pytest.raises(Invalid, match="leaves less"):
            best_start(slots, RunAsked(hours=Decimal(hours) + 1, earliest=midnight, deadline=end))


def test_slots_of_several_lengths_and_work_that_fits_none_of_them() -> None:
    slots = [
        PriceSlot(start=START, end=START + HOUR, price=Decimal("0.30")),
        PriceSlot(start=START + HOUR, end=START + HOUR * 1.25, price=Decimal("0.05")),
        PriceSlot(start=START + HOUR * 1.25, end=START + 4 * HOUR, price=Decimal("0.20")),
    ]
    found = best_start(slots, run("0.6", 4, units=Decimal(100)))
    assert (found.periods[0].start, found.cost) == (START + HOUR, (Decimal("0.25") * 5 + Decimal("0.35") * 20))
    assert found.saving == Decimal("0.6") * 30 - found.cost
    assert cheapest_hours(slots, run("0.6", 4, units=Decimal(100))).cost == found.cost


def test_equal_sums_of_awkward_decimals_are_ties() -> None:
    slots = hourly("0.1", "0.2", "0.3", "0.15", "0.15", "0.3")
    early, late = (best_start(slots, run("3", 6, prefer=one)) for one in ("earliest", "latest"))
    assert early.cost == late.cost == Decimal("0.6")
    assert (early.periods[0].start, late.periods[0].start) == (START, START + 3 * HOUR)


def test_prices_of_many_digits_are_added_exactly() -> None:
    slots = hourly("0.10000000000000000000001", "0.1", "0.10000000000000000000002")
    assert best_start(slots, run("1", 3)).periods[0].start == START + HOUR
    assert cheapest_with_starts(slots, run("2", 3), StartCost()).cost == Decimal("0.20000000000000000000001")


def test_overlapping_prices_are_refused_and_an_empty_window_said() -> None:
    doubled = [*hourly("1", "2"), *hourly("3", start=START + HOUR / 2)]
    with pytest.raises(Invalid, match="two prices at"):
        best_start(doubled, run("1", 2))
    with pytest.raises(Invalid, match="no price between"):
        best_start(hourly("1", start=START - 9 * HOUR), run("1", 2))


def test_work_beyond_what_one_can_compute_is_refused() -> None:
    slots = [PriceSlot(start=START, end=START + 3000 * HOUR, price=Decimal(1))]
    with pytest.raises(Invalid, match="use longer slots"):
        cheapest_with_starts(slots, run("1000.001", 3000), StartCost(cost=Decimal(1)))


def test_what_lies_beyond_the_published_prices_follows_past_weeks_and_says_so() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    monday = day("2026-03-15T23:00")
    week = hourly(*[str(n) for n in range(168)], start=monday)
    longer = with_profile(week, monday + timedelta(days=21), berlin)
    added = longer[168:]
    assert all(slot.forecast for slot in added)
    # Two weeks later the clocks have gone forward: the same hour of the local week is an hour earlier.
    before = next(slot for slot in added if slot.start == monday + timedelta(days=7, hours=10))
    after = next(slot for slot in added if slot.start == monday + timedelta(days=14, hours=9))
    assert before.price == after.price == 10
    found = best_start(longer, RunAsked(hours=Decimal(4), earliest=monday + 166 * HOUR, deadline=monday + 172 * HOUR))
    assert found.periods[0].start == monday + 168 * HOUR
    assert found.forecast_share == 1
    assert found.cost == 0 + 1 + 2 + 3


def test_a_run_keeps_to_the_windows_it_is_given() -> None:
    slots = only_within(hourly("1", "1", "9", "2", "2", "2"), [(START + 2 * HOUR, START + 5 * HOUR)])
    found = best_start(slots, run("2", 6))
    assert (found.periods[0].start, found.cost, found.unpriced_hours) == (START + 3 * HOUR, 4, 3)


BLOCKS = st.lists(st.tuples(st.integers(0, 10), st.integers(1, 6), st.integers(1, 9)), min_size=1, max_size=6).map(
    lambda found: [
        CapacityBlock(name=str(n), start=START + at * HOUR, end=START + (at + length) * HOUR, price=Decimal(price))
        for n, (at, length, price) in enumerate(found)
    ]
)


def usable(chosen: tuple[CapacityBlock, ...], asked: BlockRun) -> int | None:
    """Hours of work in a choice of blocks: each unbroken stretch of them, less its start; None where it is broken."""
    cells = [
        any(one.start <= asked.earliest + n * HOUR < one.end for one in chosen)
        for n in range((asked.deadline - asked.earliest) // HOUR)
    ]
    lengths = [len(part) for part in "".join("x" if one else "." for one in cells).split(".") if part]
    if not asked.suspendable and len(lengths) > 1:
        return None
    return sum(max(length - int(asked.start_hours), 0) for length in lengths)


@settings(max_examples=150, deadline=None)
@given(blocks=BLOCKS, hours=st.integers(1, 10), warm=st.integers(0, 2), suspendable=st.booleans())
def test_no_other_blocks_hold_the_run_for_less(
    blocks: list[CapacityBlock], hours: int, warm: int, *, suspendable: bool
) -> None:
    asked = BlockRun(
        hours=Decimal(hours),
        start_hours=Decimal(warm),
        earliest=START + HOUR,
        deadline=START + 13 * HOUR,
        suspendable=suspendable,
    )
    enough = [
        sum((one.price for one in chosen), Decimal(0))
        for size in range(1, len(blocks) + 1)
        for chosen in combinations(blocks, size)
        if (usable(chosen, asked) or 0) >= hours
    ]
    if not enough:
        with pytest.raises(Invalid, match="do not fit"):
            best_blocks(blocks, asked)
        return
    found = best_blocks(blocks, asked)
    assert found.cost == min(enough) == sum(one.price for one in found.blocks)
    assert found.usable_hours == usable(found.blocks, asked)


def test_a_block_too_short_to_start_in_leads_into_the_next() -> None:
    blocks = [
        CapacityBlock(name="short", start=START, end=START + HOUR, price=Decimal(1)),
        CapacityBlock(name="next", start=START + HOUR, end=START + 4 * HOUR, price=Decimal(5)),
    ]
    asked = BlockRun(hours=Decimal(2), start_hours=Decimal(2), earliest=START, deadline=START + 9 * HOUR)
    found = best_blocks(blocks, asked)
    assert ([one.name for one in found.blocks], found.cost, found.usable_hours) == (["short", "next"], 6, 2)


def test_more_chains_of_blocks_than_can_be_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [
        CapacityBlock(name=f"b{n}", start=START + n * HOUR, end=START + (n + 1) * HOUR, price=Decimal(n + 1))
        for n in range(6)
    ]
    asked = BlockRun(hours=Decimal(4), earliest=START, deadline=START + 6 * HOUR, suspendable=True)
    assert best_blocks(blocks, asked).cost == 10
    monkeypatch.setattr(capacity_blocks, "MOST_LOOKED_AT", 20)
    with pytest.raises(Invalid, match="over 20 worth a look; offer fewer blocks"):
        best_blocks(blocks, asked)
