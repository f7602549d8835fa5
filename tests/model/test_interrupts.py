"""Does an interrupt at any moment leave the model as it was? Raised at every step of what touches a model, one run at a time."""

import sys
import warnings
from collections import Counter

import pytest
import tiny
import torch
from conftest import engines

import value_lens as vl

TOKENS = torch.arange(3, 13)[None]
ROOM = "value_lens/model/", "value_lens/intervene/_applying.py", "/contextlib.py"
OUTSIDE = {"add_hook", "register_forward_hook", "register_forward_pre_hook", "full_hook"}  # of TransformerLens and PyTorch


class Interrupts:
    """Raises `KeyboardInterrupt` at the chosen steps: every call, line and return of what is traced, every opcode of what attaches."""

    def __init__(self, *steps):
        self.steps, self.n, self.moments = set(steps), 0, []

    def traced(self, frame):
        code = frame.f_code
        return any(place in code.co_filename for place in ROOM) or code.co_name in OUTSIDE

    def __call__(self, frame, event, arg):
        if event == "call":
            if not self.traced(frame):
                return None
            frame.f_trace_opcodes = frame.f_code.co_filename.endswith(("_lease.py", "_items.py"))
        if event != "exception":
            self.n += 1
            if self.n in self.steps:
                self.moments.append(
                    f"{frame.f_code.co_filename.rsplit('/')[-1]}:{frame.f_lineno} {frame.f_code.co_name} {event}"
                )
                sys.settrace(None)  # a trace function that raises is dropped; one more interrupt needs it again
                if self.n < max(self.steps):
                    sys.settrace(self)
                raise KeyboardInterrupt
        return self

    def run(self, action):
        """The exception that came through, if any: kept, with all its frames, as notebooks keep the last one."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            action()
        except BaseException as error:
            return error
        finally:
            sys.settrace(before)


def state(model):
    """What must be as before after the next entry: hooks, replaced forwards, flags, settings, and the thread's grad mode."""
    root = getattr(model, "original_model", model)
    parts = {id(part): part for part in (*model.modules(), *root.modules())}.values()
    hooks = [(id(part), tuple(part._forward_hooks), tuple(part._forward_pre_hooks)) for part in parts]
    handles = [tuple(map(id, part.fwd_hooks)) for part in parts if hasattr(part, "fwd_hooks")]
    flags = [(part.training, "forward" in part.__dict__) for part in parts]
    configs = [str(vars(part.config)) for part in parts if hasattr(getattr(part, "config", None), "_attn_implementation")]
    return hooks, handles, flags, configs, id(getattr(root, "generation_config", None)), torch.is_grad_enabled()


def logits(model):
    return model(TOKENS, return_type="logits")


class Bench:
    """A model and things to do with it. `kind`: also "trained", a GPT-2 some parts of which are in training mode."""

    def __init__(self, folders, engine, kind):
        self.model = vl.load_model(folders["gpt2" if kind == "trained" else kind], vl.Loading(engine=engine))
        self.lens = vl.ValueLens(self.model)
        info = self.lens.info
        shape = {"n_layers": info.n_layers, "d_mlp": info.d_mlp}
        self.neurons = vl.NeuronSet.from_pairs([(0, 1), (1, 2)], site="post", **shape)
        self.others = vl.NeuronSet.from_pairs([(0, 3), (2, 2)], site="gate", **shape)
        self.texts = [
            vl.LabelledText(id=f"t{i}", text=text, value="vw"[i % 2], aspect="+", language="en")
            for i, text in enumerate(tiny.sentences(2, seed=2, longest=6))
        ]
        self.dilemmas = [
            vl.Dilemma(id="d", scenario="the river", aligned="help", violating="wait", value="v", language="en"),
            vl.Dilemma(id="e", scenario="a quiet evening letter", aligned="help", violating="wait", value="v", language="en"),
        ]
        self.prompts = [
            vl.Prompt(id=d.id, system="", user=d.scenario, value="v", aspect="+", language="en") for d in self.dilemmas
        ]
        for action in self.actions().values():
            action()  # whatever is made once, by transformers too
        if kind == "trained":
            for part in [*self.model.modules(), *getattr(self.model, "original_model", self.model).modules()]:
                part.training = not isinstance(part, torch.nn.LayerNorm)
        self.reference, self.before = logits(self.model).detach(), state(self.model)

    def actions(self):
        return {
            "edit": self.edit,
            "nested": self.nested,
            "collect": lambda: self.lens.collect(self.texts),
            "first collect": lambda: vl.ValueLens(self.model).collect(self.texts),
            "margins": lambda: self.lens.margins(self.dilemmas),
            "cast": self.cast,
            "respond": lambda: vl.respond(self.model, self.prompts, max_new_tokens=2),
        }

    def edit(self):
        with self.lens.editing(self.neurons):
            self.model(TOKENS)

    def nested(self):
        with self.lens.editing(self.neurons), self.lens.editing(self.others):
            self.lens.margins(self.dilemmas[:1])

    def cast(self):
        self.autocast = []
        with torch.autocast("cpu", torch.bfloat16), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.lens.margins(self.dilemmas[:1])
            finally:
                self.autocast.append(torch.is_autocast_enabled("cpu"))

    def n_steps(self, action):
        counting = Interrupts()
        assert counting.run(action) is None
        return counting.n

    def faults(self, error):
        """What is wrong after an interrupt, and after the next entry: both with the exception kept."""
        assert isinstance(error, KeyboardInterrupt), error
        found = logits(self.model)
        faults = [] if torch.equal(found, self.reference) else ["other logits"]
        faults += [] if found.requires_grad else ["no gradients"]
        faults += [] if all(self.autocast) and not torch.is_autocast_enabled("cpu") else ["another autocast"]
        with self.lens.editing(self.neurons):
            pass
        return faults + (["left something"] if state(self.model) != self.before else [])


def sweep(bench, moments):
    """Interrupt each action at its moments (n steps -> which of them); {fault: Counter of moments}, and how many came through."""
    wrong, n_interrupts = {}, 0
    for action in bench.actions().values():
        for steps in moments(bench.n_steps(action)):
            tracer = Interrupts(*steps)
            error = tracer.run(action)
            if error is None:
                continue  # a run that took another way, with fewer steps
            n_interrupts += 1
            for fault in bench.faults(error):
                wrong.setdefault(fault, Counter())[tracer.moments[0]] += 1
    return wrong, n_interrupts


def spread(n):
    return lambda n_steps: [(round(1 + k * (n_steps - 1) / (n - 1)),) for k in range(n)]


CASES = [(engine, kind) for engine in engines() for kind in ("llama", "trained")]


# An interrupt in a generator that is thrown away is told by Python, and has no other effect.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize(("engine", "kind"), CASES)
def test_an_interrupt_leaves_the_model_as_it_was(folders, engine, kind):
    wrong, n_interrupts = sweep(Bench(folders, engine, kind), spread(3))
    assert wrong == {} and n_interrupts > 12


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "kind"), CASES)
def test_two_thousand_interrupts(folders, engine, kind):
    wrong, n_interrupts = sweep(Bench(folders, engine, kind), spread(2000 // 7 + 10))
    print(f"{engine} {kind}: {n_interrupts} interrupts, {wrong or 'nothing wrong'}")
    assert wrong == {} and n_interrupts >= 2000
