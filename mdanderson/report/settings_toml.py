"""Every setting with its default, bounds and source, as a TOML file that a user can edit and give back."""

from __future__ import annotations

from mdanderson.report.known_settings import KnownSetting, SettingsSection, known_sections
from mdanderson.settings import Settings

__all__ = ["settings_toml"]


def settings_toml(settings: Settings | None = None) -> str:
    """A complete TOML file: what stands in `settings` (the defaults without), sources as comments."""
    sections = "\n".join(map(_section, known_sections(settings)))
    return "# Settings of mdanderson; every section and key may be left out.\n\n" + sections


def _section(section: SettingsSection) -> str:
    return f"[{section.name}]\n" + "".join(map(_key, section.keys))


def _key(known: KnownSetting) -> str:
    allowed = f" [{known.allowed}]" if known.allowed else ""
    return f"# {known.source}{allowed}\n{known.name} = {known.value}\n"
