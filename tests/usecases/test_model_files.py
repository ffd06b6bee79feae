"""A config.json becomes the architecture it states, or is refused with the field that is in the way."""

import json
from dataclasses import replace
from typing import Any

import pytest

from service.domain.language_model import Experts, LanguageModel
from service.domain.language_model_library import known_model
from service.errors import Invalid
from service.usecases.model_files import LARGEST, read_model_config

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "num_hidden_layers": 32,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}
MISTRAL = LLAMA | {
    "model_type": "mistral",
    "vocab_size": 32000,
    "max_position_embeddings": 32768,
    "sliding_window": 4096,
}
MIXTRAL = MISTRAL | {
    "model_type": "mixtral",
    "sliding_window": None,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
}
QWEN2: dict[str, Any] = {
    "model_type": "qwen2",
    "hidden_size": 8192,
    "intermediate_size": 29568,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "num_hidden_layers": 80,
    "vocab_size": 152064,
    "max_position_embeddings": 32768,
    "sliding_window": 131072,
    "max_window_layers": 70,
    "use_sliding_window": False,
}
QWEN3_MOE: dict[str, Any] = {
    "model_type": "qwen3_moe",
    "head_dim": 128,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "moe_intermediate_size": 768,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "num_hidden_layers": 48,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "use_sliding_window": False,
}
DEEPSEEK_V3 = {
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "num_hidden_layers": 61,
    "num_nextn_predict_layers": 1,
    "first_k_dense_replace": 3,
    "moe_layer_freq": 1,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 129280,
    "max_position_embeddings": 163840,
}
KIMI_K2 = DEEPSEEK_V3 | {
    "model_type": "kimi_k2",
    "num_attention_heads": 64,
    "num_key_value_heads": 64,
    "first_k_dense_replace": 1,
    "n_routed_experts": 384,
    "vocab_size": 163840,
    "max_position_embeddings": 131072,
}
GPT_OSS = {
    "model_type": "gpt_oss",
    "head_dim": 64,
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "num_hidden_layers": 36,
    "num_local_experts": 128,
    "experts_per_token": 4,
    "sliding_window": 128,
    "layer_types": ["sliding_attention", "full_attention"] * 18,
    "vocab_size": 201088,
    "max_position_embeddings": 131072,
}
GPT_NEOX = {
    "model_type": "gpt_neox",
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_attention_heads": 8,
    "num_hidden_layers": 6,
    "vocab_size": 50304,
    "max_position_embeddings": 2048,
}
BIGCODE = {
    "model_type": "gpt_bigcode",
    "n_embd": 6144,
    "n_head": 48,
    "n_inner": 24576,
    "n_layer": 40,
    "n_positions": 8192,
    "multi_query": True,
    "vocab_size": 49152,
}
OPT = {
    "model_type": "opt",
    "hidden_size": 12288,
    "word_embed_proj_dim": 12288,
    "ffn_dim": 49152,
    "num_attention_heads": 96,
    "num_hidden_layers": 96,
    "vocab_size": 50272,
    "max_position_embeddings": 2048,
}
BLOOM = {
    "model_type": "bloom",
    "n_embed": 14336,
    "num_attention_heads": 112,
    "n_layer": 70,
    "seq_length": 2048,
    "vocab_size": 250880,
}
FALCON = {
    "model_type": "falcon",
    "new_decoder_architecture": True,
    "multi_query": True,
    "hidden_size": 14848,
    "num_attention_heads": 232,
    "num_kv_heads": 8,
    "num_hidden_layers": 80,
    "tie_word_embeddings": False,
    "vocab_size": 65024,
    "max_position_embeddings": 2048,
}
MPT = {
    "model_type": "mpt",
    "d_model": 4096,
    "expansion_ratio": 4,
    "n_heads": 32,
    "n_layers": 32,
    "max_seq_len": 2048,
    "learned_pos_emb": True,
    "attn_config": {"attn_type": "multihead_attention", "alibi": False},
    "vocab_size": 50368,
}
PHI3 = {
    "model_type": "phi3",
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "num_hidden_layers": 32,
    "sliding_window": 2047,
    "tie_word_embeddings": False,
    "vocab_size": 32064,
    "max_position_embeddings": 4096,
}
PHI_MOE = MIXTRAL | {
    "model_type": "phimoe",
    "intermediate_size": 6400,
    "num_local_experts": 16,
    "vocab_size": 32064,
    "max_position_embeddings": 131072,
}
OLMO2 = {
    "model_type": "olmo2",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "tie_word_embeddings": False,
    "vocab_size": 100352,
    "max_position_embeddings": 4096,
}
GEMMA2 = {
    "model_type": "gemma2",
    "head_dim": 256,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "num_hidden_layers": 26,
    "sliding_window": 4096,
    "vocab_size": 256000,
    "max_position_embeddings": 8192,
}
GEMMA3 = {
    "model_type": "gemma3_text",
    "head_dim": 256,
    "hidden_size": 1152,
    "intermediate_size": 6912,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "num_hidden_layers": 26,
    "sliding_window": 512,
    "sliding_window_pattern": 6,
    "vocab_size": 262144,
    "max_position_embeddings": 131072,
}
LLAMA4: dict[str, Any] = {
    "model_type": "llama4",
    "text_config": {
        "model_type": "llama4_text",
        "attention_chunk_size": 8192,
        "head_dim": 128,
        "hidden_size": 5120,
        "interleave_moe_layer_step": 1,
        "intermediate_size": 8192,
        "intermediate_size_mlp": 16384,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "num_hidden_layers": 48,
        "num_local_experts": 16,
        "num_experts_per_tok": 1,
        "no_rope_layers": [],
        "vocab_size": 202048,
        "max_position_embeddings": 10485760,
    },
}
GLM = DEEPSEEK_V3 | {
    "model_type": "glm4_moe",
    "head_dim": 128,
    "hidden_size": 4096,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "num_attention_heads": 96,
    "num_key_value_heads": 8,
    "num_hidden_layers": 46,
    "first_k_dense_replace": 1,
    "n_routed_experts": 128,
    "vocab_size": 151552,
    "max_position_embeddings": 131072,
}


def read(config: dict[str, Any], **changed: Any) -> LanguageModel:
    return read_model_config(json.dumps(config | changed))


def without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in names}


def refused(config: dict[str, Any], **changed: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        read(config, **changed)
    return {problem.field: problem.message for problem in refusal.value.problems}


@pytest.mark.parametrize(
    ("config", "known"),
    [
        (LLAMA, "llama-3.1-8b"),
        (MISTRAL, "mistral-7b"),
        (MIXTRAL, "mixtral-8x7b"),
        (QWEN2, "qwen2.5-72b"),
        (QWEN3_MOE, "qwen3-30b-a3b"),
        (DEEPSEEK_V3, "deepseek-v3"),
        (KIMI_K2, "kimi-k2"),
        (GPT_OSS, "gpt-oss-120b"),
        (GPT_NEOX, "pythia-70m"),
        (BIGCODE, "starcoderbase-15.5b"),
        (OPT, "opt-175b"),
        (BLOOM, "bloom-176b"),
        (FALCON, "falcon-180b"),
        (MPT, "mpt-7b"),
        (PHI3, "phi-3-mini"),
        (PHI_MOE, "phi-3.5-moe"),
        (OLMO2, "olmo-2-7b"),
        (GEMMA2, "gemma-2-2b"),
        (GEMMA3, "gemma-3-1b"),
        (LLAMA4, "llama-4-scout"),
        (GLM, "glm-4.5-air"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_config_and_the_record_of_its_model_are_one_architecture(config: dict[str, Any], known: str) -> None:
    recorded = known_model(known).llm
    stated = read(config)
    assert without_labels(stated) == without_labels(recorded)


def without_labels(llm: LanguageModel) -> LanguageModel:
    """The architecture alone: a context is stretched, and an expert's width left to be understood."""
    experts = llm.experts
    if experts and experts.shared_ffn_size == experts.ffn_size:
        experts = replace(experts, shared_ffn_size=None)
    return replace(llm, name="", context=None, experts=experts)


def test_every_field_of_a_llama() -> None:
    assert read(LLAMA, _name_or_path="/models/Llama-3.1-8B/") == LanguageModel(
        name="Llama-3.1-8B",
        layers=32,
        hidden_size=4096,
        heads=32,
        kv_heads=8,
        head_size=128,
        ffn_size=14336,
        vocabulary=128256,
        context=131072,
    )


def test_a_model_is_called_as_asked_else_as_its_file_or_its_family() -> None:
    text = json.dumps(LLAMA | {"_name_or_path": "meta-llama/Llama-3.1-8B"})
    assert read_model_config(text, name="ours").name == "ours"
    assert read_model_config(text).name == "Llama-3.1-8B"
    assert read(LLAMA).name == "llama"
    assert read(LLAMA, _name_or_path="two\nlines").name == "llama"


def test_llama_without_key_value_heads_has_one_for_every_head() -> None:
    old = read(without(LLAMA, "num_key_value_heads", "max_position_embeddings"), max_sequence_length=2048)
    assert (old.kv_heads, old.context) == (32, 2048)


def test_a_head_may_be_wider_than_its_share() -> None:
    assert read(MISTRAL, hidden_size=5120, head_dim=128).head_size == 128


def test_qwen_has_a_window_only_where_it_is_asked_for_and_above_the_first_layers() -> None:
    asked = read(QWEN2, use_sliding_window=True)
    assert (asked.window, asked.windowed_layers) == (131072, 10)
    named = read(QWEN2, use_sliding_window=True, layer_types=["full_attention"] * 75 + ["sliding_attention"] * 5)
    assert named.windowed_layers == 5
    assert "max_window_layers" in refused(without(QWEN2, "max_window_layers"), use_sliding_window=True)


def test_qwen3_states_the_size_of_a_head() -> None:
    qwen3 = QWEN2 | {"model_type": "qwen3"}
    assert read(qwen3, head_dim=64).head_size == 64
    assert refused(qwen3) == {"head_dim": "is missing; state head_dim as a whole number from 1 to 1000000000"}


def test_layers_of_qwen_without_experts() -> None:
    experts = read(QWEN3_MOE, decoder_sparse_step=2, mlp_only_layers=[1]).experts
    assert experts is not None
    assert experts.dense_layers == 25
    assert read(QWEN3_MOE, mlp_only_layers=[0, 3]).expert_layers == 46


def test_the_shared_expert_of_qwen2_moe_has_its_own_width() -> None:
    shared = read(QWEN3_MOE, model_type="qwen2_moe", shared_expert_intermediate_size=20480)
    assert shared.experts == Experts(total=128, active=8, ffn_size=768, shared=1, shared_ffn_size=20480)


def test_queries_of_deepseek_need_not_be_compressed() -> None:
    latent = read(DEEPSEEK_V3, model_type="deepseek_v2", q_lora_rank=None).latent_attention
    assert latent is not None
    assert latent.query_rank is None


def test_experts_in_every_other_layer() -> None:
    text = LLAMA4["text_config"] | {"interleave_moe_layer_step": 2, "no_rope_layers": [1, 1, 1, 0] * 12}
    maverick = read(LLAMA4, text_config=text)
    assert (maverick.expert_layers, maverick.windowed_layers) == (24, 36)
    assert read(LLAMA4, text_config=text | {"attention_chunk_size": None}).window is None


def test_gpt2_widens_its_hidden_size_fourfold_and_keeps_a_position_table() -> None:
    gpt2 = {"model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257}
    llm = read(gpt2)
    assert (llm.ffn_size, llm.learned_positions, llm.kv_heads) == (3072, 1024, 12)
    assert (llm.gated, llm.tied_embeddings) == (False, True)


@pytest.mark.parametrize(
    ("changed", "kv_heads"),
    [
        ({}, 8),
        ({"new_decoder_architecture": False}, 1),
        ({"new_decoder_architecture": False, "multi_query": False}, 232),
    ],
)
def test_the_key_value_heads_of_falcon(changed: dict[str, Any], kv_heads: int) -> None:
    assert read(FALCON, **changed).kv_heads == kv_heads


def test_mpt_with_alibi_has_no_position_table() -> None:
    alibi = read(MPT, attn_config={"attn_type": "multiquery_attention", "alibi": True})
    assert (alibi.learned_positions, alibi.kv_heads) == (0, 1)
    assert read(MPT, attn_config={"alibi": True, "kv_n_heads": 8}).kv_heads == 8
    assert refused(MPT, attn_config={}) == {"attn_config.alibi": "must be true or false, not absent"}


def test_the_text_part_of_a_model_that_sees_is_read_and_named_in_a_refusal() -> None:
    sees = {"model_type": "gemma3", "vision_config": {"hidden_size": 1152}, "text_config": GEMMA3}
    assert read(sees) == read(GEMMA3)
    assert "text_config.hidden_size" in refused(sees, text_config=without(GEMMA3, "hidden_size"))


def test_what_ties_the_embeddings_may_stand_outside_the_text_part() -> None:
    assert read({"tie_word_embeddings": True, "text_config": LLAMA | {"tie_word_embeddings": None}}).tied_embeddings


@pytest.mark.parametrize(
    ("field", "stated", "means"),
    [
        ("linear_num_value_heads", 32, "linear attention"),
        ("linear_attn_config", {"kda_layers": [1]}, "linear attention"),
        ("attn_type_list", [0, 0, 1], "linear attention"),
        ("layer_types", ["linear_attention", "full_attention"], "linear_attention"),
        ("mamba_d_state", 128, "recurrent layers"),
        ("mamba_num_heads", 128, "recurrent layers"),
        ("ssm_state_size", 128, "recurrent layers"),
        ("state_size", 16, "recurrent layers"),
        ("hybrid_override_pattern", "M-M*", "layers of different kinds"),
        ("layers_block_type", ["mamba", "attention"], "layers of different kinds"),
        ("index_topk", 2048, "an index that chooses what attention sees"),
        ("num_query_heads", [12, 16], "another number of heads in every layer"),
        ("is_encoder_decoder", True, "only a model without an encoder"),
    ],
)
def test_what_a_language_model_cannot_hold_is_refused_by_name(field: str, stated: object, means: str) -> None:
    problems = refused(LLAMA, **{field: stated})
    assert list(problems) == [field]
    assert means in problems[field]


@pytest.mark.parametrize("kind", ["qwen3_next", "mamba2", "nemotron_h", "jamba", "t5", "x" * 5000])
def test_a_family_that_is_not_known_is_not_guessed_at(kind: str) -> None:
    message = refused(LLAMA, model_type=kind)["model_type"]
    assert message.startswith(f"{kind[:60]!r} cannot be read; there are llama, mistral,")


@pytest.mark.parametrize(
    ("config", "changed", "field", "message"),
    [
        (LLAMA, {"hidden_size": None}, "hidden_size", "is missing; state hidden_size as a whole number"),
        (LLAMA, {"hidden_size": "4096"}, "hidden_size", "must be a whole number from 1 to 1000000000, not '4096'"),
        (LLAMA, {"hidden_size": 4096.5}, "hidden_size", "not 4096.5"),
        (LLAMA, {"hidden_size": True}, "hidden_size", "not true"),
        (LLAMA, {"hidden_size": 0}, "hidden_size", "not 0"),
        (LLAMA, {"vocab_size": -1}, "vocab_size", "not -1"),
        (LLAMA, {"vocab_size": [1]}, "vocab_size", "not a list"),
        (LLAMA, {"vocab_size": {}}, "vocab_size", "not an object"),
        (LLAMA, {"vocab_size": "9" * 100}, "vocab_size", "…"),
        (LLAMA, {"num_hidden_layers": 10_001}, "num_hidden_layers", "from 1 to 10000, not 10001"),
        (LLAMA, {"num_key_value_heads": 5}, "num_key_value_heads", "a divisor of the 32 heads"),
        (LLAMA, {"num_attention_heads": 24}, "head_dim", "24 heads do not divide 4096"),
        (LLAMA, {"tie_word_embeddings": "no"}, "tie_word_embeddings", "must be true or false, not 'no'"),
        (LLAMA, {"model_type": None}, "model_type", "must be text such as 'llama', not absent"),
        (MISTRAL, {"num_key_value_heads": None}, "num_key_value_heads", "is missing"),
        (MIXTRAL, {"num_experts_per_tok": 9}, "num_experts_per_tok", "is 9 of 8 experts"),
        (DEEPSEEK_V3, {"first_k_dense_replace": None}, "first_k_dense_replace", "how many of the first layers"),
        (DEEPSEEK_V3, {"first_k_dense_replace": 62}, "first_k_dense_replace", "from 0 to 61, not 62"),
        (DEEPSEEK_V3, {"kv_lora_rank": None}, "kv_lora_rank", "is missing"),
        (GPT_OSS, {"layer_types": ["full_attention"]}, "layer_types", "names 1 layers where num_hidden_layers says 36"),
        (GPT_OSS, {"layer_types": "all"}, "layer_types", "must be a list, not 'all'"),
        (OPT, {"word_embed_proj_dim": 512}, "word_embed_proj_dim", "differs from hidden_size 12288"),
        (MPT, {"attn_config": None}, "attn_config", "must be an object, not absent"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    config: dict[str, Any], changed: dict[str, Any], field: str, message: str
) -> None:
    problems = refused(config, **changed)
    assert list(problems) == [field]
    assert message in problems[field]


def test_mistral_has_to_say_whether_there_is_a_window() -> None:
    assert "Mistral 7B v0.1 has 4096, later ones null" in refused(without(MISTRAL, "sliding_window"))["sliding_window"]
    assert read(MISTRAL, sliding_window=None).windowed_layers == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a config.json: an empty document"),
        ("model_type: llama", "is not a config.json: not JSON"),
        ("[" * 100_000, "is not a config.json"),
        ("[]", "must be a JSON object"),
        (" " * (LARGEST + 1), f"must be a JSON object of up to {LARGEST} bytes"),
        ('{"model_type": "\udc80"}', "is not UTF-8 text"),
        ('{"model_type": "llama", "hidden_size": NaN}', "is not a config.json"),
    ],
    ids=["empty", "YAML", "nested", "list", "large", "surrogate", "NaN"],
)
def test_a_text_that_is_no_config_is_refused(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=r"^config: ") as refusal:
        read_model_config(text)
    assert message in str(refusal.value)


def test_a_number_of_any_size_is_compared_and_not_written_out() -> None:
    huge = json.dumps(LLAMA).replace("4096", "1e900")
    with pytest.raises(Invalid, match=r"hidden_size: must be a whole number from 1 to 1000000000, not 1E\+900"):
        read_model_config(huge)
    moe = json.dumps(QWEN3_MOE).replace('"mlp_only_layers": []', '"mlp_only_layers": [1e900]')
    assert read_model_config(moe) == read(QWEN3_MOE)
    with pytest.raises(Invalid, match=r"config: is not a config.json: 1e999999999"):
        read_model_config(json.dumps(LLAMA).replace("4096", "1e999999999"))
