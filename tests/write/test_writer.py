"""Does a local model write what it is asked, shown the whole conversation once, and is a reply without an answer told?"""

import sys

import pytest
import tiny
import torch
from conftest import engines
from scripted import ids, tokenizer_with
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, AutoTokenizer

import value_lens as vl
from value_lens.endpoint import RefusedError
from value_lens.errors import DataError, ModelLoadError
from value_lens.model import LensModel
from value_lens.write import CorpusPlan, RequestPolicy, generate

ROLES = "{{ '<s>' if loop.first }}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}[you]"
TEMPLATE = "{% for m in messages %}" + ROLES
NO_SYSTEM = "{% for m in messages if m['role'] != 'system' %}" + ROLES
RETRY = [
    {"role": role, "content": content}
    for role, content in (("system", "be brief"), ("user", "the river?"), ("assistant", "no"), ("user", "again"))
]


@pytest.fixture(params=[*engines(), "transformers"])
def given(request, models, folders):
    """What `local_writer` takes: a TransformerLens model with its tokenizer, or a Hugging Face model with it."""
    if request.param == "transformers":
        return AutoModelForCausalLM.from_pretrained(folders["llama"]), AutoTokenizer.from_pretrained(folders["llama"])
    return models[request.param, "llama"], models[request.param, "llama"].tokenizer


def scripted(monkeypatch, tokenizer, text, seen):
    """Let the writer say a text; keep the tokens that it was asked to go on from."""
    room = sys.modules["value_lens.write._local"]
    script = [*ids(tokenizer, text), tokenizer.eos_token_id]
    monkeypatch.setattr(room, "chooser", lambda *_: lambda logits, step: torch.full((1,), script[min(step, len(script) - 1)]))
    for owner, name, place in ((LensModel, "generate", 1), (room, "generate_with_huggingface", 2)):
        kept = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *a, kept=kept, place=place: (seen.append(a[place][0].tolist()), kept(*a))[1])


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        (TEMPLATE, "<s>[system] be brief\n[user] the river?\n[assistant] no\n[user] again\n[you]"),
        (NO_SYSTEM, "<s>[user] be brief\n\nthe river?\n[assistant] no\n[user] again\n[you]"),
        (None, "<s>be brief\nthe river?\nno\nagain\n"),
    ],
)
def test_a_conversation_is_shown_whole_and_with_one_bos(given, monkeypatch, template, shown):
    model, tokenizer = given[0], tokenizer_with(given[1], template=template)
    seen = []
    scripted(monkeypatch, tokenizer, "yes", seen)
    reply = vl.local_writer(model, tokenizer, max_new_tokens=9)(RETRY)
    by_itself = given[1](shown.removeprefix("<s>"))["input_ids"]  # what the tokenizer makes of a text without a template
    whole = given[1](shown, add_special_tokens=False)["input_ids"]
    assert reply.text == "yes" and reply.problem == "" and reply.n_prompt_tokens == len(seen[0])
    assert seen == [whole if template or hasattr(model, "hook_dict") else by_itself]


def test_a_text_that_brings_its_bos_gets_no_second(given, monkeypatch):
    """Nor where the tokenizer itself adds one."""
    model, tokenizer = given[0], tokenizer_with(given[1])
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    assert tokenizer("<s>the")["input_ids"].count(0) == 2
    seen = []
    scripted(monkeypatch, tokenizer, "yes", seen)
    vl.local_writer(model, tokenizer)([{"role": "user", "content": "<s>the river?"}])
    assert seen[0].count(0) == 1 and seen[0][0] == 0


@pytest.mark.parametrize(
    ("said", "text", "problem"),
    [
        ("<think>{no}</think>\n{yes}", "{yes}", ""),
        ("<think>{no}", "", "its thought was not closed"),
        ("<think>{no}</think>", "", "nothing follows its thought"),
        (" ", "", "it said nothing"),
    ],
)
def test_a_reply_is_what_stands_behind_its_thought(given, monkeypatch, said, text, problem):
    model, tokenizer = given[0], tokenizer_with(given[1], template=TEMPLATE)
    scripted(monkeypatch, tokenizer, said, [])
    reply = vl.local_writer(model, tokenizer, max_new_tokens=40)(RETRY)
    assert reply.text == text and reply.problem.startswith(problem) and bool(reply.problem) == bool(problem)
    assert reply.n_reply_tokens == len(ids(tokenizer, said))


def test_arguments_reach_the_template_and_its_faults_the_user(given, monkeypatch):
    model, tokenizer = (
        given[0],
        tokenizer_with(given[1], template=TEMPLATE + "{% if not enable_thinking %}<think></think>{% endif %}"),
    )
    seen = []
    scripted(monkeypatch, tokenizer, "yes", seen)
    for arguments in (None, {"enable_thinking": True}):
        vl.local_writer(model, tokenizer, template_arguments=arguments)(RETRY)
    off, on = (tokenizer.decode(tokens) for tokens in seen)
    assert off == on + "<think></think>"
    forgetful = tokenizer_with(given[1], template="{{ messages[0].content + messages[1].content + messages[3].content }}")
    with pytest.raises(DataError, match="it does not write all of the assistant message"):
        vl.local_writer(model, forgetful)(RETRY)


def test_a_local_model_writes_a_reply_of_either_kind(folders, models):
    messages = [{"role": "user", "content": "the teacher"}]
    plain, tokenizer = AutoModelForCausalLM.from_pretrained(folders["llama"]), AutoTokenizer.from_pretrained(folders["llama"])
    by_bridge = vl.local_writer(models["bridge", "llama"], max_new_tokens=7)
    first, second = by_bridge(messages), by_bridge(messages)
    assert first.text != second.text and 1 <= first.n_reply_tokens <= 7 and first.n_prompt_tokens > 1
    assert vl.local_writer(models["bridge", "llama"], max_new_tokens=7)(messages) == first
    greedy = vl.local_writer(plain, tokenizer, max_new_tokens=5, temperature=0.0)(messages)
    assert greedy.text and greedy.n_reply_tokens <= 5
    with pytest.raises(ModelLoadError, match="needs its tokenizer"):
        vl.local_writer(plain)


def test_a_model_that_cannot_write_json_is_reported_not_believed(tmp_path):
    model = vl.load_model(tiny.folder(tmp_path, "llama", seed=1, max_position_embeddings=1024))
    made = generate(
        "question",
        vl.local_writer(model, max_new_tokens=5),
        tmp_path,
        CorpusPlan(n_items=1, values=["justice"], languages=["en"]),
        policy=RequestPolicy(workers=1, attempts=2, first_wait=0.0),
    )
    assert made.records == [] and made.failed and made.cost.n_reply_tokens > 0


def test_a_conversation_without_room_is_one_items_failure(models):
    writer = vl.local_writer(models["bridge", "llama"], max_new_tokens=5)
    with pytest.raises(RefusedError, match="leaves no room in the context of 96"):
        writer([{"role": "user", "content": "the river " * 60}])
    assert isinstance(writer.model, str) and writer.model
