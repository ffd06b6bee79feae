"""Fleets against trying every assignment, by the search and, where it is installed, by the solver."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.planning import fleets
from service.planning.assignment import Option, TooLarge, cheapest
from service.planning.fleets import FleetOffer, Need, Quota, Work, cheapest_fleet
from service.planning.solver import LONGEST, LONGEST_AGAIN, NotProven, Patience, SolverMissing, cheapest_by_solver

OPTIONS = st.builds(
    Option,
    cost=st.integers(0, 20),
    uses=st.dictionaries(st.integers(0, 2), st.integers(1, 5), max_size=3),
)
WORKS = st.lists(st.lists(OPTIONS, min_size=1, max_size=4), min_size=1, max_size=6)
LIMITS = st.lists(st.integers(0, 12), min_size=3, max_size=3)


def cost_of(works: list[list[Option]], limits: list[int], chosen: tuple[int, ...]) -> int | None:
    taken = [options[one] for options, one in zip(works, chosen, strict=True)]
    used = [sum(option.uses.get(limit, 0) for option in taken) for limit in range(len(limits))]
    return None if any(use > limit for use, limit in zip(used, limits, strict=True)) else sum(one.cost for one in taken)


def least(works: list[list[Option]], limits: list[int]) -> int | None:
    tried = (cost_of(works, limits, chosen) for chosen in product(*(range(len(options)) for options in works)))
    return min((cost for cost in tried if cost is not None), default=None)


@settings(max_examples=200, deadline=None)
@given(works=WORKS, limits=LIMITS)
def test_no_other_assignment_costs_less(works: list[list[Option]], limits: list[int]) -> None:
    found = cheapest(works, limits, 10**6)
    assert (None if found is None else cost_of(works, limits, tuple(found))) == least(works, limits)


@settings(max_examples=100, deadline=None)
@given(works=WORKS, limits=LIMITS)
def test_the_solver_agrees(works: list[list[Option]], limits: list[int]) -> None:
    pytest.importorskip("highspy")
    found = cheapest_by_solver(works, limits, Patience())
    assert (None if found is None else cost_of(works, limits, tuple(found))) == least(works, limits)


H100 = FleetOffer(
    name="h100", provider="nimbus", region="eu", accelerator="H100", gpus=Decimal(8), machine_hour=Decimal("19.2")
)
A100 = FleetOffer(
    name="a100", provider="nimbus", region="eu", accelerator="A100", gpus=Decimal(8), machine_hour=Decimal("9.6")
)
FAR = replace(H100, name="far", region="us", machine_hour=Decimal(16))


def work(name: str, h100: int, hours: str, **more) -> Work:
    """Work that takes an A100 three times as many hours."""
    needs = (
        Need(accelerator="H100", gpus=Decimal(h100), hours=Decimal(hours)),
        Need(accelerator="A100", gpus=Decimal(h100), hours=Decimal(hours) * 3),
    )
    return Work(name=name, needs=needs, **more)


def test_scarce_machines_go_to_the_work_that_would_lose_most_without_them() -> None:
    works = [work("short", 8, "10"), work("long", 8, "100")]
    found = cheapest_fleet(works, [replace(H100, machines=1), A100])
    assert [(one.work, one.offer, one.cost) for one in found.assigned] == [
        ("short", "a100", Decimal(288)),
        ("long", "h100", Decimal(1920)),
    ]
    assert (found.cost, found.unlimited, found.proof) == (2208, 2112, "search")
    assert found.limits[0].saved_without == 96
    assert found.because == (
        "short runs on a100 for 96 more than on h100, which others need more",
        "machines of h100 (1 of 1 used): without that limit 96 less",
    )


def test_a_part_of_a_machine_is_a_machine() -> None:
    found = cheapest_fleet([work("odd", 9, "1")], [H100])
    assert (found.assigned[0].machines, found.cost) == (2, Decimal("38.4"))


def test_work_stays_in_its_regions() -> None:
    assert cheapest_fleet([work("any", 8, "1")], [H100, FAR]).assigned[0].offer == "far"
    assert cheapest_fleet([work("kept", 8, "1", regions=("eu",))], [H100, FAR]).assigned[0].offer == "h100"


def test_a_quota_counts_the_gpus_of_every_machine_it_speaks_of() -> None:
    works = [work(str(n), 8, "1") for n in range(3)]
    quota = Quota(name="H100 in us", gpus=Decimal(16), region="us", accelerator="H100")
    found = cheapest_fleet(works, [H100, FAR], [quota])
    assert sorted(one.offer for one in found.assigned) == ["far", "far", "h100"]
    assert (found.limits[0].used, found.limits[0].saved_without) == (16, Decimal("3.2"))
    with pytest.raises(Invalid, match="at least 24 are needed, 16 granted"):
        cheapest_fleet(works, [FAR], [quota])


def test_limits_that_cannot_be_kept_together_are_said_to_be_so() -> None:
    small = replace(FAR, machines=1)
    with pytest.raises(Invalid, match="no assignment keeps within all limits"):
        cheapest_fleet([work(str(n), 8, "1") for n in range(3)], [replace(H100, machines=1), small])


def test_what_cannot_be_meant_is_named_field_by_field() -> None:
    nowhere = work("lost", 8, "1", regions=("moon",))
    with pytest.raises(Invalid) as refused:
        cheapest_fleet([nowhere, nowhere], [replace(H100, gpus=Decimal(0))], [Quota(name="q", gpus=Decimal(-1))])
    assert [one.field for one in refused.value.problems] == [
        "works", "offers.0", "quotas.0.gpus", "works.0", "works.1",
    ]  # fmt: skip


def test_a_search_that_grows_too_large_asks_for_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise SolverMissing("install the extra")

    works, offers = [work("short", 8, "10"), work("long", 8, "100")], [replace(H100, machines=1), A100]
    monkeypatch.setattr(fleets, "cheapest_by_solver", without)
    with pytest.raises(Invalid, match="2 works make over 1 cases; install the extra"):
        cheapest_fleet(works, offers, most_branches=1)
    with pytest.raises(TooLarge):
        cheapest([[Option(0, {0: 1}), Option(1, {})]] * 3, [1], 1)


def test_the_solver_takes_over_from_a_search_that_grows_too_large() -> None:
    pytest.importorskip("highspy")
    works, offers = [work("short", 8, "10"), work("long", 8, "100")], [replace(H100, machines=1), A100]
    found = cheapest_fleet(works, offers, most_branches=1)
    assert (found.cost, found.proof) == (2208, "solver")


def test_of_equals_the_same_is_taken_in_whatever_order_offers_and_pieces_are_given() -> None:
    twins = [replace(H100, name=f"twin {letter}", machines=2) for letter in "abc"]
    works = [
        Work(name=f"job {number}", needs=(Need(accelerator="H100", gpus=Decimal(8), hours=Decimal(10)),))
        for number in range(3)
    ]
    apart = Work(name="apart", needs=(Need(accelerator="A100", gpus=Decimal(8), hours=Decimal(1)),))
    others = [replace(A100, name=f"other {letter}") for letter in "ab"]
    plans = [
        cheapest_fleet([*works, apart], order)
        for order in ([*twins, *others], [*others[::-1], *twins[::-1]], [twins[1], *others, twins[0], twins[2]])
    ]
    assert plans[0] == plans[1] == plans[2]
    assert {one.offer for one in plans[0].assigned if one.work == "apart"} == {"other a"}


def test_what_each_limit_costs_is_looked_for_in_one_bounded_time_and_not_searched_where_the_answer_was_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[float] = []

    def slow(works: list[list[Option]], limits: list[int], patience: Patience) -> list[int] | None:
        if patience.seconds <= 0:
            raise NotProven("no time left")
        left.append(patience.seconds)
        patience.seconds -= 4
        return cheapest(works, limits, 10**6)

    monkeypatch.setattr(fleets, "cheapest_by_solver", slow)
    searched = watched(monkeypatch)
    offers = [replace(A100, name=f"a100 {n}", machines=1) for n in range(4)]
    found = cheapest_fleet([work(str(n), 8, "1") for n in range(4)], offers, most_branches=1)
    assert found.proof == "solver"
    assert left == [LONGEST, LONGEST_AGAIN, LONGEST_AGAIN - 4]
    assert [one.saved_without for one in found.limits] == [0, 0, None, None]
    assert searched == [1, 0, 0, 0, 0]


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many branches each search may look at."""
    asked: list[int] = []

    def search(works: list[list[Option]], limits: list[int], most_branches: int) -> list[int] | None:
        asked.append(most_branches)
        return cheapest(works, limits, most_branches)

    monkeypatch.setattr(fleets, "cheapest", search)
    return asked


def test_the_solver_is_not_asked_once_there_is_no_time_left_nor_longer_than_one_proof_may_take() -> None:
    pytest.importorskip("highspy")
    with pytest.raises(NotProven):
        cheapest_by_solver([[Option(1, {})]], [], Patience(0.0))
    with pytest.raises(NotProven):
        cheapest_by_solver(hard(), [2500] * 5, Patience(20.0, 0.05))


def hard() -> list[list[Option]]:
    """Ever so many ways, all nearly alike, that five limits tell apart."""
    return [
        [Option(1000 + n * m % 97, {limit: 50 + n * m * (limit + 3) % 61 for limit in range(5)}) for m in range(1, 30)]
        for n in range(1, 40)
    ]
