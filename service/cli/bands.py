"""How sure estimates are, and their differences."""

from decimal import Decimal
from typing import Annotated

import typer

from service.cli.history import EstimateName
from service.cli.output import AsJson, money, say, show, table, text
from service.cli.session import session
from service.domain.band import DEFAULT_DRAWS, DEFAULT_SEED, Band, EstimateBand
from service.usecases.bands import estimate_band
from service.usecases.comparisons import difference_band

Draws = Annotated[int, typer.Option(help="0 for the point estimate itself, or 100 to 20,000.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same numbers.")]


def band(
    estimate: EstimateName, *, draws: Draws = DEFAULT_DRAWS, seed: Seed = DEFAULT_SEED, as_json: AsJson = False
) -> None:
    """Show how sure an estimate is, and which inputs make it so."""
    with session() as opened:
        found = estimate_band(opened.store, estimate, draws, seed, now=opened.now())
        if as_json:
            show(found)
        else:
            _tell(found)


def difference(
    before: EstimateName,
    after: EstimateName,
    *,
    draws: Draws = DEFAULT_DRAWS,
    seed: Seed = DEFAULT_SEED,
    as_json: AsJson = False,
) -> None:
    """Show how sure the difference of two estimates is; an input both have is drawn once for both."""
    with session() as opened:
        found = difference_band(opened.store, before, after, draws, seed)
        if as_json:
            show(found)
            return
        say(f"{money(found.point, found.currency)} more")
        one = found.difference
        say(f"P10 {money(one.p10, found.currency)}   P50 {money(one.p50, found.currency)}   "
            f"P90 {money(one.p90, found.currency)}")  # fmt: skip
        say(f"the later one is dearer in {text(100 * found.share_of_draws_dearer)} % of {found.draws} draws")


def band_line(one: Band) -> str:
    """The three numbers in a line."""
    quantiles = (("P10", one.total.p10), ("P50", one.total.p50), ("P90", one.total.p90))
    return "   ".join(f"{name} {money(amount, one.currency)}" for name, amount in quantiles)


def _tell(found: EstimateBand) -> None:
    one = found.band
    say(f"{'at least ' if one.lower_bound else ''}{money(one.point, one.currency)}, the point estimate")
    say(band_line(one))
    say(f"band {found.band_id[:12]}, {one.method}, {one.draws} draws, seed {one.seed}")
    if one.inputs:
        say()
        _tornado(one)
    if one.held_fixed:
        say()
        rows = [(fixed.input, fixed.point, fixed.unit, fixed.reason) for fixed in one.held_fixed]
        table("", ["Held fixed", "#At", "Unit", "Because"], rows)


def _tornado(one: Band) -> None:
    table(
        "",
        ["Input", "#Total at its P10", "#at its P90", "#Swing", "#Of the variance", "Distribution", "From"],
        [
            (
                this.input,
                money(this.total_at_p10, one.currency),
                money(this.total_at_p90, one.currency),
                money(this.swing, one.currency),
                f"{_per_cent(this.variance_share)} %",
                f"{this.distribution} [{this.unit}]",
                this.source,
            )
            for this in one.inputs
        ],
    )


def _per_cent(share: Decimal) -> str:
    return f"{100 * share:.1f}"
