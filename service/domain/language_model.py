"""A language model as its published configuration describes it: what parameters, FLOPs and memory follow from."""

from dataclasses import dataclass
from typing import ClassVar

from service.domain.scenario import FORBID_UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """The feed-forward layers of a mixture of experts."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    total: int
    """Routed experts of a layer."""
    active: int
    """Routed experts a token passes through."""
    ffn_size: int
    """Width of one routed expert."""
    shared: int = 0
    """Experts every token passes through besides."""
    shared_ffn_size: int | None = None
    """Width of one shared expert; that of a routed one where absent."""
    dense_layers: int = 0
    """Layers that have an ordinary feed-forward instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention:
    """Multi-head latent attention: keys and values are kept as one compressed vector per token."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    kv_rank: int
    """Size of the compressed vector."""
    query_rank: int | None = None
    """Size queries are compressed to; None where they are not."""
    rope_head_size: int
    """Part of a head that carries the position; kept uncompressed, once for all heads."""
    nope_head_size: int
    """Part of a head that does not."""
    value_head_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """A decoder-only transformer. Names follow its published configuration, spelt out."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    layers: int
    hidden_size: int
    heads: int
    """Query heads."""
    kv_heads: int
    """Key and value heads: `heads` for multi-head, fewer for grouped-query, 1 for multi-query attention."""
    head_size: int
    ffn_size: int
    """Width of the (dense) feed-forward layers."""
    gated: bool = True
    """Three feed-forward matrices (SwiGLU) instead of two."""
    vocabulary: int
    tied_embeddings: bool = False
    """The output head is the transposed input embedding, counted once."""
    learned_positions: int = 0
    """Rows of a learned position table; 0 for rotary or none."""
    context: int | None = None
    """Longest sequence [tokens]."""
    experts: Experts | None = None
    latent_attention: LatentAttention | None = None
    window: int | None = None
    """Tokens the sliding-window layers look back on."""
    windowed_layers: int = 0
    """Layers whose attention is limited to `window`."""

    @property
    def expert_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.experts.dense_layers if self.experts else 0

    @property
    def dense_layers(self) -> int:
        """Layers with an ordinary feed-forward."""
        return self.layers - self.expert_layers
