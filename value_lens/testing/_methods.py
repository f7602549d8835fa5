"""The contract of methods, for every registered one."""

from typing import Any

import torch

from ..core import FiringStats, Group
from ..errors import DataError
from ..locate import MethodEntry, methods

VALUES = ("care", "duty", "honesty")
GROUPS = tuple(Group(value, aspect, language) for value in VALUES for aspect in "+-" for language in ("en", "zh"))
N_TOKENS, N_LAYERS, D_MLP = 64, 3, 7


def random_stats(groups: tuple[Group, ...] = GROUPS, seed: int = 0) -> FiringStats:
    """Counts of a made-up model: some neurons never fire, some always.

    Args:
        groups: whose texts were counted.
        seed: of the draw.

    Returns:
        Statistics without sums.
    """
    generator = torch.Generator().manual_seed(seed)
    fired = torch.randint(0, N_TOKENS + 1, (len(groups), N_LAYERS, D_MLP), generator=generator)
    fired[:, 0, 0], fired[:, 1, 1] = 0, N_TOKENS
    return counted(groups, fired)


def counted(groups: tuple[Group, ...], fired: torch.Tensor) -> FiringStats:
    triples = [(group.value, group.aspect, group.language) for group in groups]
    return FiringStats.from_counts(triples, [N_TOKENS] * len(groups), fired, site="gate", model="made up")


class MethodContract:
    """Laws of a method. Inherit it in a test file, and every registered method is tested."""

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each method and law."""
        if "method" in metafunc.fixturenames:
            metafunc.parametrize("method", list(methods.values()), ids=list(methods))

    def test_scores_are_of_these_values_and_neurons(self, method: MethodEntry) -> None:
        """One number for each value and neuron, with the site and the model of the statistics."""
        stats = random_stats()
        scores = method(stats)
        assert scores.method == method.name, f"scores of {method.name!r} call themselves {scores.method!r}"
        assert scores.values == stats.values and tuple(scores.scores.shape) == (len(VALUES), N_LAYERS, D_MLP)
        assert (scores.site, scores.model) == (stats.site, stats.model)
        assert bool(torch.isfinite(scores.scores).all())

    def test_neurons_may_be_permuted(self, method: MethodEntry) -> None:
        """A neuron's scores go with it."""
        stats, order = random_stats(), torch.randperm(D_MLP, generator=torch.Generator().manual_seed(1))
        permuted = counted(stats.groups, stats.fired[..., order])
        torch.testing.assert_close(method(permuted).scores, method(stats).scores[..., order], rtol=1e-12, atol=1e-12)

    def test_layers_may_be_permuted(self, method: MethodEntry) -> None:
        """A layer's scores go with it."""
        stats = random_stats()
        flipped = counted(stats.groups, stats.fired.flip(1))
        torch.testing.assert_close(method(flipped).scores, method(stats).scores.flip(1), rtol=1e-12, atol=1e-12)

    def test_values_may_be_renamed(self, method: MethodEntry) -> None:
        """A value's scores go with its texts, whatever it is called and wherever it stands."""
        stats, renamed = random_stats(), dict[str, str](zip(VALUES, (*VALUES[1:], VALUES[0]), strict=True))
        groups = tuple(Group(renamed[group.value], group.aspect, group.language) for group in stats.groups)
        scores, other = method(stats), method(counted(groups, stats.fired))
        for value in VALUES:
            torch.testing.assert_close(other.for_value(renamed[value]), scores.for_value(value), rtol=1e-12, atol=1e-12)

    def test_it_refuses_what_lacks_what_it_needs(self, method: MethodEntry) -> None:
        """Where `applies` says no, statistics are refused; where it says yes, they are not."""
        subsets = (GROUPS, GROUPS[:4], GROUPS[:2], GROUPS[:6], tuple(group for group in GROUPS if group.aspect == "+"))
        for groups in subsets:
            try:
                method(random_stats(groups))
            except DataError:
                assert not method.applies(groups), f"{method.name!r} says that it applies to {groups} and refuses them"
            else:
                assert method.applies(groups), f"{method.name!r} takes {groups}, which lack {method.needs.words}"

    def test_it_leaves_the_statistics_as_they_are(self, method: MethodEntry) -> None:
        """The counts are the same after it."""
        stats = random_stats()
        original = stats.fired.clone()
        method(stats)
        assert torch.equal(stats.fired, original)
