"""What lies ahead, for calendars; and agreements that end soon, for whoever is told of events."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from service.domain.agenda import AgendaItem, Announced
from service.domain.budget import Budget, period_at
from service.domain.canonical import content_id, json_bytes
from service.domain.events import Event
from service.domain.rate_card import RateCardEntry
from service.store import announced, budgets, events, rate_cards
from service.store.store import Store
from service.usecases.budgets import next_runs
from service.usecases.sources import Feed, next_slot

MOST_ANNOUNCED: Final = 200
RUNS_SHOWN: Final = 5
SOON: Final = timedelta(days=30)
"""An agreement that ends within this time is told of."""


def agenda(store: Store, feeds: Sequence[Feed], now: datetime) -> list[AgendaItem]:
    """Next refreshes, runs and ends of budgets, announced prices, agreements that end; soonest first."""
    ahead = store.read(lambda c: announced.announced(c, now, MOST_ANNOUNCED))
    kept = store.read(lambda c: budgets.all_known(c, now))
    found = [
        *_refreshes(feeds, now),
        *(item for one in kept if one.budget.enabled for item in _budget(one.budget, now)),
        *map(_price, ahead),
        *(_ends(card, entry, until) for card, entry, until in _agreements(store, now)),
    ]
    return sorted(found, key=lambda one: (one.at, one.uid))


def tell_expiring(store: Store, now: datetime) -> int:
    """Raise an event for every agreement that ends soon, once; returns how many end soon."""
    found = [_expiring(*one, now) for one in _agreements(store, now) if one[2] <= now + SOON]
    known = store.read(lambda c: events.known(c, [one.uid for one in found])) if found else frozenset()
    new = [one for one in found if one.uid not in known]
    if new:
        store.write(lambda c: events.record(c, new, now))
    return len(found)


def _refreshes(feeds: Sequence[Feed], now: datetime) -> Iterator[AgendaItem]:
    for feed in feeds:
        if feed.enabled and feed.has_key and not feed.info.bundled:
            due = next_slot(feed.info.cadence, now)
            yield AgendaItem(
                uid=f"refresh-{feed.info.id}-{due:%Y%m%dT%H%M}",
                at=due,
                title=f"{feed.info.id} is read",
                text=feed.info.title,
            )


def _budget(budget: Budget, now: datetime) -> Iterator[AgendaItem]:
    name = content_id(budget.name.encode())[:16]
    period = period_at(budget, now)
    if period.end > now:
        text = f"Limit {budget.limit:f} {budget.currency}"
        yield AgendaItem(
            uid=f"budget-{name}-end-{period.end:%Y%m%d}",
            at=period.end,
            title=f"Period of budget {budget.name} ends",
            text=text,
        )
    for due in next_runs(budget, now, RUNS_SHOWN):
        if period.start <= due < period.end:
            yield AgendaItem(
                uid=f"budget-{name}-run-{due:%Y%m%dT%H%M}", at=due, title=f"Budget {budget.name} is priced again"
            )


def _price(one: Announced) -> AgendaItem:
    return AgendaItem(
        uid=f"price-{content_id(one.series.encode())[:16]}-{one.valid_from:%Y%m%dT%H%M}",
        at=one.valid_from,
        title=f"{one.series} becomes {one.amount} {one.currency}".strip(),
        text=f"per {one.unit}; announced",
    )


def _agreements(store: Store, now: datetime) -> Iterator[tuple[str, RateCardEntry, datetime]]:
    """Entries of rate cards that will end, with their card."""
    for held in store.read(lambda c: rate_cards.all_known(c, now)):
        for entry in held.card.entries:
            if entry.valid_until is not None and entry.valid_until > now:
                yield held.card.name, entry, entry.valid_until


def _ends(card: str, entry: RateCardEntry, until: datetime) -> AgendaItem:
    return AgendaItem(
        uid=f"agreement-{_named(card, entry)}-{until:%Y%m%dT%H%M}",
        at=until,
        title=f"Agreement with {entry.provider} ends",
        text=f"Rate card {card}: {entry.sku} {entry.region} {entry.purchase} {entry.note}".strip(),
    )


def _expiring(card: str, entry: RateCardEntry, until: datetime, now: datetime) -> Event:
    days = (until - now).days
    about = "*" if entry.sku == "*" else entry.sku
    return Event(
        type="commitment.expiring",
        subject=card,
        key=f"{_named(card, entry)} {until.isoformat()}",
        occurred_at=now,
        text=f"the agreement with {entry.provider} on {about} in rate card {card} ends in {days} days",
        data=json_bytes({"rate_card": card, "valid_until": until, "entry": entry}),
    )


def _named(card: str, entry: RateCardEntry) -> str:
    words = (card, entry.provider, entry.sku, entry.region, entry.purchase)
    return content_id("\n".join(words).encode())[:16]
