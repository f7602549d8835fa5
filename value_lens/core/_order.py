"""The known value systems, and the order they give to names of values."""

from collections.abc import Collection

from ._systems import ValueSystem

_KNOWN: dict[str, ValueSystem] = {}


def register_system(system: ValueSystem) -> ValueSystem:
    """Let results keep this system's order of values. A system registered later goes before those registered earlier."""
    _KNOWN.pop(system.name, None)
    _KNOWN[system.name] = system
    return system


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Value names in the order of the system they all belong to; alphabetical when no system holds them all."""
    for system in reversed(_KNOWN.values()):
        if all(name in system for name in names):
            return tuple(name for name in system.names if name in names)
    return tuple(sorted(names))
