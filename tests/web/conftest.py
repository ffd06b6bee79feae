"""The server of the API's tests serves here too."""

from tests.api.conftest import client, either, empty, empty_app, feed, refreshing, sqlite_store

__all__ = ["client", "either", "empty", "empty_app", "feed", "refreshing", "sqlite_store"]
