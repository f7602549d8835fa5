"""The packaged value systems by name."""

from ..core import ValueSystem, register_system
from ._chinese_social import chinese_social
from ._schwartz import schwartz

SYSTEMS: dict[str, ValueSystem] = {system.name: system for system in (chinese_social, schwartz)}
for _system in reversed(SYSTEMS.values()):
    register_system(_system)
