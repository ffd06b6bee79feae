"""Well-known models: what was published of them follows from their records, and their names are found."""

from datetime import date

import pytest

from service.domain.language_model_library import MODELS, KnownModel, known_model
from service.errors import Invalid, NotFound
from service.formulas.architecture import kv_cache_bytes, parameters

BF16 = 2.0
"""Bytes of a number."""
SIX_BITS = 0.75
"""Bytes of a number of the cache DeepSeek-V2 is deployed with."""

every_model = pytest.mark.parametrize("known", MODELS, ids=lambda known: known.id)


@every_model
def test_the_parameters_follow_within_one_percent_of_the_published_count(known: KnownModel) -> None:
    assert parameters(known.llm).total == pytest.approx(known.published_total, rel=0.01)


@pytest.mark.parametrize(
    "known", [known for known in MODELS if known.published_active is not None], ids=lambda known: known.id
)
def test_the_active_parameters_follow_within_two_percent(known: KnownModel) -> None:
    count = parameters(known.llm)
    active = count.active - (count.embedding if known.active_without_embedding else 0)
    assert active == pytest.approx(known.published_active, rel=0.02)


@every_model
def test_a_record_says_where_and_when_it_was_read(known: KnownModel) -> None:
    pages = [known.source, known.count_source, *filter(None, [known.active_source])]
    assert all(page.startswith("https://") for page in pages)
    assert known.read_on == date(2026, 11, 23)
    assert known.released is None or known.released < known.read_on


@every_model
def test_a_model_has_experts_exactly_where_a_token_does_not_pass_through_all_of_it(known: KnownModel) -> None:
    count = parameters(known.llm)
    assert (known.llm.experts is not None) == (count.active < count.total)
    assert known.published_active is None or known.llm.experts is not None


@pytest.mark.parametrize(
    ("name", "published"),  # section 4.10 of the reference formulas
    [
        ("llama-3.1-70b", 327_680),
        ("llama-3.1-8b", 131_072),
        ("qwen3-32b", 262_144),
        ("qwen3-235b-a22b", 192_512),
        ("gpt-oss-120b", 73_728),
        ("deepseek-v3", 70_272),
        ("deepseek-r1", 70_272),
        ("kimi-k2", 70_272),
    ],
)
def test_the_cache_of_one_token(name: str, published: int) -> None:
    assert kv_cache_bytes(known_model(name).llm, tokens=1, bytes_per_element=BF16) == published


def test_deepseek_v2_keeps_93_3_percent_less_per_token_than_deepseek_67b() -> None:
    """The 93.3 % of its paper's abstract compares deployments, not architectures.

    60 layers x (512 + 64) numbers of 6 bits, the average precision its cache is quantised to (section 3.2.3), against
    95 layers x 2 x 8 heads x 128 numbers of bf16. At one precision, latent attention alone saves 82.2 %.
    The 6 bits were read in a summary of it: https://app.argminai.com/arxiv-dashboard/papers/2405.04434v5.
    """
    latent, grouped = known_model("deepseek-v2").llm, known_model("deepseek-67b").llm
    before = kv_cache_bytes(grouped, tokens=1, bytes_per_element=BF16)
    deployed = kv_cache_bytes(latent, tokens=1, bytes_per_element=SIX_BITS)
    alike = kv_cache_bytes(latent, tokens=1, bytes_per_element=BF16)
    assert (deployed, before) == (25_920, 389_120)
    assert 1 - deployed / before == pytest.approx(0.933, abs=0.0005)
    assert 1 - alike / before == pytest.approx(0.822, abs=0.0005)


def test_beyond_its_window_a_layer_keeps_nothing_more() -> None:
    gpt_oss = known_model("gpt-oss-120b").llm
    full, windowed = (kv_cache_bytes(gpt_oss, tokens=tokens, bytes_per_element=BF16) for tokens in (128, 129))
    assert windowed - full == 73_728 / 2


@every_model
def test_a_model_is_found_by_each_of_its_names(known: KnownModel) -> None:
    for name in (known.id, *known.aliases):
        assert known_model(name) is known
        assert known_model(f"  publisher/{name.upper()} ") is known


def test_no_two_models_share_an_id() -> None:
    assert len({known.id for known in MODELS}) == len(MODELS) >= 15


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b"),
        ("GPT OSS 120B", "gpt-oss-120b"),
        ("LLAMA3_70B", "llama-3-70b"),
        ("Qwen/Qwen3-30B-A3B", "qwen3-30b-a3b"),
        ("mistralai/Mixtral-8x22B-v0.1", "mixtral-8x22b"),
        ("DeepSeek-V3/R1", "deepseek-v3"),
    ],
)
def test_names_as_others_write_them(name: str, found: str) -> None:
    assert known_model(name).id == found


def test_a_name_that_nothing_has_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"no model is known as 'qwen3-33b'; the nearest are .*qwen3-32b"):
        known_model("qwen3-33b")
    with pytest.raises(NotFound, match=f"there are {len(MODELS)}, such as {MODELS[0].id}"):
        known_model("zzzzzzzz")


@pytest.mark.parametrize("name", ["", "  \n", "x" * 201])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match=f"model: must be the name of a model, such as {MODELS[0].id}"):
        known_model(name)
