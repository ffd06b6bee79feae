"""Doors are equal: whatever the product can do has a route and a command, or a reason why not."""

import ast
import inspect
from pathlib import Path

from service.usecases import (
    accounting,
    agenda,
    archive,
    bands,
    budgets,
    comparisons,
    cost_history,
    estimates,
    events,
    formulas,
    gate,
    hardware,
    notifications,
    placement,
    planning,
    plans,
    predictions,
    prices,
    quarantine,
    rate_cards,
    refresh,
    sources,
    spend,
    standing_goals,
    validation,
)

ROOT = Path(__file__).parents[2]
USE_CASES = {
    estimates: {"new_estimate", "get_estimate", "list_estimates", "new_scenario", "get_scenario", "list_scenarios"},
    formulas: {"list_formulas", "get_formula", "evaluate_formula"},
    prices: {"as_of", "search_prices", "get_price", "price_history", "get_document"},
    refresh: {"refresh", "import_saved"},
    accounting: {"account_for"},
    sources: {"list_sources", "list_refreshes", "get_refresh", "list_disagreements", "terms_of", "feed_named"},
    quarantine: {"list_quarantine", "get_quarantined", "release_price", "release_refresh"},
    archive: {"backfill", "reparse"},
    hardware: {"list_accelerators", "get_accelerator", "list_labels", "map_label", "unmap_label"},
    rate_cards: {"put_rate_card", "get_rate_card", "list_rate_cards"},
    predictions: {"predict_training", "predict_inference", "predict_fine_tuning", "predict_memory"},
    validation: {"validate_predictions", "validate_published", "summarise_validations"},
    comparisons: {
        "rerun_estimate",
        "bridge_estimates",
        "explain_scenario",
        "compare_estimates",
        "difference_band",
    },
    bands: {"estimate_band"},
    cost_history: {"cost_history"},
    standing_goals: {
        "watch_goal",
        "list_standing_goals",
        "list_standing_goal_runs",
        "run_standing_goal",
    },
    plans: {"new_plan", "get_plan", "list_plans", "series_shown"},
    planning: {"plan_commitments", "plan_start", "compare_buy_or_rent"},
    placement: {"plan_fleet", "plan_pipeline"},
    notifications: {
        "put_target",
        "list_targets",
        "get_target",
        "try_target",
        "list_deliveries",
        "replay_delivery",
        "deliver_due",
    },
    budgets: {
        "put_budget",
        "list_budgets",
        "get_budget",
        "budget_status",
        "run_budget",
        "list_budget_runs",
        "next_runs",
    },
    gate: {"check_scenario"},
    events: {"list_events"},
    agenda: {"agenda"},
    spend: {"import_spend", "list_spend_imports"},
}
BY_THE_ROOT = "handed in by the composition root, so that the door does not know which feeds exist"
ELSEWHERE = {
    "api": {
        "import_saved": "a saved document is a file on the machine of whoever runs the service",
        "account_for": "the same",
        "refresh": BY_THE_ROOT,
        "backfill": BY_THE_ROOT,
        "reparse": BY_THE_ROOT,
        "release_price": BY_THE_ROOT,
        "deliver_due": "the scheduler does it every half minute",
    },
    "cli": {},
}
NOT_A_DOORS_BUSINESS = {
    "import_document",
    "price_scenario",
    "scenario_of",
    "plan_made",
    "meets",
    "price_again",
    "keep",
    "explained",
    "exchange_rates",
    "cadence_of",
    "told",
    "message_of",
    "tell_stale",
    "tell_expiring",
    "band_of",
    "band_made",
    "evidence_of",
    "check_draws",
    "next_slot",
    "missed_publications",
}
"""Steps other use cases, the pages and the scheduler are made of."""


def names_used(room: str) -> set[str]:
    used = set()
    for path in (ROOT / "service" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Name):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.ImportFrom):
                used |= {alias.name for alias in node.names}
    return used


def test_the_list_of_use_cases_is_complete() -> None:
    for module, listed in USE_CASES.items():
        public = {
            name
            for name, value in inspect.getmembers(module, inspect.isfunction)
            if value.__module__ == module.__name__ and not name.startswith("_")
        }
        assert public - NOT_A_DOORS_BUSINESS == listed


def test_every_use_case_has_a_route_and_a_command_or_a_reason() -> None:
    wanted = set().union(*USE_CASES.values())
    for room, excused in ELSEWHERE.items():
        assert wanted - names_used(room) == set(excused), room
