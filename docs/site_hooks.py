"""Hooks of the documentation site (mkdocs.yml): pages that stand elsewhere in the project, and no network.

Links are written as they hold in the repository, and turned here so that they hold on the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PROJECT = Path(__file__).parents[1]
ELSEWHERE = {"README.md": "input.md", "segmentations/README.md": "demo.md", "decisions": "decisions/README.md"} | {
    f"decisions/{path.name}": f"decisions/{path.name}" for path in sorted((PROJECT / "decisions").glob("*.md"))
}
"""What stands elsewhere in the project, from its root -> page on the site."""
HOMES = {page: source for source, page in ELSEWHERE.items() if source.endswith(".md")}
INPUT_FROM, INPUT_TO = "## The manifest", "## What comes out"
"""The part of the README that is a page of the site."""
WIDE = ("criteria.md", "output.md")
"""Pages of wide tables and of contents of their own, shown without the list of headings beside them."""
SAID_TWICE = ("settings.md",)
"""Pages that the search leaves out: settings are found in the criteria, one by one."""
FOUND_FIRST = {"criteria.md": 8.0, "input.md": 4.0, "output.md": 3.0, "howto": 2.0, "decisions": 0.2}
"""Page or folder -> its weight in the search: who asks for a row's code wants the row, not an old decision."""
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
LOADED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>"
    r"|<link\b[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>",
    re.IGNORECASE,
)
NAMED_ONLY = re.compile(r"\brel=[\"']?(?:canonical|alternate|next|prev)\b", re.IGNORECASE)
"""What a link in the head only names."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand elsewhere."""
    from mkdocs.structure.files import File

    for page, source in HOMES.items():
        files.append(File.generated(config, page, content=words_of(source)))
    return files


def words_of(source: str) -> str:
    """A page that stands elsewhere; of the README its tables of input."""
    words = (PROJECT / source).read_text(encoding="utf-8")
    if source == "README.md":
        words = words[words.index(INPUT_FROM) : words.index(INPUT_TO)]
        return f"# Input tables\n\n{words}"
    return words


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn the links, give wide pages their room."""
    if page.file.src_uri in WIDE:
        page.meta["hide"] = ["toc"]
    if page.file.src_uri in SAID_TWICE:
        page.meta["search"] = {"exclude": True}
    else:
        folder = posixpath.dirname(page.file.src_uri)
        page.meta["search"] = {"boost": FOUND_FIRST.get(page.file.src_uri, FOUND_FIRST.get(folder, 1.0))}
    return turned(markdown, page.file.src_uri)


def turned(markdown: str, page: str) -> str:
    """Links that hold in the repository, as they hold on the site. page: where they stand, on the site."""
    home = HOMES.get(page, f"docs/{page}")

    def turn(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(home), link[1]))
        on_site = ELSEWHERE.get(target, target.removeprefix("docs/") if target.startswith("docs/") else "")
        return posixpath.relpath(on_site, posixpath.dirname(page) or ".") if on_site else link[1]

    return LINK.sub(turn, markdown)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Refuse a page that a browser would have to fetch something for from a network."""
    from mkdocs.exceptions import PluginError

    foreign = loaded_from_network(output)
    if foreign:
        raise PluginError(f"{page.file.src_uri} loads from the network: {foreign[0]}")
    return output


def on_post_build(config: MkDocsConfig) -> None:
    """Leave out the page for wrong addresses: it needs a server, and from the disk it finds nothing of its own."""
    (Path(config.site_dir) / "404.html").unlink(missing_ok=True)


def loaded_from_network(html: str) -> list[str]:
    """Tags that make a browser fetch something from another place; a link to click on is none."""
    return [tag for tag in LOADED.findall(html) if not NAMED_ONLY.search(tag)]
