"""Settings: defaults as the criteria print them, every bound from both sides, and what a user's mistake is answered."""

from __future__ import annotations

import math
from typing import Any

import annotated_types as at
import pytest
from pydantic import ValidationError

from mdanderson.errors import SettingsError
from mdanderson.settings import ImageSettings, Irecist, Policy, Settings, whole
from mdanderson.vocabulary import Modality, Scope

SECTIONS: dict[str, Any] = {"policy": Policy, "image": ImageSettings}
FIELDS = [
    (section, name, field) for section, cls in SECTIONS.items() for name, field in cls.__pydantic_fields__.items()
]

PRINTED = {
    "pr_size_fall": 0.5,
    "pd_size_rise": 0.25,
    "pr_uptake_fall": 0.5,
    "pd_uptake_rise": 0.25,
    "pd_absolute_mm": 0,
    "minimum_size_mm": 10,
    "new_lesion_mm": 5,
    "progression_reference": "nadir",
    "size_scope": Scope.SUM,
    "response_share": 0.5,
    "flare_window_weeks": 12,
    "scan_only_progression": "unconfirmed",
    "scan_confirm_weeks": 6,
    "confirm_weeks": 0,
    "modality_order": (Modality.CT, Modality.MR, Modality.XR, Modality.PT, Modality.NM),
    "visit_window_days": 14,
    "oligo_max_lesions": 5,
    "treated_lesions": "exclude",
}
PRINTED_IMAGE = {
    "smoothing_sigma_mm": 1.5,
    "lytic_robust_sd": 2,
    "lytic_minimum_hu": 40,
    "lytic_minimum_osteoporotic_hu": 25,
    "osteoporotic_below_hu": 100,
    "sclerotic_robust_sd": 3,
    "sclerotic_minimum_hu": 100,
    "type_majority": 0.5,
    "type_minority": 0.2,
    "complete_fill_in": 0.95,
    "complete_fill_in_sclerotic": 0.5,
    "partial_fill_in": 0.25,
    "rim_fraction": 0.5,
    "rim_fraction_rise": 0.3,
    "normal_robust_sd": 1,
    "normal_minimum_hu": 40,
    "normal_class_share": 0.1,
    "normal_t1_low": 0.8,
    "normal_t1_high": 1.2,
    "normal_t2_high": 1.2,
    "normal_opposed_in": 0.8,
    "normal_uptake": 1.2,
}


PARTNERS = {
    "lytic_minimum_hu": {"lytic_minimum_osteoporotic_hu": 1e-9},
    "type_majority": {"type_minority": 0.0},
    "type_minority": {"type_majority": 1.0},
    "complete_fill_in": {"complete_fill_in_sclerotic": 1e-9, "partial_fill_in": 1e-9},
    "complete_fill_in_sclerotic": {"complete_fill_in": 1.0},
    "partial_fill_in": {"complete_fill_in": 1.0},
    "lytic_minimum_osteoporotic_hu": {"lytic_minimum_hu": 1000.0},
    "normal_t1_high": {"normal_t1_low": 1e-9},
    "normal_t1_low": {"normal_t1_high": 1000.0},
    "visible_share": {"grown_share": 1e-9},
    "grown_share": {"visible_share": 1.0},
}
"""Setting -> those that must make room for it to go to its own bounds, lest the two contradict each other."""


def setting(section: str, name: str, value: Any) -> Any:
    """The value that a settings file with this entry, and with those that make room for it, ends up with."""
    return getattr(getattr(Settings.from_mapping({section: {name: value} | PARTNERS.get(name, {})}), section), name)


def refusal(section: str, name: str, value: Any) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({section: {name: value}})
    return caught.value


def bounds(kind: type) -> list[Any]:
    """One case a bounded field: section, name, the bound, and a small step of the field's own type."""
    return [
        pytest.param(
            section, name, getattr(bound, kind.__name__.lower()), 1 if isinstance(field.default, int) else 1e-9, id=name
        )
        for section, name, field in FIELDS
        for bound in field.metadata
        if isinstance(bound, kind)
    ]


@pytest.mark.parametrize(("defaults", "printed"), [(Policy(), PRINTED), (ImageSettings(), PRINTED_IMAGE)])
def test_defaults_are_those_of_the_criteria(defaults, printed):
    assert {name: getattr(defaults, name) for name in printed} == printed


@pytest.mark.parametrize(("section", "name", "least", "step"), bounds(at.Ge))
def test_at_least(section, name, least, step):
    assert setting(section, name, least) == least
    assert setting(section, name, least + step) == least + step
    assert name in refusal(section, name, least - step).what


@pytest.mark.parametrize(("section", "name", "bound", "step"), bounds(at.Gt))
def test_more_than(section, name, bound, step):
    assert setting(section, name, bound + step) == bound + step
    assert name in refusal(section, name, bound).what
    assert name in refusal(section, name, bound - step).what


@pytest.mark.parametrize(("section", "name", "most", "step"), bounds(at.Le))
def test_at_most(section, name, most, step):
    assert setting(section, name, most) == most
    assert setting(section, name, most - step) == most - step
    assert name in refusal(section, name, most + step).what


@pytest.mark.parametrize(("section", "name", "bound", "step"), bounds(at.Lt))
def test_less_than(section, name, bound, step):
    assert setting(section, name, bound - step) == bound - step
    assert name in refusal(section, name, bound).what
    assert name in refusal(section, name, bound + step).what


def test_all_four_kinds_of_bounds_are_in_use():
    assert all(bounds(kind) for kind in (at.Ge, at.Gt, at.Le, at.Lt))


@pytest.mark.parametrize(("section", "name", "field"), FIELDS)
def test_every_field_names_its_source(section, name, field):
    assert field.description
    assert len(field.description) > 10


@pytest.mark.parametrize(("section", "name", "field"), FIELDS)
def test_every_field_takes_its_own_default_and_refuses_a_table(section, name, field):
    assert setting(section, name, field.default) == field.default
    assert refusal(section, name, {"a": 1}).what.startswith(f"{section}.{name}")


NUMBERS = [case for case in FIELDS if isinstance(case[2].default, float)]
COUNTS = [case for case in FIELDS if isinstance(case[2].default, int)]


@pytest.mark.parametrize(("section", "name", "field"), NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, True, "0.4"])
def test_a_number_is_a_finite_number(section, name, field, value):
    assert refusal(section, name, value).what.startswith(f"{section}.{name}")


@pytest.mark.parametrize(("section", "name", "field"), COUNTS)
@pytest.mark.parametrize("value", [2.5, True, "7"])
def test_a_count_is_a_whole_number(section, name, field, value):
    assert refusal(section, name, value).what.startswith(f"{section}.{name}")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("progression_reference", "baseline", "first"),
        ("size_scope", "each", "all"),
        ("scan_only_progression", "accept", "reject"),
        ("treated_lesions", "include", "drop"),
        ("modality_order", ["MR", "CT"], ["MR", "US"]),
    ],
)
def test_words_are_those_of_the_contract(name, good, bad):
    taken = setting("policy", name, good)
    assert (list(taken) if isinstance(taken, tuple) else taken) == good
    assert name in refusal("policy", name, bad).what


def test_an_unknown_key_is_refused_by_name():
    error = refusal("policy", "pr_size_fal", 0.4)
    assert "policy.pr_size_fal" in error.what
    assert "mdanderson settings" in error.way_out


def test_an_unknown_section_is_refused_by_name():
    with pytest.raises(SettingsError, match="polcy"):
        Settings.from_mapping({"polcy": {}})


def test_a_section_is_a_table():
    with pytest.raises(SettingsError, match=r"^policy"):
        Settings.from_mapping({"policy": 3})


def test_nothing_given_is_all_defaults():
    assert Settings.from_mapping({}) == Settings()


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Settings().policy.pr_size_fall = 0.1


def test_a_toml_file_is_read(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[policy]\nsize_scope = "each"\nminimum_size_mm = 15\n[image]\nlytic_minimum_hu = 50.0\n')
    read = Settings.from_toml(path)
    assert read.policy.size_scope is Scope.EACH
    assert read.policy.minimum_size_mm == 15.0
    assert read.image.lytic_minimum_hu == 50.0
    assert read.policy.pr_size_fall == 0.5


def test_a_slip_in_toml_names_file_and_line(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[policy]\npr_size_fall = = 0.5\n")
    with pytest.raises(SettingsError, match="line 2") as caught:
        Settings.from_toml(path)
    assert caught.value.where == str(path)


def test_bytes_that_are_no_text_are_no_toml(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not a text file in UTF-8"):
        Settings.from_toml(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        Settings.from_toml(tmp_path / "none.toml")
    assert caught.value.where == str(tmp_path / "none.toml")


def test_a_wrong_value_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[policy]\npr_size_fall = 1.5\n")
    with pytest.raises(SettingsError, match=r"less than 1, got 1\.5") as caught:
        Settings.from_toml(path)
    assert caught.value.where == f"{path} line 2"


def told(tmp_path, text):
    """The line that a user reads, without the folder."""
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        Settings.from_toml(path)
    return str(caught.value).replace(str(path), "run.toml").removesuffix(EVERYTHING)


EVERYTHING = "`mdanderson settings` prints every key with its default"
CROSSED = (
    "irecist.confirm_from_weeks: {} is above irecist.confirm_to_weeks, which is {} @ run.toml line {}; "
    "lower it, or raise irecist.confirm_to_weeks; "
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[policy]\n\npr_size_fal = 0.4\n",
            "policy.pr_size_fal: unknown key @ run.toml line 3; is pr_size_fall meant? ",
        ),
        ("# mine\n[polcy]\nx = 1\n", "polcy: unknown section @ run.toml line 2; is policy meant? "),
        (
            "[policy]\n[image]\nresponse_share = 0.4\n",
            "image.response_share: unknown key @ run.toml line 3; it stands under [policy]; ",
        ),
        ("[eortc]\nzzz = 1\n", "eortc.zzz: unknown key @ run.toml line 2; "),
        (
            "policy.flare_window_weeks = -1\n",
            "policy.flare_window_weeks: input should be greater than or equal to 0, got -1 @ run.toml line 1; ",
        ),
        (
            'policy = { response_share = "half" }\n',
            "policy.response_share: input should be a valid number, got 'half' @ run.toml line 1; ",
        ),
        (
            '[ policy ]\nmodality_order = [\n  "CT",\n  "US",\n]\n',
            "policy.modality_order: input should be 'CT', 'MR', 'NM', 'PT' or 'XR', got 'US' @ run.toml line 2; ",
        ),
        (
            "[recist11]\nmaximum_targets = 0\n[policy]\npr_size_fall = 1.2\n",
            "recist11.maximum_targets: input should be greater than or equal to 1, got 0 @ run.toml line 2; ",
        ),
        (
            "[irecist]\nconfirm_from_weeks = 9\n",
            CROSSED.format(9.0, 8.0, 2),
        ),
        (
            "[irecist]\n# earlier\nconfirm_to_weeks = 3.5\n",
            CROSSED.format(4.0, 3.5, 3),
        ),
    ],
)
def test_a_fault_is_told_with_line_key_and_way_out(tmp_path, text, line):
    assert told(tmp_path, text) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "policy = 3\n",
            "policy: should be a section with keys, got 3 @ run.toml line 1; ",
        ),
        (
            '[policy]\nmodality_order = "CT"\n',
            "policy.modality_order: should be a list, as in [\"CT\"], got 'CT' @ run.toml line 2; ",
        ),
        (
            "[policy]\nmodality_order = []\n",
            "policy.modality_order: should name at least one, got [] @ run.toml line 2; ",
        ),
        (
            '[policy]\nmodality_order = ["CT", "MR", "CT"]\n',
            "policy.modality_order: should name CT once, got ['CT', 'MR', 'CT'] @ run.toml line 2; ",
        ),
        (
            "[policy]\nsize_sequence_order = []\n",
            "policy.size_sequence_order: should name at least one, got [] @ run.toml line 2; ",
        ),
        ("[uicc]\nmodalities = []\n", "uicc.modalities: should name at least one, got [] @ run.toml line 2; "),
        (
            "[policy]\nconfirm_weeks = 1e12\n",
            "policy.confirm_weeks: input should be less than or equal to 1000, got 1000000000000.0 @ run.toml line 2; ",
        ),
        (
            "[policy]\nscan_confirm_weeks = 500000\n",
            "policy.scan_confirm_weeks: input should be less than or equal to 1000, got 500000 @ run.toml line 2; ",
        ),
        (
            "[policy]\nvisit_window_days = 367\n",
            "policy.visit_window_days: input should be less than or equal to 366, got 367 @ run.toml line 2; ",
        ),
        (
            f"[policy]\nsize_scope = '{'x' * 500}'\n",
            f"policy.size_scope: input should be 'sum' or 'each', got '{'x' * 27}...{'x' * 28}' @ run.toml line 2; ",
        ),
    ],
)
def test_what_a_programmer_would_say_is_told_in_plain_words(tmp_path, text, line):
    assert told(tmp_path, text) == line


@pytest.mark.parametrize("section", list(Settings().as_mapping()))
def test_no_number_is_without_end(section):
    """A number near the greatest that a computer knows would overflow in the middle of a run."""
    for name, value in Settings().as_mapping()[section].items():
        if isinstance(value, float):
            assert refusal(section, name, 1e308).what.startswith(f"{section}.{name}")


def test_a_mark_of_byte_order_is_no_fault(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes("\ufeff[policy]\npr_size_fall = 0.4\n".encode())
    assert Settings.from_toml(path).policy.pr_size_fall == 0.4


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"[policy]\nconfirm_weeks = " + b"[" * 50_000 + b"]" * 50_000, "not TOML: nested too deeply"),
        (b"[policy]\nconfirm_weeks = " + b"9" * 5000, "not TOML: Exceeds the limit"),
        (b"\x89PNG\r\n\x1a\n", "not a text file in UTF-8"),
        (b"\0\0\0", "not TOML: Invalid"),
    ],
)
def test_a_file_that_is_no_settings_is_one_line(tmp_path, content, line):
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        Settings.from_toml(path)
    assert str(caught.value).startswith(line)
    assert caught.value.where == str(path)
    assert len(str(caught.value).splitlines()) == 1


CONTRADICTIONS = [(low, high) for low, high in whole._NOT_ABOVE]


@pytest.mark.parametrize(("low", "high"), CONTRADICTIONS)
def test_two_settings_may_meet_but_not_cross(low, high):
    """At the limit itself they agree; just above it they do not."""
    section, name = low.split(".")
    limit = getattr(getattr(Settings(), section), high.split(".")[1])
    assert getattr(getattr(Settings.from_mapping({section: {name: limit}}), section), name) == limit
    error = refusal(section, high.split(".")[1], getattr(getattr(Settings(), section), name) - 1e-6)
    assert error.what.startswith(f"{low}: ")
    assert high in error.way_out


def test_a_contradiction_is_refused_in_python_too():
    with pytest.raises(ValidationError, match=r"above irecist\.confirm_to_weeks, which is 8"):
        Settings(irecist=Irecist(confirm_from_weeks=9))


def test_plain_values_make_the_same_settings_again():
    settings = Settings.from_mapping({"policy": {"modality_order": ["MR", "CT"], "size_scope": "each"}})
    plain = settings.as_mapping()
    assert plain["policy"]["modality_order"] == ["MR", "CT"]
    assert Settings.from_mapping(plain) == settings
