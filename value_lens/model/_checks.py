"""Results of the trial runs of one model, labelled for its user."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

Status = Literal["passed", "failed", "not run", "does not apply"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of one trial run.

    `difference` is the largest that was measured, in units of what rounding may do, and `allowed` the largest that passes; None where
    a trial measures no difference, or has not been run.
    """

    question: str
    status: Status = "not run"
    difference: float | None = None
    allowed: float | None = None
    detail: str = ""

    def __str__(self) -> str:
        numbers = "" if self.difference is None else f" (difference {self.difference:.2g}, allowed {self.allowed:g})"
        return f"{self.status}: {self.question}{numbers}{f'; {self.detail}' if self.detail else ''}"


@dataclass(frozen=True, kw_only=True)
class Checks:
    """All trial runs of one model, the last one of each kind; `check()` of the model runs those that have not been run.

    Args:
        model: The model's name.
        engine: "bridge" or "hooked".
        neurons: Whether every hook of a site fires and holds one number a neuron.
        gate_product: Whether hook_post is act(gate) * up.
        fast_path: Whether attention and norms of the Hugging Face model give what the bridge's own give; else the bridge's are used.
        padding: Whether a padded text is computed as the text alone; where it is not, texts cannot share a batch.
    """

    model: str
    engine: str
    neurons: Check = Check(question="every hook of a site fires and is as wide as the MLP")
    gate_product: Check = Check(question="hook_post is act(gate) * up")
    fast_path: Check = Check(question="Hugging Face's own attention and norms give what the bridge gives")
    padding: Check = Check(question="a padded text is computed as the text alone")

    def __iter__(self) -> Iterator[tuple[str, Check]]:
        """(name, check) of each."""
        for field in fields(self):
            check = getattr(self, field.name)
            if isinstance(check, Check):
                yield field.name, check

    def __repr__(self) -> str:
        lines = [f"  {name:<13} {check}" for name, check in self]
        return "\n".join([f"Checks of {self.model} ({self.engine})", *lines])
