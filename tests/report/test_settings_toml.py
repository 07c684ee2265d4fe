"""`mdanderson settings`: complete, sourced, and read back as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mdanderson.report.settings_toml import settings_toml
from mdanderson.settings import ImageSettings, Policy, Settings
from mdanderson.vocabulary import Modality, Scope


def test_the_defaults_read_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(settings_toml(), encoding="utf-8")
    assert Settings.from_toml(path) == Settings()


def test_changed_settings_read_back(tmp_path: Path) -> None:
    changed = Settings(
        policy=Policy(size_scope=Scope.EACH, modality_order=(Modality.MR, Modality.CT)),
        image=ImageSettings(lytic_robust_sd=0.1 + 0.2),
    )
    path = tmp_path / "settings.toml"
    path.write_text(settings_toml(changed), encoding="utf-8")
    assert Settings.from_toml(path) == changed


@pytest.mark.parametrize(("section", "kind"), [("policy", Policy), ("image", ImageSettings)])
def test_every_setting_is_there_with_its_source(section: str, kind: type) -> None:
    text = settings_toml()
    assert list(tomllib.loads(text)[section]) == list(kind.__pydantic_fields__)
    for name, known in kind.__pydantic_fields__.items():
        line, comment = next(
            (line, before)
            for before, line in zip(text.splitlines(), text.splitlines()[1:], strict=False)
            if line.startswith(f"{name} = ")
        )
        assert comment.startswith(f"# {known.description}"), line


@pytest.mark.parametrize(
    "lines",
    [
        "# MDA 2010 PR3: size falls by >= 50 % [> 0, < 1]\npr_size_fall = 0.5\n",
        '[one of nadir baseline]\nprogression_reference = "nadir"\n',
        '[one of sum each]\nsize_scope = "sum"\n',
        '[any of CT MR NM PT XR]\nmodality_order = ["CT", "MR", "XR", "PT", "NM"]\n',
    ],
)
def test_bounds_and_words_are_told(lines: str) -> None:
    assert lines in settings_toml()
