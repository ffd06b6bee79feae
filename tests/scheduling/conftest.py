"""The pretend feed of the store's tests serves here too."""

from tests.store.conftest import feed, learn

__all__ = ["feed", "learn"]
