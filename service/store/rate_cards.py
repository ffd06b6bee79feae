"""Every version of every rate card; nothing is overwritten here either."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select

from service.domain.canonical import canonical_bytes, content_id
from service.domain.rate_card import RateCard, RateCardInForce
from service.errors import NotFound
from service.store.head import next_moment
from service.store.tables import rate_card


def add(connection: Connection, card: RateCard, now: datetime) -> RateCardInForce:
    """Keep a version of a card; the version in force said again is no new one."""
    body = canonical_bytes(card)
    newest = _newest(connection, card.name, now)
    if newest is not None and newest.rate_card_id == content_id(body):
        return _in_force(newest)
    recorded_at = next_moment(connection, now)
    connection.execute(
        insert(rate_card).values(name=card.name, recorded_at=recorded_at, rate_card_id=content_id(body), body=body)
    )
    return RateCardInForce(rate_card_id=content_id(body), recorded_at=recorded_at, card=card)


def known(connection: Connection, name: str, known_at: datetime) -> RateCardInForce:
    """The card as it was known at a moment. Raises NotFound, naming the cards there are."""
    found = _newest(connection, name, known_at)
    if found is None:
        names = connection.scalars(select(rate_card.c.name).distinct().order_by(rate_card.c.name)).all()
        there = f"there are {', '.join(names)}" if names else "none is kept yet; see: costplan rate-card put"
        raise NotFound(f"there is no rate card {name!r} known at {known_at.isoformat()}; {there}")
    return _in_force(found)


def versions(connection: Connection, name: str, known_at: datetime) -> list[RateCardInForce]:
    """Every version of a card known at a moment, oldest first. Raises NotFound if there is none."""
    newest = known(connection, name, known_at)
    before = select(rate_card).where(rate_card.c.name == name, rate_card.c.recorded_at < newest.recorded_at)
    return [*map(_in_force, connection.execute(before.order_by(rate_card.c.recorded_at))), newest]


def all_known(connection: Connection, known_at: datetime) -> list[RateCardInForce]:
    """Every card, each in the version known at a moment."""
    newest = (
        select(rate_card.c.name, func.max(rate_card.c.recorded_at).label("recorded_at"))
        .where(rate_card.c.recorded_at <= known_at)
        .group_by(rate_card.c.name)
        .subquery()
    )
    same = (rate_card.c.name == newest.c.name) & (rate_card.c.recorded_at == newest.c.recorded_at)
    rows = connection.execute(select(rate_card).join(newest, same).order_by(rate_card.c.name))
    return [_in_force(row) for row in rows]


def _newest(connection: Connection, name: str, known_at: datetime) -> Row[Any] | None:
    return connection.execute(
        select(rate_card)
        .where(rate_card.c.name == name, rate_card.c.recorded_at <= known_at)
        .order_by(rate_card.c.recorded_at.desc())
        .limit(1)
    ).one_or_none()


def _in_force(row: Row[Any]) -> RateCardInForce:
    return RateCardInForce(
        rate_card_id=row.rate_card_id,
        recorded_at=row.recorded_at,
        card=msgspec.json.decode(row.body, type=RateCard),
    )
