"""The twelve Chinese social values: three levels of four, with labels in both languages.

The set is that of the ValueExploration paper (arXiv 2504.04994); the definitions are our own words.
"""

from ..core import Value, ValueSystem

_ROWS = (
    (
        "prosperity",
        "富强",
        "Prosperity",
        "national",
        "a community made strong and well off by thrift, skill, enterprise and shared growth",
    ),
    ("democracy", "民主", "Democracy", "national", "deciding common affairs together, openly, with every voice heard"),
    ("civility", "文明", "Civility", "national", "courteous conduct, public order and respect for shared places and learning"),
    (
        "harmony",
        "和谐",
        "Harmony",
        "national",
        "living and working together in peace, with give and take, and in balance with nature",
    ),
    ("freedom", "自由", "Freedom", "societal", "room for people to choose, speak, move, create and believe for themselves"),
    (
        "equality",
        "平等",
        "Equality",
        "societal",
        "the same standing, chances and respect for everyone, whatever their rank or origin",
    ),
    (
        "justice",
        "公正",
        "Justice",
        "societal",
        "giving each their due: impartial judgement, deserved credit and blame, redress for wrongs",
    ),
    (
        "rule_of_law",
        "法治",
        "Rule of law",
        "societal",
        "settling matters by published rules, due procedure and evidence, not by favour or force",
    ),
    ("patriotism", "爱国", "Patriotism", "individual", "care for one's country: its heritage, land, language, name and needs"),
    (
        "dedication",
        "敬业",
        "Dedication",
        "individual",
        "commitment to one's work: care, skill, reliability and answering for the result",
    ),
    ("integrity", "诚信", "Integrity", "individual", "truthfulness, keeping one's word and confidences, owning one's mistakes"),
    (
        "friendliness",
        "友善",
        "Friendliness",
        "individual",
        "warmth and good will to others: helping, welcoming, patience, thoughtfulness",
    ),
)

# How words begin that name a value outright: English, Chinese.
_STEMS = {
    "prosperity": (("prosper",), ("富强", "繁荣")),
    "democracy": (("democra",), ("民主",)),
    "civility": (("civil", "polite"), ("文明", "礼貌")),
    "harmony": (("harmon",), ("和谐", "和睦")),
    "freedom": (("freedom", "freely", "libert"), ("自由",)),
    "equality": (("equal",), ("平等",)),
    "justice": (("justice", "fairness", "fairly"), ("公正", "正义", "公平")),
    "rule_of_law": (("rule of law", "lawful"), ("法治", "守法")),
    "patriotism": (("patriot", "motherland"), ("爱国", "祖国")),
    "dedication": (("dedicat", "devot"), ("敬业", "奉献")),
    "integrity": (("integrity", "honest"), ("诚信", "诚实")),
    "friendliness": (("friendl", "kindness"), ("友善", "友好")),
}

# Which marker items of Schwartz's survey (listed with each basic value in his "Overview", 2012) name the same thing. There is
# none for the well-being of a whole community, nor for deciding together, so prosperity and democracy are not related.
_RELATIONS = {
    "civility": {"conformity": "marker item 'politeness'"},
    "harmony": {"universalism": "marker items 'a world at peace' and 'unity with nature'"},
    "freedom": {"self_direction": "marker item 'freedom'"},
    "equality": {"universalism": "marker item 'equality'"},
    "justice": {"universalism": "marker item 'social justice'"},
    "rule_of_law": {"security": "marker item 'social order'"},
    "patriotism": {"security": "marker item 'national security'"},
    "dedication": {"achievement": "marker items 'ambitious' and 'capable'", "benevolence": "marker item 'responsible'"},
    "integrity": {"benevolence": "marker item 'honest'"},
    "friendliness": {"benevolence": "marker items 'helpful' and 'true friendship'"},
}

chinese_social = ValueSystem(
    name="chinese_social",
    values=tuple(
        Value(
            name=name,
            labels={"en": english, "zh": chinese},
            definition=definition,
            level=level,
            stems=dict(zip(("en", "zh"), _STEMS[name], strict=True)),
        )
        for name, chinese, english, level, definition in _ROWS
    ),
    relations=_RELATIONS,
)
