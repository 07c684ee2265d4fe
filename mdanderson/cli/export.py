"""The command that takes results elsewhere: to a PACS, to viewers, to a trial's database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mdanderson.cli.exchange import PacsAet, PacsAuth, PacsCa, PacsInsecure, pacs_server
from mdanderson.cli.tell import end, say
from mdanderson.errors import SettingsError

__all__ = ["export"]


def _folder(what: str) -> Any:
    return typer.Option(metavar="DIR", show_default=False, help=f"{what}, to this folder.")


_Study = Annotated[str, typer.Option(metavar="NAME", show_default=False, help="The trial, where a format asks for it.")]
_To = Annotated[
    str, typer.Option(metavar="URL", show_default=False, help="Address that SEG and SR are stored at too, as of fetch.")
]
_Ohif = Annotated[
    bool, typer.Option("--ohif", help="Name lesions in the SR so that OHIF loads them as its own measurements.")
]
_Algorithm = Annotated[
    str, typer.Option(metavar="NAME", show_default="readers", help="What drew the masks, as the SEG is to say.")
]
_KeyFile = Annotated[
    Path | None, typer.Option(metavar="KEYFILE", show_default=False, help="The key that the run was given.")
]


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="A results folder.")],
    dicom_seg: Annotated[Path | None, _folder("Lesions as DICOM SEG, one file an image")] = None,
    dicom_sr: Annotated[Path | None, _folder("Measurements and responses as DICOM SR, one file a visit")] = None,
    slicer: Annotated[Path | None, _folder("Diameters as 3D Slicer markups (.mrk.json)")] = None,
    sdtm: Annotated[Path | None, _folder("CDISC SDTM domains TU, TR and RS")] = None,
    fhir: Annotated[Path | None, _folder("FHIR R4 Observations and DiagnosticReports")] = None,
    redcap: Annotated[Path | None, _folder("REDCap tables, long and wide, with a data dictionary")] = None,
    study: _Study = "",
    to: _To = "",
    auth: PacsAuth = None,
    ca: PacsCa = None,
    insecure_tls: PacsInsecure = False,
    aet: PacsAet = "MDANDERSON",
    ohif: _Ohif = False,
    algorithm: _Algorithm = "",
    pseudonymize: _KeyFile = None,
) -> None:
    """Write results for other programs: DICOM SEG and SR, 3D Slicer, SDTM, FHIR, REDCap; several at once.

    SEG and SR carry the patient, study and dates of the images that they were made from, as a PACS files them by
    these; of results under pseudonyms they carry the pseudonym alone.

    Example: mdanderson export results --dicom-seg seg --dicom-sr sr

    Exit code 0: every patient was written, 1: some failed, 2: nothing could be written.
    """
    from mdanderson.export.run import run_export

    folders = {
        "dicom_seg": dicom_seg,
        "dicom_sr": dicom_sr,
        "slicer": slicer,
        "sdtm": sdtm,
        "fhir": fhir,
        "redcap": redcap,
    }
    wanted = {kind: folder for kind, folder in folders.items() if folder is not None}
    if not wanted:
        raise SettingsError("nothing to write", way_out="name a folder, as in --dicom-seg DIR")
    server = pacs_server(to, auth=auth, ca=ca, insecure_tls=insecure_tls, aet=aet) if to else ""
    written = run_export(out, wanted, study=study, key_file=pseudonymize, for_ohif=ohif, algorithm=algorithm, to=server)
    for note in written.notes:
        say(note)
    for kind, folder in wanted.items():
        typer.echo(f"{written.counts[kind]} files: {folder}")
    end(written.failed, any_done=bool(sum(written.counts.values())), none_done="nothing could be written")
