"""A goal and the market at one moment, answered; pure."""

from dataclasses import dataclass, replace
from math import inf
from typing import Final

from service.domain.as_of import AsOf
from service.domain.goal import HORIZON_HOURS, MOST_HOURS, Goal
from service.domain.market import Market
from service.domain.plan import Explanation, PickName, PlanCandidate, RejectedOffers, Relaxation
from service.errors import Infeasible
from service.planning.candidates import Limits
from service.planning.concessions import concessions
from service.planning.configurations import configured
from service.planning.explanation import explained, rejected, relaxations
from service.planning.front import Contender, contending, described, front, picks
from service.planning.interruption_flip import moving_together
from service.planning.offering import Known, offering
from service.planning.search import Candidate, Found, search

MOST_TOLD: Final = 200
"""Candidates of a front, steps of a curve."""
SECONDS_PER_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A goal with everything the store knows about it."""

    goal: Goal
    as_of: AsOf
    market: Market
    known: Known
    hourly: float = 0.0
    """Storage and staff, as long as the work goes on [currency/h]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A pick, and what it came to in the search."""

    names: tuple[PickName, ...]
    candidate: PlanCandidate
    cost: float
    spread: float
    """Standard deviation of the logarithm of the hours, or of the replicas of a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a plan is made of, before its picks are priced exactly."""

    chosen: tuple[Chosen, ...]
    front: tuple[PlanCandidate, ...]
    explanation: Explanation
    offers: int
    configurations: int
    contenders: tuple[Contender, ...]
    """The best first."""


def answered(asked: Asked) -> Answer:
    """The plans that meet a goal. Raises Infeasible with what would have to give, Invalid for work nobody can do."""
    goal, (found, best) = asked.goal, searched(asked)
    offers = found.offers
    own = next((one for one in asked.known.own if one.key == offers.keys[best.offer]), None)
    named = picks(found, best)
    why = explained(found, best, own, moving_together(goal, offers, best.offer))
    return Answer(
        chosen=tuple(_chosen(found, names, one) for names, one in named),
        front=tuple(described(found, one) for one in front(found)[:MOST_TOLD]),
        explanation=replace(why, deadline_curve=why.deadline_curve[:MOST_TOLD]),
        offers=len(asked.market) + len(asked.known.own),
        configurations=len(found.configured.configurations),
        contenders=contending(found, best),
    )


def searched(asked: Asked) -> tuple[Found, Candidate]:
    """The market looked through for a goal, and the best that meets it. Raises what `answered` does."""
    goal = asked.goal
    offers = offering(goal, asked.market, asked.known)
    usable = {name for name, count in zip(offers.accelerators, offers.counts, strict=True) if name and count <= 1}
    found = search(offers, configured(goal, usable), limits_of(asked))
    if goal.gpu_hours is not None:
        # An hour of another GPU is other work, not this with less asked of it.
        found.relaxed.pop("accelerator", None)
    best = found.best()
    if best is None:
        raise _infeasible(asked, found)
    return found, best


def limits_of(asked: Asked) -> Limits:
    """The goal's constraints as numbers."""
    goal = asked.goal
    hours = inf if goal.within_hours is None else goal.within_hours
    if goal.deadline is not None:
        hours = (goal.deadline - asked.as_of.valid_at).total_seconds() / SECONDS_PER_HOUR
    run, tuning = goal.pretraining, goal.fine_tuning
    return Limits(
        deadline_hours=hours,
        horizon_hours=_horizon(goal) if hours == inf else inf,
        longest_hours=MOST_HOURS,
        most_gpus=goal.most_gpus,
        batch_tokens=run.batch_tokens if run else inf,
        batch_sequences=tuning.batch_sequences if tuning else inf,
        budget=inf if goal.budget is None else float(goal.budget),
        carbon_kg=inf if goal.max_carbon_kg is None else goal.max_carbon_kg,
        confidence=goal.confidence,
        checkpoints=goal.checkpoints,
        currency=goal.currency,
        greener_within=float(goal.greener_within),
        hourly=asked.hourly,
    )


def _horizon(goal: Goal) -> float:
    """Hours that are kept where no deadline is given; of work that says its own hours, the most it may say."""
    stated = goal.gpu_hours is not None or goal.serving is not None
    return MOST_HOURS if stated else HORIZON_HOURS


def _chosen(found: Found, names: tuple[PickName, ...], one: Candidate) -> Chosen:
    spread = found.configured.configurations[one.configuration].spread
    return Chosen(names=names, candidate=described(found, one), cost=one.cost, spread=spread)


def _infeasible(asked: Asked, found: Found) -> Infeasible:
    """Why nothing will do, and the least that would have to give."""
    least = relaxations(found)
    least = (*least, *concessions(asked.goal, asked.market, asked.known, found, least))
    counted = rejected(found)
    words = [_hope(one, asked.goal.currency) for one in least]
    hope = f"it would be met with {', or '.join(words)}" if words else "no one constraint given up alone would do"
    if any(one.constraint == "horizon" for one in counted):
        hope += f"; without a deadline nothing is planned that may take over {found.limits.horizon_hours:.0f} hours"
    return Infeasible(f"nothing meets the goal; {hope} ({_told(counted)})", least, counted)


def _hope(one: Relaxation, currency: str) -> str:
    cost = "" if one.constraint == "budget" else f" for {one.candidate.cost:,.2f} {currency}"
    return f"{one.constraint} {one.needs}{cost}"


def _told(counted: tuple[RejectedOffers, ...]) -> str:
    total = sum(one.offers for one in counted)
    return f"{total} offers: " + ", ".join(f"{one.offers} {one.constraint}" for one in counted)
