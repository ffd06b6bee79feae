"""Hardware: the registry, and the labels feeds use for it."""

from decimal import Decimal
from typing import Annotated

import typer

from pricing_sources.documents import decimal_text
from service.cli.output import AsJson, say, show, table, text
from service.cli.session import session
from service.errors import Invalid
from service.usecases.hardware import get_accelerator, list_accelerators, list_labels, map_label

app = typer.Typer()
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
        rows = [
            (
                one.label,
                one.memory_gb,
                one.accelerator or "?",
                "a person" if one.by_a_person else "the registry" if one.accelerator else "",
                "" if one.accelerator else ", ".join(one.candidates),
                one.series,
                ", ".join(one.sources),
            )
            for one in found
        ]
        table("", ["Label", "#Memory GB", "Accelerator", "Says", "Might be", "#Series", "Sources"], rows)


@app.command("map")
def map_one(
    label: Annotated[str, typer.Argument(help="The label exactly as the feed words it.")],
    accelerator: Annotated[str, typer.Argument(help="Id in the registry, from: costplan accelerators ls")],
    *,
    reason: Annotated[str, typer.Option(help="How you know; kept beside it.")],
    memory_gb: Annotated[str | None, typer.Option(help="The memory the label stands beside, if any.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which accelerator a label means."""
    with session() as opened:
        memory = None if memory_gb is None else _memory(memory_gb)
        found = map_label(opened.store, label, accelerator, reason, now=opened.now(), memory_gb=memory)
        if as_json:
            show(found)
        else:
            say(f"{found.label} is {found.accelerator}")


def _memory(stated: str) -> Decimal:
    try:
        return decimal_text(stated)
    except ValueError as error:
        raise Invalid.field("--memory-gb", f"{error}; give the GB the label stands beside") from error
