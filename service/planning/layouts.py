"""How many GPUs may work on one sequence, and how a fleet is laid out where there are more GPUs than sequences.

A copy of the model is trained on a sequence at least, so a batch limits the copies, not the GPUs: those of one server
share the products of a layer (tensor), and more of them a long sequence (context). Stages of a pipeline need a
sequence each to be busy, so that they help memory and not the batch.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

from service.domain.language_model import LanguageModel
from service.domain.prediction_spec import LayoutInput
from service.errors import Invalid
from service.estimating.predicting.parts import subject
from service.formulas.utilisation import usual_shape

MOST_TENSOR: Final = 8
"""GPUs that share a layer: those of one server, of Llama 3 405B in table 4 of arXiv:2407.21783 and up to 1T parameters
in table 1 of Narayanan et al., arXiv:2104.04473. Both as of 2026-11-28."""
LEAST_HIDDEN: Final = 1024
"""Hidden units that each of these keeps: 8,192 on 8 GPUs, of the model of 39.1B in table 1 of arXiv:2104.04473."""
MOST_CONTEXT: Final = 16
"""GPUs, or groups that share a layer, that share a sequence: Llama 3 405B at 131,072 tokens, table 4."""
LEAST_CONTEXT: Final = 8192
"""Tokens of a sequence that each of these keeps there."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How many GPUs may work on one sequence: `tensor` × `context`, powers of two."""

    tensor: int
    context: int

    def sequences(self, gpus: int) -> int:
        """The fewest sequences that keep so many GPUs busy.

        >>> Sharing(8, 1).sequences(16_384)
        2048
        """
        return gpus // max(tensor * context for tensor, context in self._splits(gpus))

    def layout(self, gpus: int, sequences: int) -> LayoutInput | None:
        """The layout that shares least and needs no more sequences, or else the fewest; None where none is shared.

        >>> Sharing(8, 1).layout(16_384, 4096).tensor
        4
        """
        if gpus <= sequences:
            return None
        enough = max(sequences, self.sequences(gpus))
        tensor, context = min(
            (one for one in self._splits(gpus) if gpus // (one[0] * one[1]) <= enough),
            key=lambda one: (one[0] * one[1], one[1]),
        )
        return LayoutInput(data=gpus // (tensor * context), tensor=tensor, context=context, zero=3)

    def _splits(self, gpus: int) -> list[tuple[int, int]]:
        both = product(_powers(self.tensor), _powers(self.context))
        return [(tensor, context) for tensor, context in both if gpus % (tensor * context) == 0]


def sharing(
    llm: str | None, architecture: LanguageModel | None, sequence: int, active_parameters: float | None = None
) -> Sharing:
    """What practice shares of a model, by its width, and of a sequence, by its length. Raises Invalid."""
    hidden = _hidden(llm, architecture, active_parameters)
    return Sharing(
        tensor=_powers(min(MOST_TENSOR, hidden / LEAST_HIDDEN))[-1],
        context=_powers(min(MOST_CONTEXT, sequence / LEAST_CONTEXT))[-1],
    )


def _hidden(llm: str | None, architecture: LanguageModel | None, active_parameters: float | None) -> float:
    if active_parameters is None:
        return float(subject(llm, architecture).llm.hidden_size)
    if llm is not None or architecture is not None:
        raise Invalid.field("active_parameters", "follow from llm or architecture; leave this out")
    return float(usual_shape(active_parameters=active_parameters).hidden_size)


def _powers(most: float) -> list[int]:
    """Powers of two up to a number; 1 at least."""
    return [2**power for power in range(5) if 2**power <= max(most, 1)]
