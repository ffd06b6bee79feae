"""Examples shown in the OpenAPI document; a test posts each of them."""

from typing import Any, Final

_TRAINING: Final[dict[str, Any]] = {
    "name": "A training run on our own GPUs",
    "currency": "USD",
    "training": {
        "gpus": "8",
        "hours": "240",
        "power_per_gpu_kw": "0.7",
        "electricity_price": {"amount": "0.0826", "currency": "USD"},
    },
}
_WHOLE: Final[dict[str, Any]] = {
    "name": "A small product, first year",
    "currency": "USD",
    "data": {"volume_tb": "5", "licensing_fees": {"amount": "1000"}, "storage_costs": {"amount": "23"}},
    "inference": {
        "users": "1000",
        "queries_per_user_per_day": "5",
        "days": "365",
        "cost_per_query": {"amount": "0.002"},
    },
    "engineering": {"engineers": "2", "average_annual_salary": {"amount": "148100"}, "years": "1"},
}
_TEAM: Final[dict[str, Any]] = {
    "name": "A team and its growing store",
    "currency": "USD",
    "data": {
        "volume_tb": "20",
        "months": "24",
        "growth_tb_per_month": "4",
        "storage_tiers": [{"price": {"amount": "23"}}, {"price": {"amount": "22"}, "above_tb": "50"}],
    },
    "engineering": {
        "years": "2",
        "loading": {"value": "1.4"},
        "roles": [
            {"name": "research", "people": "6", "salary": {"amount": "214670"}, "ramp_up_years": "1"},
            {"name": "support", "people": "2", "salary": {"amount": "135980"}, "part_time": "0.5"},
        ],
    },
}

SCENARIOS: Final[dict[str, Any]] = {
    "training": {"summary": "Own GPUs: power × GPUs × hours × electricity price", "value": _TRAINING},
    "product": {"summary": "Data, inference and engineers", "value": _WHOLE},
    "team": {"summary": "Roles of several salaries, and a store that grows through its tiers", "value": _TEAM},
}
ESTIMATES: Final[dict[str, Any]] = {
    "now": {"summary": "Price a scenario now", "value": {"scenario": _TRAINING}},
    "then": {
        "summary": "Price it as of another moment",
        "value": {"scenario": _WHOLE, "valid_at": "2026-11-20T00:00:00Z"},
    },
}
RERUNS: Final[dict[str, Any]] = {
    "same": {"summary": "With the very prices it was made of", "value": {}},
    "then": {"summary": "With the prices of another day", "value": {"valid_at": "2026-11-20T00:00:00Z"}},
}
BRIDGES: Final[dict[str, Any]] = {
    "since": {
        "summary": "Since the first of the year",
        "value": {"scenario": _WHOLE, "before": "2026-01-01T00:00:00Z", "after": "2026-11-01T00:00:00Z"},
    },
}
COST_HISTORIES: Final[dict[str, Any]] = {
    "days": {
        "summary": "A month, day by day",
        "value": {"scenario": _WHOLE, "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
    },
    "changes": {
        "summary": "Every change of a price, as it was known then",
        "value": {
            "scenario": _TRAINING,
            "start": "2026-01-01T00:00:00Z",
            "end": "2026-02-01T00:00:00Z",
            "step": "change",
            "reading": "known_then",
        },
    },
}
RATE_CARDS: Final[dict[str, Any]] = {
    "contract": {
        "summary": "A quarter off one family for a year, and a server of our own",
        "value": {
            "name": "acme",
            "entries": [
                {
                    "provider": "aws",
                    "sku": "p5.*",
                    "discount": "0.25",
                    "valid_from": "2026-01-01T00:00:00Z",
                    "valid_until": "2027-01-01T00:00:00Z",
                },
                {"provider": "own", "sku": "dgx-1", "unit_price": "1.20", "currency": "USD", "unit": "GPU-Hours"},
            ],
        },
    },
}
TARGETS: Final[dict[str, Any]] = {
    "webhook": {
        "summary": "A signed webhook, told of budgets; its key is COSTPLAN_TARGET_OPS_SECRET",
        "value": {
            "name": "ops",
            "kind": "webhook",
            "url": "https://ops.example.com/hooks/costs",
            "types": ["budget.exceeded", "budget.forecast_crossing", "estimate.moved"],
        },
    },
    "slack": {
        "summary": "A Slack channel; its address is COSTPLAN_TARGET_CHANNEL_URL",
        "value": {"name": "channel", "kind": "slack"},
    },
}
BUDGETS: Final[dict[str, Any]] = {
    "quarter": {
        "summary": "A product, quarter by quarter, priced again every Monday",
        "value": {
            "name": "product",
            "scenario": _WHOLE,
            "limit": "320000",
            "currency": "USD",
            "start": "2026-01-01",
            "repeats": "quarter",
            "zone": "Europe/Berlin",
            "schedule": "0 7 * * mon",
            "thresholds": [{"of": "forecast", "share": "0.9"}, {"of": "spent", "share": "0.8"}],
        },
    },
}
CHECKS: Final[dict[str, Any]] = {
    "limit": {
        "summary": "Twice the GPUs, under a limit",
        "value": {
            "scenario": {**_TRAINING, "training": {**_TRAINING["training"], "gpus": "16"}},
            "limit": "500",
            "against": _TRAINING,
        },
    },
}
HARDWARE_LABELS: Final[dict[str, Any]] = {
    "sxm": {
        "summary": "An H100 without a form factor is an SXM",
        "value": {"label": "h100", "accelerator": "nvidia-h100-sxm-80gb", "reason": "the seller's page says SXM5"},
    },
    "everywhere": {
        "summary": "The same of every feed that says no more than h100",
        "value": {
            "label": "h100",
            "accelerator": "nvidia-h100-sxm-80gb",
            "everywhere": True,
            "reason": "we only rent SXM",
        },
    },
}
HARDWARE_LABELS_UNMAPPED: Final[dict[str, Any]] = {
    "everywhere": {
        "summary": "What was said of every feed",
        "value": {"label": "h100", "everywhere": True, "reason": "one of them means PCIe"},
    },
}
FORMULA_INPUTS: Final[dict[str, Any]] = {
    "training.energy_cost": {
        "summary": "training.energy_cost: eight GPUs for ten days",
        "value": {
            "inputs": {"power_per_gpu_kw": "0.7", "gpus": "8", "hours": "240", "electricity_price": "0.0826"},
        },
    },
    "inference.cost": {
        "summary": "inference.cost: a thousand users for a day",
        "value": {"inputs": {"cost_per_query": "0.002", "users": "1000", "queries_per_user_per_day": "5"}},
    },
}
"""By the id of the formula each belongs to."""

GOALS: Final[dict[str, Any]] = {
    "own": {
        "summary": "GPU-hours on the market or on our own machines, whatever is cheaper",
        "value": {
            "name": "An ablation on eight H100",
            "gpu_hours": {"gpus": 8, "hours": 100, "together": 8},
            "accelerators": ["nvidia-h100-sxm-80gb"],
            "within_hours": 240,
            "budget": "5000",
            "own": [
                {
                    "name": "our rack",
                    "accelerator": "nvidia-h100-sxm-80gb",
                    "gpus": 16,
                    "gpu_hour": {"amount": "1.60"},
                    "power_kw": "1.2",
                    "electricity": {"amount": "0.0826"},
                    "pue": {"value": "1.3"},
                }
            ],
        },
    },
    "pretraining": {
        "summary": "Train a model on our own machines, with people and storage",
        "value": {
            "name": "A small model",
            "pretraining": {"llm": "llama-3.2-1b", "tokens": 2e10},
            "within_hours": 720,
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
            "staff": {"people": "1", "salary": {"amount": "148100"}},
            "storage": {"volume_tb": "2", "price": {"amount": "23"}},
        },
    },
}
STANDING_GOALS: Final[dict[str, Any]] = {
    "own": {
        "summary": "Tell when anything beats our own machines by a twentieth",
        "value": {"goal": GOALS["own"]["value"], "hysteresis": "0.05"},
    },
}
