"""What can go wrong? Every error the library raises, under one base.

Each message says what was given, what was expected and how to mend it.
"""


class ValueLensError(Exception):
    """Base of all errors raised on purpose by this library."""


class UnknownNameError(ValueLensError, KeyError):
    """A value, language, site, split, organism or method that does not exist."""

    def __init__(self, kind: str, given: object, known: "list[str] | tuple[str, ...]") -> None:
        self.kind, self.given, self.known = kind, given, tuple(known)
        super().__init__(f"unknown {kind} {given!r}; known: {', '.join(map(str, known)) or 'none'}")

    def __reduce__(self) -> tuple[type, tuple[str, object, tuple[str, ...]]]:
        return type(self), (self.kind, self.given, self.known)

    def __str__(self) -> str:
        return str(self.args[0])


class DataError(ValueLensError, ValueError):
    """A record, file or group of texts that cannot be used as it is."""


class TooLongError(DataError):
    """An input that is longer than the model's context."""


class SiteError(ValueLensError, ValueError):
    """The model does not have the neurons that were asked for."""


class NeuronError(ValueLensError, ValueError):
    """A neuron index out of range, an empty set, or no room for a control set."""


class MismatchError(ValueLensError, ValueError):
    """Two things that must come from the same model, site or shape do not."""


class NotFiniteError(ValueLensError, ArithmeticError):
    """Activations or log-probabilities that are NaN or infinite."""


class EditError(ValueLensError, RuntimeError):
    """An edit that could not be applied, or that changed nothing."""


class ArtefactError(ValueLensError, ValueError):
    """A saved file that is damaged, of another kind, or of an unknown schema."""


class OutputError(ValueLensError, OSError):
    """A place that results cannot be written to."""


class ModelLoadError(ValueLensError, OSError):
    """A model that cannot be loaded, and the way to load it."""
