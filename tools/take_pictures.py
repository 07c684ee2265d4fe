"""Take the pictures of the documentation anew (`make pictures`): figures by `mda.plot`, pages as a browser shows them.

They show the demo cohort, which is phantoms of our own. Usage: take_pictures.py [RESULTS], scored anew without.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mdanderson as mda

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
FIGURES = ("waterfall", "spider", "swimmer", "kaplan_meier")
PATIENT = "DEMO-NADIR"
SIZE = {"width": 1160, "height": 820}
DRAWING = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def take(out: Path) -> None:
    """Figures and pages of the results in `out`, which is reviewed on the way."""
    PICTURES.mkdir(exist_ok=True)
    results = mda.Results.from_folder(out)
    for name in FIGURES:
        (PICTURES / f"{name}.svg").write_text(mda.plot.svg(getattr(mda.plot, name)(results)), encoding="utf-8")
    page_of_patient = next((out / "report" / "patients").glob(f"{PATIENT}-*.html"))
    with opened() as page:
        page.goto((out / "report" / "index.html").as_uri())
        photograph(page, "cohort")
        page.goto(page_of_patient.as_uri())
        page.locator("#lesion-1").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('#lesion-1').scrollIntoView()")
        photograph(page, "patient")
        page.locator("button.open-viewer").first.click()
        page.locator("#viewer:not([aria-busy]) canvas").first.wait_for()
        page.wait_for_timeout(1500)  # volumes are drawn by the processor
        page.evaluate("document.querySelector('#viewer').scrollIntoView()")
        photograph(page, "viewer")
    with opened() as page, reviewed(out) as address:
        page.goto(address)
        page.get_by_role("link", name=PATIENT).first.click()
        page.locator("button.review-open").nth(1).click()
        page.wait_for_timeout(500)
        photograph(page, "review")


@contextmanager
def opened() -> Iterator[Page]:
    """A page of a browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=list(DRAWING))
        yield browser.new_page(viewport=SIZE, color_scheme="light")
        browser.close()


@contextmanager
def reviewed(out: Path) -> Iterator[str]:
    """The address of a review server, which is ended afterwards."""
    command = [
        sys.executable,
        "-m",
        "mdanderson",
        "review",
        str(out),
        "--port",
        "0",
        "--no-browser",
        "--reader",
        "Smith",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own command
        try:
            found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
            if not found:
                raise SystemExit("the review server did not start")
            yield found[0]
        finally:
            server.terminate()


def photograph(page: Page, name: str) -> None:
    """What is on the screen, in few colours, so that a picture stays small."""
    from PIL import Image

    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as image:
        image.convert("RGB").quantize(128).save(path, optimize=True)


def main() -> None:
    """Take them of given results, or of the demo."""
    if len(sys.argv) > 1:
        return take(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        mda.write_demo(Path(folder) / "cohort")
        mda.score(Path(folder) / "cohort" / "cohort.csv", out=Path(folder) / "out", report=True, viewer=True)
        return take(Path(folder) / "out")


if __name__ == "__main__":
    main()
