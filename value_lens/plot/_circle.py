"""The figure of a circular value system."""

import math
from typing import Any

from ..core import ValueSystem, label_of
from ..errors import DataError
from ._picture import Picture
from ._words import short


def draw_circle(system: ValueSystem, language: str = "en") -> Picture:
    """A circular value system: values around, higher-order values in the ring outside, opposites across.

    Raises `DataError` for a system that is no circle.
    """
    if not system.circle:
        raise DataError(f"value system {system.name!r} has no circle to draw")
    figure = Picture(figsize=(7.0, 7.0), layout="constrained")
    panel: Any = figure.add_subplot(projection="polar")
    panel.set_theta_zero_location("N")
    panel.set_theta_direction(-1)
    panel.set_axis_off()
    panel.set_ylim(0, 1.32)
    step = 2 * math.pi / len(system)
    for value in system:
        angle = system.angle(value.name)
        panel.bar(angle, 0.62, width=step, bottom=0.38, color="0.93", edgecolor="white", linewidth=2)
        panel.text(
            angle, 0.69, label_of(value.name, language, value.labels).replace("-", "-\n"), ha="center", va="center", fontsize=9
        )
    for index, (group, members) in enumerate(system.higher_order.items()):
        angles = sorted(system.names.index(member) for member in members)
        first = next(a for a in angles if (a - 1) % len(system) not in angles)  # a group is one stretch of the circle
        middle = (first + (len(angles) - 1) / 2) * step
        depth = 1.02 if index % 2 == 0 else 1.12
        width = step * len(angles) * 0.98
        panel.bar(middle, 0.08, width=width, bottom=depth, color=f"C{index}", edgecolor="white")
        degrees = -math.degrees(middle) % 360
        upright = degrees if degrees < 90 or degrees > 270 else degrees + 180
        panel.text(
            middle,
            1.27,
            short(label_of(group, language, system.group_labels.get(group, {}))),
            ha="center",
            va="center",
            fontsize=11,
            color=f"C{index}",
            rotation=upright,
        )
    panel.set_title(f"{short(system.name)}: neighbours agree, opposites conflict")
    return figure
