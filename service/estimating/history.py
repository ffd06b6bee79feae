"""One scenario over a period: one pass over the prices, a line priced anew only where its own price moved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from service.domain.as_of import AsOf
from service.domain.cost_history import CostPoint
from service.domain.estimate import PartTotal
from service.domain.price_book import Price, PriceBook, Unpriced
from service.domain.quantities import EXACT, plain, significant, times
from service.domain.rate_card import RateCardInForce
from service.domain.scenario import PartName, Scenario
from service.domain.timelines import Course, Reading, Timeline, best_course
from service.estimating.draft import Draft
from service.estimating.drafts import drafts
from service.estimating.estimate import factor_series
from service.estimating.tags import Tag, Tags
from service.estimating.validation import PARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Everything a scenario's prices did in a period, in one reading."""

    reading: Reading
    known_at: datetime
    timelines: Mapping[str, Timeline]
    """By series."""
    euro_rates: Mapping[str, Sequence[Timeline]]
    """By currency: every series that states its rate per EUR."""
    dollar_rates: Mapping[str, Sequence[Timeline]]
    cards: Sequence[RateCardInForce] = ()
    """The versions of the scenario's rate card, oldest first."""


def change_points(past: Past, start: datetime, end: datetime) -> list[datetime]:
    """`start`, and every moment before `end` at which a price or a rate moved."""
    courses = _Courses(past)
    moments = {moment for course in courses.all() for moment in course.times if start < moment < end}
    for card in past.cards:
        bounds = [bound for entry in card.card.entries for bound in (entry.valid_from, entry.valid_until)]
        known = [card.recorded_at] if past.reading == "known_then" else []
        moments.update(bound for bound in [*bounds, *known] if bound and start < bound < end)
    return sorted({start, *moments})


def cost_points(scenario: Scenario, past: Past, moments: Sequence[datetime]) -> Iterator[CostPoint]:
    """The cost at each moment, in order; at every one what an estimate as of it would say."""
    courses = _Courses(past)
    pass_ = _Pass(scenario, past, courses)
    for moment in moments:
        yield pass_.point(moment)


def rate_books(past: Past, moments: Iterable[datetime]) -> Iterator[PriceBook]:
    """A book of nothing but exchange rates at each moment."""
    courses = _Courses(past)
    for moment in moments:
        euro, dollar = _in_force(courses.euro_rates, moment), _in_force(courses.dollar_rates, moment)
        yield PriceBook(AsOf(moment, past.known_at), {}, euro, dollar)


class _Courses:
    """What was in force when, of everything the past holds."""

    def __init__(self, past: Past) -> None:
        self.prices = {series: line.course(past.reading) for series, line in past.timelines.items()}
        self.euro_rates = _rates(past.euro_rates, past.reading)
        self.dollar_rates = _rates(past.dollar_rates, past.reading)

    def all(self) -> Iterator[Course]:
        """Every course there is."""
        for one in (self.prices, self.euro_rates, self.dollar_rates):
            yield from one.values()


@dataclass(slots=True)
class _Line:
    """A draft and what it costs in its own currency, until its price moves."""

    draft: Draft
    paid: Decimal | None = None
    currency: str = ""
    reason: str = ""


@dataclass(slots=True)
class _Pass:
    """One walk through the moments; holds what is in force, and prices only what moved."""

    scenario: Scenario
    past: Past
    courses: _Courses
    prices: dict[str, Price | Unpriced] = field(default_factory=dict)
    euro_rates: dict[str, Price] = field(default_factory=dict)
    dollar_rates: dict[str, Price] = field(default_factory=dict)
    lines: list[_Line] = field(default_factory=list)
    card: RateCardInForce | None = None
    agreed: tuple[bool, ...] = ()
    why_not: str = ""
    rates: dict[str, Decimal | Unpriced] = field(default_factory=dict)
    paid: dict[tuple[PartName, str], Decimal] = field(default_factory=dict)

    def point(self, moment: datetime) -> CostPoint:
        """The cost at a moment that is not before the last one asked."""
        moved = self._move(self.courses.prices, self.prices, moment)
        if self._move_rates(moment):
            self.rates.clear()
        book = PriceBook(AsOf(moment, self.past.known_at), self.prices, self.euro_rates, self.dollar_rates)
        everything = self._deal_changed(moment) or not self.lines or bool(moved & factor_series(self.scenario))
        if everything:
            self._draft(book)
        if moved or everything:
            self._price(book, moved, everything=everything)
        return self._told(book, moment)

    def _move(self, courses: Mapping[str, Course], into: dict[str, Price | Unpriced], moment: datetime) -> set[str]:
        """Put what is in force into `into`; the names of what is not what it was."""
        moved = set()
        for name, course in courses.items():
            value = course.at(moment) or Unpriced(name, f"no price at {moment.isoformat()}")
            if into.get(name) is not value and into.get(name) != value:
                into[name] = value
                moved.add(name)
        return moved

    def _move_rates(self, moment: datetime) -> bool:
        moved = False
        for courses, rates in (
            (self.courses.euro_rates, self.euro_rates),
            (self.courses.dollar_rates, self.dollar_rates),
        ):
            for currency, course in courses.items():
                value = course.at(moment)
                if not isinstance(value, Price):
                    moved |= rates.pop(currency, None) is not None
                elif rates.get(currency) is not value:
                    rates[currency] = value
                    moved = True
        return moved

    def _deal_changed(self, moment: datetime) -> bool:
        """Find the rate card of this moment; True if it says something else than before."""
        then = self.past.reading == "known_then"
        known = [card for card in self.past.cards if not then or card.recorded_at <= moment]
        card = known[-1] if known else None
        agreed = tuple(entry.is_in_force(moment) for entry in card.card.entries) if card else ()
        changed = (card is not self.card) or (agreed != self.agreed)
        self.card, self.agreed = card, agreed
        return changed

    def _draft(self, book: PriceBook) -> None:
        """The lines anew, for what they multiply may have changed."""
        open_ = [name for name in factor_series(self.scenario) if not isinstance(book.price(name), Price)]
        no_card = self.scenario.rate_card is not None and self.card is None
        self.why_not = f"no rate card {self.scenario.rate_card!r} was known" if no_card else ""
        if open_:
            self.why_not = f"{open_[0]}: {book.price(open_[0]).reason}"  # type: ignore[union-attr]
        found = [] if self.why_not else drafts(self.scenario, Tags(self.scenario, book, self.card).factor)
        self.lines = [_Line(draft) for draft in found]

    def _price(self, book: PriceBook, moved: set[str], *, everything: bool) -> None:
        tags = Tags(self.scenario, book, self.card)
        for line in self.lines:
            if everything or line.draft.price.series in moved:
                _tag(line, tags)
        self.paid = {}
        for line in self.lines:
            if line.paid is not None:
                key = (line.draft.part, line.currency)
                self.paid[key] = EXACT.add(self.paid.get(key, Decimal(0)), line.paid)

    def _told(self, book: PriceBook, moment: datetime) -> CostPoint:
        """The parts, converted: the sum of exact products is the product of the exact sum."""
        missing = {line.draft.part: line.reason for line in self.lines if line.paid is None}
        reasons = [self.why_not] if self.why_not else [line.reason for line in self.lines if line.paid is None]
        costs = {line.draft.part: Decimal(0) for line in self.lines}
        for (part, currency), paid in self.paid.items():
            rate = self._rate(book, currency)
            if isinstance(rate, Unpriced):
                missing[part] = f"{rate.series}: {rate.reason}"
                reasons.append(missing[part])
            else:
                costs[part] = EXACT.add(costs[part], times(paid, rate))
        parts = tuple(
            PartTotal(part=part, cost=plain(costs[part]), lower_bound=part in missing)
            for part in PARTS
            if part in costs
        )
        return CostPoint(
            at=moment,
            total=_total(parts) if any(one.cost or not one.lower_bound for one in parts) else None,
            lower_bound=bool(reasons),
            parts=parts,
            missing=tuple(dict.fromkeys(reasons)),
        )

    def _rate(self, book: PriceBook, currency: str) -> Decimal | Unpriced:
        if currency not in self.rates:
            self.rates[currency] = Tags(self.scenario, book, None).fx_rate(currency)
        return self.rates[currency]


def _tag(line: _Line, tags: Tags) -> None:
    """What the line costs in the currency it is paid in, or why it cannot be said."""
    tag = tags.tag(line.draft)
    if isinstance(tag, Tag):
        line.paid, line.currency = times(significant(line.draft.quantity), tag.paid.amount), tag.paid.currency
        line.reason = ""
    else:
        line.paid, line.reason = None, f"{tag.series}: {tag.reason}"


def _in_force(courses: Mapping[str, Course], moment: datetime) -> dict[str, Price]:
    found = {name: course.at(moment) for name, course in courses.items()}
    return {name: value for name, value in found.items() if isinstance(value, Price)}


def _rates(timelines: Mapping[str, Sequence[Timeline]], reading: Reading) -> dict[str, Course]:
    return {currency: best_course([one.course(reading) for one in lines]) for currency, lines in timelines.items()}


def _total(parts: Sequence[PartTotal]) -> Decimal:
    total = Decimal(0)
    for one in parts:
        total = EXACT.add(total, one.cost)
    return plain(total)
