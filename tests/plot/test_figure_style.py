"""What every figure has: its own style, the same SVG every time, and text that stays text."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from plot import drawn
from plot.sample import HOSTILE, judged, rows_of

from mdanderson import plot
from mdanderson.errors import printable

ROOT = Path(__file__).parents[2]


def fresh(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    return done.stdout.strip()


def test_matplotlib_is_imported_with_the_first_figure_only():
    told = fresh(
        "import sys, mdanderson as mda; from mdanderson.plot import waterfall; mda.plot.svg;"
        "print(sorted({'matplotlib', 'pandas', 'numpy', 'lifelines'} & set(sys.modules)))"
    )
    assert told == "[]"


def test_tables_that_a_figure_does_not_need_are_not_made(few):
    class Costly:
        responses, patients = few.responses, few.patients

        @property
        def lesions(self):
            raise AssertionError

    assert plot.waterfall(Costly()).axes


def test_pyplot_is_never_imported_and_style_stays_as_it_was(few, monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    before = mpl.rcParams.copy()
    assert isinstance(plot.waterfall(few), Figure)
    assert mpl.rcParams.copy() == before
    assert "matplotlib.pyplot" not in sys.modules


def test_a_style_of_the_user_changes_nothing(few):
    plain = plot.svg(plot.waterfall(few))
    with mpl.rc_context({"axes.facecolor": "pink", "font.size": 30, "axes.grid": True, "lines.linewidth": 9}):
        assert plot.svg(plot.waterfall(few)) == plain


@pytest.mark.parametrize("draw", [plot.waterfall, plot.spider, plot.swimmer])
def test_svg_is_the_same_every_time_and_carries_no_date_nor_link(few, draw):
    once, twice = (plot.svg(draw(few)) for _ in range(2))
    assert once == twice
    assert once.startswith("<svg role=")
    assert once.rstrip().endswith("</svg>")
    root = ET.fromstring(once)
    assert root.attrib["aria-label"] == draw(few).alt
    assert not {name.partition("}")[2] for name in (node.tag for node in root.iter())} & {"metadata", "script", "image"}
    links = [value for node in root.iter() for key, value in node.attrib.items() if key.endswith("href")]
    assert all(link.startswith("#") for link in links)
    assert "matplotlib" not in once.lower()


def test_identifiers_of_two_figures_are_not_the_same(few):
    def identifiers(figure):
        return {node.attrib["id"] for node in ET.fromstring(plot.svg(figure)).iter() if "id" in node.attrib}

    light, dark = identifiers(plot.waterfall(few)), identifiers(plot.waterfall(few, dark=True))
    assert light
    assert not light & dark
    made = [plot.waterfall(few), plot.waterfall(few, language="zh"), plot.waterfall(few, criteria="who")]
    assert [figure.name for figure in made] == [
        "waterfall-mda2010-light-en",
        "waterfall-mda2010-light-zh",
        "waterfall-who-light-en",
    ]


@pytest.mark.parametrize("draw", [plot.waterfall, plot.spider, plot.swimmer])
def test_a_patients_name_stays_text(strange, draw):
    root = ET.fromstring(plot.svg(draw(strange)))
    texts = {"".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")}
    names = {name if len(name) <= 24 else f"{name[:23]}…" for name in map(printable, HOSTILE)}
    assert names <= texts | {text.removesuffix(" PR") for text in texts}
    assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_a_figure_shows_itself_in_a_notebook(few):
    assert plot.waterfall(few)._repr_svg_().startswith('<svg role="img" aria-label="Best change')


def test_a_figure_of_somebody_else_becomes_svg_too():
    figure = Figure()
    figure.add_subplot().plot([0, 1], [0, 1])
    assert plot.svg(figure).startswith('<svg role="img" aria-label=""')


def test_letters_stay_letters_in_files_for_print(few, tmp_path):
    figure = plot.spider(few)
    for name in ("s.svg", "s.pdf", "s.eps"):
        figure.savefig(tmp_path / name)
    assert "<text" in (tmp_path / "s.svg").read_text(encoding="utf-8")
    assert b"/Type3" not in (tmp_path / "s.pdf").read_bytes()
    assert b"/FontType 42" in (tmp_path / "s.eps").read_bytes()
    assert mpl.rcParams["pdf.fonttype"] == mpl.rcParamsDefault["pdf.fonttype"]


@pytest.mark.parametrize("criteria", ["mda2010", "recist11", "who"])
@pytest.mark.parametrize("draw", [plot.waterfall, plot.spider, plot.swimmer, plot.response_flow])
def test_a_legend_is_no_wider_than_its_figure(few, draw, criteria):
    figure = draw(few, criteria=criteria)
    figure.draw_without_rendering()
    assert all(legend.get_window_extent().x1 <= figure.bbox.x1 for legend in figure.legends)


def test_a_legend_with_the_longest_words_fits_as_well():
    """A cut line, a visit of unknown size, and every category."""
    rows = [row for name, last in (("A", 60.0), ("B", 8.0), ("C", 20.0)) for row in rows_of(name, (20.0, last, None))]
    figure = plot.spider(judged(rows))
    figure.draw_without_rendering()
    assert len(drawn.legend(figure)) == 6
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize("draw", [plot.waterfall, plot.spider, plot.swimmer, plot.response_flow])
def test_letters_of_a_cohorts_figures_are_read_on_a_page_of_two_columns(few, draw):
    """On 611 px, half of a page on a screen of 1280 px, no letter is smaller than 8 px."""
    figure = draw(few)
    figure.draw_without_rendering()
    px_a_pt = 611 / (72 * figure.get_size_inches()[0])
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) * px_a_pt >= 8


def test_colours_of_the_ground(few):
    light, dark = plot.waterfall(few), plot.waterfall(few, dark=True)
    assert [mpl.colors.to_hex(one.get_facecolor()) for one in (light, dark)] == ["#ffffff", "#14171a"]
    assert [mpl.colors.to_hex(one.axes[0].get_facecolor()) for one in (light, dark)] == ["#ffffff", "#14171a"]


def test_what_is_not_evaluable_is_hatched(few):
    figure = plot.swimmer(few)
    hatches: dict[bool, set[str | None]] = {True: set(), False: set()}
    for patch in figure.axes[0].patches:
        hatches[mpl.colors.to_hex(patch.get_facecolor()) == drawn.colour("NE")].add(patch.get_hatch())
    assert hatches == {True: {"////"}, False: {None}}


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_without_chinese_letters_a_picture_speaks_english_and_svg_chinese(few, monkeypatch, tmp_path, ending):
    """Boxes, with a warning for each of them, help nobody; warnings are errors here."""
    monkeypatch.setattr("mdanderson.plot.style.chinese_font", lambda: ())
    chinese, english = (plot.waterfall(few, language=language) for language in ("zh", "en"))
    for figure, name in ((chinese, "zh"), (english, "en")):
        figure.savefig(
            tmp_path / f"{name}.{ending}", metadata={"Software": None} if ending == "png" else {"CreationDate": None}
        )
    assert (tmp_path / f"zh.{ending}").read_bytes() == (tmp_path / f"en.{ending}").read_bytes()
    assert "的最佳变化" in plot.svg(chinese)


def test_a_chinese_figure_on_a_screen_without_letters_is_drawn_in_english(few, monkeypatch):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    monkeypatch.setattr("mdanderson.plot.style.chinese_font", lambda: ())
    shots = []
    for language in ("zh", "en"):
        canvas = FigureCanvasAgg(plot.waterfall(few, language=language))
        canvas.draw()
        shots.append(bytes(canvas.buffer_rgba()))
    assert shots[0] == shots[1]
