"""The layouts of published data sets.

Only the layouts are here, no data. A source is named "moral_stories" (its place on the hub) or "moral_stories:PATH" (local files).
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core import Dilemma, LabelledText, QuestionnaireItem, id_of
from ..errors import DataError
from ._layout import Fields, Layout
from ._rows import Where


def _get(row: Fields, *names: str) -> Any:
    """The first of several names that the row has. Raises `DataError` with those found."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise DataError(f"field {names[0]!r} is missing; found {sorted(map(str, row))}")


def _id(row: Fields, where: Where, *names: str) -> str:
    """The row's id, as it is written, under the first of several names that it has; else its number."""
    for name in names:
        if row.get(name) is not None:
            return id_of(row[name], name)
    return _number(where, row)


def _name(row: Fields, *names: str) -> str:
    """A name as it is written, under the first of several names that the row has; "" without one. Raises `DataError` for no text."""
    for name in names:
        if row.get(name) is not None:
            if not isinstance(row[name], str):
                raise DataError(f"field {name!r}: expected a text, got {row[name]!r}")
            return row[name]
    return ""


def _number(where: Where, row: Fields) -> str:
    """An id for rows that have none: file, part, and number."""
    parts = (str(row.get("file") or Path(where.name).stem), where.part, str(where.number))
    return "-".join(part for part in parts if part)


def _language_of(text: object) -> str:
    """Chinese where there is a Chinese character, else English: the two languages of the papers' data."""
    return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in str(text)) else "en"


def _disposition(row: Fields) -> str:
    return str(row.get("file") or "persona").rpartition("/")[2]


# Moral Stories (Emelin et al. 2021): one norm, two actions.


def _moral_story(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    scene = f"{_get(row, 'situation')} {_get(row, 'intention')}"
    yield {
        "id": _id(row, where, "ID", "guid"),
        "scenario": scene,
        "aligned": _get(row, "moral_action"),
        "violating": _get(row, "immoral_action"),
        "value": "moral_norm",
        "language": "en",
    }


def _moral_story_texts(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    (dilemma,) = _moral_story(row, where)
    for aspect, chosen, end in (("+", "aligned", "moral_consequence"), ("-", "violating", "immoral_consequence")):
        yield {
            "id": f"{dilemma['id']}/{aspect}",
            "text": " ".join(filter(None, (dilemma["scenario"], dilemma[chosen], row.get(end)))),
            "value": dilemma["value"],
            "aspect": aspect,
            "language": "en",
            "cluster": dilemma["id"],
        }


# MoralChoice (Scherrer et al. 2023): in the low-ambiguity part, action 1 is the one the rule asks for.


def _moral_choice(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    if str(row.get("ambiguity", "low")).lower() != "low":
        raise DataError("field 'ambiguity': only low-ambiguity scenarios have an aligned action")
    yield {
        "id": _get(row, "scenario_id"),
        "scenario": _get(row, "context"),
        "aligned": _get(row, "action1", "action 1"),
        "violating": _get(row, "action2", "action 2"),
        "value": _get(row, "generation_rule"),
        "language": "en",
    }


# ETHICS (Hendrycks et al. 2021): the table's name says which of its tests it is.


def _ethics(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    file = str(row.get("file"))
    test = next((test for test in ("virtue", "justice", "deontology") if test in file), "")
    made = {"id": _number(where, row), "language": "en"}
    if "util" in file or "baseline" in row:
        raise DataError("the utilitarianism table holds pairs; load it as dilemmas")
    right = str(_get(row, "label"))
    if right not in ("0", "1"):
        raise DataError(f"field 'label': {right!r} is neither 0 nor 1")
    if "input" in row:  # commonsense: label 1 means wrong
        yield {**made, "text": row["input"], "value": "commonsense", "aspect": "-" if right == "1" else "+"}
    elif test == "virtue" or "[SEP]" in str(row.get("scenario")):
        text, _, trait = str(_get(row, "scenario")).partition("[SEP]")
        yield {**made, "text": text.strip(), "value": trait.strip() or "virtue", "aspect": "+" if right == "1" else "-"}
    else:
        text = " ".join(filter(None, (_get(row, "scenario"), row.get("excuse"))))
        value = "deontology" if "excuse" in row else test or "justice"
        yield {**made, "text": text, "value": value, "aspect": "+" if right == "1" else "-"}


def _ethics_pairs(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    yield {
        "id": _number(where, row),
        "scenario": "Two people tell of their day.",
        "aligned": _get(row, "baseline"),
        "violating": _get(row, "less_pleasant"),
        "value": "utilitarianism",
        "language": "en",
    }


# Touché23-ValueEval (Mirzakhmedova et al. 2023): an argument resorts to some of 20 values.

TOUCHE_VALUES = (
    "Self-direction: thought", "Self-direction: action", "Stimulation", "Hedonism", "Achievement", "Power: dominance",
    "Power: resources", "Face", "Security: personal", "Security: societal", "Tradition", "Conformity: rules",
    "Conformity: interpersonal", "Humility", "Benevolence: caring", "Benevolence: dependability", "Universalism: concern",
    "Universalism: nature", "Universalism: tolerance", "Universalism: objectivity",
)  # fmt: skip


def _touche(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    labels = row.get("Labels")
    if labels is not None:
        labels = ast.literal_eval(labels) if isinstance(labels, str) else labels
        chosen = [value for value, on in zip(TOUCHE_VALUES, labels, strict=True) if str(on) == "1"]
    else:
        chosen = [value for value in TOUCHE_VALUES if str(row.get(value)) == "1"]
        if not any(value in row for value in TOUCHE_VALUES):
            raise DataError(f"no labels: none of the columns {list(TOUCHE_VALUES[:2])} ...; found {sorted(map(str, row))}")
    key = id_of(_get(row, "Argument ID"), "Argument ID")
    for value in chosen:  # an argument may resort to several values, or to none
        yield {
            "id": f"{key}/{value}",
            "text": _get(row, "Premise"),
            "prompt": f"{_get(row, 'Conclusion')} ({_get(row, 'Stance')}) ",
            "value": value,
            "aspect": "+",
            "language": "en",
            "cluster": key,
        }


# ValueBench (Ren et al. 2024): items of questionnaires, agreement with which is for (1) or against (-1) the value.


def _value_bench(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    made = {"id": _number(where, row), "text": _get(row, "item"), "value": _get(row, "value"), "language": "en"}
    yield {**made, "agreement": _get(row, "agreement"), "polarity": _get(row, "agreement")}


# Anthropic's persona evaluations (Perez et al. 2022): the file's name is the disposition.


def _persona(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    answer = str(_get(row, "answer_matching_behavior")).strip()
    if answer not in ("Yes", "No"):
        raise DataError(f"field 'answer_matching_behavior': {answer!r} is neither Yes nor No")
    against = answer == "No"
    yield {
        "id": _number(where, row),
        "text": row.get("statement") or _get(row, "question"),
        "value": _disposition(row),
        "aspect": "-" if against else "+",
        "reverse_keyed": against,
        "language": "en",
    }


# Value Portrait (Han et al. 2025): responses with their correlation with the raters' values; 0.3 is the paper's bar.

PORTRAIT_BAR = 0.3


def _portrait(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    asked = _get(row, "content")
    parts = [asked.get("title"), asked.get("text")] if isinstance(asked, Mapping) else [asked]
    prompt = "\n\n".join(part.strip() for part in parts if part)
    asked_id = id_of(row.get("portrait_id", where.number), "portrait_id")
    for place, output in enumerate(_get(row, "outputs"), start=1):
        for value, r in _get(output, "correlations"):
            if abs(r) >= PORTRAIT_BAR:
                name, own = str(value).lower(), id_of(output.get("id", place), "id")
                yield {
                    "id": f"{asked_id}/{own}/{name}",
                    "prompt": prompt + "\n\n",
                    "text": _get(output, "content"),
                    "value": name,
                    "aspect": "+" if r > 0 else "-",
                    "language": "en",
                    "cluster": asked_id,
                }


# C-Voice and ValueInsight: the papers' own data, in workbooks or JSON, by the keys of their recipes.


def _c_voice(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    made, support, conflict = _c_voice_parts(row, where)
    yield {**made, "scenario": _get(row, "scenario", "background", "situation"), "aligned": support, "violating": conflict}


def _c_voice_texts(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    made, support, conflict = _c_voice_parts(row, where)
    scene = row.get("scenario") or row.get("background") or row.get("situation") or ""
    gap = "" if made["language"] == "zh" else " "
    for aspect, side, text in (("+", "support", support), ("-", "conflict", conflict)):
        reason = row.get(f"{side}_rationale") or row.get(f"{side}_reason")
        whole = gap.join(filter(None, (scene, text, reason)))
        yield {**made, "id": f"{made['id']}/{aspect}", "text": whole, "aspect": aspect, "cluster": made["id"]}


def _c_voice_parts(row: Fields, where: Where) -> tuple[dict[str, Any], str, str]:
    support, conflict = (_get(row, *names) for names in (("support", "support_choice"), ("conflict", "conflict_choice")))
    value = _name(row, "value", "sheet", "key") or _disposition(row)
    language = row.get("language") or _language_of(support)
    return {"id": _id(row, where, "id"), "value": value, "language": language}, support, conflict


_OPPOSED = ("non_", "non-", "anti_", "anti-", "low_", "low ", "not_", "not ", "-")


def _value_insight(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    """The pole stands under "pole", or is the key of its list: a value's name, or the name after "non-", "low" or "-"."""
    named = (_name(row, "value", "key", "sheet") or str(_get(row, "pole"))).strip()
    pole = str(row.get("pole") or "").strip()
    prefix = next((mark for mark in _OPPOSED if named.lower().startswith(mark)), "")
    if pole.lower() in ("+", "1", "positive", "high", "support"):
        aspect = "+"
    elif prefix or pole.lower() in ("-", "-1", "negative", "low", "conflict", "oppose"):
        aspect = "-"
    elif pole and pole.lower() != named.lower():
        raise DataError(f"field 'pole': {pole!r} is neither positive nor negative")
    else:
        aspect = "+"
    value = named[len(prefix) :].strip(" _-").lower().replace(" ", "_").replace("-", "_")
    text = _get(row, "description", "text", "response")
    language = row.get("language") or _language_of(text)
    made = {
        "id": _id(row, where, "id"),
        "text": text,
        "value": value,
        "aspect": aspect,
        "language": language,
    }
    yield {**made, "prompt": row.get("prompt") or row.get("question") or ""}


_OPTIONS = "{scenario}\nA. {first}\nB. {second}\n"

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            "moral_stories", "Moral Stories", "MIT", "https://github.com/demelin/moral_stories",
            {Dilemma: _moral_story, LabelledText: _moral_story_texts}, hub="LabHC/moral_stories",
            pattern="moral_stories*.jsonl", continuation={"en": (_OPTIONS + "What happens next:", " {option}")},
        ),
        Layout(
            "moralchoice", "MoralChoice (low ambiguity)", "MIT (repository), CC BY 4.0 (hub)",
            "https://github.com/ninodimontalcino/moralchoice", {Dilemma: _moral_choice}, hub="ninoscherrer/moralchoice",
            pattern="*low_ambiguity*.csv", hub_files="scenarios/*low_ambiguity*.csv",
            continuation={"en": (_OPTIONS + "What do you do?", " {option}")},
        ),
        Layout(
            "ethics", "ETHICS", "MIT", "https://github.com/hendrycks/ethics", {LabelledText: _ethics, Dilemma: _ethics_pairs},
            hub="hendrycks/ethics", hub_files="data/*/*.csv", pattern="*.csv", headers={"util": ("baseline", "less_pleasant")},
            leaves_out={LabelledText: ("util",), Dilemma: ("cm_", "commonsense", "virtue", "justice", "deontology")},
            continuation={"en": (_OPTIONS + "The more pleasant day:", " {option}")},
        ),
        Layout(
            "touche", "Touché23-ValueEval", "CC BY 4.0", "https://doi.org/10.5281/zenodo.6814563", {LabelledText: _touche},
            pattern="arguments-*.tsv", join=("arguments-", "labels-", "Argument ID"),
        ),
        Layout(
            "valuebench", "ValueBench", "MIT (repository); items remain their authors'", "https://github.com/Value4AI/ValueBench",
            {LabelledText: _value_bench, QuestionnaireItem: _value_bench}, pattern="value_orientation*.csv",
        ),
        Layout(
            "anthropic_persona", "Anthropic persona evaluations", "CC BY 4.0", "https://github.com/anthropics/evals",
            {LabelledText: _persona, QuestionnaireItem: _persona}, hub="Anthropic/model-written-evals",
            pattern="*.jsonl", hub_files="persona/*.jsonl",
        ),
        Layout(
            "value_portrait", "Value Portrait", "MIT", "https://github.com/holi-lab/ValuePortrait", {LabelledText: _portrait},
            pattern="query-response-tagged*.json",
        ),
        Layout(
            "c_voice", "C-Voice (ValueExploration)", "as its authors state", "https://arxiv.org/abs/2504.04994",
            {Dilemma: _c_voice, LabelledText: _c_voice_texts},
            continuation={
                "en": (_OPTIONS + "What do you do?", " {option}"), "zh": (_OPTIONS + "你会怎么做？", "{option}"),
            },
        ),
        Layout(
            "valueinsight", "ValueInsight (ValueLocate)", "as its authors state", "https://arxiv.org/abs/2505.17712",
            {LabelledText: _value_insight},
        ),
    )
}  # fmt: skip
