"""Examples of predictions shown in the OpenAPI document; a test posts each of them."""

from typing import Any, Final

PREDICT_TRAINING: Final[dict[str, Any]] = {
    "library": {
        "summary": "A model of the library on 2,048 GPUs",
        "value": {
            "llm": "llama-3.1-70b",
            "accelerator": "nvidia-h100-sxm-80gb",
            "accelerators": 2048,
            "tokens": 15e12,
            "sequence": 8192,
            "power": {"carbon_kg_per_kwh": 0.385},
        },
    },
    "anchored": {
        "summary": "The same, with one measured step",
        "value": {
            "llm": "llama-3.1-70b",
            "accelerator": "H100 SXM",
            "accelerators": 2048,
            "tokens": 15e12,
            "sequence": 8192,
            "anchors": [{"utilisation": 0.41, "accelerators": 512}],
        },
    },
}
PREDICT_INFERENCE: Final[dict[str, Any]] = {
    "service": {
        "summary": "A service for 100,000 users within 40 ms a token",
        "value": {
            "llm": "llama-3.1-70b",
            "accelerator": "H100 SXM",
            "precision": "fp8",
            "input_tokens": 1024,
            "output_tokens": 512,
            "time_per_output_token_ms": 40,
            "traffic": {"users": 100000, "queries_per_user_per_day": 10},
        },
    },
}
PREDICT_FINE_TUNING: Final[dict[str, Any]] = {
    "lora": {
        "summary": "LoRA on eight GPUs",
        "value": {
            "method": "lora",
            "llm": "llama-3.1-8b",
            "accelerator": "H100 SXM",
            "tokens": 1e8,
            "epochs": 3,
        },
    },
    "reinforcement": {
        "summary": "RL with rollouts",
        "value": {
            "method": "reinforcement",
            "llm": "llama-3.1-8b",
            "accelerator": "H100 SXM",
            "prompts": 100000,
            "prompt_tokens": 200,
            "answer_tokens": 4000,
        },
    },
}
PREDICT_MEMORY: Final[dict[str, Any]] = {
    "training": {
        "summary": "Training on 64 GPUs with tensor parallelism",
        "value": {
            "llm": "llama-3.1-70b",
            "accelerator": "H100 SXM",
            "sequence": 8192,
            "layout": {"data": 8, "tensor": 8, "zero": 3},
        },
    },
    "serving": {
        "summary": "Serving from four GPUs",
        "value": {
            "use": "serving",
            "llm": "llama-3.1-70b",
            "accelerator": "H100 SXM",
            "sequence": 8192,
            "accelerators": 4,
            "concurrency": 20,
        },
    },
}
