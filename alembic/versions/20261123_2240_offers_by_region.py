"""Offers of GPUs are found by provider, SKU and region: what two feeds price is compared region by region.

Revision: b7f4108ad2c3, after e2b60c9f4a17, 2026-11-23
"""

from alembic import op

revision = "b7f4108ad2c3"
down_revision = "e2b60c9f4a17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_gpu_series_provider_sku_region", "gpu_series", ["provider", "sku", "region"])
    op.drop_index("ix_gpu_series_provider_sku", "gpu_series")


def downgrade() -> None:
    op.create_index("ix_gpu_series_provider_sku", "gpu_series", ["provider", "sku"])
    op.drop_index("ix_gpu_series_provider_sku_region", "gpu_series")
