"""What is to be predicted: a model, the hardware under it, and how it is trained, tuned or served."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from service.domain.language_model import LanguageModel
from service.domain.scenario import FORBID_UNKNOWN

Precision = Literal["bf16", "fp16", "fp8", "fp4"]
"""Number format of the matrix products."""
WeightFormat = Literal["bf16", "fp16", "fp8", "fp4", "int8", "int4"]
"""Number format weights are served in; with int8 and int4 the products are in 16 bits."""
CacheFormat = Literal["bf16", "fp16", "fp8", "fp4"]
RecomputeChoice = Literal["none", "selective", "full"]
Method = Literal["full", "lora", "qlora", "preference", "reinforcement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutInput:
    """How a run is laid over accelerators: data × tensor × pipeline × context of them."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    data: int = 1
    tensor: int = 1
    pipeline: int = 1
    context: int = 1
    expert: int = 1
    """Ranks that share the routed experts among themselves, out of data × tensor × context."""
    zero: int = 1
    """ZeRO stage, 0 to 3."""
    sequence_parallel: bool = True
    """Tensor ranks share norms and residuals too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerInput:
    """Electricity of the accelerators and what stands around them."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    full_load_watts: float | None = None
    """Of one accelerator [W]; the registry's figure where absent."""
    load: float = 0.75
    """Average draw over full load; ML.ENERGY measures 0.74 to 0.75."""
    server_factor: float = 1.8
    """Server over accelerators, Cottier et al., arXiv:2405.21015."""
    pue: float = 1.1
    """Facility over server; 1.08 to 1.2 are reported."""
    carbon_kg_per_kwh: float | None = None
    """Of the grid [kg/kWh]; without it nothing is said of carbon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAnchor:
    """One measured point of this model on this hardware: a utilisation, a speed, or the time of a step."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    utilisation: float | None = None
    """Model FLOPs utilisation of the dense peak, 0 to 1."""
    tokens_per_second: float | None = None
    """Of one accelerator."""
    step_seconds: float | None = None
    tokens_per_step: float | None = None
    """Of all accelerators; needed with `step_seconds`."""
    accelerators: int | None = None
    """It was measured on; those of the question where absent."""
    sequence: int | None = None
    """It was measured at [tokens]; that of the question where absent."""
    whole_run: bool = False
    """Measured over a whole run, interruptions included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingAnchor:
    """One measured point of this model on this hardware: a speed or a time per token, at a batch."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    tokens_per_second: float | None = None
    """Output tokens of one accelerator."""
    time_per_output_token_ms: float | None = None
    concurrency: int
    """Sequences that were served at once by the replica."""
    input_tokens: float | None = None
    """Those of the question where absent."""
    output_tokens: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficInput:
    """Who asks, and how full the fleet may get."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    users: float
    """Active on a day."""
    queries_per_user_per_day: float
    peak_factor: float = 2.5
    """Busiest hour over average; an assumption, from 1."""
    utilisation: float = 0.8
    """How full a replica may be at the peak."""
    headroom: float = 0.0
    """For bursts, in standard deviations of the number waiting."""
    minimum_replicas: int = 1
    """Kept whatever happens: one a region, two for redundancy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec:
    """A pre-training run. Give `llm`, `architecture` or `active_parameters`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    llm: str | None = None
    """Name of a model of the library: `llama-3.1-70b`."""
    architecture: LanguageModel | None = None
    """The fields of its configuration."""
    active_parameters: float | None = None
    """Where nothing else is known of it: a model of that size is assumed to have a usual shape."""
    total_parameters: float | None = None
    """Of a mixture of experts whose architecture is not known."""
    experts_per_token: int = 0
    """Of a mixture of experts whose architecture is not known."""
    accelerator: str
    """Id or alias of the registry: `nvidia-h100-sxm-80gb`, `H100 SXM`."""
    accelerators: int | None = None
    """How many; where absent as many as finish in about a month."""
    precision: Precision = "bf16"
    tokens: float
    """Trained on."""
    sequence: int | None = None
    """Tokens of a sequence; 4096 where absent."""
    layout: LayoutInput | None = None
    """Where absent, states are sharded over all accelerators."""
    micro_batch: int = 1
    recompute: RecomputeChoice = "selective"
    power: PowerInput | None = None
    anchors: tuple[TrainingAnchor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceSpec:
    """A service. Give `llm` or `architecture`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    llm: str | None = None
    """Name of a model of the library: `llama-3.1-70b`."""
    architecture: LanguageModel | None = None
    """The fields of its configuration."""
    accelerator: str
    """Id or alias of the registry."""
    accelerators: int | None = None
    """That hold one copy together; as few as can where absent."""
    precision: WeightFormat = "bf16"
    kv_precision: CacheFormat | None = None
    """Of the cache: 8 bits beside weights of 8 or 4 bits in floating point, else 16, where absent."""
    input_tokens: float
    """Of a prompt, those not cached."""
    cached_tokens: float = 0.0
    """Of a prompt, those a cache has already."""
    output_tokens: float
    """Of an answer."""
    concurrency: int | None = None
    """Sequences a replica serves at once; as many as memory and the limits below allow where absent."""
    time_per_output_token_ms: float | None = None
    """The longest that is allowed."""
    time_to_first_token_ms: float | None = None
    """The longest that is allowed; a queue is not in what is compared with it."""
    engine: str | None = None
    """Told back beside the answer; the constants are those of all engines measured."""
    traffic: TrafficInput | None = None
    anchors: tuple[ServingAnchor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuningSpec:
    """What comes after pre-training. Give `llm` or `architecture`, and what the method needs."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    method: Method
    llm: str | None = None
    """Name of a model of the library."""
    architecture: LanguageModel | None = None
    """The fields of its configuration."""
    accelerator: str
    """Id or alias of the registry."""
    accelerators: int = 8
    precision: Precision = "bf16"
    sequence: int = 4096
    """Tokens of a sequence."""
    tokens: float | None = None
    """Of all examples, once: full, lora, qlora."""
    epochs: int = 1
    packing: float = 0.8
    """Tokens that are not padding; 0.5 to 0.95 are usual."""
    rank: int = 16
    """Of the adapters: lora, qlora."""
    pairs: float | None = None
    """Of a chosen and a rejected answer: preference."""
    prompts: float | None = None
    """Reinforcement."""
    samples: int = 8
    """Answers to each prompt: reinforcement."""
    prompt_tokens: float | None = None
    """Preference, reinforcement."""
    answer_tokens: float | None = None
    """Preference, reinforcement."""
    rollout_tokens_per_second: float | None = None
    """Output tokens of one accelerator while it generates; predicted where absent."""
    straggling: float = 1.5
    """The longest answer holds up the step: 1.3 to 2, near 1 if asynchronous."""
    layout: LayoutInput | None = None
    """Where absent, states are sharded over all accelerators."""
    micro_batch: int = 1
    recompute: RecomputeChoice = "full"
    attempts: int = 1
    """How often it is run; 3 to 10 are usual."""
    overhead_hours: float = 1.0
    """Loading, evaluation and failed starts of one attempt, all accelerators waiting: 0.5 to 2."""
    anchors: tuple[TrainingAnchor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySpec:
    """Whether it fits. Give `llm` or `architecture`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    use: Literal["training", "serving"] = "training"
    llm: str | None = None
    """Name of a model of the library."""
    architecture: LanguageModel | None = None
    """The fields of its configuration."""
    accelerator: str
    """Id or alias of the registry."""
    sequence: int
    """Tokens of a sequence; while serving, prompt and answer together."""
    layout: LayoutInput | None = None
    """Training; one accelerator where absent."""
    micro_batch: int = 1
    """Training."""
    recompute: RecomputeChoice = "selective"
    """Training."""
    accelerators: int = 1
    """Serving: that hold one copy together."""
    precision: WeightFormat = "bf16"
    """Serving."""
    kv_precision: CacheFormat | None = None
    """Serving."""
    concurrency: int = 1
    """Serving: sequences at once."""
