"""The known value systems: the order of their values in results, and the labels by which values are shown."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ._systems import ValueSystem

ORDERS = "orders"  # in metadata: the orders of the value systems that a result was made with

_SYSTEMS: dict[str, ValueSystem] = {}


def register_system(system: ValueSystem) -> ValueSystem:
    """Make a value system known: results keep its order of values, and show its labels.

    Args:
        system: goes before those registered earlier, and replaces one of the same name.

    Returns:
        The system itself.
    """
    _SYSTEMS.pop(system.name, None)
    _SYSTEMS[system.name] = system
    return system


def in_order(
    names: Collection[str], *, carried: Iterable[Sequence[str]] = (), otherwise: Sequence[str] = ()
) -> tuple[str, ...]:
    """Value names in the order of the system they all belong to.

    Args:
        names: of values; a name given twice counts once.
        carried: orders that go before those of the known systems, the shortest first; see `carried_orders`.
        otherwise: the order where no system holds all names; alphabetical for those it lacks.
    """
    wanted = set(names)
    orders: list[Sequence[str]] = sorted(map(list, carried), key=lambda order: (len(order), order))
    orders += [system.names for system in reversed(_SYSTEMS.values())]
    for order in orders:
        if wanted <= set(order):
            return tuple(name for name in order if name in wanted)
    ordered = [name for name in dict.fromkeys(otherwise) if name in wanted]
    return (*ordered, *sorted(wanted.difference(ordered)))


def order_meta(names: Collection[str]) -> dict[str, Any]:
    """Metadata that carry the order of the known system which all names belong to; none where no system holds them all."""
    for system in reversed(_SYSTEMS.values()):
        if all(name in system for name in names):
            return {ORDERS: [list(system.names)]}
    return {}


def carried_orders(*metas: Mapping[str, Any]) -> list[list[str]]:
    """The orders that metadata carry, each once, sorted: the same whichever comes first."""
    orders = [order for meta in metas for order in _lists(meta.get(ORDERS))]
    texts = {tuple(order) for order in orders if all(isinstance(name, str) for name in order)}
    return [list(order) for order in sorted(texts)]


def _lists(orders: object) -> list[list[Any]]:
    return [order for order in orders if isinstance(order, list)] if isinstance(orders, list) else []


def labels_of(name: str) -> dict[str, str]:
    """{language: label} of a value, or of a group of values, in the system registered last that has it; {} for none."""
    for system in reversed(_SYSTEMS.values()):
        if name in system:
            return dict(system[name].labels)
        if name in system.higher_order:
            return dict(system.group_labels.get(name, {}))
    return {}


def label_of(name: str, language: str = "en", labels: Mapping[str, str] | None = None) -> str:
    """The label by which a value or a group of values is shown.

    Args:
        name: its key in tables and files.
        language: of the label; English where it has none in that language.
        labels: those it has by language; by default those of the known systems.

    Returns:
        The label, or the name as it is where there is none.
    """
    by_language = labels_of(name) if labels is None else labels
    return by_language.get(language) or by_language.get("en") or name
