"""What the store knows about a goal: the market, its hardware by id, exchange rates, interruptions, and own prices."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

import numpy as np

from pricing_sources.accelerators import resolve
from pricing_sources.observation import key_of
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.goal import Goal, OwnMachines
from service.domain.hardware import Wording
from service.domain.market import Market, Words
from service.domain.price_book import PriceBook, Unpriced
from service.domain.rate_card import RateCard, RateCardInForce
from service.domain.scenario import TariffHours
from service.errors import Invalid
from service.estimating.draft import NEUTRAL
from service.planning.answering import Asked
from service.planning.by_the_hour import electricity_by_hour, weekly_mean
from service.planning.offering import HOURS_PER_MONTH, HOURS_PER_YEAR, Known, OwnOffer
from service.store import hardware, offers, prices, rate_cards
from service.store.store import Store
from service.usecases.goal_checks import accelerator_named, wanted
from service.usecases.plan_questions import prices_in
from service.usecases.planned_prices import PlannedPrices

OWN: Final = "own"
"""First segment of the key of one's own hardware."""


def asked_of(store: Store, goal: Goal, question: AsOf) -> Asked:
    """Everything a goal's answer depends on. Raises Invalid for prices that are none, NoData before the first."""
    series = {one.series for one in prices_in(goal) if one.series is not None}
    book = store.read(lambda c: prices.price_book(c, question, series))
    card = _card(store, goal, question)
    said = store.read(lambda c: hardware.last_decided(c, question.known_at))
    # The latest of all that was used, so that asking again with the plan's own clocks finds the same.
    later = [moment for moment in (card.recorded_at if card else None, said) if moment is not None]
    as_of = replace(book.as_of, known_at=max([book.as_of.known_at, *later]))
    found = PlannedPrices(book, goal.currency)
    market = store.read(lambda c: offers.market(c, as_of.valid_at, as_of.known_at))
    if card is not None:
        market = _agreed(market, card.card, as_of)
    known = Known(
        accelerators=_accelerators(store, market, as_of),
        wanted=tuple(sorted({one for pattern in goal.accelerators for one in wanted(pattern)})),
        rates=_rates(market, book, goal.currency),
        interrupted=store.read(lambda c: offers.interruption_shares(c, as_of.valid_at, as_of.known_at)),
        egress=_egress(goal, found),
        own=tuple(_own(one, number, found, as_of.valid_at) for number, one in enumerate(goal.own)),
    )
    return Asked(goal=goal, as_of=as_of, market=market, known=known, hourly=_hourly(goal, found))


def own_key(one: OwnMachines) -> str:
    """What stands for a price's series where the hardware is one's own."""
    return key_of(OWN, one.name)


def _card(store: Store, goal: Goal, question: AsOf) -> RateCardInForce | None:
    name = goal.rate_card
    return None if name is None else store.read(lambda c: rate_cards.known(c, name, question.known_at))


def _agreed(market: Market, card: RateCard, as_of: AsOf) -> Market:
    """The market at the prices of a rate card: the first entry that covers an offer counts, as in an estimate."""
    amounts, currencies = market.prices.copy(), np.array(market.currencies.column(), dtype=object)
    for entry in reversed([one for one in card.entries if one.is_in_force(as_of.valid_at)]):
        covered = np.ones(len(market), bool)
        for column, pattern in (
            (market.providers, entry.provider),
            (market.skus, entry.sku),
            (market.regions, entry.region),
            (market.purchases, entry.purchase),
        ):
            covered &= column.spread(fnmatchcase(word, pattern) for word in column.words)
        if entry.discount is not None:
            amounts[covered] = market.prices[covered] * float(1 - entry.discount)
            currencies[covered] = np.array(market.currencies.column(), dtype=object)[covered]
        elif entry.unit_price is not None and entry.unit is Unit.GPU_HOUR:
            amounts[covered], currencies[covered] = float(entry.unit_price), entry.currency
        else:
            amounts[covered] = np.nan
    return replace(market, prices=amounts, currencies=Words.of(currencies))


def _accelerators(store: Store, market: Market, as_of: AsOf) -> dict[object, str]:
    decided = store.read(lambda c: hardware.decided(c, as_of.known_at))
    found: dict[object, str] = {}
    for words in market.labels.words:
        label, source, provider, memory = words
        wording = Wording(label, Decimal(memory) if memory else None, source, provider)
        said = decided.get(wording) or decided.get(wording.everywhere)
        match = resolve(label, memory_gb=wording.memory_gb, provider=provider).accelerator
        found[words] = said.accelerator if said else match.id if match else ""
    return found


def _rates(market: Market, book: PriceBook, currency: str) -> dict[str, float]:
    found = {currency: 1.0}
    for one in market.currencies.words:
        rate = book.fx_rate(one, currency) if one and one != currency else None
        if rate is not None and not isinstance(rate, Unpriced):
            found[one] = float(rate.rate)
    return found


def _egress(goal: Goal, found: PlannedPrices) -> float:
    if goal.data is None:
        return 0.0
    return float(found.amount("data.egress", goal.data.egress, Unit.TB) * goal.data.volume_tb)


def _hourly(goal: Goal, found: PlannedPrices) -> float:
    hourly = 0.0
    if goal.storage is not None:
        month = found.amount("storage.price", goal.storage.price, Unit.TB_MONTH) * goal.storage.volume_tb
        hourly += float(month) / HOURS_PER_MONTH
    if goal.staff is not None:
        year = found.amount("staff.salary", goal.staff.salary, Unit.PERSON_YEAR) * goal.staff.people
        loading = found.factor("staff.loading", goal.staff.loading) if goal.staff.loading else NEUTRAL.value
        hourly += float(year * loading) / HOURS_PER_YEAR
    return hourly


def _own(one: OwnMachines, number: int, found: PlannedPrices, valid_at: datetime) -> OwnOffer:
    where = f"own.{number}"
    gpu_hour = found.amount(f"{where}.gpu_hour", one.gpu_hour, Unit.GPU_HOUR)
    kwh = one.power_kw * found.factor(f"{where}.pue", one.pue)
    by_hour = None
    if one.electricity_tariff is not None:
        prices = _window_prices(one.electricity_tariff, f"{where}.electricity_tariff", found)
        electricity = weekly_mean(one.electricity_tariff, prices)
        by_hour = electricity_by_hour(one.electricity_tariff, prices, kwh, valid_at)
    elif one.electricity is not None:
        electricity = found.amount(f"{where}.electricity", one.electricity, Unit.KWH)
    else:
        raise Invalid.field(f"{where}.electricity", "is missing; or give electricity_tariff")
    return OwnOffer(
        key=own_key(one),
        name=one.name,
        accelerator=accelerator_named(one.accelerator) or "",
        gpus=one.gpus,
        gpus_per_machine=one.gpus_per_machine,
        price=float(gpu_hour + kwh * electricity),
        electricity=float(electricity),
        kwh_per_gpu_hour=float(kwh),
        region=one.region,
        by_hour=by_hour,
    )


def _window_prices(tariff: TariffHours, where: str, found: PlannedPrices) -> list[Decimal]:
    """Of each window and, last, of all other hours [currency/kWh]."""
    named = [(f"{where}.windows.{number}.price", one.price) for number, one in enumerate(tariff.windows)]
    return [found.amount(place, price, Unit.KWH) for place, price in (*named, (f"{where}.otherwise", tariff.otherwise))]
