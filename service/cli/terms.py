"""Whose figures an answer shows, and on what terms: said below it, once a source."""

from collections.abc import Iterable

from service.cli.output import say
from service.domain.price_book import Terms


def cite(stated: Iterable[Terms]) -> None:
    """Name the publisher and the licence of every figure above."""
    for one in stated:
        own = "" if one.republish else "; for your own use only: not to be republished"
        say(f"{one.source}: {one.attribution}; {one.licence}{own}")
