"""How a page is made: templates that escape every string, both languages in one page, a policy that forbids a network.

A page carries style and script in itself. Its policy names the script by its hash: a script that came in with a
patient's identifier or a reader's comment would not run, were it ever to get past the escaping.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mdanderson.palette import DARK, LIGHT, Theme
from mdanderson.report.html.alternatives import course_told, described, profile_told
from mdanderson.report.html.viewer import hash_of
from mdanderson.report.texts import EN, ZH
from mdanderson.report.texts_rules import RULES_ZH
from mdanderson.version import __version__
from mdanderson.vocabulary import Category

__all__ = ["GENERATOR", "class_of", "order_of", "page_name", "render", "themed"]

GENERATOR = "mdanderson report"
"""By this name in its head a page is known as ours, so that no other file is ever overwritten."""

_HERE = Path(__file__).parent / "templates"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 40


def page_name(patient_id: str) -> str:
    """The file of a patient's page: a name that any file system takes, and no two patients share.

    >>> page_name("P 01/x")
    'P_01_x-d05a8bb4.html'
    """
    kept = _UNSAFE.sub("_", patient_id)[:_LONGEST_NAME].strip("_")
    return f"{kept or 'patient'}-{hashlib.sha256(patient_id.encode()).hexdigest()[:8]}.html"


def class_of(category: str) -> str:
    """What a category means in the words that all sets share, by which it has its colour; blank for what is none."""
    try:
        return str(Category(category).means)
    except ValueError:
        return ""


def themed(svg: str) -> str:
    """A figure in light colours whose colours follow the page's theme."""
    for name, colour in _colours(LIGHT).items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg


def render(template: str, values: Mapping[str, object], *, within: Path = _HERE) -> str:
    """The page; within: a folder of templates of one's own, which may build on those of the report.

    Raises `jinja2.UndefinedError` where a template asks for what is not given.
    """
    return _environment(within).get_template(template).render(values)


@functools.cache
def _environment(within: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([within, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script, viewer = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.js", "viewer.js"))
    environment.globals |= {
        "say": _say,
        "spoken": _spoken,
        "rule_text": _rule_text,
        "described": described,
        "course_told": course_told,
        "profile_told": profile_told,
        "order_of": order_of,
        "class_of": class_of,
        "generator": GENERATOR,
        "version": __version__,
        "script": Markup(script),  # noqa: S704 - our own file
        "viewer_script": Markup(viewer),  # noqa: S704
        "style": Markup(_variables() + (_HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704
        "policy": functools.partial(_policy, hash_of(script.encode()), hash_of(viewer.encode())),
    }
    return environment


def _policy(script: str, viewer_script: str, viewer_code: str = "") -> str:
    """What a page may do: show what is in it, and run the scripts of these hashes; the viewer's where it has one."""
    scripts = f"{script} {viewer_script} {viewer_code}" if viewer_code else script
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {scripts}; "
        "base-uri 'none'; form-action 'none'"
    )


def _say(key: str, **values: object) -> Markup:
    """A string of the table in both languages, of which the page shows one."""
    return _in_both(*_both(key, values))


def _in_both(english: str, chinese: str) -> Markup:
    return Markup('<span class="say"><span lang="en">{}</span><span lang="zh">{}</span></span>').format(
        english, chinese
    )


def _spoken(attribute: str, key: str, **values: object) -> Markup:
    """An attribute in English, and what the page puts there when it speaks Chinese.

    `data-text` is no attribute to anybody but the page, which shows its value as the text of the element.
    """
    english, chinese = _both(key, values)
    name = attribute.removeprefix("data-")
    return Markup('{0}="{2}" data-{1}-en="{2}" data-{1}-zh="{3}"').format(attribute, name, english, chinese)


def _rule_text(text: str) -> Markup:
    """What a row of the criteria says, in both languages."""
    chinese = RULES_ZH.get(text)
    if chinese is None:
        return Markup('<span lang="en">{}</span>').format(text)
    return _in_both(text, chinese)


def order_of(category: str) -> str:
    """By which categories sort, the best response first; blank, and so last, for what is none.

    >>> order_of("CR") < order_of("PD") < order_of("NE"), order_of("")
    (True, '')
    """
    try:
        means, word = Category(category).order
    except ValueError:
        return ""
    return f"{means * 100 + word:04}"


def _both(key: str, values: Mapping[str, object]) -> tuple[str, str]:
    """A key of the table filled in; of a closed word that the table lacks (`kind.value`) the word itself.

    A value that is a pair is in English and in Chinese.
    """
    english, chinese = (table.get(key) for table in (EN, ZH))
    if english is None or chinese is None:
        kind, _, rest = key.partition(".")
        if kind in {"page", "review", "word", "notice"}:
            raise KeyError(key)
        return rest, rest
    first, second = (
        {name: value[at] if isinstance(value, tuple) else value for name, value in values.items()} for at in (0, 1)
    )
    return english.format(**first), chinese.format(**second)


def _colours(theme: Theme) -> dict[str, str]:
    """Every colour of a theme by the name of its variable."""
    named = {name: getattr(theme, name) for name in ("background", "text", "muted", "grid")}
    named |= {f"category-{category}": colour for category, colour in theme.categories.items()}
    return named | {f"line-{number}": colour for number, colour in enumerate(theme.lines)}


def _variables() -> str:
    """Both themes as style: dark where the reader, or the reader's system, wants it."""
    light, dark = (
        "".join(f"--{name}:{colour};" for name, colour in _colours(theme).items()) for theme in (LIGHT, DARK)
    )
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"@media print{{:root,:root[data-theme=dark]{{color-scheme:light;{light}}}}}\n"
    )
