"""What a scenario cost over a period: as we know it now, or as it was known then."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from service.domain.cost_history import CostEvent, CostHistory, EventKind
from service.domain.price_book import Price
from service.domain.rate_card import RateCardInForce
from service.domain.scenario import Scenario
from service.domain.timelines import Entry, Reading, Timeline
from service.errors import FieldProblem, Invalid
from service.estimating.estimate import currencies_stated, series_needed
from service.estimating.history import Past, change_points, cost_points
from service.estimating.validation import validate
from service.store import rate_cards
from service.store import timelines as log
from service.store.store import Store
from service.usecases.field_problems import invalid
from service.usecases.sources import terms_of

Step = Literal["change", "hour", "day", "week", "month"]
STEPS: Final[tuple[Step, ...]] = ("change", "hour", "day", "week", "month")
MOST_POINTS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` up to, not including, `end`, in steps of the wall clock of a zone."""

    start: datetime
    end: datetime
    step: Step = "day"
    zone: str = "UTC"


def cost_history(store: Store, scenario: Scenario, period: Period, reading: Reading, known_at: datetime) -> CostHistory:
    """One scenario over a period. Every point is what an estimate as of it would say.

    Raises Invalid for a period that cannot be walked, NoData before the first refresh.
    """
    validate(scenario)
    _check(period, reading, known_at)
    past = _past(store, scenario, period, reading, known_at)
    moments = _moments(past, period)
    return CostHistory(
        scenario=scenario,
        currency=scenario.currency,
        start=period.start,
        end=period.end,
        step=period.step,
        reading=reading,
        known_at=past.known_at,
        points=tuple(cost_points(scenario, past, moments)),
        events=tuple(sorted(_events(past, period), key=lambda one: (one.at, one.series))),
        terms=terms_of(store, past.timelines),
    )


def exchange_rates(
    store: Store, currencies: Collection[str], start: datetime, end: datetime, known_at: datetime
) -> Past:
    """How these currencies went in a period, as known at a moment, and nothing else. Raises NoData."""
    span = store.read(lambda c: log.span(c, start, end, "known_now", known_at))
    euro_rates, dollar_rates = store.read(lambda c: log.fx_timelines(c, {*currencies, "USD"}, span))
    return Past(
        reading="known_now",
        known_at=span.mark.recorded_at,
        timelines={},
        euro_rates=euro_rates,
        dollar_rates=dollar_rates,
    )


def _past(store: Store, scenario: Scenario, period: Period, reading: Reading, known_at: datetime) -> Past:
    """Everything the period needs; the span pins the log, so that several reads see one state of it."""
    span = store.read(lambda c: log.span(c, period.start, period.end, reading, known_at))
    prices = store.read(lambda c: log.timelines(c, series_needed(scenario), span))
    cards = _cards(store, scenario, known_at)
    currencies = {scenario.currency, *currencies_stated(scenario), *_currencies(prices, cards)}
    crossed = currencies | {"USD"} if len(currencies) > 1 else set()
    euro_rates, dollar_rates = store.read(lambda c: log.fx_timelines(c, crossed, span))
    return Past(
        reading=reading,
        known_at=max([span.mark.recorded_at, *(card.recorded_at for card in cards)]),
        timelines=prices,
        euro_rates=euro_rates,
        dollar_rates=dollar_rates,
        cards=cards if reading == "known_then" else cards[-1:],
    )


def _cards(store: Store, scenario: Scenario, known_at: datetime) -> list[RateCardInForce]:
    name = scenario.rate_card
    return store.read(lambda c: rate_cards.versions(c, name, known_at)) if name else []


def _currencies(prices: Mapping[str, Timeline], cards: Sequence[RateCardInForce]) -> set[str]:
    listed = {
        entry.price.currency for line in prices.values() for entry in line.entries if isinstance(entry.price, Price)
    }
    return {one for one in listed | {entry.currency for card in cards for entry in card.card.entries} if one}


def _check(period: Period, reading: Reading, known_at: datetime) -> None:
    problems = [
        FieldProblem(name, "must carry a UTC offset, for example 2026-03-01T00:00:00Z")
        for name in ("start", "end")
        if getattr(period, name).tzinfo is None
    ]
    if period.step not in STEPS:
        problems.append(FieldProblem("step", f"must be one of {', '.join(STEPS)}, not {period.step!r}"))
    if period.zone not in available_timezones():
        problems.append(FieldProblem("zone", f"{period.zone!r} is no IANA time zone; for example Europe/Berlin"))
    if not problems and period.start >= period.end:
        problems.append(FieldProblem("end", "must be after start"))
    if not problems and reading == "known_then" and period.end > known_at + timedelta(days=1):
        problems.append(FieldProblem("end", "lies in the future; nobody knows yet what will be known then"))
    if problems:
        raise invalid(problems)


def _moments(past: Past, period: Period) -> Sequence[datetime]:
    found: list[datetime] = []
    steps = change_points(past, period.start, period.end) if period.step == "change" else _steps(period)
    for moment in steps:
        found.append(moment)
        if len(found) > MOST_POINTS:
            raise Invalid.field("step", f"makes more than {MOST_POINTS} points; ask for a longer step")
    return found


def _steps(period: Period) -> Iterator[datetime]:
    """The wall clock of the zone in steps: a day is a day, with 23 hours or 25."""
    zone = ZoneInfo(period.zone)
    start = period.start.astimezone(zone).replace(tzinfo=None)
    number, moment = 0, period.start
    while moment < period.end:
        yield moment
        number += 1
        if period.step == "hour":
            moment = period.start + timedelta(hours=number)
        else:
            moment = _on(start, number, period.step).replace(tzinfo=zone).astimezone(period.start.tzinfo)


def _on(start: datetime, number: int, step: Step) -> datetime:
    if step != "month":
        return start + timedelta(days=number * (7 if step == "week" else 1))
    year, month = divmod(start.year * 12 + start.month - 1 + number, 12)
    first = start.replace(year=year, month=month + 1, day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first.replace(day=min(start.day, (following - timedelta(days=1)).day))


def _events(past: Past, period: Period) -> Iterator[CostEvent]:
    """What happened to each price, every row beside the one it follows or restates."""
    for line in past.timelines.values():
        for before, entry in pairwise(line.entries):
            kind = _kind(before, entry)
            then = past.reading == "known_then" or kind == "correction"
            at = max(entry.valid_from, entry.recorded_at) if then else entry.valid_from
            if kind is not None and period.start < at < period.end:
                yield _event(at, kind, line.series, before, entry)


def _kind(before: Entry, entry: Entry) -> EventKind | None:
    """What a row means; None for one that changes no amount."""
    was, now = before.price, entry.price
    if isinstance(was, Price) != isinstance(now, Price):
        return "priced" if isinstance(now, Price) else "gap"
    if not isinstance(was, Price) or not isinstance(now, Price):
        return None
    if (was.amount, was.currency) == (now.amount, now.currency):
        return None
    if entry.change != "observed":
        return "correction"
    return "announced" if entry.recorded_at < entry.valid_from else "price_change"


def _event(at: datetime, kind: EventKind, series: str, before: Entry, entry: Entry) -> CostEvent:
    was, now = (one.price if isinstance(one.price, Price) else None for one in (before, entry))
    priced = now or was
    return CostEvent(
        at=at,
        kind=kind,
        series=series,
        amount_before=was.amount if was else None,
        amount_after=now.amount if now else None,
        currency=priced.currency if priced else None,
        unit=priced.unit.value if priced else "",
        valid_from=entry.valid_from,
        recorded_at=entry.recorded_at,
        document_sha256=priced.citation.document_sha256 if priced else "",
    )
