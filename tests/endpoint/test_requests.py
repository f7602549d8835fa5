"""Are requests repeated, counted and given up as their policy says?"""

import itertools

import pytest

from value_lens.endpoint import (
    Cost,
    GivenUpError,
    Prices,
    RefusedError,
    Reply,
    Requester,
    RequestPolicy,
    TransientError,
    Usage,
)
from value_lens.errors import DataError

ASKED = [{"role": "user", "content": "A number?"}]
AT_ONCE = RequestPolicy(attempts=3, first_wait=0.0, longest_wait=0.0)


def number(text):
    if not text.isdecimal():
        raise DataError(f"{text!r} is not a number")
    return int(text)


@pytest.mark.parametrize("attempt", range(8))
def test_the_back_off_doubles_up_to_the_longest_wait_with_chance_in_it(attempt):
    policy = RequestPolicy(first_wait=1.0, longest_wait=20.0)
    longest = min(20.0, 2.0**attempt)
    waits = [policy.back_off(attempt) for _ in range(200)]
    assert all(longest / 2 <= wait <= longest for wait in waits) and len(set(waits)) > 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers and attempts must be at least 1"),
        ({"attempts": 0}, "workers and attempts must be at least 1"),
        ({"per_minute": 0.0}, "per_minute above 0"),
        ({"first_wait": 2.0, "longest_wait": 1.0}, "first_wait must lie between 0 and longest_wait"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        RequestPolicy(**options)


def test_what_check_returns_comes_back_and_all_that_was_spent_is_counted():
    conversations = []
    replies = iter([TransientError("busy"), Reply("none", 5, 2), Reply("12", 9, 1)])

    def writer(messages):
        conversations.append(messages)
        reply = next(replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    usage = Usage()
    assert Requester(writer, AT_ONCE).ask(ASKED, number, usage) == 12
    assert usage.counts == [3, 14, 3]
    assert conversations[:2] == [ASKED, ASKED]
    assert conversations[2][1:] == [
        {"role": "assistant", "content": "none"},
        {"role": "user", "content": "That answer cannot be used: 'none' is not a number. Answer again, as asked."},
    ]


@pytest.mark.parametrize(
    ("failure", "n_requests", "message"),
    [(RefusedError("too long"), 1, "too long"), (TransientError("busy"), 3, "busy"), (OSError(), 3, "OSError")],
)
def test_what_is_given_up_says_the_last_problem(failure, n_requests, message):
    def writer(messages):
        raise failure

    usage = Usage()
    with pytest.raises(GivenUpError, match=message):
        Requester(writer, AT_ONCE).ask(ASKED, number, usage)
    assert usage.n_requests == n_requests


def test_after_a_stop_nothing_is_asked():
    calls = itertools.count()
    requester = Requester(lambda messages: str(next(calls)), AT_ONCE)
    requester.stop()
    with pytest.raises(GivenUpError, match="stopped"):
        requester.ask(ASKED, number, Usage())
    assert next(calls) == 0


def test_a_writer_is_named_by_its_model_or_its_callable():
    class Model:
        model = "tiny"

        def __call__(self, messages):
            return ""

    assert Requester(Model(), AT_ONCE).writer_name == "tiny"
    assert Requester(number, AT_ONCE).writer_name == "number"


def test_a_cost_is_the_sum_of_usages_at_its_prices():
    cost = Cost.of_usages([[1, 1000, 10], (2, 500, 40)], Prices(prompt=2.0, reply=100.0))
    assert (cost.n_requests, cost.n_prompt_tokens, cost.n_reply_tokens) == (3, 1500, 50)
    assert cost.price == pytest.approx((1500 * 2 + 50 * 100) / 1e6)
    with pytest.raises(DataError, match="a price is at least 0"):
        Prices(prompt=-1.0)
