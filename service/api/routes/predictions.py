"""Predictions of one case, and how right they are over a table of facts."""

from typing import Annotated

from fastapi import Body, Response

from service.api.prediction_examples import (
    PREDICT_FINE_TUNING,
    PREDICT_INFERENCE,
    PREDICT_MEMORY,
    PREDICT_TRAINING,
)
from service.api.tables import CSV_BODY, TableSent
from service.api.wire import answer, door
from service.domain.prediction import Prediction
from service.domain.prediction_spec import FineTuningSpec, InferenceSpec, MemorySpec, TrainingSpec
from service.errors import Invalid
from service.estimating.accuracy.report import ValidationReport, ValidationSummary
from service.usecases.predictions import predict_fine_tuning, predict_inference, predict_memory, predict_training
from service.usecases.validation import summarise_validations, validate_predictions, validate_published

router = door("predictions")


@router.post("/predictions/training", response_model=Prediction, summary="Predict a training run")
def training(asked: Annotated[TrainingSpec, Body(openapi_examples=PREDICT_TRAINING)]) -> Response:
    """Hours, energy and memory from architecture, tokens and hardware, with an interval and every step."""
    return answer(predict_training(asked))


@router.post("/predictions/inference", response_model=Prediction, summary="Predict a service")
def inference(asked: Annotated[InferenceSpec, Body(openapi_examples=PREDICT_INFERENCE)]) -> Response:
    """Speed over batch, accelerator-hours per million tokens of each kind, and the fleet for its users."""
    return answer(predict_inference(asked))


@router.post("/predictions/fine-tuning", response_model=Prediction, summary="Predict what comes after pre-training")
def fine_tuning(asked: Annotated[FineTuningSpec, Body(openapi_examples=PREDICT_FINE_TUNING)]) -> Response:
    """Hours and memory of full fine-tuning, LoRA, QLoRA, preference optimisation and RL with rollouts."""
    return answer(predict_fine_tuning(asked))


@router.post("/predictions/memory", response_model=Prediction, summary="Predict whether it fits")
def memory(asked: Annotated[MemorySpec, Body(openapi_examples=PREDICT_MEMORY)]) -> Response:
    """Memory by component, whether it fits, and what would."""
    return answer(predict_memory(asked))


@router.get("/validations", response_model=ValidationSummary, summary="How right the predictions are")
def summary() -> Response:
    """Every kind of prediction over the published facts that are shipped, beside naive baselines, with its sources."""
    return answer(summarise_validations())


@router.get("/validations/{table}", response_model=ValidationReport, summary="How right one kind of prediction is")
def published(table: str) -> Response:
    """The predictions over the published facts that are shipped: training, mfu, inference or epoch."""
    return answer(validate_published(table))


@router.post(
    "/validations/{table}", response_model=ValidationReport, openapi_extra=CSV_BODY, summary="Check the predictions"
)
def validate(table: str, sent: TableSent) -> Response:
    """Predict every row of a CSV of published facts (training, mfu, inference or epoch), and say how far off that is.

    Rows that lack what a prediction needs are listed, never guessed.
    """
    try:
        text = sent.decode()
    except UnicodeDecodeError as error:
        raise Invalid.field("body", f"is not UTF-8 text: {error.reason} at byte {error.start}") from None
    return answer(validate_predictions(table, text))
