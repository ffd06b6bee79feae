"""The tables of budgets: their versions, their runs, and what was really charged."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, Text

from service.store.tables import BigId, metadata
from service.store.types import ExactDecimal, UtcDateTime

budget = Table(
    "budget",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("recorded_at", UtcDateTime, primary_key=True),
    Column("budget_id", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="Every version of every budget; the newest not after known_at counts.",
)

budget_run = Table(
    "budget_run",
    metadata,
    Column("budget", String(60), primary_key=True),
    Column("slot", UtcDateTime, primary_key=True),
    Column("ran_at", UtcDateTime, nullable=False),
    Column("budget_id", String(64), nullable=False),
    Column("estimate_id", String(64), ForeignKey("estimate.estimate_id"), nullable=False),
    Column("told_estimate_id", String(64), ForeignKey("estimate.estimate_id"), nullable=False),
    Column("period_start", UtcDateTime, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("forecast", ExactDecimal, nullable=False),
    Column("spent", ExactDecimal, nullable=False),
    Column("crosses_at", UtcDateTime),
    Column("lower_bound", Boolean, nullable=False),
    Column("reached", Text, nullable=False),
    comment="A budget priced once per slot of its schedule, with the thresholds that count as reached since.",
)

spend_import = Table(
    "spend_import",
    metadata,
    Column("import_id", BigId, primary_key=True),
    Column("budget", String(60), nullable=False),
    Column("origin", String(60), nullable=False),
    Column("document_sha256", String(64), ForeignKey("document.sha256"), nullable=False),
    Column("reading", Text, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("covers_from", UtcDateTime, nullable=False),
    Column("covers_until", UtcDateTime, nullable=False),
    Column("rows_read", BigInteger, nullable=False),
    Column("rows_kept", BigInteger, nullable=False),
    Column("rows_left_out", BigInteger, nullable=False),
    Index("ix_spend_import_budget", "budget", "origin", "recorded_at"),
    comment="One document of charges; a later one of the same origin replaces what it covers.",
)

spend = Table(
    "spend",
    metadata,
    Column("spend_id", BigId, primary_key=True),
    Column("import_id", BigId, ForeignKey("spend_import.import_id"), nullable=False),
    Column("charge_from", UtcDateTime, nullable=False),
    Column("charge_until", UtcDateTime, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("provider", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Index("ix_spend_import_id", "import_id", "charge_from"),
    comment="Charges of a document, added up by span, provider, service and currency.",
)
