"""What follows from an architecture alone: parameters, the key-value cache, FLOPs per token."""

from dataclasses import dataclass

from service.domain.language_model import Experts, LanguageModel, LatentAttention
from service.formulas.numbers import Number, smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterCount:
    """How many parameters a model has, by what they do."""

    embedding: int
    """Input embedding and learned positions: looked up, not multiplied."""
    head: int
    """Output head; 0 in the total where it is tied, but multiplied all the same."""
    attention: int
    dense_feed_forward: int
    routed_experts: int
    active_routed_experts: int
    """Those a token passes through."""
    shared_experts: int
    routers: int
    norms: int
    tied: bool

    @property
    def total(self) -> int:
        """Every parameter, a tied head counted once."""
        return self._always + self.routed_experts

    @property
    def active(self) -> int:
        """Those one token meets, the embedding table included, as model cards count."""
        return self._always + self.active_routed_experts

    @property
    def multiplied(self) -> int:
        """Those one token is multiplied with: the active ones without the input embedding, with the head."""
        return self.active - self.embedding + (self.head if self.tied else 0)

    @property
    def _always(self) -> int:
        head = 0 if self.tied else self.head
        return (
            self.embedding
            + head
            + self.attention
            + self.dense_feed_forward
            + self.shared_experts
            + self.routers
            + self.norms
        )


def parameters(llm: LanguageModel) -> ParameterCount:
    r"""Parameters of a decoder-only transformer.

    .. math:: N = V d\,(1 + [\text{untied}]) + L\,(A + F + 2d) + d

    Symbols:
        N: parameters [1]
        V: vocabulary [1]
        d: hidden size [1]
        L: layers [1]
        A: attention of a layer, `attention_parameters` or `latent_attention_parameters` [1]
        F: feed-forward of a layer: 3 d f gated, 2 d f else; with experts E of them, a router d E and the shared [1]

    Limits: no biases, no vision tower, no multi-token-prediction module; together below 1 % in published models.

    Reference: Austin et al., "How to Scale Your Model", chapter 4, jax-ml.github.io/scaling-book.

    >>> llama = LanguageModel(name="Llama 2 7B", layers=32, hidden_size=4096, heads=32, kv_heads=32, head_size=128,
    ...                       ffn_size=11008, vocabulary=32000)
    >>> parameters(llama).total
    6738415616
    """
    experts, hidden = llm.experts, llm.hidden_size
    layer = llm.expert_layers
    routed = experts.total * feed_forward_parameters(hidden, experts.ffn_size) * layer if experts else 0
    return ParameterCount(
        embedding=(llm.vocabulary + llm.learned_positions) * hidden,
        head=llm.vocabulary * hidden,
        attention=llm.layers * _attention_of(llm),
        dense_feed_forward=llm.dense_layers * feed_forward_parameters(hidden, llm.ffn_size, gated=llm.gated),
        routed_experts=routed,
        active_routed_experts=routed // experts.total * experts.active if experts else 0,
        shared_experts=layer * _shared(hidden, experts) if experts else 0,
        routers=layer * hidden * experts.total if experts else 0,
        norms=(2 * llm.layers + 1) * hidden,
        tied=llm.tied_embeddings,
    )


def attention_parameters(*, hidden_size: int, heads: int, kv_heads: int, head_size: int) -> int:
    r"""Parameters of the attention of one layer, multi-head, grouped-query or multi-query.

    .. math:: A = 2 d\,n_h d_h + 2 d\,n_{kv} d_h

    Symbols:
        A: parameters [1]
        d: hidden size [1]
        n_h, n_kv: query heads, key-value heads [1]
        d_h: head size [1]

    Limits: no biases.

    Reference: Austin et al., "How to Scale Your Model", chapter 4.

    >>> attention_parameters(hidden_size=8192, heads=64, kv_heads=8, head_size=128)
    150994944
    """
    return 2 * hidden_size * head_size * (heads + kv_heads)


def latent_attention_parameters(*, hidden_size: int, heads: int, latent: LatentAttention) -> int:
    r"""Parameters of one layer of multi-head latent attention.

    .. math:: A = d q + q\,n_h (d_n + d_r) + d (c + d_r) + c\,n_h (d_n + d_v) + n_h d_v d

    Symbols:
        A: parameters [1]
        d: hidden size [1]
        q, c: ranks of queries and of keys with values [1]; without q the first two terms are d n_h (d_n + d_r)
        n_h: heads [1]
        d_n, d_r, d_v: head sizes without position, with position, of values [1]

    Limits: the norms of the compressed vectors are left out.

    Reference: DeepSeek-V2, arXiv:2405.04434, section 2.1.

    >>> latent_attention_parameters(hidden_size=7168, heads=128, latent=LatentAttention(
    ...     kv_rank=512, query_rank=1536, rope_head_size=64, nope_head_size=128, value_head_size=128))
    187105280
    """
    key = latent.nope_head_size + latent.rope_head_size
    if latent.query_rank is None:
        queries = hidden_size * heads * key
    else:
        queries = latent.query_rank * (hidden_size + heads * key)
    compressed = hidden_size * (latent.kv_rank + latent.rope_head_size)
    expanded = latent.kv_rank * heads * (latent.nope_head_size + latent.value_head_size)
    return queries + compressed + expanded + heads * latent.value_head_size * hidden_size


def feed_forward_parameters(hidden_size: int, ffn_size: int, *, gated: bool = True) -> int:
    r"""Parameters of one feed-forward layer or one expert.

    .. math:: F = 3 d f \text{ (gated)}, \quad 2 d f \text{ (else)}

    Symbols:
        F: parameters [1]
        d: hidden size [1]
        f: width [1]

    Limits: no biases.

    Reference: Shazeer, "GLU Variants Improve Transformer", arXiv:2002.05202.

    >>> feed_forward_parameters(4096, 11008)
    135266304
    """
    return (3 if gated else 2) * hidden_size * ffn_size


def kv_elements_per_token(llm: LanguageModel) -> tuple[int, int]:
    r"""Numbers the cache keeps of one token: in layers that see everything, and in windowed layers.

    .. math:: k = 2 n_{kv} d_h \text{ per layer}, \quad c + d_r \text{ with latent attention}

    Symbols:
        k: cached numbers [1]
        n_kv: key-value heads [1]
        d_h: head size [1]
        c, d_r: compressed size, positional head size [1]

    Limits: latent attention keeps one vector for all heads, so tensor parallelism does not divide it.

    Reference: Ainslie et al., arXiv:2305.13245 (grouped-query); DeepSeek-V2, arXiv:2405.04434 (latent).

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> kv_elements_per_token(llama)
    (163840, 0)
    """
    latent = llm.latent_attention
    of_layer = latent.kv_rank + latent.rope_head_size if latent else 2 * llm.kv_heads * llm.head_size
    return of_layer * (llm.layers - llm.windowed_layers), of_layer * llm.windowed_layers


def kv_cache_bytes(llm: LanguageModel, *, tokens: Number, bytes_per_element: Number) -> Number:
    r"""Memory the key-value cache of one sequence takes.

    .. math:: M = b\,\bigl(k_{full}\,s + k_{win} \min(s, w)\bigr)

    Symbols:
        M: memory [bytes]
        b: bytes per cached number [bytes]; 2 for bf16, 1 for fp8, 0.75 for the 6-bit cache DeepSeek deployed
        k: cached numbers per token, `kv_elements_per_token` [1]
        s: tokens of the sequence [Tokens]
        w: window [Tokens]

    Limits: no paging overhead (up to one block a sequence), no scales of a quantised cache.

    Reference: as `kv_elements_per_token`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> kv_cache_bytes(llama, tokens=1, bytes_per_element=2)
    327680
    """
    full, windowed = kv_elements_per_token(llm)
    seen = smaller(tokens, llm.window) if llm.window is not None else tokens
    return (full * tokens + windowed * seen) * bytes_per_element


def _attention_of(llm: LanguageModel) -> int:
    if llm.latent_attention is not None:
        return latent_attention_parameters(hidden_size=llm.hidden_size, heads=llm.heads, latent=llm.latent_attention)
    return attention_parameters(
        hidden_size=llm.hidden_size, heads=llm.heads, kv_heads=llm.kv_heads, head_size=llm.head_size
    )


def _shared(hidden_size: int, experts: Experts) -> int:
    return experts.shared * feed_forward_parameters(hidden_size, experts.shared_ffn_size or experts.ffn_size)
