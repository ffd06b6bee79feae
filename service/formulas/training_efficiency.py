"""The measured constants of training: each with its value, what was expected before, and the rows it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

READ_ON: Final = date(2026, 11, 23)
FOUNDRY: Final = "https://github.com/mosaicml/llm-foundry/blob/main/scripts/train/benchmarking/README.md (Apache-2.0)"
BRIDGE: Final = (
    "https://github.com/NVIDIA-NeMo/Megatron-Bridge/blob/main/docs/performance-summary-archive.md (Apache-2.0), "
    "containers 26.02 to 26.06"
)
RUNS: Final = (
    "published training runs with hours, tokens and hardware, among them arXiv:2302.13971, arXiv:2307.09288, "
    "arXiv:2304.01373, arXiv:2405.04434 and arXiv:2412.19437; `costplan validate training` names more"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedConstant:
    """One measured constant."""

    name: str
    value: float
    expected: float
    """Before any row was looked at, from data sheets and kernel benchmarks."""
    tolerance: float
    """How far, as a share, the fit may pull it from there: the standard deviation of the prior."""
    rows: int
    source: str


BENCHMARKS: Final = f"{FOUNDRY}; {BRIDGE}"

CONSTANTS: Final = (
    FittedConstant(name="ampere", value=0.634, expected=0.72, tolerance=0.15, rows=95, source=FOUNDRY),
    FittedConstant(name="hopper", value=0.513, expected=0.55, tolerance=0.15, rows=49, source=BENCHMARKS),
    FittedConstant(name="blackwell", value=0.54, expected=0.55, tolerance=0.15, rows=97, source=BRIDGE),
    FittedConstant(name="traffic_bytes", value=339.0, expected=250.0, tolerance=0.5, rows=241, source=BENCHMARKS),
    FittedConstant(name="attention", value=0.468, expected=0.6, tolerance=0.3, rows=241, source=BENCHMARKS),
    FittedConstant(name="link", value=0.4, expected=0.4, tolerance=0.5, rows=71, source=BRIDGE),
    FittedConstant(name="expert_products", value=0.402, expected=0.75, tolerance=0.3, rows=71, source=BRIDGE),
    FittedConstant(name="doubling", value=0.0147, expected=0.015, tolerance=0.5, rows=241, source=BENCHMARKS),
    FittedConstant(name="recompute", value=0.237, expected=0.25, tolerance=0.3, rows=241, source=BENCHMARKS),
    FittedConstant(name="size_loss", value=0.089, expected=0.05, tolerance=0.5, rows=32, source=RUNS),
    FittedConstant(name="expert_tuning", value=1.71, expected=1.3, tolerance=0.3, rows=4, source=RUNS),
)
"""Fitted on `READ_ON` by `service.estimating.fitting`, which also fits them again without a family of models."""

_FITTED: Final[Mapping[str, float]] = MappingProxyType({one.name: one.value for one in CONSTANTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEfficiency:
    """What training reaches of what the hardware sheet promises; the defaults are `CONSTANTS`."""

    ampere: float = _FITTED["ampere"]
    """Share of the dense peak large matrix products reach on A100 and A800 [1]."""
    hopper: float = _FITTED["hopper"]
    """On H100, H200, H800, GH200 [1]; its clock falls under load."""
    blackwell: float = _FITTED["blackwell"]
    """On B200, B300, GB200, GB300 [1]."""
    volta: float = 0.6
    """On V100 [1]. Not fitted: Narayanan et al., arXiv:2104.04473, and Shoeybi et al., arXiv:1909.08053."""
    tpu: float = 0.7
    """On TPU v3 to v6 [1]. Not fitted: Chowdhery et al., arXiv:2204.02311, 57.8 % hardware utilisation in all."""
    cdna: float = 0.45
    """On MI250X, MI300X and MI325X [1]. Not fitted: an assumption below Hopper's, as their libraries reach less."""
    traffic_bytes: float = _FITTED["traffic_bytes"]
    """Memory traffic of a layer between matrix products, both passes [bytes per token and hidden unit]."""
    attention: float = _FITTED["attention"]
    """Share of the matrix products' efficiency that attention reaches, counting half the square [1]."""
    link: float = _FITTED["link"]
    """Share of the one-direction scale-up bandwidth the exchange between experts reaches [1]."""
    expert_products: float = _FITTED["expert_products"]
    """Efficiency of the grouped, uneven products of experts over that of large ones [1]."""
    doubling: float = _FITTED["doubling"]
    """Time added for every doubling of the accelerators beyond a scale-up domain, in a benchmark [1]."""
    recompute: float = _FITTED["recompute"]
    """Time added where memory is too small to keep activations whole [1]; a third if all were recomputed."""
    reported: float = 0.82
    """A run over the utilisation its own authors report [1]: median of 11 papers that give both, range 0.66 to 0.96."""
    one_server: float = 0.95
    """A run on a single server over a benchmark [1]: evaluation and checkpoints; not fitted, failures are rare."""
    size_loss: float = _FITTED["size_loss"]
    """Exponent of the loss of a run with the nodes it takes [1]."""
    expert_tuning: float = _FITTED["expert_tuning"]
    """Runs with experts over what public benchmarks of them show [1]."""

    def matmul(self, generation: str) -> float:
        """Share of the peak matrix products reach. Raises KeyError for an unknown generation."""
        return {
            "ampere": self.ampere,
            "hopper": self.hopper,
            "blackwell": self.blackwell,
            "volta": self.volta,
            "tpu": self.tpu,
            "cdna": self.cdna,
        }[generation]


GENERATIONS: Final = ("volta", "ampere", "hopper", "blackwell", "tpu", "cdna")
"""Generations there is an efficiency of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """Standard deviations of the logarithm of measured over predicted, in families left out of the fit."""

    benchmark: float = 0.115
    """Of the utilisation of a dense benchmark at 16 bits."""
    benchmark_low_precision: float = 0.17
    """Of a dense benchmark at 8 or 4 bits."""
    benchmark_experts: float = 0.36
    """Of a benchmark with experts; the software of one year alone moves it by a factor of 1.5."""
    run: float = 0.38
    """Of a whole run."""
    anchored: float = 0.13
    """Of what is predicted from a measurement of the same setup, dense."""
    anchored_experts: float = 0.25
    """The same with experts: their setups are measured months of software apart."""
