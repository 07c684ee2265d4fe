"""A server that lies, breaks off, never ends or sends us elsewhere: one clear line, bounded, and no secret told."""

from __future__ import annotations

import datetime as dt
import json
import re
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import RLELossless
from soup import series

import mdanderson.pacs.link as asked_by
import mdanderson.pacs.session as http
from mdanderson.cli import main
from mdanderson.errors import ManifestError, ServerError, SettingsError
from mdanderson.pacs import Server, Wanted, fetch, read_wanted, store
from mdanderson.pacs.server import Credentials
from mdanderson.pacs.wanted import checked_modalities
from mdanderson.pacs.web import _value

STUDY, SERIES = "1.2.3", "1.2.3.4"
SECRET = "t0k3n-never-shown"
OWN_CERTIFICATE = Path(__file__).with_name("loopback.pem")
"""For 127.0.0.1, signed by itself; its key is no secret and opens nothing."""


def answer(code: int = 200, body: bytes = b"", kind: str = "application/dicom+json", **headers: str):
    """An answer of a server, as it should be."""

    def send(handler) -> None:
        handler.send_response(code)
        told = {"Content-Type": kind, "Content-Length": str(len(body))} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        for name, value in told.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def listing(*entries: dict[str, str]):
    body = [{tag: {"vr": "UI", "Value": [value]} for tag, value in entry.items()} for entry in entries]
    return answer(body=json.dumps(body).encode())


STUDIES = listing({"0020000D": STUDY, "00080020": "20240105", "00100020": "P1"})
ONE_SERIES = listing({"0020000E": SERIES, "00080060": "CT"})


def part(content: bytes) -> bytes:
    return b"--x\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--x--"


def instance(ds: Dataset, cut: int | None = None):
    out = BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return answer(body=part(out.getvalue()[:cut]), kind='multipart/related; type="application/dicom"; boundary=x')


def image(**said: str) -> Dataset:
    ds = series(planes=1)[0]
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, SERIES
    for keyword, value in said.items():
        setattr(ds, keyword, value)
    return ds


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(asked_by, "_FIRST_WAIT_S", 0.0)
    for name in ("TOKEN", "USER", "PASSWORD"):
        monkeypatch.delenv(f"MDANDERSON_PACS_{name}", raising=False)


def fetched(server, folder: Path, **options):
    at = Server.at(server.url, timeout_s=2.0)
    return fetch(at, [Wanted(patient_id="P1")], folder, modalities=("CT",), sleep=lambda _: None, **options)


class TestAnswers:
    @pytest.mark.parametrize(
        ("send", "what"),
        [
            (answer(401), "the server wants to know who asks, or refuses the credentials (HTTP 401)"),
            (answer(403), "the server forbids it (HTTP 403)"),
            (answer(404), "nothing is there (HTTP 404)"),
            (answer(418), "the server refuses it (HTTP 418)"),
            (answer(500), "the server failed (HTTP 500)"),
            (answer(503, Retry_After="999999999999"), "the server failed (HTTP 503)"),
            (answer(302, Location="http://127.0.0.1:1/elsewhere"), "the server sends us elsewhere"),
            (answer(body=b"<html>hello"), "an answer that is not DICOMweb"),
            (answer(body=b"[[[[" * 50_000), "an answer that cannot be read (RecursionError)"),
            (answer(body=b"7"), "a list that is none"),
        ],
    )
    def test_each_is_one_line(self, misbehaving, tmp_path, send, what):
        misbehaving.answers = [send]
        with pytest.raises(ServerError) as caught:
            fetched(misbehaving, tmp_path / "o")
        assert caught.value.what == what
        assert caught.value.where.startswith("127.0.0.1:")
        assert caught.value.way_out

    def test_what_may_pass_is_tried_again_and_what_may_not_is_not(self, misbehaving, tmp_path):
        misbehaving.answers = [answer(503, Retry_After="7"), answer(502), listing()]
        waits: list[float] = []
        at = Server.at(misbehaving.url)
        fetch(at, [Wanted(patient_id="P1")], tmp_path / "o", modalities=("CT",), sleep=waits.append)
        assert waits == [7.0, 0.0]
        misbehaving.answers, misbehaving.asked[:] = [answer(403)], []
        with pytest.raises(ServerError):
            fetched(misbehaving, tmp_path / "o")
        assert len(misbehaving.asked) == 1

    def test_waits_are_bounded(self, misbehaving, tmp_path, monkeypatch):
        monkeypatch.setattr(asked_by, "_FIRST_WAIT_S", 20.0)
        misbehaving.answers = [answer(503)]
        waits: list[float] = []
        with pytest.raises(ServerError):
            fetch(
                Server.at(misbehaving.url), [Wanted(patient_id="P1")], tmp_path / "o", modalities=(), sleep=waits.append
            )
        assert waits == [20.0, 30.0, 30.0]

    def test_silence_is_one_line(self, misbehaving, tmp_path):
        misbehaving.answers = [lambda _: time.sleep(0.6)]
        server = Server.at(misbehaving.url, timeout_s=0.1)
        with pytest.raises(ServerError, match=r"no answer within 0.1 s"):
            fetch(server, [Wanted(patient_id="P1")], tmp_path / "o", modalities=(), sleep=lambda _: None)

    def test_too_much_is_not_read(self, misbehaving, tmp_path, monkeypatch):
        monkeypatch.setattr(http, "LARGEST_ANSWER", 2**20)

        def endless(handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(10_000):
                    handler.wfile.write(bytes(2**16))
            except OSError:
                handler.close_connection = True

        misbehaving.answers = [endless]
        with pytest.raises(ServerError, match="an answer of more than"):
            fetched(misbehaving, tmp_path / "o")

    def test_a_trickle_is_not_waited_for(self, misbehaving, tmp_path, monkeypatch):
        monkeypatch.setattr(http, "LEAST_BYTES_PER_S", 10**9)

        def trickle(handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(40):
                    handler.wfile.write(bytes(2**20))
                    time.sleep(0.02)
            except OSError:
                handler.close_connection = True

        misbehaving.answers = [trickle]
        server = Server.at(misbehaving.url, timeout_s=0.1)
        with pytest.raises(ServerError, match="trickles in too slowly"):
            fetch(server, [Wanted(patient_id="P1")], tmp_path / "o", modalities=(), sleep=lambda _: None)

    def test_a_list_that_repeats_itself_ends(self, misbehaving, tmp_path):
        misbehaving.pages = True
        misbehaving.answers = [STUDIES, STUDIES, ONE_SERIES, ONE_SERIES, listing({"00080018": "9.9"})]
        fetched(misbehaving, tmp_path / "o")
        assert len(misbehaving.asked) < 20

    def test_a_server_that_sends_fewer_than_asked_for_is_asked_on(self, misbehaving, tmp_path):
        """Limits of 100 are usual; here it is two."""
        images = [image(SOPInstanceUID=f"9.8.{number}") for number in range(5)]
        uids = [{"00080018": str(one.SOPInstanceUID)} for one in images]
        parts = [listing(*uids[at : at + 2]) for at in (0, 2, 4)]
        misbehaving.pages = True
        none = listing()
        misbehaving.answers = [STUDIES, ONE_SERIES, none, none, *parts, none, *map(instance, images)]
        assert fetched(misbehaving, tmp_path / "o").standing.images == 5
        offsets = [path for _, path, _ in misbehaving.asked if "/instances?" in path]
        assert [re.search(r"offset=(\d+)", path)[1] for path in offsets[1:]] == ["2", "4", "5"]

    @pytest.mark.parametrize(("told", "lost"), [(1, False), (2, True), ("2", True), ("many", False)])
    def test_a_list_that_is_shorter_than_the_server_says_is_an_error(self, misbehaving, tmp_path, told, lost):
        entry = {"0020000E": {"vr": "UI", "Value": [SERIES]}, "00080060": {"vr": "CS", "Value": ["CT"]}}
        counted = answer(body=json.dumps([entry | {"00201209": {"vr": "IS", "Value": [told]}}]).encode())
        misbehaving.answers = [STUDIES, counted, listing({"00080018": image().SOPInstanceUID}), instance(image())]
        found = fetched(misbehaving, tmp_path / "o")
        assert found.errors == lost
        assert [one.what for one in found.problems] == ["the server lists 1 of a series of 2 images"] * lost

    def test_what_is_no_uid_is_no_entry(self, misbehaving, tmp_path):
        evil = listing({"0020000D": "../../etc", "00100020": "P1"}, {"0020000D": "", "00100020": "P1"})
        misbehaving.answers = [evil]
        assert fetched(misbehaving, tmp_path / "o").standing.images == 0
        assert len(misbehaving.asked) == 1


class TestImages:
    def answers(self, *last) -> list:
        uid = image().SOPInstanceUID
        return [STUDIES, ONE_SERIES, listing({"00080018": uid}), *last]

    def test_one_that_broke_off_is_asked_for_again(self, misbehaving, tmp_path):
        def broken(handler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(b"--x")
            handler.close_connection = True

        misbehaving.answers = self.answers(broken, instance(image(), cut=100), instance(image()))
        assert fetched(misbehaving, tmp_path / "o").standing.images == 1

    @pytest.mark.parametrize("compressed", [False, True])
    def test_a_file_that_was_cut_since_is_fetched_again(self, misbehaving, tmp_path, compressed):
        whole = image()
        if compressed:
            whole.compress(RLELossless)
        whole.SOPInstanceUID = whole.file_meta.MediaStorageSOPInstanceUID = image().SOPInstanceUID
        misbehaving.answers = self.answers(instance(whole))
        assert fetched(misbehaving, tmp_path / "o").standing.images == 1
        (file,) = (tmp_path / "o").rglob("*.dcm")
        good = file.read_bytes()
        misbehaving.answers = self.answers(instance(whole))
        assert fetched(misbehaving, tmp_path / "o").standing.kept == 1
        file.write_bytes(good[:-40])
        misbehaving.answers = self.answers(instance(whole))
        assert fetched(misbehaving, tmp_path / "o").standing.images == 1
        assert file.read_bytes() == good

    @pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "PatientID"])
    def test_another_than_was_asked_for_is_refused(self, misbehaving, tmp_path, keyword):
        misbehaving.answers = self.answers(instance(image(**{keyword: "9.9.9"})))
        problems = fetched(misbehaving, tmp_path / "o").problems
        what = f"the server sent another image than it was asked for ({keyword})"
        assert [problem.what for problem in problems] == [f"1 of 1 images of a series could not be fetched: {what}"]
        assert not list((tmp_path / "o").rglob("*.dcm"))

    def test_one_that_is_never_whole_costs_itself_alone(self, misbehaving, tmp_path):
        other = image(SOPInstanceUID="9.8.7")
        both = listing({"00080018": image().SOPInstanceUID}, {"00080018": "9.8.7"})
        broken = [instance(image(), cut=60)] * 4
        misbehaving.answers = [STUDIES, ONE_SERIES, both, *broken, instance(other)]
        found = fetched(misbehaving, tmp_path / "o")
        assert found.standing.images == 1
        assert found.errors == 1
        assert found.stopped == ""

    def test_a_folder_in_the_way_is_one_line(self, misbehaving, tmp_path):
        (tmp_path / "o").write_text("a file")
        with pytest.raises(Exception, match="not a folder"):
            fetched(misbehaving, tmp_path / "o")


class TestStoring:
    def test_a_refusal_is_a_problem(self, misbehaving, tmp_path):
        refused = {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xA700]}}]}}
        misbehaving.answers = [answer(body=json.dumps(refused).encode())]
        image().save_as(tmp_path / "a.dcm", enforce_file_format=True)
        stored = store(misbehaving.url, [tmp_path / "a.dcm"])
        assert stored.stored == []
        assert [(one.where, one.what) for one in stored.problems] == [("a.dcm", "the server is full (reason A700)")]

    def test_a_conflict_costs_the_file_alone(self, misbehaving, tmp_path):
        misbehaving.answers = [answer(409), answer(body=b"{}")]
        for name in ("a.dcm", "b.dcm"):
            image().save_as(tmp_path / name, enforce_file_format=True)
        stored = store(misbehaving.url, [tmp_path / "a.dcm", tmp_path / "b.dcm"], sleep=lambda _: None)
        assert [path.name for path in stored.stored] == ["b.dcm"]
        assert [one.where for one in stored.problems] == ["a.dcm"]

    def test_no_right_to_store_is_one_line(self, misbehaving, tmp_path):
        misbehaving.answers = [answer(403)]
        image().save_as(tmp_path / "a.dcm", enforce_file_format=True)
        with pytest.raises(ServerError, match="forbids"):
            store(misbehaving.url, [tmp_path / "a.dcm"])


class TestWhoAsks:
    def test_a_token_is_sent_and_never_told(self, misbehaving, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("MDANDERSON_PACS_TOKEN", SECRET)
        misbehaving.answers = [answer(403)]
        with pytest.raises(ServerError) as caught:
            fetched(misbehaving, tmp_path / "o")
        (request,) = misbehaving.asked
        assert request[2]["Authorization"] == f"Bearer {SECRET}"
        told = capsys.readouterr()
        assert SECRET not in told.out + told.err + str(caught.value) + repr(Server.at(misbehaving.url))

    def test_nobody_is_who_a_netrc_says(self, misbehaving, tmp_path, monkeypatch):
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        misbehaving.answers = [listing()]
        fetched(misbehaving, tmp_path / "o")
        assert "Authorization" not in misbehaving.asked[0][2]

    @pytest.mark.parametrize(
        ("url", "what"),
        [
            ("https://me:secret@pacs.example/dicom-web", "the address holds a user or a password"),
            ("ftp://pacs.example", "not a DICOMweb address"),
            ("pacs.example", "not a DICOMweb address"),
            ("https://pacs.example/?token=secret", "not a DICOMweb address"),
            ("https://pacs.example:99999/", "not an address"),
            ("https://[", "not an address"),
        ],
    )
    def test_an_address_that_is_none_or_holds_a_secret(self, url, what):
        with pytest.raises(SettingsError, match=what) as caught:
            Server.at(url)
        assert "me:secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "allowed"),
        [
            ("http://pacs.example/dicom-web", False),
            ("http://10.0.0.7:8042/dicom-web", False),
            ("http://127.0.0.1.evil.example/", False),
            ("http://localhost:8042/dicom-web", True),
            ("http://[::1]:8042/dicom-web", True),
            ("https://pacs.example/dicom-web", True),
        ],
    )
    def test_credentials_are_encrypted_or_stay_here(self, monkeypatch, url, allowed):
        monkeypatch.setenv("MDANDERSON_PACS_TOKEN", SECRET)
        if allowed:
            assert Server.at(url).warnings == ()
            return
        with pytest.raises(SettingsError, match="unencrypted"):
            Server.at(url, insecure_tls=True)

    def test_without_the_extra_it_is_one_line(self, wanted_list, tmp_path, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "dicomweb_client.web", None)
        asked = [
            "fetch",
            "--from",
            "https://x.example",
            "--patients",
            str(wanted_list("P1")),
            "-o",
            str(tmp_path / "o"),
        ]
        assert main(asked) == 2
        assert "pip install 'mdanderson[pacs]'" in capsys.readouterr().err

    def test_what_a_user_is_warned_of(self):
        assert "without encryption" in Server.at("http://pacs.example/x").warnings[0]
        assert "NOT checked" in Server.at("https://pacs.example/x", insecure_tls=True).warnings[0]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "token = 7",
            'token = "a"\nuser = "b"\npassword = "c"',
            'user = "b"',
            "tok",
            'other = "a"',
            'token = "a\\nb"',
        ],
    )
    def test_a_file_of_credentials_that_is_none(self, tmp_path, text):
        (tmp_path / "auth").write_text(text)
        with pytest.raises(SettingsError) as caught:
            Credentials.from_file(tmp_path / "auth")
        assert caught.value.way_out

    def test_a_certificate_that_nobody_knows(self, tmp_path, monkeypatch):
        """TLS for real: one of our own is refused, trusted by --ca, and taken unseen only where that is said."""
        with serving_tls(OWN_CERTIFICATE, listing()) as url:
            wanted = [Wanted(patient_id="P1")]
            with pytest.raises(ServerError, match="not trusted") as caught:
                fetch(Server.at(url), wanted, tmp_path / "o", modalities=("CT",), sleep=lambda _: None)
            assert "--ca" in caught.value.way_out
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())  # it must not win over what was asked for
            for server in (Server.at(url, ca=OWN_CERTIFICATE), Server.at(url, insecure_tls=True)):
                assert fetch(server, wanted, tmp_path / "o", modalities=("CT",)).standing.done == 1


@contextmanager
def serving_tls(pem: Path, send) -> Iterator[str]:
    """A server that answers every question so, by TLS with this certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            send(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/dicom-web"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class TestWhatIsWanted:
    def test_rows_and_days(self, wanted_list):
        rows = ("P1,,,", "P2,2024-01-05,,", "P3,,2024-01-01,", "P1,,,")
        path = wanted_list(*rows, header="patient_id,date,since,until")
        wanted, problems = read_wanted(path, until=dt.date(2025, 1, 1))
        assert [(one.patient_id, one.days) for one in wanted] == [
            ("P1", "-20250101"),
            ("P2", "20240105-20240105"),
            ("P3", "20240101-"),
        ]
        assert problems == ()
        assert Wanted(patient_id="P").days == ""

    @pytest.mark.parametrize("patient", ["*", "P?", "a\\b", "x" * 65])
    def test_a_pattern_is_no_patient(self, wanted_list, patient):
        wanted, problems = read_wanted(wanted_list(patient, "P1"))
        assert [one.patient_id for one in wanted] == ["P1"]
        assert [problem.what for problem in problems] == ["not a PatientID"]

    def test_nobody_is_one_line(self, wanted_list, tmp_path, capsys):
        assert (
            main(["fetch", "--from", "https://x.example", "--patients", str(wanted_list("*")), "-o", str(tmp_path)])
            == 2
        )
        assert "no patient to fetch" in capsys.readouterr().err

    def test_modalities(self):
        assert checked_modalities(["ct,MR"]) == ("CT", "MR", "SEG", "RTSTRUCT", "SR")
        assert checked_modalities(["XR"])[:4] == ("CR", "DX", "RG", "PX")
        assert "NM" in checked_modalities([])
        with pytest.raises(ManifestError, match="modality US"):
            checked_modalities(["US"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0020000D", "Value", "vr"]), inner)
        ),
        max_leaves=8,
    )
)
def test_whatever_json_a_server_sends_a_value_is_text(entry):
    assert isinstance(_value(entry, "0020000D"), str)
