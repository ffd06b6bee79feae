"""Examples of questions to the planner shown in the OpenAPI document; a test posts each of them."""

from typing import Any, Final

COMMITMENTS: Final[dict[str, Any]] = {
    "year": {
        "summary": "Eight days of demand, a plan for four of them",
        "value": {
            "demand": {"paths": [[8, 8, 24, 24, 24, 8, 8, 8]], "step_hours": "24"},
            "on_demand": {"amount": "3.00"},
            "offered": [{"name": "a week", "term_hours": "168", "hourly": {"amount": "1.90"}}],
            "lot": "8",
            "purchase_hours": ["24", "48"],
        },
    },
}
STARTS: Final[dict[str, Any]] = {
    "slots": {
        "summary": "The two cheapest hours of three, at 100 kW",
        "value": {
            "hours": "2",
            "units": "100",
            "earliest": "2026-03-01T00:00:00Z",
            "deadline": "2026-03-01T03:00:00Z",
            "suspendable": True,
            "slots": [
                {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T01:00:00Z", "price": "0.08"},
                {"start": "2026-03-01T01:00:00Z", "end": "2026-03-01T02:00:00Z", "price": "0.31"},
                {"start": "2026-03-01T02:00:00Z", "end": "2026-03-01T03:00:00Z", "price": "0.07"},
            ],
        },
    },
    "blocks": {
        "summary": "Blocks of a day for a run of thirty hours",
        "value": {
            "hours": "30",
            "earliest": "2026-03-01T00:00:00Z",
            "deadline": "2026-03-05T00:00:00Z",
            "blocks": [
                {"name": "mon", "start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z", "price": "400"},
                {"name": "tue", "start": "2026-03-03T00:00:00Z", "end": "2026-03-04T00:00:00Z", "price": "420"},
            ],
        },
    },
}
BUY_OR_RENT: Final[dict[str, Any]] = {
    "fleet": {
        "summary": "64 GPUs: own, reserved or on demand",
        "value": {
            "gpus": "64",
            "ways": [
                {"name": "on demand", "rent": {"gpu_price": {"amount": "3.00"}}},
                {"name": "reserved", "rent": {"gpu_price": {"amount": "1.80"}, "committed": True}},
                {
                    "name": "own",
                    "own": {
                        "capital": {"amount": "40000"},
                        "years": "4",
                        "interest": "0.08",
                        "power_kw": "1.3",
                        "electricity": {"amount": "0.10"},
                    },
                },
            ],
        },
    },
    "serving": {
        "summary": "An API, or replicas of eight rented GPUs",
        "value": {
            "query": {"input_tokens": "1500", "output_tokens": "500"},
            "most": "20000000",
            "ways": [
                {"name": "api", "api": {"input": {"amount": "0.50"}, "output": {"amount": "1.50"}}},
                {
                    "name": "rented",
                    "rent": {"gpu_price": {"amount": "1.80"}},
                    "replica": {"gpus": "8", "queries_per_hour": "12000"},
                },
            ],
        },
    },
}
FLEETS: Final[dict[str, Any]] = {
    "load": {
        "summary": "20,000 tokens a second, half of them also without spot",
        "value": {
            "load": {"throughput": "20000", "left_without_spot": "0.5", "left_without_region": "0.3"},
            "offers": [
                {
                    "name": "8xH100",
                    "provider": "nimbus",
                    "region": "eu",
                    "accelerator": "H100",
                    "gpus": "8",
                    "price": {"amount": "2.00"},
                    "throughput": "8000",
                },
                {
                    "name": "8xH100 spot",
                    "provider": "nimbus",
                    "region": "eu",
                    "accelerator": "H100",
                    "gpus": "8",
                    "price": {"amount": "0.75"},
                    "throughput": "8000",
                    "available": "0.9",
                    "spot": True,
                    "machines": 2,
                },
                {
                    "name": "L40S",
                    "provider": "cirrus",
                    "region": "us",
                    "accelerator": "L40S",
                    "price": {"amount": "1.00"},
                    "throughput": "400",
                },
            ],
        },
    },
    "goal": {
        "summary": "A service on machines of the market or our own, half of it also without spot",
        "value": {
            "goal": {
                "name": "chat",
                "serving": {
                    "llm": "llama-3.1-8b",
                    "output_tokens_per_second": 20000,
                    "input_tokens": 1000,
                    "output_tokens": 300,
                },
                "own": [
                    {
                        "name": "our rack",
                        "accelerator": "nvidia-h100-sxm-80gb",
                        "gpus": 16,
                        "gpu_hour": {"amount": "1.60"},
                        "power_kw": "1.2",
                        "electricity": {"amount": "0.0826"},
                    }
                ],
            },
            "load": {"left_without_spot": "0.5"},
        },
    },
    "works": {
        "summary": "Two jobs and a quota",
        "value": {
            "works": [
                {
                    "name": "train",
                    "needs": [
                        {"accelerator": "H100", "gpus": "64", "hours": "100"},
                        {"accelerator": "A100", "gpus": "64", "hours": "240"},
                    ],
                },
                {"name": "tune", "needs": [{"accelerator": "H100", "gpus": "16", "hours": "20"}], "regions": ["eu"]},
            ],
            "offers": [
                {
                    "name": "h100",
                    "provider": "nimbus",
                    "region": "eu",
                    "accelerator": "H100",
                    "gpus": "8",
                    "price": {"amount": "2.40"},
                },
                {
                    "name": "a100",
                    "provider": "cirrus",
                    "region": "us",
                    "accelerator": "A100",
                    "gpus": "8",
                    "price": {"amount": "1.20"},
                },
            ],
            "quotas": [{"name": "nimbus grants 64", "gpus": "64", "provider": "nimbus"}],
        },
    },
}
PIPELINES: Final[dict[str, Any]] = {
    "train": {
        "summary": "Prepare where the data lie, train where it is cheap",
        "value": {
            "data_sets": [{"name": "web text", "regions": ["us-east"]}],
            "stages": [
                {
                    "name": "prepare",
                    "offers": [
                        {"name": "cpu us", "region": "us-east", "hours": "10", "cost": "200"},
                        {"name": "cpu eu", "region": "eu-north", "hours": "10", "cost": "150"},
                    ],
                    "reads": [{"of": "web text", "gb": "20000"}],
                },
                {
                    "name": "train",
                    "offers": [
                        {
                            "name": "h100 us",
                            "region": "us-east",
                            "hours": "100",
                            "units": "64",
                            "price": {"amount": "2.90"},
                        },
                        {
                            "name": "h100 eu",
                            "region": "eu-north",
                            "hours": "100",
                            "units": "64",
                            "price": {"amount": "2.10"},
                        },
                    ],
                    "reads": [{"of": "prepare", "gb": "4000"}],
                },
            ],
            "egress": [{"from_region": "us-east", "price": {"amount": "0.05"}}],
        },
    },
    "goal": {
        "summary": "Train wherever the market or our own machines are cheapest, the moving of the text counted",
        "value": {
            "data_sets": [{"name": "web text", "regions": ["aws/us-east-1"]}],
            "stages": [
                {
                    "name": "train",
                    "goal": {
                        "name": "a small model",
                        "pretraining": {"llm": "llama-3.2-1b", "tokens": 2e10},
                        "own": [
                            {
                                "name": "our rack",
                                "accelerator": "nvidia-h100-sxm-80gb",
                                "gpus": 64,
                                "gpu_hour": {"amount": "1.60"},
                                "power_kw": "1.2",
                                "electricity": {"amount": "0.0826"},
                            }
                        ],
                    },
                    "reads": [{"of": "web text", "gb": "200"}],
                }
            ],
            "egress": [{"from_region": "*", "price": {"amount": "0.09"}}],
        },
    },
}
