"""Nobody is let in but a browser of this machine with the token, from the server's own pages."""

from __future__ import annotations

import pytest
from review.review_client import ORIGIN, PORT, key_of, page_of, post

from mdanderson.review.access import LARGEST_BODY

POSTED = {"Origin": ORIGIN, "Content-Type": "application/json"}


def test_the_address_becomes_a_cookie_that_scripts_and_other_sites_do_not_have(serving):
    client = serving()
    answer = client.get(f"/?token={client.policy.token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie == f"mdanderson-{PORT}={client.policy.token}; Path=/; HttpOnly; SameSite=Strict"
    assert len(client.policy.token) >= 43
    assert client.get("/").headers["location"] == "/report/index.html"
    assert client.get("/report/index.html").status_code == 200


@pytest.mark.parametrize("path", ["/", "/report/index.html", "/adjudication", "/review/state", "/nothing"])
def test_without_the_token_nothing_is_told(serving, path):
    client = serving()
    for answer in (
        client.get(path),
        client.get(f"{path}?token=wrong"),
        client.get(path, headers={"x-mdanderson-token": "wrong"}),
        client.get(path, headers={"cookie": f"mdanderson-{PORT}=wrong"}),
        client.get(path, headers={"cookie": 'a="\\'}),
        client.get(path, headers={"cookie": f"mdanderson-9={client.policy.token}"}),
    ):
        assert answer.status_code == 403
        assert "P01" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_malformed_cookie_of_another_program_does_not_lock_a_reader_out(serving):
    client = serving()
    cookies = f'other={{"a":"\\; b=[1,2; mdanderson-{PORT}={client.policy.token}'
    assert client.get("/report/index.html", headers={"cookie": cookies}).status_code == 200


def test_a_long_question_is_refused_as_any_other(serving):
    answer = serving().get("/?" + "&".join(f"a{number}=1" for number in range(30)))
    assert answer.status_code == 403
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_token_may_come_in_a_header(serving):
    client = serving()
    assert client.get("/report/index.html", headers={"x-mdanderson-token": client.policy.token}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"0.0.0.0:{PORT}", ""]
)
def test_another_name_for_this_machine_is_refused(client, host):
    """DNS rebinding: the browser believes that it speaks to evil.example."""
    assert client.get("/report/index.html", headers={"host": host}).status_code == 421
    assert client.get(f"/?token={client.policy.token}", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 403),
        (POSTED | {"Origin": "null"}, 403),
        (POSTED | {"Origin": "http://127.0.0.1:9999"}, 403),
        (POSTED | {"Origin": f"https://127.0.0.1:{PORT}"}, 403),
        (POSTED | {"Origin": "http://evil.example"}, 403),
        (POSTED | {"Sec-Fetch-Site": "same-site"}, 403),
        (POSTED | {"Sec-Fetch-Site": "cross-site"}, 403),
        (POSTED | {"Content-Type": "text/plain"}, 415),
        (POSTED | {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (POSTED | {"Content-Length": "-1"}, 413),
        (POSTED | {"Content-Length": "many"}, 413),
        (POSTED | {"Content-Length": str(LARGEST_BODY + 1)}, 413),
    ],
)
def test_a_post_that_is_not_from_our_page_changes_nothing(client, out, headers, status):
    for address in ("/review/entry", "/review/settle", "/review/rescore"):
        assert client.post(address, content=b"{}", headers=headers).status_code == status
    assert not (out / "reads.csv").exists()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client, method):
    assert client.request(method, "/review/entry").status_code == 405


def test_a_body_in_pieces_is_bounded_as_well(client, out):
    def pieces():
        for _ in range(20):
            yield b"x" * 8192

    answer = client.post("/review/entry", content=pieces(), headers=POSTED)
    assert answer.status_code == 413
    assert not (out / "reads.csv").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/report/../run.json",
        "/report/%2e%2e/run.json",
        "/report/patients/../../run.json",
        "/report/patients/..%2f..%2frun.json",
        "/report/patients/%2e%2e%2f%2e%2e%2frun.json",
        "/report/patients//etc/passwd",
        "/report/patients/nobody-00000000.html",
        "/run.json",
        "/reads.csv",
        "/report/patients/",
        "/report/patients/a%00b",
    ],
)
def test_no_path_leads_out_of_the_report(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "settings" not in answer.text


def test_pages_may_run_their_own_scripts_and_speak_to_us_alone(client):
    answer = client.get(f"/report/patients/{page_of('P01')}")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["form-action"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in policy["script-src"]
    assert policy["script-src"].count("sha256-") >= 2
    assert "Content-Security-Policy" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"


def test_the_page_on_disk_stays_as_it_is(client, out):
    page = out / "report" / "patients" / page_of("P01")
    before = page.read_bytes()
    assert 'id="review"' in client.get(f"/report/patients/{page.name}").text
    key = key_of(client, page.name, "L1 · CT · week 12")
    assert post(client, page=page.name, item=key, comment="seen").status_code == 200
    assert page.read_bytes() == before
    assert b'id="review"' not in before


@pytest.mark.parametrize("linked", ["report", "report/patients", "report/patients/PAGE", "report/index.html"])
def test_a_page_behind_a_link_is_refused_by_name(client, out, tmp_path, linked):
    """Also one that leads to a page of ours, which may be of other patients."""
    page = page_of("P01")
    place = out / linked.replace("PAGE", page)
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    concerned = "/report/index.html" if linked.endswith("index.html") else f"/report/patients/{page}"
    answer = client.get(concerned)
    assert answer.status_code == 500
    assert answer.text.startswith(f"a page is a link, or lies behind one @ {concerned[1:]}; ")


def test_a_page_that_is_not_ours_is_not_served(client, out):
    (out / "report" / "index.html").write_text("<html><head></head><body><script>1</script></body></html>")
    answer = client.get("/report/index.html")
    assert answer.status_code == 500
    assert answer.text.startswith("a page is not as `mdanderson report` writes it; ")
