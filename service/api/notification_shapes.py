"""Notifications as the API says them."""

from dataclasses import dataclass

from service.domain.notifications import Delivery, TargetInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetList:
    """Targets, by name."""

    targets: tuple[TargetInForce, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryList:
    """Deliveries, the newest first."""

    deliveries: tuple[Delivery, ...]
