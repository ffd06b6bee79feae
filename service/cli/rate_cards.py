"""Your own prices: contracts, discounts, own hardware."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.files import text_of
from service.cli.output import AsJson, say, show, table, text
from service.cli.prices import KnownAt
from service.cli.session import moment, session
from service.domain.rate_card import RateCardInForce
from service.usecases.prices import as_of
from service.usecases.rate_cards import get_rate_card, list_rate_cards, put_rate_card
from service.usecases.scenario_files import read_rate_card

app = typer.Typer()


@app.command("put")
def put(
    file: Annotated[Path, typer.Argument(help="A rate card in YAML or JSON; - reads standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Keep a new version of a rate card; estimates made before keep theirs."""
    card = read_rate_card(text_of(file, "FILE"))
    with session() as opened:
        _show(put_rate_card(opened.store, card, now=opened.now()), as_json=as_json)


@app.command("show")
def show_one(name: str, *, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Show a rate card, as it was known at a moment."""
    with session() as opened:
        question = as_of(opened.now(), None, moment("--known-at", known_at))
        _show(get_rate_card(opened.store, name, question.known_at), as_json=as_json)


@app.command("ls")
def ls(*, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """List rate cards."""
    with session() as opened:
        question = as_of(opened.now(), None, moment("--known-at", known_at))
        found = list_rate_cards(opened.store, question.known_at)
        if as_json:
            show(found)
        else:
            rows = [(one.card.name, len(one.card.entries), one.recorded_at, one.rate_card_id[:12]) for one in found]
            table("", ["Rate card", "#Entries", "Recorded", "Version"], rows)


def _show(found: RateCardInForce, *, as_json: bool) -> None:
    if as_json:
        show(found)
        return
    say(f"rate card {found.card.name}, version {found.rate_card_id[:12]}, recorded {text(found.recorded_at)}")
    rows = [
        (
            entry.provider,
            entry.sku,
            entry.region,
            entry.purchase,
            f"{entry.discount:%} off" if entry.discount is not None else "",
            f"{text(entry.unit_price)} {entry.currency} per {entry.unit}" if entry.unit_price is not None else "",
            entry.valid_from,
            entry.valid_until,
            entry.note or entry.own_key or "",
        )
        for entry in found.card.entries
    ]
    table("", ["Provider", "SKU", "Region", "Purchase", "#Discount", "#Price", "From", "Until", "Note"], rows)
