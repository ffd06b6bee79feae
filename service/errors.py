"""What can go wrong in the service; each says what was asked and what would have worked.

ServiceError
├── Invalid        the question cannot be answered as put; names the fields
├── Infeasible     no plan keeps to every constraint; says what would have to give
├── NotFound       nothing has that name
├── NoData         nothing is recorded for that moment
├── Conflict       someone else holds what was asked for
├── SchemaOutdated the database is not at the revision this code needs
├── LeaseLost      another worker took the run over; nothing of ours was kept
├── Cancelled      somebody asked for it to stop; what was not finished left nothing
└── Unavailable    the database cannot be read or written now
"""

from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field."""

    field: str
    """Dotted path: `training.gpus`."""
    message: str
    """What was wrong and what would have worked."""


class ServiceError(Exception):
    """Base of every error the service raises on purpose."""

    code = "service_error"


class Invalid(ServiceError):
    """The question cannot be answered as put."""

    code = "invalid"

    def __init__(self, message: str, *, problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """One field is wrong."""
        return cls(f"{field}: {message}", problems=(FieldProblem(field, message),))


class Infeasible(ServiceError):
    """No plan keeps to every constraint of a goal."""

    code = "infeasible-plan"

    def __init__(self, message: str, relaxations: tuple[object, ...] = (), rejected: tuple[object, ...] = ()) -> None:
        super().__init__(message, relaxations, rejected)
        self.message, self.relaxations, self.rejected = message, relaxations, rejected

    @override
    def __str__(self) -> str:
        """The message alone."""
        return self.message


class NotFound(ServiceError):
    """Nothing has that name."""

    code = "not_found"


class NoData(ServiceError):
    """Nothing is recorded for that moment."""

    code = "no_data"


class Conflict(ServiceError):
    """Someone else holds what was asked for."""

    code = "conflict"


class SchemaOutdated(ServiceError):
    """The database is not at the revision this code needs."""

    code = "schema_outdated"


class LeaseLost(ServiceError):
    """Another worker took the run over; nothing of ours was kept."""

    code = "lease_lost"


class Cancelled(ServiceError):
    """Somebody asked for it to stop; what was not finished left nothing."""

    code = "cancelled"


class Unavailable(ServiceError):
    """The database cannot be read or written now."""

    code = "unavailable"
