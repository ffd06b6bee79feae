"""Predict one case: a training run, a service, what comes after pre-training, or whether it fits."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from service.domain.prediction import Prediction
from service.domain.prediction_spec import FineTuningSpec, InferenceSpec, MemorySpec, TrainingSpec
from service.estimating.predicting.fine_tuning import predict_fine_tuning_of
from service.estimating.predicting.inference import predict_inference_of
from service.estimating.predicting.memory import predict_memory_of
from service.estimating.predicting.training import predict_training_of

Spec = TrainingSpec | InferenceSpec | FineTuningSpec | MemorySpec
SPECS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {"training": TrainingSpec, "inference": InferenceSpec, "fine-tuning": FineTuningSpec, "memory": MemorySpec}
)
"""Kinds of predictions, and what each is asked with."""


def predict_training(spec: TrainingSpec) -> Prediction:
    """Predict a pre-training run. Raises Invalid naming every impossible field."""
    return predict_training_of(spec)


def predict_inference(spec: InferenceSpec) -> Prediction:
    """Predict a service. Raises Invalid naming every impossible field."""
    return predict_inference_of(spec)


def predict_fine_tuning(spec: FineTuningSpec) -> Prediction:
    """Predict hours and memory of what comes after pre-training. Raises Invalid naming every impossible field."""
    return predict_fine_tuning_of(spec)


def predict_memory(spec: MemorySpec) -> Prediction:
    """Predict what takes how much memory, and whether it fits. Raises Invalid naming every impossible field."""
    return predict_memory_of(spec)
