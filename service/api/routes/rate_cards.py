"""Rate cards: your own prices, laid over the public book."""

from typing import Annotated

from fastapi import Body, Response

from service.api.deps import AsOfDep, NowDep, StoreDep
from service.api.examples import RATE_CARDS
from service.api.shapes import RateCardList
from service.api.wire import answer, door
from service.domain.rate_card import RateCard, RateCardInForce
from service.usecases.rate_cards import get_rate_card, list_rate_cards, put_rate_card

router = door("rate cards")


@router.post("/rate-cards", status_code=201, response_model=RateCardInForce, summary="Keep a rate card")
def put(store: StoreDep, now: NowDep, card: Annotated[RateCard, Body(openapi_examples=RATE_CARDS)]) -> Response:
    """Keep a new version of a card; estimates made before keep the version they used."""
    stored = put_rate_card(store, card, now=now)
    return answer(stored, 201, {"Location": f"/api/v1/rate-cards/{card.name}"})


@router.get("/rate-cards", response_model=RateCardList, summary="List rate cards")
def cards(store: StoreDep, question: AsOfDep) -> Response:
    """Every card, each in the version known at `known_at`."""
    return answer(RateCardList(rate_cards=tuple(list_rate_cards(store, question.known_at))))


@router.get("/rate-cards/{name}", response_model=RateCardInForce, summary="Get one rate card")
def card(store: StoreDep, question: AsOfDep, name: str) -> Response:
    """A card as it was known at `known_at`."""
    return answer(get_rate_card(store, name, question.known_at))
