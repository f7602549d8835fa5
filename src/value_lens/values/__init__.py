"""What is asked about? Value systems as data."""

from .chinese_social import chinese_social
from .read import load_system, save_system
from .schwartz import schwartz
from .system import Value, ValueSystem

SYSTEMS: dict[str, ValueSystem] = {system.name: system for system in (chinese_social, schwartz)}

__all__ = ["SYSTEMS", "Value", "ValueSystem", "chinese_social", "in_order", "load_system", "save_system", "schwartz"]


def in_order(names: "set[str] | frozenset[str]") -> tuple[str, ...]:
    """Value names in the order of the system they all belong to; alphabetical when no system holds them all."""
    for system in SYSTEMS.values():
        if all(name in system for name in names):
            return tuple(name for name in system.names if name in names)
    return tuple(sorted(names))
