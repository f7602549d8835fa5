"""Figures show every name as it is: dollars, underscores, Chinese, whatever fonts there are."""

import matplotlib
import pytest
import torch
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.text import Text

import value_lens as vl
from value_lens.audit import audit_corpus
from value_lens.plot import Picture, draw_circle, draw_firing, draw_giveaway, draw_layers
from value_lens.plot import _picture as figure_module

SHAPE = {"site": "post", "n_layers": 3, "d_mlp": 8}
HAN = "正义"


@pytest.fixture
def no_fonts(monkeypatch):
    """As on a machine that has matplotlib's own fonts alone."""
    fonts = font_manager.FontManager()
    fonts.ttflist = [font for font in fonts.ttflist if font.name.startswith("DejaVu")]
    for module in (font_manager, figure_module):
        for name in ("findfont", "get_font_names"):
            monkeypatch.setattr(module, name, getattr(fonts, name))
    monkeypatch.setattr(font_manager, "fontManager", fonts)
    return fonts


@pytest.fixture
def han_font(no_fonts, tmp_path):
    """A font by the name of SimHei that has two Chinese characters alone; its only weight is 500."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 700))
    pen.lineTo((900, 0))
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "han"])
    builder.setupCharacterMap({ord(character): "han" for character in HAN})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "han": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "han": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "SimHei", "styleName": "Regular"})
    builder.setupOS2(usWeightClass=500)
    builder.setupPost()
    builder.save(tmp_path / "han.ttf")
    no_fonts.addfont(tmp_path / "han.ttf")


def pictures(name: str) -> dict[str, Picture]:
    """Every figure of the library, with a name of the user's in each place that takes one."""
    dilemmas = [
        vl.Dilemma(
            id=f"d{k}",
            scenario=f"Scene {k}.",
            aligned=f"kindly go {k}",
            violating=f"rather stay {k}",
            value=name,
            language=name,
        )
        for k in range(20)
    ]
    ring = vl.ValueSystem("ring", tuple(vl.Value(f"v{k}", {"en": name}, "a value") for k in range(4)), circle=True)
    margins = torch.tensor([1.0, -1.0], dtype=torch.float64)
    scores = vl.ItemScores(
        item_ids=("a", "b"), item_values=(name, name), item_languages=(name, name), item_clusters=("a", "b"),
        values=(name,), languages=(name,), intervened=(name,), n_neurons=(1,),
        clean=margins, own=-margins[None], control=margins[None, None],
    )  # fmt: skip
    return {
        "layers": draw_layers({name: vl.NeuronSet.from_pairs([(0, 1)], **SHAPE)}, name),
        "firing": draw_firing([name, "b"], torch.eye(2), [(0, 1), (0, 2)], name),
        "giveaway": draw_giveaway(audit_corpus([], dilemmas, source=name)),
        "circle": draw_circle(ring),
        "effects": vl.effect_matrix(scores).plot(),
    }


@pytest.mark.parametrize("name", ["$100 to ^$200", "$x$ and ^ _", "\\$5 or \\frac$", "100% of $\\mathdefault{$"])
def test_dollars_are_dollars_in_every_figure(name):
    for which, picture in pictures(name).items():
        assert picture.png(40).startswith(b"\x89PNG"), which
        texts = [text for text in picture.findobj(Text) if "$" in text.get_text()]
        assert texts and not any(text.get_parse_math() for text in texts), which


def test_numbers_along_an_axis_stay_as_the_user_has_them_written():
    with matplotlib.rc_context({"axes.formatter.use_mathtext": True}):
        picture = pictures("care")["layers"]
        picture.png(40)
    numbers = [text for text in picture.findobj(Text) if "mathdefault" in text.get_text()]
    assert numbers and all(text.get_parse_math() for text in numbers)


def test_chinese_is_drawn_with_a_font_that_has_it(han_font, caplog):
    settings = dict(matplotlib.rcParams)
    for which, picture in pictures(HAN).items():
        assert picture.png(40) == pictures(HAN)[which].png(40), which
        texts = [text for text in picture.findobj(Text) if HAN in text.get_text()]
        assert texts and all(text.get_fontfamily() == ["sans-serif", "SimHei"] for text in texts), which
        assert not picture.get_supxlabel()
    assert dict(matplotlib.rcParams) == settings and not caplog.messages


def test_where_no_font_has_it_the_figure_says_so_once_and_nothing_warns(no_fonts, caplog):
    for which, picture in pictures(HAN).items():
        assert picture.png(40) == pictures(HAN)[which].png(40), which  # warnings are errors here
        assert "no installed font has U+4E49, U+6B63.\nInstall one" in picture.get_supxlabel(), which
        line = next(text for text in picture.findobj(Text) if text.get_text().startswith("Boxes"))
        assert line.get_window_extent().width < picture.bbox.width, which
    assert not caplog.messages


def test_a_font_that_has_some_of_it_leaves_the_rest_to_be_told(han_font):
    picture = pictures(HAN + "价")["layers"]
    picture.png(40)
    assert "has U+4EF7." in picture.get_supxlabel()


def test_names_in_the_figures_own_font_get_no_other_font_and_no_line(han_font):
    for picture in pictures("café\n\u200bstraße").values():
        picture.png(40)
        assert not picture.get_supxlabel()
        assert all(text.get_fontfamily() == ["sans-serif"] for text in picture.findobj(Text))


def test_a_line_of_the_users_below_the_figure_is_kept(no_fonts):
    picture = pictures(HAN)["layers"]
    picture.supxlabel("mine")
    picture.png(40)
    assert picture.get_supxlabel() == "mine"
