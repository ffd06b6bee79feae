"""The accelerators of published tables: what their labels mean, from the registry of accelerators.

Tables of papers write labels that no feed does, and name a few parts that the registry does not hold.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pricing_sources.accelerators import Accelerator, accelerator_by_id, resolve
from service.formulas.utilisation import TrainingHardware

BRANDS: Final = re.compile(r"\b(nvidia|amd|instinct|tesla|google)\b", re.IGNORECASE)
MEANT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "a100-80": "nvidia-a100-sxm-80gb",
        "a100-40": "nvidia-a100-sxm-40gb",
        "a100_80gb": "nvidia-a100-sxm-80gb",
        "a100_40gb": "nvidia-a100-sxm-40gb",
        "a100": "nvidia-a100-sxm-80gb",
        "a100 sxm4 40 gb": "nvidia-a100-sxm-40gb",
        "a100 sxm4 80 gb": "nvidia-a100-sxm-80gb",
        "a800": "nvidia-a100-sxm-80gb",
        "h100": "nvidia-h100-sxm-80gb",
        "h100_80gb": "nvidia-h100-sxm-80gb",
        "h100/h800": "nvidia-h100-sxm-80gb",
        "h800": "nvidia-h100-sxm-80gb",
        "h200": "nvidia-h200-sxm",
        "h200-sxm-141gb": "nvidia-h200-sxm",
        "v100": "nvidia-v100-32gb",
        "v100 dgxs 32 gb": "nvidia-v100-32gb",
        "tpuv4": "google-tpu-v4",
        "tpu v4": "google-tpu-v4",
        "tpuv5e": "google-tpu-v5e",
        "tpuv5p": "google-tpu-v5p",
        "tpuv6e": "google-tpu-v6e",
        "h800 sxm5": "nvidia-h100-sxm-80gb",
        "h100 sxm5 80gb": "nvidia-h100-sxm-80gb",
        "gh200": "nvidia-gh200-96gb",
        "mi300x 192gb hbm3": "amd-mi300x",
        "mi325x 256gb hbm3e": "amd-mi325x",
    }
)
"""What a table means by a label that stands for several parts: in training runs, the SXM form."""
EXPORT_LINK: Final = 200e9
"""A800 and H800 have the chip of A100 and H100 with a link of 400 GB/s, both directions [bytes/s, one direction]."""
GENERATION: Final = (
    ("nvidia-v100", "volta"),
    ("nvidia-a100", "ampere"),
    ("nvidia-h", "hopper"),
    ("nvidia-gh", "hopper"),
    ("nvidia-b", "blackwell"),
    ("nvidia-gb", "blackwell"),
    ("google-tpu", "tpu"),
    ("amd-mi2", "cdna"),
    ("amd-mi3", "cdna"),
)
RACK: Final = 72
"""Accelerators the scale-up link of an NVL72 rack joins; 8 in a server."""
TPU_SLICE: Final = 1024
SERVER: Final = 8
GB300_BANDWIDTH: Final = 8e12
"""Where the registry has none: that of B300, the same chip [bytes/s]."""
FORMATS: Final = (("fp4", "fp4"), ("fp8", "fp8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One accelerator as predictions need it."""

    id: str
    generation: str | None
    memory: float
    bandwidth: float
    link: float
    domain: int
    peaks: Mapping[str, float]
    tdp: float | None = None


TPU_V3: Final = Part(
    id="google-tpu-v3",
    generation="tpu",
    memory=32e9,
    bandwidth=0.9e12,
    link=82e9,
    domain=TPU_SLICE,
    peaks=MappingProxyType({"bf16": 123e12}),
)
"""Not in the registry; Jouppi et al., "A domain-specific supercomputer for training", CACM 63(7), 2020."""


def part(label: str) -> Part | None:
    """The accelerator a table means; None where it means none that is known, or several.

    >>> part("H800").link
    200000000000.0
    >>> part("a mixture") is None
    True
    """
    bare = " ".join(BRANDS.sub("", label).split()).lower()
    if bare in {"tpuv3", "tpu v3"}:
        return TPU_V3
    meant = MEANT.get(bare)
    known = accelerator_by_id(meant) if meant else resolve(bare).accelerator
    if known is None:
        return None
    return part_of(known, export=bare in {"a800", "h800", "h800 sxm5"})


def number_format(precision: str) -> str:
    """The number format of matrix products a table means; 16 bits where it says no other.

    >>> number_format("MXFP8"), number_format("amp_bf16"), number_format("NVFP4")
    ('fp8', 'bf16', 'fp4')
    """
    lowered = precision.lower()
    return next((found for word, found in FORMATS if word in lowered), "bf16")


def training_hardware(found: Part, precision: str) -> TrainingHardware | None:
    """The accelerator as training sees it; None where its peak or generation is not known."""
    sixteen = found.peaks.get("bf16") or found.peaks.get("fp16")
    peak = found.peaks.get(number_format(precision), sixteen)
    if sixteen is None or peak is None or found.generation is None:
        return None
    return TrainingHardware(
        peak_flops=peak,
        peak_flops_16bit=sixteen,
        bandwidth=found.bandwidth,
        memory=found.memory,
        link_bandwidth=found.link,
        domain=found.domain,
        generation=found.generation,
    )


def part_of(known: Accelerator, *, export: bool = False, assumed_link: float | None = None) -> Part | None:
    """An accelerator of the registry; None where its bandwidth, or its link and none is assumed, is not known."""
    figures = {name: one.value for name, one in known.figures.items()}
    bandwidth = figures.get("bandwidth") or (GB300_BANDWIDTH if known.id == "nvidia-gb300" else None)
    link = figures.get("link", assumed_link)
    if bandwidth is None or link is None:
        return None
    generation = next((name for start, name in GENERATION if known.id.startswith(start)), None)
    return Part(
        id=known.id,
        generation=generation,
        memory=float(known.memory_gb) * 1e9,
        bandwidth=bandwidth,
        link=EXPORT_LINK if export else link,
        domain=_domain(known.id),
        peaks={name: value for name, value in figures.items() if name in {"bf16", "fp16", "fp8", "fp4"}},
        tdp=figures.get("tdp"),
    )


def _domain(accelerator_id: str) -> int:
    if accelerator_id in {"nvidia-gb200", "nvidia-gb300"}:
        return RACK
    return TPU_SLICE if accelerator_id.startswith("google-tpu") else SERVER
