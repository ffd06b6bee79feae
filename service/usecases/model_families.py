"""How each family of language models states its architecture in a config.json.

A field left out has the value the transformers library gives it; where that is a number, it is asked for instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from service.domain.language_model import Experts, LanguageModel, LatentAttention
from service.usecases.config_fields import MOST_LAYERS, ConfigFields

WINDOWED: Final = frozenset({"sliding_attention", "chunked_attention"})
"""Kinds of layers that look back on a window only."""

Reader = Callable[[ConfigFields, str], LanguageModel]
"""Makes a model of a config and what it is to be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoder:
    """How one family deviates from Llama, whose names for the fields it uses."""

    all_heads: bool = False
    """Without `num_key_value_heads` every head has its own key and value."""
    head_stated: bool = False
    """The size of a head does not follow from the others."""
    tied: bool = False
    window: Callable[[ConfigFields, int], tuple[int | None, int]]
    experts: Callable[[ConfigFields, int], Experts] | None = None
    latent: bool = False
    dense_ffn: str = "intermediate_size"

    def __call__(self, config: ConfigFields, name: str) -> LanguageModel:
        layers, hidden = config.whole("num_hidden_layers", most=MOST_LAYERS), config.whole("hidden_size")
        heads = config.whole("num_attention_heads")
        window, windowed = self.window(config, layers)
        return LanguageModel(
            name=name,
            layers=layers,
            hidden_size=hidden,
            heads=heads,
            kv_heads=self._kv_heads(config, heads),
            head_size=self._head_size(config, hidden, heads),
            ffn_size=config.whole(self.dense_ffn),
            vocabulary=config.whole("vocab_size"),
            tied_embeddings=config.flag("tie_word_embeddings", default=self.tied),
            context=config.whole_if_any("max_position_embeddings", "max_sequence_length"),
            experts=self.experts(config, layers) if self.experts else None,
            latent_attention=_latent(config) if self.latent else None,
            window=window,
            windowed_layers=windowed,
        )

    def _kv_heads(self, config: ConfigFields, heads: int) -> int:
        found = config.whole_if_any("num_key_value_heads")
        if found is None and self.all_heads:
            return heads
        return _dividing(config, config.whole("num_key_value_heads"), heads)

    def _head_size(self, config: ConfigFields, hidden: int, heads: int) -> int:
        if self.latent:
            return config.whole("v_head_dim")
        if self.head_stated:
            return config.whole("head_dim")
        return config.whole_if_any("head_dim") or _share(config, hidden, heads)


def _full(_config: ConfigFields, _layers: int) -> tuple[int | None, int]:
    return None, 0


def _everywhere(config: ConfigFields, layers: int) -> tuple[int | None, int]:
    """One window in every layer, if there is one."""
    window = config.whole_if_any("sliding_window")
    return window, layers if window else 0


def _mistral(config: ConfigFields, layers: int) -> tuple[int | None, int]:
    """As everywhere; a config that says nothing at all was read as a window before null was written out."""
    if "sliding_window" not in config.fields:
        config.refuse("sliding_window", "is missing; state null for none: Mistral 7B v0.1 has 4096, later ones null")
    return _everywhere(config, layers)


def _from_a_layer_on(config: ConfigFields, layers: int) -> tuple[int | None, int]:
    """Qwen: a window only if asked for, and then above the first `max_window_layers`."""
    if not config.flag("use_sliding_window", default=False):
        return None, 0
    if config.sequence("layer_types") is not None:
        return _by_layer(config, layers, every=layers + 1)
    below = config.whole_if_any("max_window_layers", most=MOST_LAYERS, least=0)
    if below is None:
        config.refuse("max_window_layers", "is missing; state how many of the first layers have no window")
    return config.whole("sliding_window"), max(0, layers - below)


def _alternating(config: ConfigFields, layers: int) -> tuple[int | None, int]:
    return _by_layer(config, layers, every=2)


def _gemma3(config: ConfigFields, layers: int) -> tuple[int | None, int]:
    pattern = config.whole_if_any("sliding_window_pattern", "_sliding_window_pattern", most=MOST_LAYERS)
    return _by_layer(config, layers, every=pattern or 6)


def _by_layer(config: ConfigFields, layers: int, *, every: int) -> tuple[int | None, int]:
    """The layers `layer_types` names, or without it all but every so many."""
    kinds = config.sequence("layer_types")
    if kinds is not None and len(kinds) != layers:
        config.refuse("layer_types", f"names {len(kinds)} layers where num_hidden_layers says {layers}")
    windowed = sum(one in WINDOWED for one in kinds) if kinds is not None else layers - layers // every
    return (config.whole("sliding_window"), windowed) if windowed else (None, 0)


def _chunked(config: ConfigFields, layers: int) -> tuple[int | None, int]:
    """Llama 4: chunks of attention, but for the layers without a position."""
    chunk = config.whole_if_any("attention_chunk_size")
    if chunk is None:
        return None, 0
    stated = config.sequence("no_rope_layers")
    every = config.whole_if_any("no_rope_layer_interval", most=MOST_LAYERS) or 4
    return chunk, sum(bool(one) for one in stated) if stated else layers - layers // every


def _local_experts(config: ConfigFields, _layers: int) -> Experts:
    """Mixtral and those after it: experts in every layer, of the width of a feed-forward."""
    return _experts(config, "num_local_experts", "intermediate_size")


def _llama4_experts(config: ConfigFields, layers: int) -> Experts:
    step = config.whole("interleave_moe_layer_step", most=MOST_LAYERS)
    return _experts(config, "num_local_experts", "intermediate_size", shared=1, dense_layers=layers - layers // step)


def _qwen_experts(config: ConfigFields, layers: int) -> Experts:
    step = config.whole_if_any("decoder_sparse_step", most=MOST_LAYERS) or 1
    dense = {one for one in config.sequence("mlp_only_layers") or () if isinstance(one, Decimal)}
    width = config.whole_if_any("shared_expert_intermediate_size", least=0)
    return _experts(
        config,
        "num_experts",
        "moe_intermediate_size",
        shared=1 if width else 0,
        shared_ffn_size=width or None,
        dense_layers=sum(layer in dense or (layer + 1) % step != 0 for layer in range(layers)),
    )


def _deepseek_experts(config: ConfigFields, layers: int) -> Experts:
    first = config.whole_if_any("first_k_dense_replace", most=layers, least=0)
    if first is None:
        config.refuse("first_k_dense_replace", "is missing; state how many of the first layers have no experts")
    every = config.whole_if_any("moe_layer_freq", most=MOST_LAYERS) or 1
    return _experts(
        config,
        "n_routed_experts",
        "moe_intermediate_size",
        shared=config.whole_if_any("n_shared_experts", least=0) or 0,
        dense_layers=sum(layer < first or layer % every != 0 for layer in range(layers)),
    )


def _experts(config: ConfigFields, total: str, width: str, **others: Any) -> Experts:
    routed, active = config.whole(total), config.whole("num_experts_per_tok", "experts_per_token")
    if active > routed:
        config.refuse("num_experts_per_tok", f"is {active} of {routed} experts; at most all can be active")
    return Experts(total=routed, active=active, ffn_size=config.whole(width), **others)


def _latent(config: ConfigFields) -> LatentAttention:
    return LatentAttention(
        kv_rank=config.whole("kv_lora_rank"),
        query_rank=config.whole_if_any("q_lora_rank", least=0) or None,
        rope_head_size=config.whole("qk_rope_head_dim"),
        nope_head_size=config.whole("qk_nope_head_dim"),
        value_head_size=config.whole("v_head_dim"),
    )


def _gpt2(config: ConfigFields, name: str, *, multi_query: bool = False) -> LanguageModel:
    """GPT-2, and StarCoder after it, where all heads share one key and value."""
    hidden, positions = config.whole("n_embd"), config.whole("n_positions")
    return _older(
        config,
        name,
        hidden=hidden,
        layers=config.whole("n_layer", most=MOST_LAYERS),
        heads=config.whole("n_head"),
        ffn=config.whole_if_any("n_inner") or 4 * hidden,
        kv_heads=1 if config.flag("multi_query", default=multi_query) else None,
        positions=positions,
        context=positions,
    )


def _gpt_neox(config: ConfigFields, name: str) -> LanguageModel:
    return _older(
        config,
        name,
        hidden=config.whole("hidden_size"),
        layers=config.whole("num_hidden_layers", most=MOST_LAYERS),
        heads=config.whole("num_attention_heads"),
        ffn=config.whole("intermediate_size"),
        context=config.whole_if_any("max_position_embeddings"),
        tied=False,
    )


def _opt(config: ConfigFields, name: str) -> LanguageModel:
    hidden, positions = config.whole("hidden_size", "d_model"), config.whole("max_position_embeddings")
    if config.whole_if_any("word_embed_proj_dim") not in (None, hidden):
        config.refuse(
            "word_embed_proj_dim", f"differs from hidden_size {hidden}; embeddings of their own width are not counted"
        )
    return _older(
        config,
        name,
        hidden=hidden,
        layers=config.whole("num_hidden_layers", "num_layers", most=MOST_LAYERS),
        heads=config.whole("num_attention_heads"),
        ffn=config.whole("ffn_dim"),
        positions=positions,
        context=positions,
    )


def _bloom(config: ConfigFields, name: str) -> LanguageModel:
    hidden = config.whole("hidden_size", "n_embed")
    return _older(
        config,
        name,
        hidden=hidden,
        layers=config.whole("n_layer", "num_hidden_layers", most=MOST_LAYERS),
        heads=config.whole("n_head", "num_attention_heads"),
        ffn=config.whole_if_any("n_inner") or 4 * hidden,
        context=config.whole_if_any("seq_length"),
    )


def _falcon(config: ConfigFields, name: str) -> LanguageModel:
    """Falcon: one key and value for all heads, or `num_kv_heads` of them in the newer architecture."""
    hidden = config.whole("hidden_size")
    kv_heads: int | None
    if config.flag("new_decoder_architecture", default=False):
        kv_heads = config.whole("num_kv_heads", "n_head_kv")
    else:
        kv_heads = 1 if config.flag("multi_query", default=True) else None
    return _older(
        config,
        name,
        hidden=hidden,
        layers=config.whole("num_hidden_layers", "n_layer", most=MOST_LAYERS),
        heads=config.whole("num_attention_heads", "n_head"),
        ffn=config.whole_if_any("ffn_hidden_size") or 4 * hidden,
        kv_heads=kv_heads,
        context=config.whole_if_any("max_position_embeddings"),
    )


def _mpt(config: ConfigFields, name: str) -> LanguageModel:
    """MPT: a position table, unless ALiBi replaces it."""
    hidden, positions = config.whole("d_model"), config.whole("max_seq_len")
    attention = config.inside("attn_config")
    heads = config.whole("n_heads")
    kv_heads = attention.whole_if_any("kv_n_heads")
    if attention.fields.get("attn_type") == "multiquery_attention":
        kv_heads = 1
    table = config.flag("learned_pos_emb", default=True) and not attention.flag("alibi")
    return _older(
        config,
        name,
        hidden=hidden,
        layers=config.whole("n_layers", most=MOST_LAYERS),
        heads=heads,
        ffn=hidden * config.whole("expansion_ratio"),
        kv_heads=kv_heads,
        positions=positions if table else 0,
        context=positions,
    )


def _older(
    config: ConfigFields,
    name: str,
    *,
    hidden: int,
    layers: int,
    heads: int,
    ffn: int,
    kv_heads: int | None = None,
    positions: int = 0,
    context: int | None = None,
    tied: bool = True,
) -> LanguageModel:
    """A family from before Llama: two feed-forward matrices, the output head mostly the embedding."""
    return LanguageModel(
        name=name,
        layers=layers,
        hidden_size=hidden,
        heads=heads,
        kv_heads=_dividing(config, kv_heads or heads, heads),
        head_size=_share(config, hidden, heads),
        ffn_size=ffn,
        gated=False,
        vocabulary=config.whole("vocab_size"),
        tied_embeddings=config.flag("tie_word_embeddings", default=tied),
        learned_positions=positions,
        context=context,
    )


def _dividing(config: ConfigFields, kv_heads: int, heads: int) -> int:
    if heads % kv_heads:
        config.refuse("num_key_value_heads", f"is {kv_heads}; a divisor of the {heads} heads was expected")
    return kv_heads


def _share(config: ConfigFields, hidden: int, heads: int) -> int:
    if hidden % heads:
        config.refuse("head_dim", f"is missing, and {heads} heads do not divide {hidden}; state the size of a head")
    return hidden // heads


_LLAMA: Final = _Decoder(all_heads=True, window=_full)
_DEEPSEEK: Final = _Decoder(all_heads=True, window=_full, experts=_deepseek_experts, latent=True)
_GEMMA3: Final = _Decoder(head_stated=True, tied=True, window=_gemma3)
_LLAMA4: Final = _Decoder(head_stated=True, window=_chunked, experts=_llama4_experts, dense_ffn="intermediate_size_mlp")

FAMILIES: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "llama": _LLAMA,
        "mistral": _Decoder(window=_mistral),
        "mixtral": _Decoder(window=_everywhere, experts=_local_experts),
        "qwen2": _Decoder(window=_from_a_layer_on),
        "qwen2_moe": _Decoder(window=_from_a_layer_on, experts=_qwen_experts),
        "qwen3": _Decoder(head_stated=True, window=_from_a_layer_on),
        "qwen3_moe": _Decoder(head_stated=True, window=_from_a_layer_on, experts=_qwen_experts),
        "deepseek_v2": _DEEPSEEK,
        "deepseek_v3": _DEEPSEEK,
        "kimi_k2": _DEEPSEEK,
        "kimi_k25": _DEEPSEEK,
        "glm4_moe": _Decoder(head_stated=True, window=_full, experts=_deepseek_experts),
        "gpt_oss": _Decoder(head_stated=True, window=_alternating, experts=_local_experts),
        "minimax_m2": _Decoder(head_stated=True, window=_full, experts=_local_experts),
        "phi3": _Decoder(all_heads=True, window=_everywhere),
        "phimoe": _Decoder(window=_everywhere, experts=_local_experts),
        "olmo2": _Decoder(all_heads=True, window=_full),
        "smollm3": _Decoder(tied=True, window=_full),
        "gemma2": _Decoder(head_stated=True, tied=True, window=_alternating),
        "gemma3_text": _GEMMA3,
        "gemma3": _GEMMA3,
        "llama4_text": _LLAMA4,
        "llama4": _LLAMA4,
        "gpt2": _gpt2,
        "gpt_bigcode": partial(_gpt2, multi_query=True),
        "gpt_neox": _gpt_neox,
        "opt": _opt,
        "bloom": _bloom,
        "falcon": _falcon,
        "mpt": _mpt,
    }
)
"""`model_type` to what reads it."""
