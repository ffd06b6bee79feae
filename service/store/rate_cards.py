"""Every version of every rate card; nothing is overwritten here either."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection

from service.domain.canonical import canonical_bytes
from service.domain.rate_card import RateCard, RateCardInForce
from service.store.tables import rate_card
from service.store.versions import Version, Versions

_CARDS: Final = Versions(rate_card, rate_card.c.rate_card_id, "rate card", "costplan rate-card put")


def add(connection: Connection, card: RateCard, now: datetime) -> RateCardInForce:
    """Keep a version of a card; the version in force said again is no new one."""
    return _in_force(_CARDS.add(connection, card.name, canonical_bytes(card), now))


def known(connection: Connection, name: str, known_at: datetime) -> RateCardInForce:
    """The card as it was known at a moment. Raises NotFound, naming the cards there are."""
    return _in_force(_CARDS.known(connection, name, known_at))


def versions(connection: Connection, name: str, known_at: datetime) -> list[RateCardInForce]:
    """Every version of a card known at a moment, oldest first. Raises NotFound if there is none."""
    return [_in_force(one) for one in _CARDS.until(connection, name, known_at)]


def all_known(connection: Connection, known_at: datetime) -> list[RateCardInForce]:
    """Every card, each in the version known at a moment."""
    return [_in_force(one) for one in _CARDS.all_known(connection, known_at)]


def _in_force(version: Version) -> RateCardInForce:
    card = msgspec.json.decode(version.body, type=RateCard)
    return RateCardInForce(rate_card_id=version.content_id, recorded_at=version.recorded_at, card=card)
