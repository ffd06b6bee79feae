"""The prices of a planner's question: stated, or looked up in one book, in one currency and unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pricing_sources.units import Unit, UnitMismatch, factor
from service.domain.as_of import AsOf
from service.domain.price_book import FxRate, Price, PriceBook, Unpriced
from service.domain.quantities import plain, times
from service.domain.scenario import FactorInput, PriceInput
from service.errors import Invalid
from service.estimating.validation import number_problems
from service.planning.refusals import refuse
from service.store import prices
from service.store.store import Store
from service.usecases.plan_questions import prices_in


@dataclass(slots=True)
class PlannedPrices:
    """Finds amounts in a book and remembers what it used."""

    book: PriceBook
    currency: str
    used: dict[str, Price] = field(default_factory=dict)
    fx_rates: dict[str, FxRate] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, as_of: AsOf, asked: Any, *more: str) -> "PlannedPrices":
        """The book a question needs. Raises NoData before the first refresh if it names any series or currency."""
        given = list(prices_in(asked))
        series = {*more, *(one.series for one in given if one.series is not None)}
        foreign = any(isinstance(one, PriceInput) and one.currency not in {None, asked.currency} for one in given)
        if not series and not foreign:
            return cls(PriceBook(as_of), asked.currency)
        return cls(store.read(lambda c: prices.price_book(c, as_of, series)), asked.currency)

    def amount(self, where: str, given: PriceInput, unit: Unit) -> Decimal:
        """What one `unit` costs. Raises Invalid naming the field if it has no price, or one per something else."""
        if (given.amount is None) == (given.series is None):
            raise Invalid.field(where, "give either an amount or a series, and not both")
        if given.amount is not None:
            refuse(number_problems(f"{where}.amount", given.amount))
            return self.converted(where, plain(given.amount), given.currency or self.currency)
        found = self.book.price(given.series or "")
        if isinstance(found, Unpriced):
            raise Invalid.field(f"{where}.series", f"{found.series}: {found.reason}; or state an amount")
        return self.of_price(f"{where}.series", found, unit)

    def of_price(self, where: str, found: Price, unit: Unit) -> Decimal:
        """The amount of a price from the store, per `unit`. Raises Invalid."""
        try:
            many = factor(unit, found.unit)
        except UnitMismatch:
            raise Invalid.field(
                where, f"{found.series} is a price per {found.unit}; one per {unit} is needed"
            ) from None
        if found.currency is None:
            raise Invalid.field(where, f"{found.series} is a factor, not a price per {unit}")
        self.used[found.series] = found
        return self.converted(where, times(found.amount, many), found.currency)

    def factor(self, where: str, given: FactorInput | None) -> Decimal:
        """The value of a factor; 1 where none is given. Raises Invalid."""
        if given is None:
            return Decimal(1)
        if (given.value is None) == (given.series is None):
            raise Invalid.field(where, "give either a value or a series, and not both")
        if given.value is not None:
            refuse(number_problems(f"{where}.value", given.value))
            return given.value
        found = self.book.price(given.series or "")
        if isinstance(found, Unpriced) or found.unit is not Unit.RATIO:
            reason = found.reason if isinstance(found, Unpriced) else f"is a price per {found.unit}, not a factor"
            raise Invalid.field(f"{where}.series", f"{given.series}: {reason}; or give a value of your own")
        self.used[found.series] = found
        return found.amount

    def cite(self, store: Store, series: Sequence[str]) -> None:
        """Remember prices that somebody else has used, those of the market per GPU-hour, with their exchange rates."""
        book = store.read(lambda c: prices.price_book(c, self.book.as_of, series))
        also = PlannedPrices(book, self.currency, self.used, self.fx_rates)
        for one in book.prices.values():
            if isinstance(one, Price):
                also.of_price("offers", one, Unit.GPU_HOUR)

    def cited(self) -> tuple[tuple[Price, ...], tuple[FxRate, ...]]:
        """The prices and exchange rates that were used, in the order of their names."""
        prices = tuple(price for _, price in sorted(self.used.items()))
        return prices, tuple(rate for _, rate in sorted(self.fx_rates.items()))

    def converted(self, where: str, amount: Decimal, currency: str) -> Decimal:
        """An amount in the currency of the answer. Raises Invalid if there is no rate."""
        if currency == self.currency:
            return amount
        rate = self.book.fx_rate(currency, self.currency)
        if isinstance(rate, Unpriced):
            raise Invalid.field(where, f"cannot be turned from {currency} into {self.currency}: {rate.reason}")
        self.fx_rates[currency] = rate
        self.used.update({leg.series: leg for leg in rate.legs})
        return times(amount, rate.rate)
