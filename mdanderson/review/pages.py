"""Pages as the server sends them: those on disk with the panel put in, under a policy that lets the panel speak to us.

The page on disk stays as it is. Its own policy, which forbids forms and every network, stands in its head: it is taken
over into the answer's header, and only what the panel needs is added, its script by its hash.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Mapping
from pathlib import Path

from mdanderson.errors import OutputError
from mdanderson.report.html.rendering import render
from mdanderson.report.html.viewer import hash_of

__all__ = ["filled", "page_on_disk", "served"]

_HERE = Path(__file__).parent / "templates"
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n?')
_MAIN = '<main id="main">'
_HEAD = 20_000
"""Characters of a page in which its policy stands, before anything that came in."""


def filled(template: str, values: Mapping[str, object]) -> str:
    """A template of the review, filled in."""
    return render(template, values, within=_HERE)


def page_on_disk(report: Path, file: str) -> str | None:
    """The page of that name in the folder of the report; None where there is none, or no text.

    Raises `OutputError` where it, or the folder it lies in, is a link: what it leads to is no page of these results.
    """
    path = report / file
    if any(part.is_symlink() for part in (report, *(report / part for part in path.relative_to(report).parents), path)):
        raise OutputError(
            "a page is a link, or lies behind one",
            where=f"{report.name}/{file}",
            way_out="put the pages themselves there: remove the link, then mdanderson report",
        )
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def served(page: str, panel: str = "", *, before: str = "") -> tuple[str, str]:
    """A page with the panel in it, something before its content, and the policy for its answer.

    Raises `OutputError` for a page that is not ours.
    """
    found = _POLICY.search(page[:_HEAD])
    policy = html.unescape(found[1]) if found else ""
    if found is None or not policy.startswith("default-src 'none'"):
        raise OutputError("a page is not as `mdanderson report` writes it", way_out="write it anew: mdanderson report")
    page = page[: found.start()] + page[found.end() :]
    page = page.replace(_MAIN, _MAIN + before, 1)
    if panel:
        head, body = page.split("</head>", 1)
        body, end = body.rsplit("</main>", 1)
        end, last = end.rsplit("</body>", 1)  # the panel comes before the page's own script, which speaks for it too
        head = f"{head}<style>\n{_text('review.css')}</style>\n</head>"
        page = f"{head}{body}</main>\n{panel}{end}<script>{_text('review.js')}</script>\n</body>{last}"
        policy = _with(policy, "script-src", hash_of(_text("review.js").encode()))
        policy = _with(policy, "connect-src", "'self'")
    return page, f"{policy}; frame-ancestors 'none'"


def _with(policy: str, directive: str, source: str) -> str:
    """The policy with one more source of a kind."""
    parts = [part.strip() for part in policy.split(";") if part.strip()]
    for place, part in enumerate(parts):
        if part.split()[0] == directive:
            parts[place] = f"{part} {source}"
            return "; ".join(parts)
    return "; ".join([*parts, f"{directive} {source}"])


@functools.cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
