"""Predicting one case: a training run, a service, what comes after pre-training, or whether it fits."""

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.files import text_of
from service.cli.output import AsJson, say, show, table
from service.domain.prediction import PredictedFigure, Prediction
from service.usecases.predictions import predict_fine_tuning, predict_inference, predict_memory, predict_training
from service.usecases.scenario_files import read_prediction_spec, with_config

app = typer.Typer()

SpecFile = Annotated[Path, typer.Argument(metavar="SPEC.yaml", help="YAML or JSON; - reads standard input.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="CONFIG.json", help="The config.json of the model, instead of a name."),
]


@app.command("training")
def training(file: SpecFile, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Predict a pre-training run: hours, energy, memory."""
    _show(predict_training(_spec("training", file, config)), as_json=as_json)


@app.command("inference")
def inference(file: SpecFile, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Predict a service: speed over batch, accelerator-hours per million tokens, the fleet."""
    _show(predict_inference(_spec("inference", file, config)), as_json=as_json)


@app.command("fine-tuning")
def fine_tuning(file: SpecFile, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Predict what comes after pre-training: full, LoRA, QLoRA, preferences, RL with rollouts."""
    _show(predict_fine_tuning(_spec("fine-tuning", file, config)), as_json=as_json)


@app.command("memory")
def memory(file: SpecFile, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Predict what takes how much memory, and whether it fits."""
    _show(predict_memory(_spec("memory", file, config)), as_json=as_json)


def _spec(kind: str, file: Path, config: Path | None) -> Any:
    """The spec; the llm of one may be the path of a config.json, from where the spec lies."""
    spec: Any = read_prediction_spec(kind, text_of(file, "SPEC"))
    if config is None and spec.llm is not None and spec.llm.endswith(".json"):
        config = (Path() if str(file) == "-" else file.parent) / spec.llm
    if config is None:
        return spec
    return with_config(spec, text_of(config, "CONFIG"), config.parent.name or config.stem)


def _show(made: Prediction, *, as_json: bool) -> None:
    if as_json:
        show(made)
        return
    say(f"{made.kind} of {made.llm} on {made.accelerator}; the interval holds four times out of five")
    say()
    table("", ["Figure", "#Central", "#Low", "#High", "Unit"], [_line(one) for one in made.figures])
    _memory(made)
    _curve(made)
    say()
    rows = [(one.name, f"{one.value:.4g}", one.unit, one.formula, one.because) for one in made.steps]
    table("", ["Step", "#Value", "Unit", "Formula", "Because"], rows)
    say()
    facts = [(one.name, _number(one.value), one.unit, one.source, one.read_on) for one in made.facts]
    table("", ["Fact", "#Value", "Unit", "Source", "Read on"], facts)
    for warning in made.warnings:
        say(f"note: {warning}")


def _line(one: PredictedFigure) -> tuple[str, ...]:
    ends = ("" if end is None else f"{end:,.4g}" for end in (one.low, one.high))
    return (one.name, f"{one.central:,.4g}", *ends, one.unit)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _memory(made: Prediction) -> None:
    if made.memory is None:
        return
    fit = made.memory
    say()
    rows = [(name, f"{size / 1e9:.2f}") for name, size in fit.components.items()]
    table("", ["Memory of one accelerator", "#GB"], [*rows, ("reserved", f"{fit.reserved / 1e9:.2f}")])
    fits = "it fits" if fit.fits else f"it does not fit; {fit.advice}"
    say(f"{fit.share:.0%} of {fit.memory / 1e9:.0f} GB ({fit.formula}): {fits}")


def _curve(made: Prediction) -> None:
    if made.curve:
        say()
        columns = ["#Batch", "#Tokens/s and accelerator", "#ms per token", "#ms to first", "#GPU-h per 1M", "In time"]
        rows = [
            (
                f"{one.batch:g}",
                f"{one.output_tokens_per_second:,.0f}",
                f"{one.time_per_output_token_ms:.1f}",
                f"{one.time_to_first_token_ms:.0f}",
                f"{one.output_accelerator_hours:.3g}",
                one.within_limits,
            )
            for one in made.curve
        ]
        table("", columns, rows)
