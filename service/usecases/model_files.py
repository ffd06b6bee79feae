"""A language model out of the config.json it is published with on Hugging Face.

What a LanguageModel cannot hold is refused by name: layers of different kinds, recurrent or linear attention, an index
that chooses what attention sees, an encoder. A vision tower, a multi-token-prediction module, biases and the precision
of the weights are left out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pricing_sources.documents import exact_json
from pricing_sources.errors import ShapeChanged
from service.domain.language_model import LanguageModel
from service.errors import Invalid
from service.usecases.config_fields import ConfigFields
from service.usecases.model_families import FAMILIES, WINDOWED

LARGEST: Final = 1024 * 1024
"""Bytes of a file."""

_NESTED: Final = ("text_config", "language_config", "llm_config")
"""Where a model that also sees or hears keeps the part that writes."""
_PLAIN: Final = WINDOWED | {"full_attention"}
_LINEAR: Final = "linear attention"
_RECURRENT: Final = "recurrent layers (mamba, a state space)"
_INDEX: Final = "an index that chooses what attention sees"
_TELLING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "linear_num_value_heads": _LINEAR,
        "linear_attn_config": _LINEAR,
        "mamba_d_state": _RECURRENT,
        "mamba_num_heads": _RECURRENT,
        "ssm_state_size": _RECURRENT,
        "state_size": _RECURRENT,
        "hybrid_override_pattern": "layers of different kinds",
        "layers_block_type": "layers of different kinds",
        "index_topk": _INDEX,
        "num_query_heads": "another number of heads in every layer",
    }
)
"""Fields that only a model has that is no plain transformer, and what they are of."""


def read_model_config(text: str, *, name: str | None = None) -> LanguageModel:
    """The architecture a config.json states. Raises Invalid naming the field that is wrong or cannot be represented.

    `name` is what to call it; without one the name the file itself states, or its `model_type`.
    """
    config = _config(text)
    kind = config.word("model_type")
    _require_plain(config)
    if kind not in FAMILIES:
        config.refuse("model_type", f"{kind[:60]!r} cannot be read; there are {', '.join(FAMILIES)}")
    return FAMILIES[kind](config, name or config.stated_name() or kind)


def _config(text: str) -> ConfigFields:
    try:
        body = text.encode()
        tree = exact_json(body) if len(body) <= LARGEST else None
    except UnicodeEncodeError:
        raise Invalid.field("config", "is not UTF-8 text; save the file as UTF-8") from None
    except ShapeChanged as error:
        raise Invalid.field("config", f"is not a config.json: {error}") from error
    if not isinstance(tree, Mapping):
        raise Invalid.field("config", f"must be a JSON object of up to {LARGEST} bytes with a model_type")
    nested = next((one for one in _NESTED if isinstance(tree.get(one), Mapping)), None)
    return ConfigFields(tree[nested], f"{nested}.", tree) if nested else ConfigFields(tree)


def _require_plain(config: ConfigFields) -> None:
    if config.flag("is_encoder_decoder", default=False):
        config.refuse("is_encoder_decoder", "is true; only a model without an encoder can be represented")
    for telling, what in _TELLING.items():
        if config.fields.get(telling):
            config.refuse(telling, f"means {what}, which cannot be represented; only plain attention can")
    if any(one != 1 for one in config.sequence("attn_type_list") or ()):
        config.refuse("attn_type_list", f"means {_LINEAR}, which cannot be represented; only 1, full attention, can")
    odd = sorted({str(one) for one in config.sequence("layer_types") or ()} - _PLAIN)
    if odd:
        only = ", ".join(sorted(_PLAIN))
        config.refuse("layer_types", f"has {', '.join(odd)[:60]}, which cannot be represented; only {only} can")
