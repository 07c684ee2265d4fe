"""A figure as text for a page: SVG that is the same to the byte every time."""

from __future__ import annotations

import html
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["svg"]

_GROUP_NAME = re.compile('<g id="[^"]*"(/?)>')
"""Names such as axes_1, which every figure has and nothing refers to."""
_OTHER_FONTS = re.compile("(font(?:-family)?:[^;\"]*'DejaVu Sans'), [^;\"]*")
"""What this machine has for Chinese letters; whoever looks at the figure has fonts of their own."""


def svg(figure: Figure) -> str:
    """A figure as one `<svg>` element for a page: the same to the byte every time, with its words as text.

    It carries no date, no version and no link. Its identifiers are made from the figure's name, so that figures of
    several names live on one page; what it shows is told in `aria-label`.
    """
    import matplotlib as mpl

    name, alt = getattr(figure, "name", ""), getattr(figure, "alt", "")
    out = io.StringIO()
    options: Any = {"svg.hashsalt": f"mdanderson {name} {alt}", "svg.fonttype": "none"}
    with mpl.rc_context(options), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # whoever opens it has fonts of its own
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = out.getvalue()
    drawn = _OTHER_FONTS.sub(r"\1", drawn)
    drawn = _GROUP_NAME.sub(r"<g\1>", drawn[drawn.index("<svg") :])
    return drawn.replace("<svg", f'<svg role="img" aria-label="{html.escape(alt)}"', 1)
