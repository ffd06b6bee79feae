"""Where regions are: patterns of their names, and named groups such as `eu` for the residency of data."""

import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from types import MappingProxyType
from typing import Final


def is_within(provider: str, region: str, wanted: Sequence[str]) -> bool:
    """True if a provider's region matches one of the patterns, or is in one of the groups; always if none is wanted.

    >>> is_within("aws", "eu-west-2", ["eu"]), is_within("aws", "eu-west-3", ["eu"])
    (False, True)
    >>> is_within("aws", "eu-west-2", ["eu-*"]), is_within("vast", "NL", ["eu"])
    (True, True)
    """
    return not wanted or any(fnmatchcase(region, pattern) for one in wanted for pattern in _patterns(one, provider))


def is_kept(name: str, region: str, wanted: Sequence[str]) -> bool:
    """The same for machines of one's own, whose region is what their owner calls it: a group's own name, too.

    >>> is_kept("rack", "eu", ["eu"]), is_kept("rack", "DE", ["eu"]), is_kept("rack", "us-east", ["eu"])
    (True, True, False)
    """
    return region in wanted or is_within(name, region, wanted)


def _patterns(wanted: str, provider: str) -> tuple[str, ...]:
    """What a region of this provider may look like: the members of a group, else the pattern itself."""
    group = GROUPS.get(wanted)
    return (wanted,) if group is None else (*group.get("*", ()), *group.get(provider, ()))


def _read() -> dict[str, Mapping[str, tuple[str, ...]]]:
    table = tomllib.loads(files("service.domain").joinpath("region_groups.toml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in table["group"]:
        members = found.setdefault(one["name"], {})
        members[one["provider"]] = (*members.get(one["provider"], ()), *one["regions"])
    return {name: MappingProxyType(members) for name, members in found.items()}


GROUPS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(_read())
"""Patterns by group and provider; sources in the file beside this module."""
