"""The review server: what is asked of it, and what it answers. Who may ask is the guard's business."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mdanderson.errors import InputError, MdandersonError, OutputError
from mdanderson.report.columns import Table
from mdanderson.review.adjudication import disputes
from mdanderson.review.blinded import blinded_page, cases
from mdanderson.review.desk import Desk, Sheet
from mdanderson.review.entries import append_entry
from mdanderson.review.forms import WORDS, entry_from
from mdanderson.review.guard import Doorkeeper, Guard
from mdanderson.review.pages import drawn, served
from mdanderson.review.rescoring import Rescorer, Stage
from mdanderson.review.state import both, state_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Reviewing", "make_app"]

_CASE = "case-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewing:
    """What the server reviews. reader: who signs, blank = as the form says. blinded: see `blinded`."""

    desk: Desk
    rescorer: Rescorer
    reader: str = ""
    blinded: bool = False

    @property
    def cases(self) -> tuple[str, ...]:
        """The patients in the order of a blinded reading."""
        return cases(self.desk.patient_ids, self.reader)

    def sheet(self, patient_id: str) -> Sheet:
        """A patient as this reading may know it."""
        return self.desk.sheet(patient_id, alone=self.reader if self.blinded else "")

    def patient(self, page: str) -> str | None:
        """The patient that a browser names by a page; None for no such page."""
        if not self.blinded:
            return self.desk.pages.get(page)
        number = page.removeprefix(_CASE)
        if not (page.startswith(_CASE) and number.isascii() and number.isdigit() and 0 < len(number) < 10):
            return None
        return self.cases[int(number) - 1] if 0 < int(number) <= len(self.cases) else None

    def state(self, sheet: Sheet) -> dict[str, Any]:
        """What the panel shows of a patient."""
        return state_of(
            sheet,
            criteria=self.desk.criteria[0],
            job=self.rescorer.job(sheet.patient_id),
            waiting=len(self.desk.waiting()) if not self.rescorer.at_work else 0,
            blinded=self.reader if self.blinded else "",
        )

    def panel(self, page: str, *, settling: bool = False) -> str:
        """The panel as it stands before its script fills it."""
        values = {"page": page, "reader": self.reader, "named": not self.blinded, "settling": settling, "lists": WORDS}
        return drawn("panel.html.j2", {**values, "job": None, "changes": None, "waiting": 0, "history": ()})


def make_app(reviewing: Reviewing, door: Doorkeeper) -> Starlette:
    """The application with its guard before it."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Route

    desk = _Counter(reviewing)
    both_modes = [
        Route("/review/state", desk.state),
        Route("/review/entry", desk.entry, methods=["POST"]),
    ]
    blinded = [Route("/", desk.cases), Route("/case/{number}", desk.case)]
    plain = [
        Route("/", desk.home),
        Route("/report/index.html", desk.cohort),
        Route("/report/patients/{page}", desk.patient),
        Route("/adjudication", desk.adjudication),
        Route("/review/settle", desk.settle, methods=["POST"]),
        Route("/review/rescore", desk.rescore, methods=["POST"]),
    ]
    return Starlette(
        routes=[*both_modes, *(blinded if reviewing.blinded else plain)],
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={MdandersonError: _told_blinded if reviewing.blinded else _told},
    )


_UNTOLD = "the results cannot be read now; `mdanderson review` without --blinded tells why"


async def _told(_: Request, error: Exception) -> Response:
    """A mistake, or a file that cannot be read, in one line."""
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(str(error), status_code=500)


async def _told_blinded(_: Request, __: Exception) -> Response:
    """That there is a mistake; what it is may name a patient, or what another reader said."""
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(_UNTOLD, status_code=500)


@dataclass(frozen=True, slots=True)
class _Counter:
    """The answers. What reads or writes files runs beside the loop, so that nobody waits for another's disk."""

    reviewing: Reviewing

    async def home(self, _: Request) -> Response:
        from starlette.responses import RedirectResponse

        return RedirectResponse("/report/index.html", status_code=303)

    async def cohort(self, _: Request) -> Response:
        return await _beside(self._page, "index.html", "")

    async def patient(self, request: Request) -> Response:
        page = request.path_params["page"]
        if page not in self.reviewing.desk.pages:  # a name that is known, never a path that is followed
            return _none()
        return await _beside(self._page, f"patients/{page}", page)

    async def cases(self, _: Request) -> Response:
        return await _beside(self._cases)

    async def case(self, request: Request) -> Response:
        number = request.path_params["number"]
        patient_id = self.reviewing.patient(f"{_CASE}{number}")
        return _none() if patient_id is None else await _beside(self._case, int(number), patient_id)

    async def adjudication(self, _: Request) -> Response:
        return await _beside(self._adjudication)

    async def state(self, request: Request) -> Response:
        patient_id = self.reviewing.patient(request.query_params.get("page", ""))
        return _none() if patient_id is None else await _beside(self._state, patient_id)

    async def entry(self, request: Request) -> Response:
        return await _beside(self._enter, await request.body(), False)

    async def settle(self, request: Request) -> Response:
        return await _beside(self._enter, await request.body(), True)

    async def rescore(self, request: Request) -> Response:
        return await _beside(self._rescore, await request.body())

    def _page(self, file: str, page: str) -> Response:
        reviewing = self.reviewing
        try:
            text = (reviewing.desk.report / file).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return _none()
        if page:
            return _html(text, reviewing.panel(page))
        return _html(text, before=drawn("cohort_part.html.j2", {"reader": reviewing.reader}))

    def _cases(self) -> Response:
        reviewing = self.reviewing
        told = []
        for patient_id in reviewing.cases:
            sheet = reviewing.sheet(patient_id)
            lesions = [item for item in sheet.items if item.lesion_id]
            own = (bool(sheet.about(item)) for item in lesions)
            told.append((sum(own), len(lesions)))
        return _html(drawn("cases.html.j2", {"cases": told, "reader": reviewing.reader}))

    def _case(self, number: int, patient_id: str) -> Response:
        reviewing = self.reviewing
        sheet = reviewing.sheet(patient_id)
        page = blinded_page(reviewing.desk, sheet, number)
        part = drawn("case_part.html.j2", {"number": number, "count": len(reviewing.cases)})
        page = page.replace('href="../index.html"', 'href="/"', 1)
        return _html(page, reviewing.panel(f"{_CASE}{number}"), before=part)

    def _adjudication(self) -> Response:
        desk = self.reviewing.desk
        page_of = {name: page for page, name in desk.pages.items()}
        told = [{"dispute": one, "page": page_of[one.patient_id]} for one in disputes(desk)]
        text = drawn("adjudication.html.j2", {"disputes": told, "visits": _visits_that_differ(desk)})
        return _html(text, self.reviewing.panel("", settling=True))

    def _state(self, patient_id: str) -> Response:
        return _json(self.reviewing.state(self.reviewing.sheet(patient_id)))

    def _enter(self, body: bytes, adjudicates: bool) -> Response:
        """Keep an entry, and have its patient scored again; in a blinded reading it is kept alone."""
        reviewing = self.reviewing
        try:
            sent = _sent(body)
            patient_id = reviewing.patient(str(sent.get("page", "")))
            item = None if patient_id is None else reviewing.sheet(patient_id).item(str(sent.get("item", "")))
            if patient_id is None or item is None:
                what = "no such lesion and visit in the results as they are now"
                raise InputError(what, where="item", way_out="load the page again, then choose it")
            cells = entry_from(
                sent,
                item,
                patient_id=patient_id,
                reader=reviewing.reader,
                adjudicates=adjudicates,
                by_label=reviewing.blinded,
            )
        except InputError as error:
            return _json({"what": f"{error.what}; {error.way_out}", "field": error.where}, status=422)
        try:
            row = append_entry(reviewing.desk.folder, cells)
        except MdandersonError as error:
            is_told = isinstance(error, OutputError) or not reviewing.blinded  # a disk that is full names nobody
            return _json({"what": str(error) if is_told else _UNTOLD, "field": ""}, status=503)
        if reviewing.blinded:  # how many rows there are is how much the others have said
            return _json({"saved": both("review.saved_blinded")})
        reviewing.rescorer.submit(patient_id)
        return _json({"row": row, "saved": both("review.saved", row=row)})

    def _rescore(self, body: bytes) -> Response:
        """Score a patient again that failed, and all that have entries which the results do not hold, each once."""
        reviewing = self.reviewing
        try:
            patient_id = reviewing.patient(str(_sent(body).get("page", "")))
        except InputError as error:
            return _json({"what": error.what, "field": ""}, status=422)
        job = None if patient_id is None else reviewing.rescorer.job(patient_id)
        failed = [patient_id] if patient_id and job and job.stage is Stage.FAILED else []
        wanted = tuple(dict.fromkeys([*reviewing.desk.waiting(), *failed]))
        for name in wanted:
            reviewing.rescorer.submit(name)
        return _json({"patients": len(wanted)})


async def _beside(work: Any, *given: Any) -> Response:
    from starlette.concurrency import run_in_threadpool

    answer: Response = await run_in_threadpool(work, *given)
    return answer


def _sent(body: bytes) -> Mapping[str, Any]:
    """The form as the page sends it. Raises `InputError`."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise InputError("not a form", where="item", way_out="load the page again")
    return sent


def _visits_that_differ(desk: Desk) -> list[Mapping[str, str]]:
    """adjudication.csv of the run, where readers were compared."""
    from mdanderson.report.cells import from_csv
    from mdanderson.statistics import ADJUDICATION

    table: Table = ADJUDICATION
    try:
        text = (desk.folder / table.file_name).read_text(encoding="utf-8")
    except OSError:
        return []
    return list(table.named(from_csv(table, text)))


def _html(page: str, panel: str = "", *, before: str = "") -> Response:
    from starlette.responses import HTMLResponse

    text, policy = served(page, panel, before=before)
    return HTMLResponse(text, headers={"content-security-policy": policy})


def _json(told: Mapping[str, Any], *, status: int = 200) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse(dict(told), status_code=status)


def _none() -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("no such page", status_code=404)
