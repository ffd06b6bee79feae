"""Hardware: the registry, and the labels feeds use for it."""

from decimal import Decimal
from typing import Annotated

import typer

from pricing_sources.documents import decimal_text
from service.cli.output import AsJson, say, show, table, text
from service.cli.session import session
from service.domain.hardware import LabelInUse
from service.errors import Invalid
from service.usecases.hardware import get_accelerator, list_accelerators, list_labels, map_label, unmap_label

app = typer.Typer()
Label = Annotated[str, typer.Argument(help="The label exactly as the feed words it.")]
Reason = Annotated[str, typer.Option(help="How you know; kept beside it.")]
Memory = Annotated[str | None, typer.Option(help="The memory the label stands beside, if any.")]
Source = Annotated[str | None, typer.Option(help="The feed that words it so; needed where several do.")]
Provider = Annotated[str | None, typer.Option(help="Whose machines; needed where the feed says it of several.")]
Everywhere = Annotated[
    bool, typer.Option("--everywhere", help="Of every feed, now and to come, but those named apart.")
]
SHOWN = {"bandwidth": (1e12, "TB/s"), "tdp": (1.0, "W"), "link": (1e9, "GB/s one way")}


@app.command("ls")
def ls(*, as_json: AsJson = False) -> None:
    """List the accelerators we know."""
    found = list_accelerators()
    if as_json:
        show(found)
        return
    table(
        "",
        ["Accelerator", "Vendor", "Product", "Form factor", "#Memory GB", "#bf16 TFLOP/s", "#TB/s", "#W"],
        [
            (
                one.id,
                one.vendor,
                one.product,
                one.form_factor,
                one.memory_gb,
                *(
                    f"{one.figures[name].value / scale:g}" if name in one.figures else ""
                    for name, scale in (("bf16", 1e12), ("bandwidth", 1e12), ("tdp", 1.0))
                ),
            )
            for one in found
        ],
    )


@app.command("show")
def show_one(accelerator: str, *, as_json: AsJson = False) -> None:
    """Show one accelerator, each figure with where it was read."""
    found = get_accelerator(accelerator)
    if as_json:
        show(found)
        return
    say(f"{found.vendor} {found.product} {found.form_factor}, {found.memory_gb} GB".replace("  ", " "))
    for name, figure in found.figures.items():
        scale, unit = SHOWN.get(name, (1e12, "TFLOP/s dense"))
        say(f"  {name:13}{figure.value / scale:g} {unit}, {figure.source}, read {figure.read_on}")
    for name in sorted(found.unsupported):
        say(f"  {name:13}not supported")
    for label, value in (("released", found.released), ("also called", ", ".join(found.aliases)), ("note", found.note)):
        if value:
            say(f"  {label:13}{text(value)}")


@app.command("labels")
def labels(
    *,
    worklist: Annotated[bool, typer.Option("--worklist", help="Only those that nobody could place yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the labels feeds use; those that mean no single accelerator come first."""
    with session() as opened:
        found = list_labels(opened.store, opened.now(), unresolved_only=worklist)
        if as_json:
            show(found)
            return
        titles = ["Source", "Provider", "Label", "#Memory GB", "#Series", "Accelerator", "Says", "Might be"]
        table("", titles, [_row(one) for one in found])


@app.command("map")
def map_one(
    label: Label,
    accelerator: Annotated[str, typer.Argument(help="Id in the registry, from: costplan accelerators ls")],
    *,
    reason: Reason,
    memory_gb: Memory = None,
    source: Source = None,
    provider: Provider = None,
    everywhere: Everywhere = False,
    as_json: AsJson = False,
) -> None:
    """Say which accelerator a label means, as one feed says it of one provider, or wherever it is said."""
    with session() as opened:
        found = map_label(
            opened.store,
            label,
            accelerator,
            reason,
            now=opened.now(),
            memory_gb=_memory(memory_gb),
            source=source,
            provider=provider,
            everywhere=everywhere,
        )
        _answer(found, as_json=as_json)


@app.command("unmap")
def unmap_one(
    label: Label,
    *,
    reason: Reason,
    memory_gb: Memory = None,
    source: Source = None,
    provider: Provider = None,
    everywhere: Everywhere = False,
    as_json: AsJson = False,
) -> None:
    """Take back what was said of a label; that it was said, and what was planned with it, stays."""
    with session() as opened:
        found = unmap_label(
            opened.store,
            label,
            reason,
            now=opened.now(),
            memory_gb=_memory(memory_gb),
            source=source,
            provider=provider,
            everywhere=everywhere,
        )
        _answer(found, as_json=as_json)


def _row(one: LabelInUse) -> tuple[object, ...]:
    might_be = "" if one.accelerator else ", ".join(one.candidates)
    return one.source, one.provider, one.label, one.memory_gb, one.series, one.accelerator or "?", _says(one), might_be


def _says(one: LabelInUse) -> str:
    if one.decision is None:
        return "the registry" if one.accelerator else ""
    where = "every feed" if one.decision.everywhere else "this one"
    return f"a person, of {where} ({one.covers} series)"


def _memory(stated: str | None) -> Decimal | None:
    if stated is None:
        return None
    try:
        return decimal_text(stated)
    except ValueError as error:
        raise Invalid.field("--memory-gb", f"{error}; give the GB the label stands beside") from error


def _answer(found: LabelInUse, *, as_json: bool) -> None:
    if as_json:
        show(found)
        return
    where = f"where {found.source} says it of {found.provider}" if found.source else "wherever a feed says it"
    meant = f"is {found.accelerator}" if found.accelerator else "is on the worklist"
    by = f"says {_says(found)}" if found.accelerator else ", ".join(found.candidates)
    say(f"{text(found.label)} {meant} {where}; {by}")
