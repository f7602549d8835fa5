"""Is nothing lost, doubled or leaked when a model writes a corpus, whatever its endpoint does? Against a real server."""

import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import endpoint
import pytest

import value_lens as vl
from value_lens.core import LabelledText, SituationalQuestion
from value_lens.endpoint import EndpointWriter, Journal, Reply, TransientError
from value_lens.errors import DataError, OutputError, UnknownNameError
from value_lens.write import RECIPES, CorpusPlan, Prices, RequestPolicy, Task, generate
from value_lens.write.recipes import check_answer

KEY = "sk-a-key-that-must-not-be-seen"
QUICK = RequestPolicy(workers=4, first_wait=0.01, longest_wait=0.1)
SOME = ("freedom", "justice")
HEADER = {"recipe": "question", "languages": ["en", "zh"], "system": "chinese_social"}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def writer(server, **more):
    return EndpointWriter("tiny", base_url=server.url, **{"timeout": 5.0, **more})


def lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_dilemmas_and_their_texts_are_written_for_every_value_and_language(tmp_path):
    with endpoint.running() as server:
        made = generate(
            "dilemma", writer(server), tmp_path, CorpusPlan(n_items=3, values=SOME), policy=QUICK, prices=Prices(2.0, 4.0)
        )
    assert Counter((d.value, d.language) for d in made.of(vl.Dilemma)) == {(v, l): 3 for v in SOME for l in ("en", "zh")}
    assert Counter(t.group for t in made.of(LabelledText)) == {(v, a, l): 3 for v in SOME for a in "+-" for l in ("en", "zh")}
    assert vl.load_dilemmas(tmp_path / "dilemmas.jsonl") == made.of(vl.Dilemma)
    assert vl.load_texts(tmp_path / "texts.jsonl") == made.of(LabelledText)
    assert made.failed == {} and made.n_duplicates == 0
    assert (made.cost.n_requests, made.cost.n_prompt_tokens, made.cost.n_reply_tokens) == (24, 240, 120)
    assert made.cost.price == pytest.approx((240 * 2 + 120 * 4) / 1e6)
    assert set(made.audit.languages) == {"en", "zh"} and made.audit.not_parallel == ()
    assert {d.pair_id for d in made.of(vl.Dilemma)} == {f"dilemma/{v}/{n:05d}" for v in SOME for n in range(3)}


@pytest.mark.parametrize("misdeed", endpoint.MISDEEDS)
def test_every_misdeed_is_survived(misdeed, tmp_path):
    """The first two requests for an answer go wrong, the third is good: every item is there once."""
    seen = Counter()

    def plan(number, prompt):
        seen[prompt] += 1
        return misdeed if seen[prompt] <= 2 else ""

    with endpoint.running(plan) as server:
        made = generate(
            "question",
            writer(server, timeout=0.4),
            tmp_path,
            CorpusPlan(n_items=2, values=["freedom"], languages=["en"]),
            policy=QUICK,
        )
        assert len(server.prompts) == made.cost.n_requests == 6
    assert len({q.id for q in made.of(SituationalQuestion)}) == 2 and made.failed == {}


def test_random_misdeeds_on_many_items_lose_and_double_nothing(tmp_path):
    turns = itertools.cycle(["", "500", "", "429", "cut", "", "missing", "drop", "", "html", "fenced"])
    with endpoint.running(lambda number, prompt: next(turns)) as server:
        pace = RequestPolicy(workers=8, first_wait=0.01, longest_wait=0.05, attempts=20)
        made = generate(
            "pole", writer(server), tmp_path, CorpusPlan(n_items=12, system=vl.schwartz, values=["conservation"]), policy=pace
        )
    assert Counter(t.group for t in made.records) == {("conservation", a, l): 12 for a in "+-" for l in ("en", "zh")}
    assert len({t.id for t in made.records}) == len({t.text for t in made.records}) == 48
    assert Counter(entry["id"] for entry in lines(tmp_path / "journal.jsonl")[1:]).most_common(1)[0][1] == 1


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    program = (
        "import sys; from value_lens.endpoint import EndpointWriter; from value_lens.write import CorpusPlan, RequestPolicy, generate; "
        "generate('pole', EndpointWriter('tiny', base_url=sys.argv[1]), sys.argv[2], "
        "CorpusPlan(n_items=8, values=['freedom', 'justice']), policy=RequestPolicy(workers=3))"
    )
    journal = tmp_path / "journal.jsonl"
    with endpoint.running(delay=0.05) as server:
        child = subprocess.Popen([sys.executable, "-c", program, server.url, str(tmp_path)], env={**os.environ})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (journal.exists() and len(journal.read_bytes().splitlines()) > 12):
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept = journal.read_bytes()
        n_kept = len(kept.splitlines()) - 1
        assert 11 < n_kept < 64
        journal.write_bytes(kept + b'{"id":"pole/freedom/+/en/000')  # torn by the kill
        before = dict(server.done)
        made = generate("pole", writer(server), tmp_path, CorpusPlan(n_items=8, values=SOME), policy=QUICK)
        again = [prompt for prompt, count in server.done.items() if count > before.get(prompt, 0) and before.get(prompt, 0)]
    assert len(again) <= 3  # only what was in flight in the three workers is asked twice
    assert journal.read_bytes().startswith(kept)
    assert Counter(t.group for t in made.records) == {(v, a, l): 8 for v in SOME for a in "+-" for l in ("en", "zh")}
    assert len({t.id for t in made.records}) == 64


def test_a_finished_run_asks_nothing_again(tmp_path):
    with endpoint.running() as server:
        options = {"plan": CorpusPlan(n_items=2, values=["justice"]), "policy": QUICK}
        first = generate("question", writer(server), tmp_path, **options)
        n_asked = len(server.prompts)
        again = generate("question", writer(server), tmp_path, **options)
        assert len(server.prompts) == n_asked
    assert again.records == first.records and again.cost == first.cost
    fewer = generate("question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["justice"]), policy=QUICK)
    assert fewer.records == first.records[::2] and fewer.n_duplicates == 0


def test_a_finished_run_asks_nothing_again_though_items_had_failed(tmp_path):
    """What was made up for by further items stays as it is."""
    options = {
        "plan": CorpusPlan(n_items=2, values=["justice"], languages=["en"]),
        "policy": RequestPolicy(attempts=1, first_wait=0.0),
    }
    with endpoint.running(lambda number, prompt: "prose" if "Item 1:" in prompt else "") as server:
        first = generate("question", writer(server), tmp_path, **options)
    assert [q.id[-5:] for q in first.records] == ["00001", "00002"] and list(first.failed) == ["question/justice/en/00000"]
    with endpoint.running() as server:
        again = generate("question", writer(server), tmp_path, **options)
        assert server.prompts == []
    assert again.records == first.records


@pytest.mark.parametrize(
    "answer",
    ['{"question": "You wait \\ud83d at the gate. Why?"}', '{"question": ' + "[" * 100_000, '{"question": ' + "1" * 5000 + "}"],
    ids=["half a pair", "deep", "long number"],
)
def test_an_odd_answer_is_asked_again_not_fatal(answer, tmp_path):
    answers = iter([answer, '{"question": "You stand at a gate. What now?"}'])
    options = {
        "plan": CorpusPlan(n_items=1, values=["justice"], languages=["en"]),
        "policy": RequestPolicy(workers=1, first_wait=0.0),
    }
    made = generate("question", lambda messages: next(answers), tmp_path, **options)
    assert len(made.records) == 1 and made.cost.n_requests == 2


def test_one_conversation_that_is_refused_does_not_stop_the_run(tmp_path):
    with endpoint.running(lambda number, prompt: "400" if "Item 1:" in prompt else "") as server:
        options = {"plan": CorpusPlan(n_items=3, values=["justice"], languages=["en"]), "policy": QUICK}
        made = generate("question", writer(server), tmp_path, **options)
        assert sum("Item 1:" in prompt for prompt in server.prompts) == 1  # asked once, not six times
    assert len(made.records) == 3 and "answered 400" in made.failed["question/justice/en/00000"]


def test_a_hopeless_beginning_ends_the_run(tmp_path):
    with endpoint.running(lambda number, prompt: "400") as server:
        with pytest.raises(DataError, match="the first 10 items all failed, the last because: the endpoint answered 400"):
            generate("question", writer(server), tmp_path, CorpusPlan(n_items=200, values=["justice"]), policy=QUICK)
        assert len(server.prompts) < 30
    unreachable = EndpointWriter("m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(DataError, match=r"the first 10 items all failed.*no answer from the endpoint: APIConnectionError.*\("):
        generate(
            "question",
            unreachable,
            tmp_path / "2",
            CorpusPlan(n_items=200, values=["justice"]),
            policy=RequestPolicy(attempts=1, first_wait=0.0),
        )


def test_an_answer_begins_behind_its_thought(tmp_path):
    """A thought may hold an object of its own, and is not shown again with the request to answer again."""
    turns = itertools.cycle(["unclosed", "missing", "length", "thought"])
    with endpoint.running(lambda number, prompt: next(turns)) as server:
        made = generate(
            "question",
            writer(server, template_arguments={"enable_thinking": True}),
            tmp_path,
            CorpusPlan(n_items=1, values=["justice"], languages=["en"]),
            policy=RequestPolicy(workers=1, first_wait=0.0, longest_wait=0.0),
        )
    (question,) = made.of(SituationalQuestion)
    assert question.text.startswith("question ") and made.cost.n_requests == 4
    first, *again = server.conversations
    assert [m["role"] for m in first] == ["system", "user"] and all(c[:2] == first for c in again)
    assert [conversation[2]["content"] for conversation in again] == ["(no answer)", '{"other": "field"}', "(no answer)"]
    assert "its thought was not closed" in again[0][3]["content"]
    assert "the 700 tokens allowed were used before an answer began (max_tokens)" in again[2][3]["content"]
    assert server.template_arguments == [{"enable_thinking": True}] * 4


def test_template_arguments_are_sent_only_where_they_are_given(tmp_path):
    with endpoint.running() as server:
        generate(
            "question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["justice"], languages=["en"]), policy=QUICK
        )
    assert server.template_arguments == [None]


def test_an_answer_without_text_costs_too(tmp_path):
    turns = iter(["silent", ""])
    with endpoint.running(lambda number, prompt: next(turns)) as server:
        options = {"plan": CorpusPlan(n_items=1, values=["justice"], languages=["en"]), "policy": QUICK}
        made = generate("question", writer(server), tmp_path, **options)
    assert (made.cost.n_requests, made.cost.n_prompt_tokens) == (2, 20)


def test_what_was_spent_before_a_fault_is_kept(tmp_path):
    calls = itertools.count()

    def faulty(messages):
        if next(calls):
            raise RuntimeError("out of memory")
        return Reply("bad", 100, 50)

    options = {
        "plan": CorpusPlan(n_items=1, values=["justice"], languages=["en"]),
        "policy": RequestPolicy(workers=1, first_wait=0.0),
    }
    with pytest.raises(RuntimeError, match="out of memory"):
        generate("question", faulty, tmp_path, **options)
    assert lines(tmp_path / "journal.jsonl")[1]["usage"] == [2, 100, 50]


@pytest.mark.parametrize(
    ("key", "url", "message"),
    [
        ("sk-a", "localhost:8000/v1", "base_url must begin with http:// or https://, got 'localhost:8000/v1'"),
        ("sk-é", "http://localhost/v1", "OPENAI_API_KEY holds letters that no key has"),
        ("sk-a\nb", "http://localhost/v1", "OPENAI_API_KEY holds letters that no key has"),
    ],
)
def test_a_key_or_an_address_that_cannot_work_is_refused_at_once(key, url, message, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(DataError, match=message) as caught:
        EndpointWriter("m", base_url=url)
    assert key not in str(caught.value)


def test_white_space_around_a_key_is_no_part_of_it(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    caplog.set_level(logging.DEBUG)
    with endpoint.running() as server:
        generate(
            "question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["justice"], languages=["en"]), policy=QUICK
        )
        assert server.keys == {f"Bearer {KEY}"}
    assert KEY not in caplog.text


@pytest.mark.parametrize("names", [{"values": []}, {"values": ["justice", "justice"]}, {"languages": []}])
def test_values_and_languages_are_given_once(names, tmp_path):
    with pytest.raises(DataError, match="must be given, each once"):
        generate("question", lambda messages: "", tmp_path, CorpusPlan(n_items=1, **names))


def test_who_wrote_what_is_kept(tmp_path):
    def another(messages):
        return '{"question": "You wait by a gate at noon. What do you do?"}'

    with endpoint.running() as server:
        generate(
            "question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["justice"], languages=["en"]), policy=QUICK
        )
    generate("question", another, tmp_path, CorpusPlan(n_items=2, values=["justice"], languages=["en"]), policy=QUICK)
    assert json.loads((tmp_path / "summary.json").read_text())["written_by"] == {"tiny": 1, "another": 1}


def test_the_same_folder_is_not_used_for_another_job_or_by_two_runs(tmp_path):
    with endpoint.running() as server:
        generate("question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["justice"]), policy=QUICK)
        with pytest.raises(DataError, match="was begun for another job"):
            generate("question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["freedom"]), policy=QUICK)

        with pytest.raises(OutputError, match="in use by another run"):
            with Journal.open(tmp_path / "journal.jsonl", {**HEADER, "values": ["justice"]}):
                generate("question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["justice"]), policy=QUICK)


def test_the_key_is_sent_and_stands_nowhere_else(tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with endpoint.running(lambda number, prompt: "500" if number == 0 else "") as server:
        told = writer(server)
        generate("question", told, tmp_path, CorpusPlan(n_items=2, values=["justice"]), policy=QUICK)
        assert server.keys == {f"Bearer {KEY}"}
    with (
        endpoint.running(lambda number, prompt: "401") as server,
        pytest.raises(DataError, match=r"answered 401: .*\*\*\*") as caught,
    ):
        generate("question", writer(server), tmp_path / "refused", CorpusPlan(n_items=2, values=["justice"]), policy=QUICK)
    assert KEY not in str(caught.value) and KEY not in repr(told)
    assert KEY not in caplog.text and KEY not in "".join(capfd.readouterr())
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 3 and not any(KEY.encode() in path.read_bytes() for path in written)


def test_a_refused_key_stops_at_once_and_keeps_what_is_done(tmp_path):
    with endpoint.running(lambda number, prompt: "401" if number >= 4 else "") as server:
        with pytest.raises(DataError, match="the endpoint answered 401"):
            generate(
                "question",
                writer(server),
                tmp_path,
                CorpusPlan(n_items=50, values=["justice"]),
                policy=RequestPolicy(workers=1),
            )
        assert len(server.prompts) <= 6
    assert len(lines(tmp_path / "journal.jsonl")) == 6  # the header, four answers, and what the refused request cost


def test_without_a_key_it_is_said_before_any_work(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(DataError, match="OPENAI_API_KEY holds no key; set it, or give base_url"):
        EndpointWriter("tiny")


def test_what_cannot_be_written_is_reported_and_tried_again_next_time(tmp_path):
    with endpoint.running(lambda n, p: "prose") as server:
        made = generate(
            "question",
            writer(server),
            tmp_path,
            CorpusPlan(n_items=1, values=["justice"], languages=["en"]),
            policy=RequestPolicy(attempts=2, first_wait=0.0),
        )
        assert len(server.prompts) == made.cost.n_requests == 8  # two attempts, and three further items to make up for it
    assert made.records == [] and set(made.failed.values()) == {"no JSON object in the answer: 'I would rather not.'"}
    assert json.loads((tmp_path / "summary.json").read_text())["failed"] == made.failed
    with endpoint.running() as server:
        made = generate(
            "question", writer(server), tmp_path, CorpusPlan(n_items=1, values=["justice"], languages=["en"]), policy=QUICK
        )
    assert [q.id for q in made.records] == ["question/justice/en/00000"] and made.failed == {}
    assert made.cost.n_requests == 9


def test_a_wrong_answer_is_told_what_was_wrong(tmp_path):
    heard = []

    def speaker(messages):
        heard.append(messages)
        return '{"question": ""}' if len(heard) == 1 else '{"question": "You stand at a gate. What do you do?"}'

    generate("question", speaker, tmp_path, CorpusPlan(n_items=1, values=["justice"], languages=["en"]), policy=QUICK)
    assert "field 'question': expected a non-empty text, got ''" in heard[1][-1]["content"]


def test_duplicates_are_left_out_and_made_up_for(tmp_path):
    with endpoint.running(lambda number, prompt: "same" if "Item 1:" in prompt or "Item 2:" in prompt else "") as server:
        made = generate(
            "pole", writer(server), tmp_path, CorpusPlan(n_items=3, values=["justice"], languages=["en"]), policy=QUICK
        )
    assert Counter(t.group for t in made.records) == {("justice", a, "en"): 3 for a in "+-"}
    assert made.n_duplicates == 2 and len({t.text for t in made.records if t.aspect == "+"}) == 3


def test_requests_keep_the_pace(tmp_path):
    """The last of eight requests at ten a second comes no sooner than seven tenths of a second after the start."""
    with endpoint.running() as server:
        pace, started = RequestPolicy(workers=4, per_minute=600.0), time.monotonic()
        generate("question", writer(server), tmp_path, CorpusPlan(n_items=8, values=["justice"], languages=["en"]), policy=pace)
        assert len(server.times) == 8 and max(server.times) - started >= 0.7


def test_back_off_waits_as_long_as_the_other_side_asks(tmp_path):
    calls = []

    def busy(messages):
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise TransientError("busy", wait=0.3)
        return Reply('{"question": "You stand at a gate. What now?"}', 1, 1)

    generate("question", busy, tmp_path, CorpusPlan(n_items=1, values=["justice"], languages=["en"]), policy=QUICK)
    assert calls[1] - calls[0] >= 0.3


@pytest.mark.parametrize("error", [OSError("no route"), TimeoutError(), ConnectionResetError("gone")])
def test_a_callable_may_fail_for_a_while(error, tmp_path):
    calls = itertools.count()

    def flaky(messages):
        if next(calls) < 2:
            raise error
        return '{"question": "You stand at a gate. What now?"}'

    made = generate("question", flaky, tmp_path, CorpusPlan(n_items=1, values=["justice"], languages=["en"]), policy=QUICK)
    assert len(made.records) == 1 and made.cost.n_requests == 3


def test_a_fault_of_the_callable_itself_is_not_hidden(tmp_path):
    with pytest.raises(ZeroDivisionError):
        generate(
            "question",
            lambda messages: 1 / 0,
            tmp_path,
            CorpusPlan(n_items=1, values=["justice"], languages=["en"]),
            policy=QUICK,
        )


# Recipes and the checking of answers


def task(language="en", recipe="dilemma", aspect=""):
    return Task(recipe, vl.chinese_social["freedom"], aspect, language, 0)


GOOD = {"topic": "a trip", "background": "You are at a fork.", "aligned": "take the hill path", "violating": "take the road"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("nothing", "no JSON object in the answer: 'nothing'"),
        ('{"topic": "a', "broken JSON"),
        (json.dumps({**GOOD, "topic": None}), "field 'topic': expected a non-empty text, got None"),
        (json.dumps({**GOOD, "aligned": 3}), "field 'aligned': expected a non-empty text, got 3"),
        (json.dumps({**GOOD, "topic": "x" * 2000}), "field 'topic': 2000 characters, at most 1200"),
        (json.dumps({**GOOD, "violating": GOOD["aligned"]}), "field 'violating': the same text as 'aligned'"),
        (json.dumps({**GOOD, "topic": "freedom of travel"}), "names the value 'freedom' outright"),
        (json.dumps({key: "山路上有人" + str(k) for k, key in enumerate(GOOD)}, ensure_ascii=False), "not in English"),
    ],
)
def test_an_answer_off_the_schema_is_refused_with_the_reason(answer, problem):
    with pytest.raises(DataError, match=problem):
        check_answer(answer, RECIPES["dilemma"].steps[0], task())


def test_a_good_answer_is_read_out_of_a_fence():
    assert check_answer(f"Sure.\n```json\n{json.dumps(GOOD)}\n```", RECIPES["dilemma"].steps[0], task()) == GOOD


def test_recipes_ask_for_what_the_papers_ask():
    first, second = RECIPES["dilemma"].steps
    assert first.fields == ("topic", "background", "aligned", "violating") and "aligned_rationale" in second.fields
    assert "take the hill path" in second.ask(task(), GOOD)
    stances = {RECIPES["pole"].steps[0].ask(task(aspect=a, recipe="pole"), {}) for a in "+-"}
    assert len(stances) == 2


def test_stories_end_their_sentences():
    made = dict(GOOD, aligned_rationale="the view is worth it", violating_rationale="it is late")
    texts = [r for r in RECIPES["dilemma"].records(task(), made) if isinstance(r, LabelledText)]
    assert texts[0].text == "You are at a fork. Take the hill path. The view is worth it."


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_items": 0}, DataError, "n_items is 0; give at least 1"),
        ({"n_items": 1, "values": ["zeal"]}, UnknownNameError, "unknown value 'zeal'"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(options, error, message, tmp_path):
    with pytest.raises(error, match=message):
        generate("question", lambda messages: "", tmp_path, CorpusPlan(**options))
    with pytest.raises(UnknownNameError, match="unknown recipe 'novel'; known: dilemma, pole, question"):
        generate("novel", lambda messages: "", tmp_path, CorpusPlan(n_items=1))
    with pytest.raises(DataError, match="workers and attempts must be at least 1"):
        RequestPolicy(workers=0)


def test_a_damaged_journal_is_named_with_its_line(tmp_path):
    options = {"plan": CorpusPlan(n_items=1, values=["justice"], languages=["en"]), "policy": QUICK}
    generate("question", lambda messages: '{"question": "You wait at a gate. Why?"}', tmp_path, **options)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b"garbage\n")
    with pytest.raises(DataError, match=r"journal\.jsonl, line 3: damaged; remove the line"):
        generate("question", lambda messages: "", tmp_path, **options)
