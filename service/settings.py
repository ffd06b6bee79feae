"""Every setting, read once from the environment (COSTPLAN_…), frozen.

Nothing else in the product looks at the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from service.errors import FieldProblem, Invalid

PREFIX: Final = "COSTPLAN_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its variable, its default as text, and what it is for."""

    name: str
    default: str
    help: str
    secret: bool = False


SETTINGS: Final = (
    Setting("DATA_DIR", "~/.costplan", "Folder of the embedded database and its lock."),
    Setting(
        "DATABASE_URL",
        "",
        "sqlite:///file.db or postgresql://user:password@host/database; empty is costplan.db in DATA_DIR.",
        secret=True,
    ),
    Setting("HOST", "127.0.0.1", "Address the server listens on."),
    Setting("PORT", "8000", "Port the server listens on; 0 takes a free one."),
    Setting("SCHEDULER", "inside", "inside: the server also refreshes the feeds; off: another process does."),
    Setting("HTTP_TIMEOUT_SECONDS", "30", "How long a feed may keep silent."),
    Setting("HTTP_DEADLINE_SECONDS", "600", "How long one download may take altogether."),
    Setting("HTTP_MAX_MEGABYTES", "512", "Largest response accepted from a feed, decompressed."),
    Setting("SMTP_URL", "", "Where mail is handed in: smtp://user:password@host:587 or smtps://….", secret=True),
    Setting("MAIL_FROM", "costplan@localhost", "Who mail is from."),
    Setting("NOTIFY_PRIVATE_ADDRESSES", "false", "true: targets may be on this machine or its network, without TLS."),
    Setting("LOG_FORMAT", "text", "text or json."),
)
PER_SOURCE: Final = (
    Setting("SOURCE_<ID>_URL", "", "Where to ask for that feed instead of its publisher."),
    Setting("SOURCE_<ID>_KEY", "", "Credential of that feed, if it needs one.", secret=True),
    Setting(
        "SOURCE_<ID>_ENABLED",
        "",
        "true or false: refresh that feed on schedule; empty: unless it is heavy or may not be republished.",
    ),
)

PER_TARGET: Final = (
    Setting(
        "TARGET_<NAME>_SECRET",
        "",
        "Signs that webhook: whsec_ and base64; two while one takes over.",
        secret=True,
    ),
    Setting("TARGET_<NAME>_URL", "", "Address of that target, where it is itself a secret.", secret=True),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force. Raises Invalid naming every variable that cannot be understood."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)  # noqa: TID251  the one place

    def __post_init__(self) -> None:
        """Refuse misspelt names and impossible values at once, all together."""
        problems = [*self._unknown(), *self._out_of_range()]
        if problems:
            raise Invalid("; ".join(f"{p.field}: {p.message}" for p in problems), problems=tuple(problems))

    @property
    def data_dir(self) -> Path:
        """Folder of the embedded database."""
        return Path(self.text("DATA_DIR")).expanduser()

    @property
    def database_url(self) -> str:
        """Where the database is."""
        return self.text("DATABASE_URL") or f"sqlite:///{self.data_dir / 'costplan.db'}"

    @property
    def host(self) -> str:
        """Address the server listens on."""
        return self.text("HOST")

    @property
    def port(self) -> int:
        """Port the server listens on."""
        return int(self.text("PORT"))

    @property
    def scheduler_inside(self) -> bool:
        """True if the server also refreshes the feeds."""
        return self.text("SCHEDULER") == "inside"

    @property
    def log_format(self) -> str:
        """How log lines are written."""
        return self.text("LOG_FORMAT")

    def number(self, name: str) -> float:
        """A numeric setting."""
        return float(self.text(name))

    def text(self, name: str) -> str:
        """The setting as text, its default where the variable is absent or empty."""
        default = next(setting.default for setting in SETTINGS if setting.name == name)
        return self.environment.get(PREFIX + name) or default

    def source_url(self, source_id: str) -> str | None:
        """The URL that replaces a source's own, if any."""
        return self.environment.get(f"{PREFIX}SOURCE_{source_id.upper()}_URL") or None

    def source_key(self, source_id: str) -> str | None:
        """The credential for a source, if any."""
        return self.environment.get(f"{PREFIX}SOURCE_{source_id.upper()}_KEY") or None

    def source_enabled(self, source_id: str, *, by_default: bool = True) -> bool:
        """False if the source must not be refreshed on schedule."""
        stated = self.environment.get(f"{PREFIX}SOURCE_{source_id.upper()}_ENABLED")
        return stated.lower() == "true" if stated else by_default

    def target(self, name: str, what: str) -> str:
        """The `SECRET` or the `URL` of a notification target, empty if there is none."""
        return self.environment.get(f"{PREFIX}TARGET_{name.upper().replace('-', '_')}_{what}") or ""

    @property
    def notify_private(self) -> bool:
        """True if targets may have private addresses."""
        return self.text("NOTIFY_PRIVATE_ADDRESSES") == "true"

    def _unknown(self) -> list[FieldProblem]:
        known = {PREFIX + setting.name for setting in SETTINGS} | {PREFIX + "RECORDED", PREFIX + "TRUTH"}
        return [
            FieldProblem(name, "is not a setting; see: costplan settings")
            for name in self.environment
            if name.startswith(PREFIX)
            and name not in known
            and not (name.startswith(PREFIX + "SOURCE_") and name.endswith(("_URL", "_KEY", "_ENABLED")))
            and not (name.startswith(PREFIX + "TARGET_") and name.endswith(("_URL", "_SECRET")))
        ]

    def _out_of_range(self) -> list[FieldProblem]:
        problems = []
        for name, low, high in (
            ("PORT", 0, 65535),
            ("HTTP_TIMEOUT_SECONDS", 1, 3600),
            ("HTTP_DEADLINE_SECONDS", 1, 86400),
            ("HTTP_MAX_MEGABYTES", 1, 1_000_000),
        ):
            text = self.text(name)
            if not text.isdigit() or not low <= int(text) <= high:
                problems.append(
                    FieldProblem(PREFIX + name, f"must be a whole number from {low} to {high}, not {text!r}")
                )
        for name, choices in (
            ("SCHEDULER", ("inside", "off")),
            ("LOG_FORMAT", ("text", "json")),
            ("NOTIFY_PRIVATE_ADDRESSES", ("true", "false")),
        ):
            if self.text(name) not in choices:
                problems.append(
                    FieldProblem(PREFIX + name, f"must be one of {', '.join(choices)}, not {self.text(name)!r}")
                )
        return problems
