"""Does what is put on a model act as long as its block, no longer, and is all as before after it, whatever comes between?"""

import contextlib
import gc
import sys
import threading

import pytest
import torch
from conftest import engines

import value_lens as vl
from value_lens.model import LensModel
from value_lens.model._items import Evaluation, Setting
from value_lens.model._lease import Attachment, Lease, heal
from value_lens.model._modules import walk

TOKENS = torch.tensor([[3, 30, 41, 52, 63]])


@pytest.fixture(params=engines())
def lens(request, models):
    """Of the session's model; each test leaves it as it was."""
    lens = vl.ValueLens(models[request.param, "llama"])
    with lens.editing(neurons(lens)):
        pass
    before = hooks(lens.model)
    yield lens
    lens.forward(TOKENS, torch.ones_like(TOKENS, dtype=torch.bool))
    assert hooks(lens.model) == before


def neurons(lens, *pairs):
    return vl.NeuronSet.from_pairs(pairs or [(0, 3), (1, 5)], site="post", n_layers=lens.info.n_layers, d_mlp=lens.info.d_mlp)


def hooks(model):
    return [(id(part), tuple(part._forward_hooks), len(getattr(part, "fwd_hooks", ()))) for part in walk(model).all]


def logits(lens):
    with torch.no_grad():
        return lens.model(TOKENS, return_type="logits")


def test_ways_to_enter_a_block(lens):
    """A with statement, a stack, by hand, in a generator, in another function: an edit acts within, and not after."""
    clean = logits(lens)
    with lens.editing(neurons(lens)):
        edited = logits(lens)
    assert not torch.equal(edited, clean) and torch.equal(logits(lens), clean)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(lens.editing(neurons(lens)))
        assert torch.equal(logits(lens), edited) and log.changed
    assert torch.equal(logits(lens), clean)
    by_hand = lens.editing(neurons(lens))
    by_hand.__enter__()
    assert torch.equal(logits(lens), edited)
    by_hand.__exit__(None, None, None)
    assert torch.equal(logits(lens), clean)

    def edit():
        with lens.editing(neurons(lens)):
            yield

    running = edit()
    next(running)
    assert torch.equal(logits(lens), edited)
    running.close()
    assert torch.equal(logits(lens), clean)
    with contextlib.contextmanager(edit)():
        assert torch.equal(logits(lens), edited)
    assert torch.equal(logits(lens), clean)


def test_a_block_entered_by_hand_ends_with_its_object(lens):
    clean = logits(lens)
    block = lens.editing(neurons(lens))
    block.__enter__()
    assert not torch.equal(logits(lens), clean)
    del block
    gc.collect()
    assert torch.equal(logits(lens), clean)


def test_a_block_is_entered_once_at_a_time(lens):
    block = lens.editing(neurons(lens))
    with block, pytest.raises(RuntimeError, match="already entered"), block:
        pass
    clean = logits(lens)
    with block:  # and can be entered again
        assert not torch.equal(logits(lens), clean)


def test_an_edit_acts_in_other_threads_meanwhile(lens):
    found, clean = [], logits(lens)
    with lens.editing(neurons(lens)):
        edited = logits(lens)
        thread = threading.Thread(target=lambda: found.append(logits(lens)))
        thread.start()
        thread.join()
    assert torch.equal(found[0], edited) and not torch.equal(edited, clean)


def left_behind(lens, where):
    """The exception of a block that could not clean up, kept with every frame; `where`: the step at which it broke."""

    def break_at(frame, event, arg):
        if event == "call" and frame.f_code.co_name == where and frame.f_code.co_filename.endswith(("_lease.py", "_items.py")):
            sys.settrace(None)
            raise KeyboardInterrupt
        return break_at

    def act():
        with lens.editing(neurons(lens)):
            logits(lens)
            sys.settrace(break_at)

    before = sys.gettrace()
    try:
        act()
    except KeyboardInterrupt as error:
        return error
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("where", ["_leave", "undo", "take"])
def test_what_could_not_be_taken_away_does_nothing(lens, where):
    clean, before = logits(lens), hooks(lens.model)
    error = left_behind(lens, where)
    assert error is not None and hooks(lens.model) != before  # the hooks are there
    assert torch.equal(logits(lens), clean)
    heal(lens.model)
    assert hooks(lens.model) == before
    del error


def test_every_entry_heals(lens, texts, dilemmas):
    entries = (
        lambda: lens.collect(texts[:2]),
        lambda: lens.margins(dilemmas[:1]),
        lambda: lens.activations("the river", neurons(lens)),
        lambda: vl.respond(lens.model, prompts(), max_new_tokens=1),
        lambda: lens.editing(neurons(lens)).__enter__(),
        lambda: vl.ValueLens(lens.model).collect(texts[:2]),
    )
    before = hooks(lens.model)
    for entry in entries:
        error = left_behind(lens, "_leave")
        assert hooks(lens.model) != before
        entry()
        gc.collect()
        heal(lens.model)
        assert hooks(lens.model) == before and error is not None


def prompts():
    return [vl.Prompt(id="a", system="", user="the river", value="v", aspect="+", language="en")]


def test_hooks_of_the_user_stay_where_an_interrupt_left_ours(lens):
    """Also one that was added between, and one that is the same function as another."""
    point = lens.model.hook_dict["blocks.0.mlp.hook_post"]
    seen = []

    def note(activation, hook):
        seen.append(1)

    point.add_hook(note, is_permanent=True)
    own = list(point.fwd_hooks)
    error = left_behind(lens, "_leave")
    point.add_hook(note)
    own.append(point.fwd_hooks[-1])
    try:
        with lens.editing(neurons(lens)):
            pass
        assert point.fwd_hooks == own and error is not None
        seen.clear()
        logits(lens)
        assert len(seen) == 2
    finally:
        for handle in own:
            handle.hook.remove()
        point.fwd_hooks = []


# Flags, gradients and settings


@pytest.mark.parametrize("engine", engines())
@pytest.mark.parametrize("failure", [None, RuntimeError, KeyboardInterrupt])
def test_every_part_is_evaluated_and_put_back(folders, failure, engine):
    model = vl.load_model(folders["gpt2"], vl.Loading(engine=engine))
    view, mask = LensModel(model), torch.ones_like(TOKENS, dtype=torch.bool)
    view.forward(TOKENS, mask)
    everything = [*model.modules(), *getattr(model, "original_model", model).modules()]
    for number, part in enumerate(everything):
        part.training = number % 3 > 0
    before, within = [part.training for part in everything], []

    def look(activation):
        within.append(([part for part in everything if part.training], torch.is_grad_enabled()))
        if failure is not None:
            raise failure

    with view.hooks([("blocks.1.mlp.hook_post", look)]):
        with contextlib.nullcontext() if failure is None else pytest.raises(failure):
            view.forward(TOKENS, mask)
    assert within == [([], False)] and torch.is_grad_enabled()
    assert [part.training for part in everything] == before


def test_dropout_is_off_wherever_it_is(folders, texts):
    """Hugging Face's own module after the embedding is no part of the bridge."""
    for engine in engines():
        model = vl.load_model(folders["gpt2"], vl.Loading(engine=engine))
        for part in walk(model).all:
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.5
        model.eval()
        expected = vl.ValueLens(model).collect(texts)
        model.train()
        first, second = vl.ValueLens(model).collect(texts), vl.ValueLens(model).collect(texts)
        assert torch.equal(first.fired, expected.fired) and torch.equal(second.fired, expected.fired)
        assert all(part.training for part in walk(model).all)


def test_settings_are_put_back_unless_somebody_changed_them():
    class Settings:
        pass

    owner = Settings()
    owner.kept, owner.changed = "own", "own"
    items = [Setting(owner, name, f"ours {name}") for name in ("kept", "changed", "new")]
    with Attachment(owner, items):
        assert vars(owner) == {"kept": "ours kept", "changed": "ours changed", "new": "ours new"}
        owner.changed = "theirs"
    assert vars(owner) == {"kept": "own", "changed": "theirs"}
    for item in items:  # any number of times, and without having been put
        item.take()
    assert vars(owner) == {"kept": "own", "changed": "theirs"}


def test_gradients_are_put_back_in_the_thread_they_belong_to():
    evaluation = Evaluation([])
    evaluation.put(Lease(torch.nn.Identity(), [evaluation]))
    other = threading.Thread(target=evaluation.take)
    other.start()
    other.join()
    assert not torch.is_grad_enabled()
    evaluation.take()
    assert torch.is_grad_enabled()
    with torch.no_grad():
        within = Evaluation([])
    within.take()  # late, after the block that had switched them off
    assert torch.is_grad_enabled()


def test_a_loader_that_was_interrupted_loads_as_before(folders, tmp_path):
    """The check for missing weights replaces Hugging Face's loader for a while; left in place it does nothing."""
    from transformers import AutoModelForCausalLM, PreTrainedModel

    from value_lens.model._patches import whole_checkpoints

    model = AutoModelForCausalLM.from_pretrained(folders["llama"])
    own = PreTrainedModel.__dict__["from_pretrained"]
    lacking = {name: weight for name, weight in model.state_dict().items() if "layers.1.mlp.down_proj" not in name}
    model.save_pretrained(tmp_path, state_dict=lacking)
    check = whole_checkpoints()
    (item,) = check._lease.items
    item.put(check._lease)  # as it is left where an interrupt keeps it from being taken away
    try:
        assert PreTrainedModel.__dict__["from_pretrained"] is not own
        AutoModelForCausalLM.from_pretrained(tmp_path)  # random numbers for what is missing, as transformers does it
    finally:
        item.take()
    assert PreTrainedModel.__dict__["from_pretrained"] is own
