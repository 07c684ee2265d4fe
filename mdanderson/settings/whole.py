"""All settings of one run, checked together, from a TOML file or a mapping."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from mdanderson.errors import SettingsError
from mdanderson.settings.comparators import Eortc, Irecist, Mda2004, Pcwg3, Percist, Recist11, Uicc, Who
from mdanderson.settings.faults import CONTRADICTION, EVERYTHING, as_settings_error
from mdanderson.settings.field import STRICT
from mdanderson.settings.image import ImageSettings
from mdanderson.settings.modalities import Mr, Pet, Radiograph, Scintigraphy
from mdanderson.settings.policy import Policy
from mdanderson.settings.uncertainty import Uncertainty

__all__ = ["Settings"]

_NOT_ABOVE = (
    ("irecist.confirm_from_weeks", "irecist.confirm_to_weeks"),
    ("recist11.node_normal_mm", "recist11.node_target_mm"),
    ("image.lytic_minimum_osteoporotic_hu", "image.lytic_minimum_hu"),
    ("image.type_minority", "image.type_majority"),
    ("image.partial_fill_in", "image.complete_fill_in"),
    ("image.complete_fill_in_sclerotic", "image.complete_fill_in"),
    ("image.normal_t1_low", "image.normal_t1_high"),
    ("image.grown_share", "image.visible_share"),
)
"""Settings that contradict each other where the first is above the second."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """All settings of one run. `from_toml` reads a file; every section and key may be left out."""

    policy: Policy = Field(default_factory=Policy)
    image: ImageSettings = Field(default_factory=ImageSettings)
    mr: Mr = Field(default_factory=Mr)
    scintigraphy: Scintigraphy = Field(default_factory=Scintigraphy)
    pet: Pet = Field(default_factory=Pet)
    radiograph: Radiograph = Field(default_factory=Radiograph)
    uncertainty: Uncertainty = Field(default_factory=Uncertainty)
    mda2004: Mda2004 = Field(default_factory=Mda2004)
    who: Who = Field(default_factory=Who)
    uicc: Uicc = Field(default_factory=Uicc)
    recist11: Recist11 = Field(default_factory=Recist11)
    irecist: Irecist = Field(default_factory=Irecist)
    percist: Percist = Field(default_factory=Percist)
    eortc: Eortc = Field(default_factory=Eortc)
    pcwg3: Pcwg3 = Field(default_factory=Pcwg3)

    def __post_init__(self) -> None:
        for low, high in _NOT_ABOVE:
            least, most = self._value(low), self._value(high)
            if least > most:
                told = {"key": low, "value": least, "other": high, "limit": most}
                raise PydanticCustomError(CONTRADICTION, "above {other}, which is {limit}", told)

    def _value(self, key: str) -> float:
        section, _, name = key.partition(".")
        value: float = getattr(getattr(self, section), name)
        return value

    @classmethod
    def from_toml(cls, path: str | Path) -> Settings:
        """The settings in a TOML file.

        Raises `SettingsError` naming file, line and the first key that is unknown, of a wrong type, out of bounds, or
        in contradiction to another.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
            sections = tomllib.loads(text)
        except OSError as error:
            raise SettingsError(
                "the settings file cannot be read", where=str(path), way_out=f"check the path ({error.strerror})"
            ) from error
        except UnicodeDecodeError as error:
            raise SettingsError("not a text file in UTF-8", where=str(path), way_out=EVERYTHING) from error
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"not TOML: {error}", where=str(path), way_out="mend the line named") from error
        except (RecursionError, ValueError) as error:
            what = "not TOML: nested too deeply" if isinstance(error, RecursionError) else f"not TOML: {error}"
            raise SettingsError(what, where=str(path), way_out=EVERYTHING) from error
        return cls._checked(sections, path=str(path), text=text)

    @classmethod
    def from_mapping(cls, sections: dict[str, Any]) -> Settings:
        """The settings in a dictionary of sections, as TOML gives it. Raises `SettingsError`."""
        return cls._checked(sections)

    @classmethod
    def _checked(cls, sections: dict[str, Any], *, path: str = "", text: str = "") -> Settings:
        """The settings, where they are from; a fault is told by its key, and by its line where there is a text."""
        try:
            return TypeAdapter(cls).validate_python(sections)
        except ValidationError as error:
            raise as_settings_error(error, known=Settings().as_mapping(), path=path, text=text) from error

    def as_mapping(self) -> dict[str, Any]:
        """Plain values, as run.json records them."""
        return {section: _plain(values) for section, values in asdict(self).items()}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: list(map(str, value)) if isinstance(value, tuple) else value for key, value in values.items()}
