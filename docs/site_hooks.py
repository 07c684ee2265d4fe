"""Hooks of the documentation site (mkdocs.yml): pages that stand elsewhere in the project, and no network.

Decisions and the demo cohort's page are read where they are; links that hold in the repository are turned so that they
hold on the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PROJECT = Path(__file__).parents[1]
ELSEWHERE = {"segmentations/README.md": "demo.md"} | {
    f"decisions/{path.name}": f"decisions/{path.name}" for path in sorted((PROJECT / "decisions").glob("*.md"))
}
"""Page in the project -> page on the site."""
WIDE = ("criteria.md", "output.md")
"""Pages of wide tables and of contents of their own, shown without the list of headings beside them."""
FROM_DOCS = (("](../decisions/)", "](decisions/README.md)"), ("](../decisions/", "](decisions/"))
FROM_DECISIONS = (("](../docs/", "](../"),)
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

    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(PROJECT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn the links between docs/ and decisions/, and give wide pages their room."""
    if page.file.src_uri in WIDE:
        page.meta["hide"] = ["toc"]
    turns = FROM_DECISIONS if page.file.src_uri.startswith("decisions/") else FROM_DOCS
    for there, here in turns:
        markdown = markdown.replace(there, here)
    return markdown


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Refuse a page that a browser would have to fetch something for from a network."""
    from mkdocs.exceptions import PluginError

    foreign = loaded_from_network(output)
    if foreign:
        raise PluginError(f"{page.file.src_uri} loads from the network: {foreign[0]}")
    return output


def loaded_from_network(html: str) -> list[str]:
    """Tags that make a browser fetch something from another place; a link to click on is none."""
    return [tag for tag in LOADED.findall(html) if not NAMED_ONLY.search(tag)]
