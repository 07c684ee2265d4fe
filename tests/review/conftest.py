"""Results of a reader's table, and a server over them that runs in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from review.review_client import EVIL, ORIGIN, PORT, TestClient

import mdanderson as mda
from mdanderson.batch.pages import report
from mdanderson.review.access import AccessPolicy
from mdanderson.review.app import make_app
from mdanderson.review.rescoring import Rescorer
from mdanderson.review.reviewed_folder import ReviewedFolder
from mdanderson.review.session import ReviewSession
from mdanderson.review.snapshot import Snapshot

TABLE = """\
patient_id,visit,date,modality,lesion_id,long_axis_mm,short_axis_mm,lesion_type,site
P01,baseline,2024-01-05,CT,L1,32,21,lytic,L3
P01,week 12,2024-04-02,CT,L1,27,20,lytic,L3
P01,baseline,2024-01-05,CT,L2,14,11,lytic,rib
P01,week 12,2024-04-02,CT,L2,14,11,lytic,rib
{evil},baseline,2024-01-09,CT,L1,24,18,lytic,"<img src=x onerror=alert(2)>"
{evil},week 12,2024-04-11,CT,L1,25,18,lytic,"<img src=x onerror=alert(2)>"
"""

EMPTY = Snapshot(categories={}, problems={})


class Nobody(Rescorer):
    """Takes what is asked, and scores nothing."""

    def submit(self, patient_id: str) -> None:
        self.asked.append(patient_id)

    asked: list[str]


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("review")
    (folder / "table.csv").write_text(TABLE.format(evil=EVIL), encoding="utf-8")
    mda.classify(folder / "table.csv", folder / "out", criteria=("mda2010",))
    with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):  # drawn at leisure elsewhere
        report(folder / "out")
    return folder / "out"


@pytest.fixture
def out(judged: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(judged, tmp_path / "out"))


@pytest.fixture
def bare(out: Path) -> Path:
    """Results without a report, which takes a second or two to write."""
    shutil.rmtree(out / "report")
    return out


@pytest.fixture
def serving(out: Path) -> Callable[..., TestClient]:
    def serve(**given: Any) -> TestClient:
        policy = AccessPolicy(port=PORT)
        rescorer = Nobody(folder=out, snapshot_of=lambda _: EMPTY)
        rescorer.asked = []
        session = ReviewSession(
            reviewed=ReviewedFolder.of_folder(out), rescorer=rescorer, **({"reader": "Smith"} | given)
        )
        client = TestClient(make_app(session, policy), base_url=ORIGIN, follow_redirects=False)
        client.policy, client.rescorer = policy, rescorer  # type: ignore[attr-defined]
        return client

    return serve


@pytest.fixture
def client(serving: Callable[..., TestClient]) -> TestClient:
    client = serving()
    assert client.get(f"/?token={client.policy.token}").status_code == 303
    return client
