"""Results as FHIR R4, one resource a line (NDJSON), as bulk imports take them.

Every resource is checked by fhir.resources before anything is written. That library has R4B, in which Observation and
DiagnosticReport are those of R4.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mdanderson.errors import OutputError, SettingsError
from mdanderson.export.fhir_resources import Resource, resources_of
from mdanderson.export.own_files import write_own_files
from mdanderson.export.visits import patients_in
from mdanderson.export.wish import Wish, Written

__all__ = ["write_fhir"]

_KINDS = ("Observation", "DiagnosticReport")


def write_fhir(wish: Wish) -> Written:
    """Write Observation.ndjson and DiagnosticReport.ndjson.

    Raises `SettingsError` without the extra, `OutputError` where files of these names are somebody else's.
    """
    _check_library()
    lines: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for patient in patients_in(wish.results):
        for resource in _checked(resources_of(patient, study=wish.study.strip()), patient.patient_id):
            lines[str(resource["resourceType"])].append(json.dumps(resource, ensure_ascii=False))
    files = {f"{kind}.ndjson": "".join(f"{line}\n" for line in lines[kind]).encode() for kind in _KINDS}
    return Written(files=write_own_files(wish.folder, files))


def _check_library() -> None:
    """Raise `SettingsError` where the library is missing."""
    try:
        import fhir.resources  # noqa: F401
    except ImportError as error:
        raise SettingsError("FHIR needs the extra `export`", way_out="pip install 'mdanderson[export]'") from error


def _checked(resources: Iterable[Resource], patient_id: str) -> Iterable[Resource]:
    """The resources, each found valid. Raises `OutputError`, which would be a fault of this program."""
    from fhir.resources.R4B.diagnosticreport import DiagnosticReport
    from fhir.resources.R4B.observation import Observation

    models: dict[str, Any] = {"Observation": Observation, "DiagnosticReport": DiagnosticReport}
    for resource in resources:
        kind = str(resource["resourceType"])
        try:
            models[kind].model_validate(resource)
        except ValueError as error:
            what = f"a FHIR {kind} would not be valid (bug)"
            raise OutputError(what, where=patient_id, way_out="leave --fhir out, and report it") from error
        yield resource
