"""Prices: now, at a moment, as known at a moment."""

from typing import Annotated

import typer

from pricing_sources.observation import Kind
from service.cli.output import AsJson, say, show, table, text
from service.cli.session import moment, session
from service.cli.terms import cite
from service.domain.price_book import Terms
from service.store.prices import PriceFilter
from service.usecases.prices import as_of, get_price, price_history, search_prices
from service.usecases.sources import list_disagreements, terms_of

app = typer.Typer()

ValidAt = Annotated[str | None, typer.Option(help="Prices in force at this moment (RFC 3339); now if absent.")]
KnownAt = Annotated[str | None, typer.Option(help="Using only what was known at this moment; now if absent.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Most rows to show.")]


@app.command("ls")
def ls(
    words: Annotated[str, typer.Argument(metavar="[TEXT]", help="Part of a series, accelerator, area or name.")] = "",
    *,
    kind: Annotated[Kind | None, typer.Option(help="Only this kind.")] = None,
    source: Annotated[str, typer.Option(help="Only this source.")] = "",
    valid_at: ValidAt = None,
    known_at: KnownAt = None,
    limit: Limit = 50,
    after: Annotated[str, typer.Option(help="Continue after this series.")] = "",
    as_json: AsJson = False,
) -> None:
    """List prices in force."""
    with session() as opened:
        question = as_of(opened.now(), moment("--valid-at", valid_at), moment("--known-at", known_at))
        wanted = PriceFilter(kind=kind, source=source, text=words, limit=limit, after=after)
        page = search_prices(opened.store, question, wanted)
        if as_json:
            show(page)
            return
        table(
            "",
            ["Series", "#Price", "Currency", "Per", "Since", "Learned"],
            [(one.series, one.amount, one.currency, one.unit, one.valid_from, one.recorded_at) for one in page.prices],
        )
        if page.next_after:
            say(f"more: --after {page.next_after}")
        cite(Terms.cited(one.citation for one in page.prices))


@app.command("disagreements")
def disagreements(
    *,
    source: Annotated[str, typer.Option(help="Only those this source is part of.")] = "",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List offers that two feeds price differently, widest apart first."""
    with session() as opened:
        found = list_disagreements(opened.store, source=source, limit=limit)
        stated = terms_of(opened.store, (key for one in found for key in (one.series, one.other_series)))
        if as_json:
            show({"disagreements": found, "terms": stated})
            return
        rows = [
            (one.series, one.amount, one.other_series, one.other_amount, one.currency, f"{one.share:.1%}")
            for one in found
        ]
        table("", ["Series", "#Price", "Also", "#There", "Currency", "#Apart"], rows)
        cite(stated)


@app.command("show")
def show_one(series: str, *, valid_at: ValidAt = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Show one price and where it came from."""
    with session() as opened:
        question = as_of(opened.now(), moment("--valid-at", valid_at), moment("--known-at", known_at))
        price = get_price(opened.store, question, series)
        if as_json:
            show(price)
            return
        cited = price.citation
        say(f"{text(price.amount)} {price.currency or ''} per {price.unit}".replace("  ", " "))
        for label, value in (
            ("series", price.series),
            ("published as", f"{cited.published_amount} ({cited.published_unit})"),
            ("in force since", price.valid_from),
            ("learned", price.recorded_at),
            ("last checked", price.checked_at),
            ("status", f"{price.status} {price.vintage}".strip()),
            ("publisher", cited.publisher),
            ("licence", cited.licence),
            ("attribution", cited.attribution),
            ("document", cited.document_sha256),
            ("from", cited.document_url),
            ("fetched", cited.fetched_at),
            ("where in it", cited.locator),
            ("read on", cited.reference_url),
            ("note", price.note),
        ):
            if value:
                say(f"  {label:15}{text(value)}")
        if cited.republish is False:
            say("  licence         for your own use only: not to be republished")
        for one in list_disagreements(opened.store, series=series):
            other, amount = (one.other_series, one.other_amount) if one.series == series else (one.series, one.amount)
            say(f"  disagrees      {other}: {text(amount)}, {one.share:.1%} apart")


@app.command("history")
def history(series: str, *, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Show every price of a series, corrections included."""
    with session() as opened:
        question = as_of(opened.now(), None, moment("--known-at", known_at))
        points = price_history(opened.store, series, question.known_at)
        stated = terms_of(opened.store, [series])
        if as_json:
            show({"series": series, "known_at": question.known_at, "points": points, "terms": stated})
            return
        table(
            "",
            ["Since", "#Price", "Currency", "Per", "Change", "Status", "Learned", "By", "Document"],
            [
                (
                    one.valid_from,
                    one.amount,
                    one.currency,
                    one.unit,
                    one.change,
                    one.status,
                    one.recorded_at,
                    one.trigger,
                    one.document_sha256[:12],
                )
                for one in points
            ],
        )
        cite(stated)
