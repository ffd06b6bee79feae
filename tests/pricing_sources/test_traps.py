"""Every trap known of public price feeds, and the tests that fail when its guard is removed.

Two lists of ten: of GPU and cloud prices, and of electricity, salaries, exchange rates and tokens.
A guard is what a test named here holds; whoever takes one out finds the trap in this table.
"""

import ast
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
COMPUTE: Final = "pricing_sources/compute"
POWER: Final = "pricing_sources/electricity"
AZURE: Final = f"{COMPUTE}/test_azure_retail_prices.py"
AWS: Final = f"{COMPUTE}/test_aws_ec2_offers.py"
SKYPILOT: Final = f"{COMPUTE}/test_skypilot_catalog.py"
RUNPOD: Final = f"{COMPUTE}/test_runpod.py"
CENTS: Final = f"{COMPUTE}/test_priced_by_the_cent.py"
ACCELERATORS: Final = "pricing_sources/test_accelerators.py"
OEWS: Final = "pricing_sources/labor/test_bls_oews.py"
OPENROUTER: Final = "pricing_sources/llm_api/test_openrouter.py"
ECB: Final = "pricing_sources/fx/test_ecb.py"
LOG: Final = "store/test_log.py"
TRUST: Final = "usecases/test_trust.py"

OF_CLOUDS: Final = {
    "Windows and Linux share every name but the product's": (
        f"{AZURE}::test_a_row_that_is_no_price_of_ours_is_skipped_by_name",
        f"{AZURE}::test_a_savings_plan_is_read_only_from_a_linux_on_demand_row",
    ),
    "a reservation's total for the term is listed per hour": (
        f"{AZURE}::test_a_reservation_row_is_a_whole_term_total",
        f"{AWS}::test_a_partial_upfront_price_is_the_hourly_part_plus_the_upfront_sum_over_the_term",
        f"{AWS}::test_half_a_reservation_is_not_a_price",
    ),
    "one figure is per GPU, the next per machine, per offer, in cents or in 1e-8": (
        f"{RUNPOD}::test_the_lowest_price_is_never_read",
        f"{COMPUTE}/test_verda.py::test_a_machine_is_divided_down_to_one_gpu",
        f"{COMPUTE}/test_oci.py::test_a_price_is_for_one_gpu_already",
        f"{COMPUTE}/test_vast.py::test_the_price_of_an_offer_is_for_all_its_gpus_and_is_divided",
        f"{CENTS}::test_lambda_counts_cents_and_a_fraction_of_one_is_no_price",
        f"{CENTS}::test_shadeform_names_whose_machine_it_is_and_prices_it_in_every_region",
        f"{CENTS}::test_cloudrift_counts_cents_and_bytes",
        f"{COMPUTE}/test_ovhcloud.py::test_a_price_is_counted_in_hundred_millionths_of_a_euro",
        f"{COMPUTE}/test_gcp_billing_catalog.py::test_units_and_nanos_are_added_exactly",
        f"{COMPUTE}/test_scaleway.py::test_euros_and_nanos_are_one_price",
    ),
    "a zero or a placeholder stands where no price is": (
        f"{SKYPILOT}::test_a_missing_price_filled_with_zero_is_no_gift",
        f"{RUNPOD}::test_a_cloud_that_does_not_offer_the_gpu_states_only_a_placeholder",
        f"{AZURE}::test_a_row_that_is_no_price_of_ours_is_skipped_by_name",
        f"{AWS}::test_a_row_that_is_no_price_of_ours_is_skipped_by_name",
        f"{COMPUTE}/test_aws_capacity_blocks.py::test_nothing_is_free",
        f"{COMPUTE}/test_vultr.py::test_what_is_no_price_has_a_name",
    ),
    "the number of GPUs is missing, wrong, a fraction or hidden in a name": (
        f"{AZURE}::test_a_size_without_a_documented_count_stays_per_instance_hour",
        f"{AZURE}::test_a_sixth_of_a_card_is_priced_as_six_times_the_machine",
        f"{AWS}::test_a_wrong_count_of_the_feed_does_not_matter_where_the_table_knows",
        f"{COMPUTE}/test_vultr.py::test_the_id_of_a_metal_plan_tells_its_gpus",
        f"{SKYPILOT}::test_a_count_that_was_rounded_divides_nothing",
    ),
    "one label means several accelerators": (
        f"{ACCELERATORS}::test_a_family_is_never_guessed_at",
        f"{ACCELERATORS}::test_a_card_with_other_memory_than_its_name_promises_is_not_taken_for_it",
        f"{COMPUTE}/test_vast.py::test_a_market_is_a_gpu_its_memory_a_count_a_country_and_a_verification",
        f"{COMPUTE}/test_gcp_billing_catalog.py::test_a_slice_has_its_host_in_the_price_and_a_gpu_has_not",
    ),
    "one machine has two names, and a filter that matches nothing answers with success": (
        f"{AZURE}::test_a_price_only_alias_is_read_as_the_machine_that_can_be_deployed",
        f"{AZURE}::test_one_machine_under_two_names_is_counted_once",
        f"{AZURE}::test_an_empty_first_page_is_a_failure_not_a_success",
        f"{COMPUTE}/test_vast.py::TestFetch::test_a_market_without_a_single_offer_is_a_question_not_understood",
    ),
    "a row for every region is no availability, and a row left out today is no end": (
        f"{SKYPILOT}::test_a_price_in_a_region_does_not_say_that_the_machine_is_there",
        f"{TRUST}::test_an_offer_ends_only_after_three_looks_without_it_and_from_the_first_of_them",
        f"{TRUST}::test_an_offer_that_returns_in_between_was_never_gone",
    ),
    "a feed changes its fields without a word": (
        f"{RUNPOD}::test_a_gpu_type_without_one_of_its_fields_is_refused_with_its_place",
        f"{COMPUTE}/test_primeintellect.py::test_a_configuration_without_one_of_its_fields_is_refused_with_its_place",
        f"{COMPUTE}/test_aws_offer_index.py::TestFetch::test_the_older_name_of_the_link_is_understood",
        f"{COMPUTE}/test_oci.py::test_when_the_first_host_turns_us_away_the_second_is_asked",
        f"{AWS}::test_a_file_that_lost_a_column_is_refused",
        "pricing_sources/test_registry.py::test_half_a_document_is_refused",
    ),
    "no date, a date to come, a rate of tomorrow, months of four lengths": (
        f"{COMPUTE}/test_aws_spot_prices.py::test_a_price_holds_from_when_it_was_seen_and_says_how_it_was_shared",
        f"{COMPUTE}/test_gcp_billing_catalog.py::test_the_effective_time_is_only_the_moment_google_looked",
        f"{AZURE}::test_a_series_may_have_a_second_price_from_a_later_date",
        f"{COMPUTE}/test_vultr.py::test_the_hourly_price_is_read_and_never_a_share_of_the_month",
        "usecases/test_estimates.py::test_a_cost_of_noon_is_converted_at_the_rate_of_the_day_before",
        f"{LOG}::test_a_price_holds_from_its_date_and_is_known_from_its_seal",
    ),
}
OF_THE_REST: Final = {
    "units a thousand or a hundred apart": (
        f"{POWER}/test_energy_charts.py::test_prices_in_another_unit_are_held_back_one_by_one",
        f"{POWER}/test_eia_861m.py::test_an_unknown_unit_is_refused_before_a_price_is_read",
        f"{POWER}/test_eia_v2.py::test_another_unit_is_refused",
        f"{POWER}/test_octopus_agile.py::test_pence_become_pounds_on_two_bases",
        f"{OPENROUTER}::test_a_price_of_one_token_is_kept_for_a_million",
        "pricing_sources/test_screening.py::test_an_unbelievable_price_is_held_back_with_the_reason",
    ),
    "prices of different contents: with tax, wholesale, electricity inside": (
        f"{POWER}/test_octopus_agile.py::test_pence_become_pounds_on_two_bases",
        "estimating/test_estimate.py::test_electricity_on_top_of_a_rented_hour_is_refused",
        "estimating/test_estimate.py::test_the_price_of_a_whole_machine_is_not_taken_for_a_gpus",
    ),
    "a stamp ends or begins its interval, in a zone with a day of 23 or 25 hours": (
        f"{POWER}/test_aemo.py::test_a_stamp_is_the_end_of_its_interval_in_market_time",
        f"{POWER}/test_nyiso.py::test_the_day_the_clocks_go_back_has_twenty_five_hours",
        f"{POWER}/test_nyiso.py::test_the_day_the_clocks_go_forward_has_twenty_three",
        f"{POWER}/test_energy_charts.py::test_the_days_on_which_clocks_change_have_an_hour_less_or_more",
        f"{POWER}/test_entsoe.py::test_the_days_on_which_clocks_change_have_an_hour_less_or_more",
    ),
    "hours become quarters, points are left out, days lack intervals": (
        f"{POWER}/test_entsoe.py::test_a_point_that_is_left_out_repeats_the_one_before_in_a_variable_curve",
        f"{POWER}/test_entsoe.py::test_hours_and_quarter_hours_of_one_answer_are_two_series",
        f"{POWER}/test_energy_charts.py::test_hours_become_quarter_hours_within_one_answer",
        f"{POWER}/test_energy_charts.py::test_a_gap_does_not_make_a_quarter_hour_longer",
        f"{POWER}/test_aemo.py::test_a_report_that_lost_lines_says_so_beside_the_prices_it_still_has",
        "store/test_intervals.py::test_after_the_last_interval_there_is_no_price",
    ),
    "a figure is revised": (
        f"{LOG}::test_a_correction_changes_the_past_but_not_what_we_said_then",
        f"{POWER}/test_eia_861m.py::test_a_final_row_is_final",
        f"{POWER}/test_aemo.py::test_a_price_that_is_not_firm_is_preliminary",
        "pricing_sources/fx/test_bls_price_indexes.py::test_a_producer_index_is_preliminary_while_bls_says_so",
        "store/test_schema.py::test_the_database_itself_refuses_to_rewrite_history",
    ),
    "missing, zero, negative and free are four things": (
        f"{POWER}/test_eia_861m.py::test_a_zero_price_with_sales_is_held_back",
        f"{POWER}/test_entsoe.py::test_zeros_for_days_to_come_are_no_prices",
        f"{POWER}/test_octopus_agile.py::test_being_paid_to_use_electricity_is_a_price",
        f"{OPENROUTER}::test_what_is_no_price_is_skipped_by_name_and_what_should_be_one_is_held_back",
        "pricing_sources/llm_api/test_genai_prices.py::test_a_model_without_a_price_is_skipped_by_name",
    ),
    "vintages, codes that were renamed, wages at the ceiling": (
        f"{OEWS}::test_a_wage_holds_from_may_of_its_year_and_carries_its_vintage",
        f"{OEWS}::test_an_occupation_of_the_older_classification_is_not_chained_to_its_successor",
        f"{OEWS}::test_a_top_coded_wage_is_a_lower_bound_at_the_ceiling_its_footnote_names",
        f"{LOG}::test_a_feed_that_lost_most_of_its_rows_is_quarantined",
    ),
    "pay by the hour or the year, a wage or what it costs": (
        f"{OEWS}::test_an_hourly_wage_is_per_person_hour",
        f"{OEWS}::test_an_hourly_wage_that_contradicts_the_annual_one_is_rejected_with_both_figures",
        "estimating/test_estimate.py::test_loading_is_its_own_line_and_counted_once",
        "estimating/test_estimate.py::test_a_series_of_another_unit_is_refused_with_both_units",
    ),
    "the date and the direction of an exchange rate": (
        f"{ECB}::test_a_rate_is_kept_per_euro_as_published",
        f"{ECB}::test_a_rate_holds_from_four_in_frankfurt_summer_and_winter",
        f"{ECB}::test_a_rate_of_today_is_kept_and_one_of_tomorrow_is_held_back",
        f"{ECB}::test_a_dead_currency_is_skipped_and_its_last_rate_kept",
        "pricing_sources/fx/test_us_treasury.py::test_a_rate_is_kept_per_dollar_and_never_inverted",
    ),
    "success that is none": (
        f"{OEWS}::test_a_used_up_quota_is_told_in_the_words_of_bls_although_the_status_is_200",
        f"{POWER}/test_caiso.py::test_a_page_that_asks_for_patience_is_no_answer",
        f"{POWER}/test_entsoe.py::test_no_price_at_all_is_a_failure",
        f"{POWER}/test_octopus_agile.py::test_the_product_on_offer_is_asked_for_in_every_area",
        f"{POWER}/test_octopus_agile.py::test_a_product_that_is_sold_no_more_is_not_taken_though_it_is_the_newest",
        "pricing_sources/llm_api/test_genai_prices.py::test_the_frozen_first_version_is_refused",
        "pricing_sources/test_registry.py::test_what_is_no_document_of_the_feed_is_refused",
        f"{LOG}::test_a_document_without_one_price_is_not_success",
        "scheduling/test_ledger.py::test_staleness_counts_missed_publications_not_hours",
    ),
}


def names_in(file: Path) -> set[str]:
    """The tests of a module as pytest names them, without parameters."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def test_each_list_has_its_ten() -> None:
    assert (len(OF_CLOUDS), len(OF_THE_REST)) == (10, 10)


@pytest.mark.parametrize(("trap", "held_by"), [*OF_CLOUDS.items(), *OF_THE_REST.items()])
def test_a_trap_is_held_by_tests_that_exist(trap: str, held_by: tuple[str, ...]) -> None:
    assert held_by, trap
    for node in held_by:
        file, _, name = node.partition("::")
        assert name in names_in(TESTS / file), f"{trap}: there is no test {node}"
