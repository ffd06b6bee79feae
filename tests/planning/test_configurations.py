"""What an accelerator can do, as the formula core predicts it, and why another cannot."""

import pytest

from service.domain.goal import BatchInferenceWork, FineTuningWork, Goal, PretrainingWork, ServingWork
from service.errors import Invalid
from service.planning.configurations import WIDEST, Configuration, configured

H100, L40S, T4 = "nvidia-h100-sxm-80gb", "nvidia-l40s", "nvidia-t4"
A100, V100 = "nvidia-a100-sxm-80gb", "nvidia-v100-32gb"


def ways(goal: Goal, *accelerators: str):
    return configured(goal, accelerators)


def test_a_run_on_more_accelerators_is_shorter_and_takes_more_of_their_hours() -> None:
    found = ways(Goal(name="x", pretraining=PretrainingWork(llm="llama-2-7b", tokens=2e12)), H100).configurations
    by_size = sorted(found, key=lambda one: one.gpus)
    assert [one.gpus for one in by_size][:6] == [2, 4, 8, 16, 24, 32]
    helped = [one.gpus for one in by_size if one.batch <= 4e6]
    assert helped[-1] == 3072, (
        "of 4,096 hidden units 4 GPUs may share a layer, and so one of the 976 sequences of a step"
    )
    hours = [one.hours for one in by_size]
    assert hours == sorted(hours, reverse=True)
    work = [one.hours * one.gpus for one in by_size if one.gpus >= 8]
    assert work == sorted(work)
    assert {one.together for one in by_size} == {2, 4, 8}


def test_what_memory_or_a_latency_does_not_allow_is_said_with_what_would() -> None:
    long = Goal(name="x", fine_tuning=FineTuningWork(llm="llama-3.1-405b", tokens=1e8, sequence=9_000_000))
    assert ways(long, H100).refused[H100][0] == "memory"
    serving = ServingWork(
        llm="llama-3.1-70b",
        output_tokens_per_second=100,
        input_tokens=1000,
        output_tokens=100,
        time_per_output_token_ms=1,
    )
    word, reason = ways(Goal(name="x", serving=serving), H100).refused[H100]
    assert (word, "less than a single request takes" in reason) == ("latency", True)
    training = Goal(name="x", pretraining=PretrainingWork(llm="llama-2-7b", tokens=1e12))
    assert ways(training, L40S).refused[L40S][0] == "accelerator"


def test_a_service_takes_replicas_by_its_rate_and_at_least_as_many_as_asked() -> None:
    def replicas(rate: float, least: int = 1) -> list[float]:
        work = ServingWork(
            llm="llama-3.1-8b",
            output_tokens_per_second=rate,
            input_tokens=1000,
            output_tokens=300,
            minimum_replicas=least,
            precisions=("bf16",),
        )
        return [one.replicas for one in ways(Goal(name="x", serving=work), H100).configurations]

    few, many = replicas(1e5), replicas(2e5)
    assert many == pytest.approx([2 * one for one in few])
    assert replicas(1.0, least=3) == [3.0] * len(few)


def test_replicas_share_a_pile_of_requests_after_each_has_started() -> None:
    work = BatchInferenceWork(
        llm="llama-3.1-8b", requests=1e6, input_tokens=1000, output_tokens=300, precisions=("bf16",), start_hours=0.5
    )
    found = [one for one in ways(Goal(name="x", batch_inference=work), H100).configurations if one.gpus == 1]
    hours = {one.replicas: one.hours - 0.5 for one in found}
    assert hours[4] == pytest.approx(hours[1] / 4)


def test_work_nobody_can_do_is_refused_and_not_counted_against_the_hardware() -> None:
    with pytest.raises(Invalid, match="llm: no model is known as"):
        ways(Goal(name="x", pretraining=PretrainingWork(llm="gpt-17", tokens=1e12)), H100, T4)


def wide(llm: str, gpus: int, **more) -> Configuration:
    work = PretrainingWork(llm=llm, tokens=15e12, **more)
    [found] = [one for one in ways(Goal(name="x", pretraining=work), H100).configurations if one.gpus == gpus]
    return found


def test_several_accelerators_share_a_sequence_as_those_of_a_server_share_a_layer() -> None:
    published = wide("llama-3.1-405b", 16_384, batch_tokens=2048 * 8192, sequence=8192)
    assert published.batch == 2048 * 8192, "the batch that its trainers fed to so many"
    assert published.words.startswith("data 2048, tensor 8, pipeline 1")
    assert wide("llama-3.1-8b", 512).words.startswith("data 512, tensor 1"), "none is shared where there are enough"
    long = wide("llama-3.1-405b", 16_384, batch_tokens=128 * 131_072, sequence=131_072)
    assert long.batch == 128 * 131_072, "a longer sequence is shared by more"
    assert "data 128, tensor 8, pipeline 1, context 16" in long.words
    assert wide("llama-3.2-1b", 1024).batch == 512 * 4096, "a layer of 2,048 hidden units is shared by 2"


def test_the_accelerators_that_share_a_sequence_are_no_free_speed() -> None:
    few, many = (wide("llama-3.1-405b", gpus, sequence=8192) for gpus in (256, 16_384))
    assert many.hours * many.gpus > 1.3 * few.hours * few.gpus


def test_fleets_beyond_what_a_goal_allows_are_looked_at_and_say_what_they_need() -> None:
    work = PretrainingWork(llm="llama-2-7b", tokens=2e12, batch_tokens=4096)
    found = ways(Goal(name="x", pretraining=work, most_gpus=8), H100).configurations
    assert max(one.gpus for one in found) == WIDEST
    assert {one.batch for one in found if one.gpus == 64} == {16 * 4096}
    tuned = ways(Goal(name="x", fine_tuning=FineTuningWork(llm="llama-3.1-405b", tokens=1e8, batch_sequences=2)), H100)
    assert min(one.batch for one in tuned.configurations) > 2


def served(accelerator: str, *precisions: str) -> tuple[set[str], dict]:
    """In which words replicas on an accelerator are told, and why it is refused."""
    work = ServingWork(
        llm="llama-3.1-8b",
        output_tokens_per_second=100,
        input_tokens=1000,
        output_tokens=100,
        precisions=precisions,  # type: ignore[arg-type]
    )
    found = ways(Goal(name="x", serving=work), accelerator)
    return {f"{one.precision}, {one.words.partition('replicas')[0]}" for one in found.configurations}, found.refused


def test_no_format_is_served_from_hardware_that_is_known_not_to_compute_in_it() -> None:
    assert served(V100, "bf16", "fp8", "fp4") == ({"bf16, computed in fp16, "}, {})
    none, refused = served(A100, "fp8")
    assert (none, refused[A100][0]) == (set(), "precision")
    assert "has no 8-bit floating-point units" in refused[A100][1]
    assert served(H100, "bf16", "fp8") == ({"bf16, ", "fp8, "}, {})


def test_weights_that_are_only_kept_in_a_format_are_told_so() -> None:
    assert served(H100, "fp4")[0] == {"fp4, weights alone, computed in 16 bits, "}
    assert served(A100, "int8")[0] == {"int8, weights alone, computed in 16 bits, "}
