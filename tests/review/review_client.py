"""How the tests speak to the review server: as a page of its own does."""

from __future__ import annotations

import warnings
from typing import Any

from mdanderson.report.html import page_name

with warnings.catch_warnings():  # it would rather have another HTTP client, which nothing else here needs
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["EVIL", "ORIGIN", "PORT", "TestClient", "key_of", "page_of", "post", "state"]

PORT = 8765
ORIGIN = f"http://127.0.0.1:{PORT}"
EVIL = "=P<script>alert(1)</script>"


def page_of(patient_id: str) -> str:
    return page_name(patient_id)


def state(client: TestClient, page: str) -> dict[str, Any]:
    answer = client.get("/review/state", params={"page": page})
    assert answer.status_code == 200, answer.text
    return answer.json()


def key_of(client: TestClient, page: str, title: str) -> str:
    (key,) = (key for key, told in state(client, page)["items"].items() if told["titles"][0] == title)
    return key


def post(client: TestClient, address: str = "/review/entry", **told: Any) -> Any:
    return client.post(address, json=told, headers={"Origin": ORIGIN})
