"""Groups of regions: what a source places is inside, what none places is not, whatever its name says."""

import pytest

from service.domain.regions import is_within


@pytest.mark.parametrize(
    ("provider", "region", "group"),
    [
        ("nebius", "eu-north1", "eu"),
        ("nebius", "eu-west1", "eu"),
        ("azure", "francecentral", "eu"),
        ("verda", "FIN-02", "eu"),
        ("vast", "RO", "eu"),
        ("nebius", "us-central1", "us"),
        ("azure", "westus3", "us"),
        ("gcp", "us-central1", "us"),
        ("vast", "US", "us"),
        ("aws", "eu-west-2", None),
        ("nebius", "eu-north2", None),
        ("nebius", "uk-south1", None),
        ("azure", "uksouth", None),
        ("azure", "usgovvirginia", None),
        ("verda", "global", None),
        ("scaleway", "unknown", None),
        ("another", "eu-west1", None),
    ],
)
def test_a_region_is_in_the_group_a_source_places_it_in_and_in_no_other(
    provider: str, region: str, group: str | None
) -> None:
    assert [one for one in ("eu", "us") if is_within(provider, region, [one])] == ([group] if group else [])
