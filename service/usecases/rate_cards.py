"""Your own prices: keep a rate card, see it as it was known at any moment."""

import re
from collections.abc import Iterator
from datetime import datetime

from service.domain.rate_card import RateCard, RateCardEntry, RateCardInForce
from service.errors import FieldProblem
from service.store import rate_cards
from service.store.store import Store
from service.usecases.field_problems import invalid

LONGEST: int = 200
MOST_ENTRIES: int = 10_000


def put_rate_card(store: Store, card: RateCard, *, now: datetime) -> RateCardInForce:
    """Keep a new version of a card; estimates made before keep the version they used. Raises Invalid."""
    if problems := tuple(_problems(card)):
        raise invalid(problems)
    return store.write(lambda c: rate_cards.add(c, card, now))


def get_rate_card(store: Store, name: str, known_at: datetime) -> RateCardInForce:
    """A card as it was known at a moment. Raises NotFound."""
    return store.read(lambda c: rate_cards.known(c, name, known_at))


def list_rate_cards(store: Store, known_at: datetime) -> list[RateCardInForce]:
    """Every card, each in the version known at a moment."""
    return store.read(lambda c: rate_cards.all_known(c, known_at))


def _problems(card: RateCard) -> Iterator[FieldProblem]:
    if not card.name.strip() or len(card.name) > LONGEST:
        yield FieldProblem("name", f"must have 1 to {LONGEST} characters")
    if len(card.entries) > MOST_ENTRIES:
        yield FieldProblem("entries", f"must be at most {MOST_ENTRIES}")
    for number, entry in enumerate(card.entries):
        yield from _entry_problems(f"entries.{number}", entry)


def _entry_problems(where: str, entry: RateCardEntry) -> Iterator[FieldProblem]:
    if (entry.discount is None) == (entry.unit_price is None):
        yield FieldProblem(where, "give either a discount or a unit_price")
    if entry.discount is not None and not 0 <= entry.discount <= 1:
        yield FieldProblem(f"{where}.discount", f"must be 0 to 1 (0.25 is a quarter off), not {entry.discount}")
    if entry.unit_price is not None:
        yield from _price_problems(where, entry)
    for name in ("provider", "sku", "region", "purchase"):
        if not 0 < len(getattr(entry, name)) <= LONGEST:
            yield FieldProblem(f"{where}.{name}", f"must have 1 to {LONGEST} characters; * stands for any")
    for name in ("valid_from", "valid_until"):
        moment: datetime | None = getattr(entry, name)
        if moment is not None and moment.tzinfo is None:
            yield FieldProblem(f"{where}.{name}", "must carry a UTC offset, for example 2026-03-01T00:00:00Z")
            return
    if entry.valid_from and entry.valid_until and entry.valid_until <= entry.valid_from:
        yield FieldProblem(f"{where}.valid_until", "must be after valid_from")


def _price_problems(where: str, entry: RateCardEntry) -> Iterator[FieldProblem]:
    if entry.unit_price is not None and (not entry.unit_price.is_finite() or entry.unit_price < 0):
        yield FieldProblem(f"{where}.unit_price", "must be a number not below zero")
    if entry.currency is None or not re.fullmatch(r"[A-Z]{3}", entry.currency):
        yield FieldProblem(f"{where}.currency", "must be an ISO 4217 code such as USD beside a unit_price")
    if entry.unit is None:
        yield FieldProblem(f"{where}.unit", "is missing beside a unit_price; for example GPU-Hours")
