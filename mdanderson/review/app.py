"""The review server: what is asked of it, and what it answers. Who may ask is decided in `access`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mdanderson.errors import InputError, MdandersonError, OutputError
from mdanderson.report.cells import from_csv
from mdanderson.report.texts import both
from mdanderson.review.access import AccessMiddleware, AccessPolicy
from mdanderson.review.adjudication import disputes
from mdanderson.review.blinded import blinded_page
from mdanderson.review.entries import append_entry
from mdanderson.review.forms import entry_from
from mdanderson.review.pages import filled, page_on_disk, served
from mdanderson.review.rescoring import Stage
from mdanderson.review.reviewed_folder import ReviewedFolder
from mdanderson.review.session import CASE, ReviewSession
from mdanderson.statistics import ADJUDICATION

__all__ = ["make_app"]


def make_app(session: ReviewSession, policy: AccessPolicy) -> Starlette:
    """The application, to which only those come who may."""
    endpoints = _Endpoints(session)
    both_modes = [
        Route("/review/state", endpoints.state),
        Route("/review/entry", endpoints.entry, methods=["POST"]),
    ]
    blinded = [
        Route("/", endpoints.cases),
        Route("/index.html", endpoints.home),  # where a page that lies beside others leads back to
        Route("/case/{number}", endpoints.case),
    ]
    plain = [
        Route("/", endpoints.home),
        Route("/report/index.html", endpoints.cohort),
        Route("/report/patients/{page}", endpoints.patient),
        Route("/adjudication", endpoints.adjudication),
        Route("/review/settle", endpoints.settle, methods=["POST"]),
        Route("/review/rescore", endpoints.rescore, methods=["POST"]),
    ]
    return Starlette(
        routes=[*both_modes, *(blinded if session.blinded else plain)],
        middleware=[Middleware(AccessMiddleware, policy=policy)],
        exception_handlers={MdandersonError: _told_blinded if session.blinded else _told},
    )


_UNTOLD = "the results cannot be read now; `mdanderson review` without --blinded tells why"


async def _told(_: Request, error: Exception) -> Response:
    """A mistake, or a file that cannot be read, in one line."""
    return PlainTextResponse(str(error), status_code=500)


async def _told_blinded(_: Request, __: Exception) -> Response:
    """That there is a mistake; what it is may name a patient, or what another reader said."""
    return PlainTextResponse(_UNTOLD, status_code=500)


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """Answers each address. What reads or writes files runs beside the loop: nobody waits for another's disk."""

    session: ReviewSession

    async def home(self, _: Request) -> Response:
        return RedirectResponse("/" if self.session.blinded else "/report/index.html", status_code=303)

    async def cohort(self, _: Request) -> Response:
        return await _beside(self._page, "index.html", "")

    async def patient(self, request: Request) -> Response:
        page = request.path_params["page"]
        if page not in self.session.reviewed.pages:  # a name that is known, never a path that is followed
            return _none()
        return await _beside(self._page, f"patients/{page}", page)

    async def cases(self, _: Request) -> Response:
        return await _beside(self._cases)

    async def case(self, request: Request) -> Response:
        number = request.path_params["number"]
        patient_id = self.session.patient_id_of(f"{CASE}{number}")
        return _none() if patient_id is None else await _beside(self._case, int(number), patient_id)

    async def adjudication(self, _: Request) -> Response:
        return await _beside(self._adjudication)

    async def state(self, request: Request) -> Response:
        patient_id = self.session.patient_id_of(request.query_params.get("page", ""))
        return _none() if patient_id is None else await _beside(self._state, patient_id)

    async def entry(self, request: Request) -> Response:
        return await _beside(self._enter, await request.body(), False)

    async def settle(self, request: Request) -> Response:
        return await _beside(self._enter, await request.body(), True)

    async def rescore(self, request: Request) -> Response:
        return await _beside(self._rescore, await request.body())

    def _page(self, file: str, page: str) -> Response:
        session = self.session
        text = page_on_disk(session.reviewed.report, file)
        if text is None:
            return _none()
        if page:
            return _html(text, session.panel(page))
        return _html(text, before=filled("cohort_part.html.j2", {"reader": session.reader}))

    def _cases(self) -> Response:
        session = self.session
        cases_done = []
        for patient_id in session.cases:
            patient = session.review_of(patient_id)
            lesions = [item for item in patient.items if item.lesion_id]
            own = (bool(patient.about(item)) for item in lesions)
            cases_done.append((sum(own), len(lesions)))
        return _html(filled("cases.html.j2", {"cases": cases_done, "reader": session.reader}))

    def _case(self, number: int, patient_id: str) -> Response:
        session = self.session
        patient = session.review_of(patient_id)
        page = blinded_page(session.reviewed, patient, number)
        part = filled("case_part.html.j2", {"number": number, "count": len(session.cases)})
        return _html(page, session.panel(f"{CASE}{number}"), before=part)

    def _adjudication(self) -> Response:
        reviewed = self.session.reviewed
        page_of = {name: page for page, name in reviewed.pages.items()}
        entries = [{"dispute": dispute, "page": page_of[dispute.patient_id]} for dispute in disputes(reviewed)]
        text = filled("adjudication.html.j2", {"disputes": entries, "visits": _visits_that_differ(reviewed)})
        return _html(text, self.session.panel("", settling=True))

    def _state(self, patient_id: str) -> Response:
        return _json(self.session.state(self.session.review_of(patient_id)))

    def _enter(self, body: bytes, adjudicates: bool) -> Response:
        """Keep an entry, and have its patient scored again; in a blinded reading it is kept alone."""
        session = self.session
        try:
            sent = _sent(body)
            patient_id = session.patient_id_of(str(sent.get("page", "")))
            patient = None if patient_id is None else session.review_of(patient_id)
            item = None if patient is None else patient.item(str(sent.get("item", "")))
            if patient_id is None or patient is None or item is None:
                what = "no such lesion and visit in the results as they are now"
                raise InputError(what, where="item", way_out="load the page again, then choose it")
            cells = entry_from(
                sent,
                item,
                patient_id=patient_id,
                reader=session.reader,
                adjudicates=adjudicates,
                others=patient.items,
            )
        except InputError as error:
            return _json({"what": f"{error.what}; {error.way_out}", "field": error.where}, status=422)
        try:
            row = append_entry(session.reviewed.folder, cells)
        except MdandersonError as error:
            is_told = isinstance(error, OutputError) or not session.blinded  # a disk that is full names nobody
            return _json({"what": str(error) if is_told else _UNTOLD, "field": ""}, status=503)
        if session.blinded:  # how many rows there are is how much the others have said
            return _json({"saved": both("review.saved_blinded")})
        session.rescorer.submit(patient_id)
        return _json({"row": row, "saved": both("review.saved", row=row)})

    def _rescore(self, body: bytes) -> Response:
        """Score a patient again that failed, and all that have entries which the results do not hold, each once."""
        session = self.session
        try:
            patient_id = session.patient_id_of(str(_sent(body).get("page", "")))
        except InputError as error:
            return _json({"what": error.what, "field": ""}, status=422)
        job = None if patient_id is None else session.rescorer.job(patient_id)
        failed = [patient_id] if patient_id and job and job.stage is Stage.FAILED else []
        wanted = tuple(dict.fromkeys([*session.reviewed.waiting(), *failed]))
        for name in wanted:
            session.rescorer.submit(name)
        return _json({"patients": len(wanted)})


async def _beside(work: Any, *given: Any) -> Response:
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


def _visits_that_differ(reviewed: ReviewedFolder) -> list[Mapping[str, str]]:
    """adjudication.csv of the run, where readers were compared."""
    try:
        text = (reviewed.folder / ADJUDICATION.file_name).read_text(encoding="utf-8")
    except OSError:
        return []
    return list(ADJUDICATION.named(from_csv(ADJUDICATION, text)))


def _html(page: str, panel: str = "", *, before: str = "") -> Response:
    text, policy = served(page, panel, before=before)
    return HTMLResponse(text, headers={"content-security-policy": policy})


def _json(values: Mapping[str, Any], *, status: int = 200) -> Response:
    return JSONResponse(dict(values), status_code=status)


def _none() -> Response:
    return PlainTextResponse("no such page", status_code=404)
