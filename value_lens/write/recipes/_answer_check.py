"""Checking a writer's answer against the step that asked for it."""

import json
import re
from typing import Any

from ...errors import DataError
from ._recipe import LANGUAGE_NAMES, Answer, Step, Task


def check_answer(text: str, step: Step, task: Task) -> Answer:
    """The answer's fields, from a JSON object that may stand in a fence or among words.

    Raises `DataError` that says what is wrong: no JSON (cut off, say), a field that is missing, empty, no text or too long, two
    choices that are the same, the wrong script for the language, or the value named outright.
    """
    fields = _json_object(text)
    answer: Answer = {}
    for field in step.fields:
        content = fields.get(field)
        if not isinstance(content, str) or not content.strip():
            raise DataError(f"field {field!r}: expected a non-empty text, got {content!r}")
        if len(content) > step.longest:
            raise DataError(f"field {field!r}: {len(content)} characters, at most {step.longest} are meant")
        answer[field] = content.strip()
    joined_text = " ".join(answer.values())
    if any("\ud800" <= letter <= "\udfff" for letter in joined_text):
        raise DataError("the answer holds half of a character pair and cannot be saved")
    han = len(re.findall(r"[\u4e00-\u9fff]", joined_text)) / len(joined_text)
    if (task.language == "zh") != (han > 0.3) and task.language in LANGUAGE_NAMES:
        raise DataError(f"the answer is not in {LANGUAGE_NAMES[task.language]}")
    if answer.get("aligned", "+") == answer.get("violating", "-"):
        raise DataError("field 'violating': the same text as 'aligned'")
    if task.value.is_named_in(joined_text, task.language):
        raise DataError(f"the answer names the value {task.value.name!r} outright")
    return answer


def _json_object(text: str) -> dict[str, Any]:
    start = text.find("{")
    if start < 0:
        raise DataError(f"no JSON object in the answer: {text[:80]!r}")
    try:
        content, _ = json.JSONDecoder().raw_decode(text[start:])
    except json.JSONDecodeError as error:
        raise DataError(f"broken JSON ({error.msg} at character {error.pos}): {text[start : start + 80]!r}") from None
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond what Python reads
        raise DataError(f"JSON that cannot be read ({type(error).__name__}): {text[start : start + 80]!r}") from None
    if not isinstance(content, dict):
        raise DataError(f"expected a JSON object, got {type(content).__name__}")
    return content
