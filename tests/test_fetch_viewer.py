"""The build step that fetches the viewer: one version, its content checked, never failing where it is only wanted."""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tarfile
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from mdanderson.report.html import viewer

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The step, writing to a folder of the test."""
    spec = spec_from_file_location("fetch_viewer", ROOT / "tools" / "fetch_viewer.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(module, "SCRIPT", tmp_path / "vendor" / "niivue.umd.js")
    return module


def package(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def npm_giving(content: bytes, tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm leaves this in the folder that it is called in."""
    monkeypatch.setattr(tool, "npm", lambda _: ["npm"])
    monkeypatch.setattr(tool, "run", lambda _, where: (where / "niivue-niivue-0.0.0.tgz").write_bytes(content))


def test_it_goes_where_pages_look_for_it_and_git_does_not(tool: ModuleType) -> None:
    step = (ROOT / "tools" / "fetch_viewer.py").read_text(encoding="utf-8")
    assert '"mdanderson" / "report" / "html" / "vendor"' in step
    assert ROOT / "mdanderson" / "report" / "html" / "vendor" / tool.SCRIPT.name == viewer.SCRIPT
    assert "mdanderson/report/html/vendor/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert all(build[target]["artifacts"] == ["mdanderson/report/html/vendor/*"] for target in ("wheel", "sdist"))


def test_another_content_than_was_pinned_is_refused(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    npm_giving(package(tool.MEMBER, b"window.ran = 1"), tool, monkeypatch)
    assert tool.main([]) == 1
    assert "is not what was pinned" in capsys.readouterr().err
    assert not tool.VENDOR.exists()


def test_one_file_is_taken_and_its_licence_laid_beside(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    content = package(tool.MEMBER, b"niivue")
    monkeypatch.setattr(tool, "SHA512", base64.b64encode(hashlib.sha512(content).digest()).decode())
    npm_giving(content, tool, monkeypatch)
    assert tool.main([]) == 0
    assert {path.name for path in tool.VENDOR.iterdir()} == {viewer.SCRIPT.name, viewer.LICENCE.name}
    assert tool.SCRIPT.read_bytes() == b"niivue"
    assert "BSD 2-Clause" in (tool.VENDOR / viewer.LICENCE.name).read_text(encoding="utf-8")


def test_without_a_network_there_is_one_line_and_no_failure_where_it_is_only_wanted(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "npm", lambda _: [sys.executable, "-c", "import sys; sys.exit('no network')"])
    assert tool.main(["--if-possible"]) == 0
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "no network" in line
    assert "pictures" in line
    assert tool.main([]) == 1


def test_a_package_without_the_file_is_refused(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        tool.script_in(package("package/../../evil", b""))
