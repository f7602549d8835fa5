"""Every error the library raises, under one base.

Each message says what was given, what was expected and how to mend it.
"""

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) not in "\t\n"}
LINE, LINES = 1000, 24  # letters of a message's line, and lines of a message; what is beyond is left out of the middle
QUOTED = 400  # letters of what a message quotes


class ValueLensError(Exception):
    """Base of all errors raised on purpose by this library. Its message is short and printable, whatever it quotes.

    Args:
        args: The message, as for any exception.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(_readable(arg) if isinstance(arg, str) else arg for arg in args))


def _readable(message: str) -> str:
    r"""The message with long lines, and many lines, cut in the middle; what no terminal shows is written "\x1b" or "\ud83d"."""
    lines = message.split("\n")
    if len(lines) > LINES:
        left_out = len(lines) - LINES + 1
        lines = [*lines[: LINES - 3], f"[... {left_out} lines ...]", *lines[-2:]]
    return "\n".join(shortened(_printable(shortened(line, LINE)), LINE) for line in lines)


def _printable(text: str) -> str:
    return text.translate(_CONTROL).encode(errors="backslashreplace").decode()


def shortened(text: str, most: int = QUOTED) -> str:
    """A text of at most so many letters: its beginning and its end.

    >>> shortened("a" * 30 + "b" * 40 + "c" * 30, 50)
    'aaaaaaaaaaaaaaaaaa [... 73 letters ...] ccccccccc'
    """
    if len(text) <= most:
        return text
    room = most - len(f" [... {len(text)} letters ...] ")
    tail = room // 3
    return f"{text[: room - tail]} [... {len(text) - room} letters ...] {text[len(text) - tail :]}"


def quoted(given: object) -> str:
    """What was given, for a message: its `repr`, or its type where Python cannot write it (nested without end, a huge number)."""
    try:
        return shortened(repr(given))
    except (RecursionError, ValueError):
        return f"a {type(given).__name__} that is too large to show"


class UnknownNameError(ValueLensError, KeyError):
    """A value, language, site, split, organism or method that does not exist."""

    def __init__(self, kind: str, given: object, known: "list[str] | tuple[str, ...]") -> None:
        self.kind, self.given, self.known = kind, given, tuple(known)
        super().__init__(f"unknown {kind} {quoted(given)}; known: {', '.join(map(str, known)) or 'none'}")

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


class InterventionError(ValueLensError, RuntimeError):
    """An intervention that could not be applied, or that changed nothing."""


class StrategyError(ValueLensError, RuntimeError):
    """A method, intervention or measure that cannot be registered, or a file or plug-in of such that cannot be loaded."""


class ArtefactError(ValueLensError, ValueError):
    """A saved file that is damaged, of another kind, or of an unknown schema."""


class OutputError(ValueLensError, OSError):
    """A place that results cannot be written to."""


class ModelLoadError(ValueLensError, OSError):
    """A model that cannot be loaded, and the way to load it."""
