"""A refresh says how new the newest dated price was that it read, so that a feed that stands still is seen.

What is in the log already is looked up there: a dated price is one that does not hold from when it was fetched.

Revision: b1f84d6ce937, after 5e7b0c94ad21, 2026-11-24
"""

import sqlalchemy as sa
from alembic import op

revision = "b1f84d6ce937"
down_revision = "5e7b0c94ad21"
branch_labels = None
depends_on = None

KINDS = ("gpu", "electricity", "salary", "fx", "llm_api", "record")
TOLD = """
UPDATE refresh SET newest_period = told.newest
FROM (
    SELECT o.refresh_id, max(o.valid_from) AS newest
    FROM {log} o JOIN document_fetch f ON f.fetch_id = o.fetch_id
    WHERE o.change IN ('observed', 'correction') AND o.valid_from <> f.fetched_at
    GROUP BY o.refresh_id
) AS told
WHERE told.refresh_id = refresh.refresh_id
  AND (refresh.newest_period IS NULL OR refresh.newest_period < told.newest)
"""


def upgrade() -> None:
    op.add_column("refresh", sa.Column("newest_period", sa.DateTime(timezone=True), nullable=True))
    for kind in KINDS:
        op.execute(TOLD.format(log=f"{kind}_observation"))


def downgrade() -> None:
    op.drop_column("refresh", "newest_period")
