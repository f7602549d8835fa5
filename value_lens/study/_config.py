"""The settings of the main job, checked when made."""

from dataclasses import dataclass

import torch

from ..causal import Controls
from ..data import DEFAULT, FILLINGS, PerGroup, require_count
from ..errors import DataError, UnknownNameError
from ..locate import Rule, threshold_rule, top_rule, vape_rule
from ..measure import SCORINGS, Question, load_wordings
from ..model import ENGINES, TOO_LONG, Batching, require_site

METHODS = ("vape", "opposition")
DTYPES = ("float32", "bfloat16", "float16")
CHOICES = {
    "engine": ENGINES,
    "method": METHODS,
    "scoring": SCORINGS,
    "too_long": TOO_LONG,
    "dtype": DTYPES,
    "fillings": FILLINGS,
}
LEAST = {"controls": 0, "max_tokens": 1}
COMPOSED = {"texts": 100, "dilemmas": 20}  # of a group, from the bank, where no number is given
SHARES = ("top", "filter", "bar", "threshold")


@dataclass(frozen=True)
class Job:
    """Settings of the main job. Raises `UnknownNameError` (a choice, the site, the device) and `DataError` (a number).

    model: hub name or folder. texts, dilemmas: any source of `load_texts` by name or path. skip_bad: keep a source's good rows and
    write its bad ones to a file beside it (or into the output folder). method: whose neurons are ablated.
    n_neurons: the highest-scoring neurons per value instead of the method's published rule. top, filter, bar: VAPE's quantiles.
    threshold: opposition's least difference. wording: a packaged wording's name or a JSON file (see `load_wordings`); None for the
    published data set's own or the default. per_group, per_value: how many texts of each value, aspect and language, and dilemmas of
    each value and language; None for all. By default `COMPOSED` from the bank, and all of any other source.
    """

    model: str
    engine: str = "bridge"
    device: str = "cpu"
    dtype: str = "float32"
    texts: str = "bank"
    dilemmas: str = "bank"
    values: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    fillings: str = "all"
    per_group: PerGroup = DEFAULT
    per_value: PerGroup = DEFAULT
    site: str = "post"
    method: str = "vape"
    n_neurons: int | None = None
    top: float = 0.01
    filter: float = 0.95
    bar: float = 0.95
    threshold: float = 0.03
    controls: int = Controls().n
    scoring: str = "label"
    wording: str | None = None
    too_long: str = Batching.too_long
    max_tokens: int = Batching.max_tokens
    skip_bad: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        require_site(self.site)
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise UnknownNameError(name, getattr(self, name), known)
        for name in ("per_group", "per_value"):
            require_count(name, getattr(self, name))
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise DataError(f"{name} is {getattr(self, name)}; give a count of at least {least}")
        for name in SHARES:
            if not 0 < getattr(self, name) <= 1:  # so written, it refuses NaN, too
                raise DataError(f"{name} is {getattr(self, name)}; give a share above 0 and not above 1")
        if not 0 <= self.seed < 2**63:
            raise DataError(f"seed is {self.seed}; give a whole number from 0 to 2**63 - 1")
        _require_device(self.device)
        self.rules()
        self.question()

    def question(self) -> Question:
        """How dilemmas are asked. Raises `DataError` for a wording that is not there or cannot be used."""
        return Question(self.scoring, {} if self.wording is None else load_wordings(self.wording, self.scoring))

    def rules(self) -> dict[str, Rule]:
        """{method: how its neurons are chosen}."""
        published = {
            "vape": vape_rule(filter=self.filter, top=self.top, bar=self.bar),
            "opposition": threshold_rule(self.threshold),
        }
        return published if self.n_neurons is None else dict.fromkeys(METHODS, top_rule(self.n_neurons))


def _require_device(name: str) -> None:
    """Raise `UnknownNameError` unless a number can be put on the device and read back."""
    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError):  # no such kind, not there, not compiled in, or without numbers ("meta")
        there = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        raise UnknownNameError(
            "device", name, ["cpu", *there, *(["mps"] if torch.backends.mps.is_available() else [])]
        ) from None
