"""A server of the classic DICOM network that lies, refuses, stalls or breaks off: one clear line."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydicom import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt
from soup import series

import mdanderson.pacs.link as asked_by
from mdanderson.cli import main
from mdanderson.errors import ServerError, SettingsError
from mdanderson.pacs import Fetched, Server, Wanted, fetch, store, wire

FIND, GET, VERIFY = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3", "1.2.840.10008.1.1"
OWN_CERTIFICATE = Path(__file__).with_name("loopback.pem")
SLOW = r"no answer within 0\.2 s|trickles in too slowly"
"""Half of an answer is the one or the other, as the machine has time."""
"""For 127.0.0.1, signed by itself; its key is no secret and opens nothing."""
P1 = [Wanted(patient_id="P1")]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(asked_by, "_FIRST_WAIT_S", 0.0)


@contextmanager
def serving(images: list[Dataset], **options: object) -> Iterator[SimpleNamespace]:
    """A server with one series. get(event, asked): what it does with C-GET, a generator as pynetdicom wants it."""
    state = SimpleNamespace(images=images, get=giving, find=None, stored=[], store_status=0x0000, asked=[])
    state.__dict__.update({key: value for key, value in options.items() if hasattr(state, key)})

    def on_find(event):
        if state.find is not None:
            yield from state.find(event)
            return
        asked = event.identifier
        for one in state.images[: None if asked.QueryRetrieveLevel == "IMAGE" else 1]:
            entry = Dataset()
            for element in asked:
                setattr(entry, element.keyword, getattr(one, element.keyword, element.value))
            yield 0xFF00, entry

    def on_get(event):
        uid = event.identifier.SOPInstanceUID
        state.asked.append(uid)
        (asked,) = [one for one in state.images if one.SOPInstanceUID == uid]
        yield from state.get(event, asked)

    def on_store(event):
        state.stored.append(event.dataset.SOPInstanceUID)
        return state.store_status

    entity = AE(ae_title="EVIL")
    entity.require_called_aet = True
    entity.require_calling_aet = options.get("knows", [])
    for kind in options.get("kinds", (VERIFY, FIND, GET)):
        entity.add_supported_context(kind)
    if options.get("kinds") is None:
        entity.add_supported_context(CTImageStorage, ExplicitVRLittleEndian, scu_role=True, scp_role=True)
    context = None
    if options.get("tls"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(OWN_CERTIFICATE)
    handlers = [(evt.EVT_C_FIND, on_find), (evt.EVT_C_GET, on_get), (evt.EVT_C_STORE, on_store)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=context)
    state.url = f"dicom{'s' if context else ''}://EVIL@127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def giving(_, *images: Dataset):
    yield len(images)
    for one in images:
        yield 0xFF00, one


def aborting(event, _):
    event.assoc.abort()
    yield 0


def in_turn(gets: Iterable[Callable[..., Iterator]]) -> Callable[..., Iterator]:
    """Another way to answer every time."""
    turns = iter(gets)

    def get(event, asked):
        yield from next(turns)(event, asked)

    return get


def changed(one: Dataset, **said: str) -> Dataset:
    other = Dataset(one)
    other.file_meta = one.file_meta
    for keyword, value in said.items():
        setattr(other, keyword, value)
    return other


def fetched(server: SimpleNamespace, folder: Path, **options: object) -> Fetched:
    at = Server.at(server.url, **{"timeout_s": 5.0} | options)
    return fetch(at, P1, folder, modalities=("CT",), sleep=lambda _: None)


def told_of(fetching: Fetched) -> list[str]:
    return [problem.what for problem in fetching.problems]


class TestImages:
    @pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "PatientID"])
    def test_another_than_was_asked_for_is_refused(self, tmp_path, keyword):
        with serving(series(planes=1)) as server:
            server.get = lambda event, asked: giving(event, changed(asked, **{keyword: "9.9.9"}))
            what = f"the server sent another image than it was asked for ({keyword})"
            assert told_of(fetched(server, tmp_path / "o")) == [
                f"1 of 1 images of a series could not be fetched: {what}"
            ]
        assert not list((tmp_path / "o").rglob("*.dcm"))

    def test_more_than_was_asked_for_is_refused(self, tmp_path):
        images = series(planes=2)
        with serving(images) as server:
            server.get = lambda event, _: giving(event, *images)
            (what,) = told_of(fetched(server, tmp_path / "o"))
        assert what.endswith("the server sent more than it was asked for")
        assert not list((tmp_path / "o").rglob("*.dcm"))

    @pytest.mark.parametrize("broken", [b"\x00\x01garbage" * 50, b"\x10\x00\x20\x00LO\xff\x00P1"])
    def test_garbage_is_refused(self, tmp_path, monkeypatch, broken):
        monkeypatch.setattr("pynetdicom.events.Event.encoded_dataset", lambda self: _file_of(self, broken))
        with serving(series(planes=1)) as server:
            (what,) = told_of(fetched(server, tmp_path / "o"))
        assert what.startswith("1 of 1 images of a series could not be fetched: ")
        assert not list((tmp_path / "o").rglob("*.dcm"))

    def test_a_refusal_costs_the_image_alone(self, tmp_path):
        images = series(planes=2)

        def first_only(event, asked):
            if asked is images[0]:
                yield from giving(event, asked)
            else:
                yield 1
                yield 0xA702, None

        with serving(images) as server:
            server.get = first_only
            found = fetched(server, tmp_path / "o")
        assert found.standing.images == 1
        (what,) = told_of(found)
        assert what.startswith("1 of 2 images of a series could not be fetched: the server does not send the image")

    def test_one_that_aborts_once_is_asked_again(self, tmp_path):
        with serving(series(planes=2)) as server:
            server.get = in_turn([aborting, giving, giving])
            found = fetched(server, tmp_path / "o")
        assert (found.standing.images, found.problems) == (2, [])

    def test_one_that_aborts_half_way_is_gone_on_with_by_the_next_run(self, tmp_path):
        images = series(planes=6)
        with serving(images) as server:
            server.get = in_turn(chain([giving] * 2, repeat(aborting)))
            found = fetched(server, tmp_path / "o")
            assert found.standing.images == 2
            assert found.stopped.startswith("the server ended the association @ 127.0.0.1:")
            assert not list((tmp_path / "o").rglob(".*"))  # nothing half written
            server.get, server.asked[:] = giving, []
            again = fetched(server, tmp_path / "o").standing
            assert (again.images, again.kept, len(server.asked)) == (4, 2, 4)


def _file_of(event, content: bytes) -> bytes:
    from io import BytesIO

    from pydicom.filewriter import write_file_meta_info
    from pynetdicom.dsutils import create_file_meta

    buffer = BytesIO()
    buffer.write(bytes(128) + b"DICM")
    meta = create_file_meta(
        sop_class_uid=CTImageStorage, sop_instance_uid="1.2.3", transfer_syntax=ExplicitVRLittleEndian
    )
    write_file_meta_info(buffer, meta)
    return buffer.getvalue() + content


class TestServers:
    def fails(self, server: SimpleNamespace, folder: Path, what: str, **options: object) -> None:
        with pytest.raises(ServerError) as caught:
            fetched(server, folder, **options)
        assert caught.value.what == what
        assert caught.value.where.startswith("127.0.0.1:")
        assert caught.value.way_out

    def test_one_that_does_not_know_us(self, tmp_path):
        with serving(series(planes=1), knows=["SOMEBODY"]) as server:
            self.fails(server, tmp_path / "o", "the server does not know our AE title")
            assert fetched(server, tmp_path / "o", aet="SOMEBODY").standing.images == 1

    def test_one_that_does_not_search(self, tmp_path):
        with serving([], kinds=(VERIFY,)) as server:
            self.fails(server, tmp_path / "o", "the server does not search (C-FIND)")

    def test_one_that_refuses_a_search(self, tmp_path):
        def refusing(_):
            yield 0xA700, None

        with serving([], find=refusing) as server:
            self.fails(server, tmp_path / "o", "the server does not search (C-FIND) (status A700)")

    @pytest.mark.parametrize(
        ("kinds", "what"),
        [
            ((VERIFY, FIND), "the server does not give images by C-GET"),
            ((VERIFY, FIND, GET), "the server accepts no presentation context for this kind of image"),
        ],
    )
    def test_one_that_does_not_give(self, tmp_path, kinds, what):
        with serving(series(planes=1), kinds=kinds) as server:
            assert told_of(fetched(server, tmp_path / "o")) == [
                f"1 of 1 images of a series could not be fetched: {what}"
            ]

    def test_lists_with_other_patients_and_no_uids(self, tmp_path):
        def lying(event):
            for patient, uid in (("P10", "1.2.3"), ("P1", "../../etc"), ("P1", "")):
                entry = Dataset()
                entry.PatientID, entry.StudyInstanceUID = patient, uid
                yield 0xFF00, entry

        with serving(series(planes=1), find=lying) as server:
            found = fetched(server, tmp_path / "o")
        assert told_of(found) == ["no image of this patient that is wanted"]

    def test_a_list_that_never_ends(self, tmp_path, monkeypatch):
        monkeypatch.setattr("mdanderson.pacs.dimse.MOST_LISTED", 3)

        def endless(_):
            for number in range(50):
                entry = Dataset()
                entry.PatientID, entry.StudyInstanceUID = "P1", f"1.2.{number + 1}"
                yield 0xFF00, entry

        with serving([], find=endless) as server:
            self.fails(server, tmp_path / "o", "a list of more than 3 entries")

    def test_an_answer_without_end_is_cut(self, tmp_path, monkeypatch):
        monkeypatch.setattr(wire, "LARGEST_ANSWER", 2**13)
        with serving(series(planes=1)) as server:
            server.images[0].ImageComments = "x" * 10_000
            (what,) = told_of(fetched(server, tmp_path / "o"))
        assert "an answer of more than" in what


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[SimpleNamespace]:
    """A port at which every caller is treated so."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return
                with caller:
                    try:
                        talk(caller)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield SimpleNamespace(url=f"dicom://X@127.0.0.1:{listening.getsockname()[1]}")
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def listen(caller: socket.socket) -> None:
    """Until the caller has had enough."""
    while caller.recv(1 << 16):
        pass


class TestWires:
    def test_silence(self, tmp_path):
        def silent(caller: socket.socket) -> None:
            listen(caller)

        with (
            talking(silent) as server,
            pytest.raises(ServerError, match=SLOW),
        ):
            fetched(server, tmp_path / "o", timeout_s=0.2)

    def test_half_a_message_and_then_silence(self, tmp_path):
        def half(caller: socket.socket) -> None:
            caller.recv(1 << 16)
            caller.sendall(struct.pack(">BBL", 2, 0, 2**31) + b"x")
            listen(caller)

        with talking(half) as server, pytest.raises(ServerError, match=SLOW):
            fetched(server, tmp_path / "o", timeout_s=0.2)

    def test_a_trickle(self, tmp_path, monkeypatch):
        monkeypatch.setattr(wire, "LEAST_BYTES_PER_S", 10**9)

        def trickle(caller: socket.socket) -> None:
            caller.recv(1 << 16)
            caller.sendall(struct.pack(">BBL", 2, 0, 2**31))
            for _ in range(60):
                caller.sendall(b"x")
                time.sleep(0.05)

        with talking(trickle) as server, pytest.raises(ServerError, match="trickles in too slowly"):
            fetched(server, tmp_path / "o", timeout_s=0.4)

    def test_what_is_no_dicom(self, tmp_path):
        def web(caller: socket.socket) -> None:
            caller.recv(1 << 16)
            caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with talking(web) as server, pytest.raises(ServerError, match="ended the association before it began"):
            fetched(server, tmp_path / "o")

    def test_one_that_hangs_up(self, tmp_path):
        with talking(lambda _: None) as server, pytest.raises(ServerError, match="ended the association"):
            fetched(server, tmp_path / "o")


class TestTls:
    def test_a_certificate_that_nobody_knows(self, tmp_path):
        """TLS for real: one of our own is refused, trusted by --ca, and taken unseen only where that is said."""
        with serving(series(planes=1), tls=True) as server:
            with pytest.raises(ServerError, match="not trusted") as caught:
                fetched(server, tmp_path / "o")
            assert "--ca" in caught.value.way_out
            for number, options in enumerate(({"ca": OWN_CERTIFICATE}, {"insecure_tls": True})):
                assert fetched(server, tmp_path / f"o{number}", **options).standing.images == 1

    def test_nothing_is_asked_without_tls_where_it_was_wanted(self, tmp_path):
        with serving(series(planes=1)) as server:
            plain = server.url
            server.url = plain.replace("dicom://", "dicoms://")
            with pytest.raises(ServerError):
                fetched(server, tmp_path / "o", timeout_s=1.0)
            assert server.asked == []


class TestStoring:
    def files(self, folder: Path) -> list[Path]:
        for number, one in enumerate(series(planes=2)):
            one.save_as(folder / f"{number}.dcm", enforce_file_format=True)
        return sorted(folder.glob("*.dcm"))

    @pytest.mark.parametrize(
        ("status", "what"),
        [
            (0xA701, "the server is full (reason A701)"),
            (0xC00F, "the server does not understand it (reason C00F)"),
            (0x0124, "the server does not let us store (reason 0124)"),
            (0x0199, "the server refuses it (reason 0199)"),
        ],
    )
    def test_a_refusal_is_a_problem(self, tmp_path, status, what):
        with serving([], store_status=status) as server:
            stored = store(server.url, self.files(tmp_path), sleep=lambda _: None)
        assert [problem.what for problem in stored.problems] == [what, what]

    def test_a_warning_is_none(self, tmp_path):
        with serving([], store_status=0xB000) as server:
            assert len(store(server.url, self.files(tmp_path)).stored) == len(server.stored) == 2

    def test_kinds_that_it_does_not_know(self, tmp_path):
        with serving([], kinds=(VERIFY,)) as server:
            stored = store(server.url, self.files(tmp_path))
        assert len(stored.problems) == 2
        assert "no presentation context for this kind of object" in stored.problems[0].what


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "dicom://pacs.example:104",
            "dicom://PACS@pacs.example",
            "dicom://PACS@pacs.example:104/x",
            "dicom://PACS:secret@pacs.example:104",
            "dicom://SEVENTEEN-LETTERS@pacs.example:104",
            "dicom://A%5CB@pacs.example:104",
            "dicom://%20@pacs.example:104",
            "dicoms://PACS@pacs.example:99999",
        ],
    )
    def test_one_that_is_none(self, url):
        with pytest.raises(SettingsError) as caught:
            Server.at(url)
        assert "dicoms://CALLED_AET@host:port" in caught.value.way_out
        assert "secret" not in str(caught.value)

    def test_what_it_comes_to(self, monkeypatch):
        monkeypatch.setenv("MDANDERSON_PACS_TOKEN", "t0k3n")
        server = Server.at("dicoms://Main%20PACS@pacs.example:2762", aet="TRIAL")
        assert (server.called_aet, server.aet, server.address) == ("Main PACS", "TRIAL", ("pacs.example", 2762))
        assert (server.is_tls, server.warnings, bool(server.credentials)) == (True, (), False)
        assert "without encryption" in Server.at("dicom://P@pacs.example:104").warnings[0]
        assert "NOT checked" in Server.at("dicoms://P@pacs.example:104", insecure_tls=True).warnings[0]

    def test_our_title_and_credentials_that_have_no_place(self, tmp_path):
        with pytest.raises(SettingsError, match="not an AE title"):
            Server.at("dicom://P@pacs.example:104", aet="a" * 17)
        with pytest.raises(SettingsError, match="no credentials"):
            Server.at("dicom://P@pacs.example:104", auth=tmp_path / "a.toml")

    def test_without_the_extra_it_is_one_line(self, wanted_list, tmp_path, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "pynetdicom", None)
        asked = ["--from", "dicoms://P@x.example:104", "--patients", str(wanted_list("P1")), "-o", str(tmp_path / "o")]
        assert main(["fetch", *asked]) == 2
        assert "pip install 'mdanderson[pacs]'" in capsys.readouterr().err
