"""The packaged value systems, and reading one's own."""

from ._all import SYSTEMS
from ._chinese_social import chinese_social
from ._read import load_system, save_system
from ._schwartz import schwartz

__all__ = ["SYSTEMS", "chinese_social", "load_system", "save_system", "schwartz"]
