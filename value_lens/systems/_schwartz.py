"""Schwartz's ten basic values and their circle.

Order and higher-order groups follow S. H. Schwartz, "An Overview of the Schwartz Theory of Basic Values" (2012): neighbours
are compatible, values across the circle conflict. Conformity and tradition share a wedge there; here they follow each other.
Definitions are our own words.
"""

from ..core import Value, ValueSystem

_ROWS = (
    ("self_direction", "自主", "Self-direction", "thinking and acting for oneself: choosing, creating, exploring"),
    ("stimulation", "刺激", "Stimulation", "excitement, novelty and challenge in life"),
    ("hedonism", "享乐", "Hedonism", "pleasure and the enjoyment of life for oneself"),
    ("achievement", "成就", "Achievement", "personal success shown by competence others can see"),
    ("power", "权力", "Power", "status, and control over people and resources"),
    ("security", "安全", "Security", "safety and stability of self, family and society"),
    ("conformity", "遵从", "Conformity", "holding back acts that would upset others or break expectations"),
    ("tradition", "传统", "Tradition", "respect for the customs and ideas of one's culture or religion"),
    ("benevolence", "仁爱", "Benevolence", "the welfare of those one is close to"),
    ("universalism", "博爱", "Universalism", "understanding, tolerance and protection of all people and of nature"),
)

# How words begin that name a value outright: English, Chinese.
_STEMS = {
    "self_direction": (("self-direct", "autonom", "independen"), ("自主", "独立")),
    "stimulation": (("stimulat", "exciting", "excitement"), ("刺激",)),
    "hedonism": (("hedon", "pleasure"), ("享乐", "享受")),
    "achievement": (("achiev", "accomplish"), ("成就",)),
    "power": (("power",), ("权力", "权势")),
    "security": (("secur", "safety", "safely"), ("安全",)),
    "conformity": (("conform", "obedien"), ("遵从", "服从")),
    "tradition": (("tradition",), ("传统",)),
    "benevolence": (("benevol", "kind-heart"), ("仁爱", "仁慈")),
    "universalism": (("universal",), ("博爱", "普世")),
}

schwartz = ValueSystem(
    name="schwartz",
    values=tuple(
        Value(
            name=name,
            labels={"en": english, "zh": chinese},
            definition=definition,
            stems=dict(zip(("en", "zh"), _STEMS[name], strict=True)),
        )
        for name, chinese, english, definition in _ROWS
    ),
    circle=True,
    higher_order={
        "openness_to_change": ("self_direction", "stimulation", "hedonism"),
        "self_enhancement": ("hedonism", "achievement", "power"),
        "conservation": ("security", "conformity", "tradition"),
        "self_transcendence": ("benevolence", "universalism"),
    },
    opposites=(("openness_to_change", "conservation"), ("self_enhancement", "self_transcendence")),
    group_labels={
        "openness_to_change": {"en": "Openness to change", "zh": "对变化的开放"},
        "self_enhancement": {"en": "Self-enhancement", "zh": "自我提升"},
        "conservation": {"en": "Conservation", "zh": "保守"},
        "self_transcendence": {"en": "Self-transcendence", "zh": "自我超越"},
    },
)
