"""What an MR image weighs: headers as vendors write them, thresholds below, at and above, and what is never guessed."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import ImageError
from mdanderson.readers.mr_facts import MrFacts
from mdanderson.readers.mr_sequence import BY_NAME, image_kind, opposition, recognise
from mdanderson.readers.mr_told import agrees, settled
from mdanderson.vocabulary import MrSequence

T1, T2, STIR, IN, OPP = MrSequence.T1, MrSequence.T2, MrSequence.STIR, MrSequence.IN, MrSequence.OPP
ADC, FAT, WATER = MrSequence.ADC, MrSequence.FAT, MrSequence.WATER


def spin_echo(tr: float, te: float, **more: object) -> MrFacts:
    return MrFacts(scanning=frozenset({"SE"}), repetition_time_ms=tr, echo_time_ms=te, **more)


def inverted(ti: float | None, tr: float = 4000, te: float = 40, kind: str = "SE") -> MrFacts:
    return MrFacts(
        scanning=frozenset({kind, "IR"}), inversion_time_ms=ti, repetition_time_ms=tr, echo_time_ms=te, words=("M",)
    )


def gradient_echo(te: float, field: float = 1.5, tr: float = 150, flip: float = 70, **more: object) -> MrFacts:
    return MrFacts(
        **{
            "scanning": frozenset({"GR"}),
            "is_spoiled": True,
            "echo_time_ms": te,
            "field_strength_t": field,
            "repetition_time_ms": tr,
            "flip_degrees": flip,
            **more,
        }
    )


def words(*more: str) -> MrFacts:
    return MrFacts(words=more)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (words("DIFFUSION", "ADC", "ND", "NORM"), ADC),  # Siemens
        (words("ADC", "ADC", "UNSPECIFIED"), ADC),  # Philips
        (words("DIXON", "WATER"), WATER),  # Siemens, GE
        (words("DIXON", "FAT"), FAT),
        (words("DIXON", "IN_PHASE"), IN),
        (words("OPP_PHASE", "DIS2D"), OPP),
        (words("OUT_OF_PHASE"), OPP),
        (words("W", "W", "DERIVED"), WATER),  # Philips mDIXON
        (words("F", "F", "DERIVED"), FAT),
        (words("IP", "IP", "DERIVED"), IN),
        (words("OP", "OP", "DERIVED"), OPP),
        (MrFacts(quantity="113041"), ADC),
        # not what they resemble
        (words("DIFFUSION", "FA"), None),
        (words("DIFFUSION", "TRACEW"), None),
        (words("EADC"), None),
        (words("FAT_FRACTION"), None),
        (words("T2_STAR_MAP"), None),
        (words("T1 MAP"), None),
        (words("SUBTRACTION"), None),
        (words("MIP"), None),
        (words("WATER", "FAT"), None),
        (words("MPR", "ND", "NORM", "DIS3D"), None),
    ],
)
def test_image_type_says_what_an_image_is(facts, expected) -> None:
    assert recognise(facts).sequence is expected
    timed = dataclasses.replace(
        facts, scanning=frozenset({"SE"}), repetition_time_ms=500.0, echo_time_ms=12.0, description="T2"
    )
    plain = image_kind(facts)[0] == ""
    assert recognise(timed).sequence is (T1 if plain else expected)  # what it is goes before how it was timed


@pytest.mark.parametrize("component", ["phase", "real", "imaginary"])
def test_only_magnitude_is_signal(component) -> None:
    facts = spin_echo(500, 12, component=component, words=("DIXON", "WATER"))
    assert recognise(facts).sequence is None
    assert recognise(facts).why == f"{component} image"
    assert not agrees(facts, recognise(facts), T1)


@pytest.mark.parametrize(
    ("tr", "te", "expected"),
    [
        (500, 12, T1),
        (1000, 30, T1),
        (1000.1, 30, None),
        (1000, 30.1, None),
        (3500, 100, T2),
        (1500, 60, T2),
        (1499.9, 60, None),
        (1500, 59.9, None),
        (3000, 30, None),  # proton density
    ],
)
def test_a_spin_echo_is_told_by_its_times(tr, te, expected) -> None:
    assert recognise(spin_echo(tr, te)).sequence is expected
    assert recognise(spin_echo(tr, te, description="T1 T2")).sequence is expected


@pytest.mark.parametrize("missing", ["repetition_time_ms", "echo_time_ms"])
def test_half_of_the_times_tells_nothing(missing) -> None:
    assert recognise(dataclasses.replace(spin_echo(500, 12), **{missing: None})).why == ""


@pytest.mark.parametrize("scanning", [{"SE", "EP"}, {"SE", "GR"}, {"RM"}, set()])
def test_other_pulse_sequences_are_no_spin_echo(scanning) -> None:
    assert recognise(dataclasses.replace(spin_echo(500, 12), scanning=frozenset(scanning))).why == ""


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (inverted(79.9), None),
        (inverted(80), STIR),
        (inverted(160), STIR),
        (inverted(300), STIR),
        (inverted(300.1), None),
        (inverted(160, tr=999.9), None),
        (inverted(160, tr=1000), STIR),
        (inverted(160, kind="GR"), None),
        (inverted(None), None),
        (inverted(2500, tr=9000, te=100), None),  # FLAIR
        (inverted(900, tr=2000, te=3, kind="GR"), T1),  # MPRAGE
        (inverted(900, tr=2000, te=30.1), None),
        (inverted(1499.9, tr=9000, te=30), T1),
        (inverted(1500, tr=9000, te=30), None),
    ],
)
def test_an_inversion_is_told_by_its_time(facts, expected) -> None:
    assert recognise(facts).sequence is expected


def test_an_inversion_time_without_inversion_tells_nothing() -> None:
    """Fat saturation by a selective inversion (SPAIR) has an inversion time as well."""
    facts = spin_echo(4000, 80, inversion_time_ms=160.0, fat_suppressed=True)
    assert recognise(facts).sequence is T2


@pytest.mark.parametrize(
    ("field", "te", "expected"),
    [
        (1.5, 2.3, OPP),
        (1.5, 4.6, IN),
        (1.5, 2.39, OPP),
        (1.5, 4.77, IN),
        (3.0, 1.15, OPP),
        (3.0, 1.23, OPP),
        (3.0, 2.3, IN),
        (3.0, 2.46, IN),
        (3.0, 3.45, OPP),
        (3.0, 4.6, IN),
        (1.0, 3.45, OPP),
        (1.0, 6.9, IN),
        (1.5, 3.45, None),  # a quarter turn
        (1.5, 0.1, None),  # before fat and water part
        (1.5, 11.5, None),  # half a turn, two turns late
        (None, 2.3, None),
        (1.5, None, None),
    ],
)
def test_fat_and_water_by_echo_time_and_field(field, te, expected) -> None:
    facts = MrFacts(scanning=frozenset({"GR"}), field_strength_t=field, echo_time_ms=te)
    assert opposition(facts) is expected
    assert recognise(facts, echoes=2).sequence is expected
    assert recognise(dataclasses.replace(facts, words=("DIXON",))).sequence is expected
    assert recognise(facts, echoes=1).sequence is None  # one echo alone is no pair
    assert recognise(dataclasses.replace(facts, scanning=frozenset({"SE"})), echoes=2).sequence is None


@given(field=st.floats(0.5, 7.0), turns=st.sampled_from([0.5, 1.0, 1.5, 2.0]))
def test_phase_turns_with_the_field(field, turns) -> None:
    te = turns / (3.4e-6 * 42.577e6 * field) * 1e3
    assert opposition(MrFacts(field_strength_t=field, echo_time_ms=te)) is (IN if turns.is_integer() else OPP)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (gradient_echo(4.6), T1),
        (gradient_echo(2.3), None),  # fat cancels water
        (gradient_echo(2.3, fat_suppressed=True), T1),
        (gradient_echo(4.6, is_spoiled=False), None),
        (gradient_echo(4.6, flip=33.9), None),  # the Ernst angle is 34.0 degrees
        (gradient_echo(4.6, flip=34.1), T1),
        (gradient_echo(2.3, field=3.0, tr=5, flip=10), T1),
        (gradient_echo(2.3, field=3.0, tr=10, flip=3), None),  # proton density, as for fat fractions
        (gradient_echo(6.9, field=1.0), T1),
        (gradient_echo(7.1, field=1.0), None),
        (gradient_echo(4.6, flip_degrees=None), None),
        (gradient_echo(4.6, scanning=frozenset({"GR", "EP"})), None),
    ],
)
def test_a_spoiled_gradient_echo(facts, expected) -> None:
    assert recognise(facts).sequence is expected


def test_diffusion_weighting_is_none_of_the_scored() -> None:
    facts = spin_echo(5000, 80, b_value_s_mm2=800.0, contrast="T2", description="T2")
    assert recognise(facts).sequence is None
    assert recognise(facts).why == "diffusion-weighted, b 800 s/mm2"
    assert recognise(MrFacts(contrast="DIFFUSION")).why == "diffusion-weighted"
    assert recognise(dataclasses.replace(facts, b_value_s_mm2=0.0)).sequence is T2  # scanners write 0 anywhere


@pytest.mark.parametrize(
    ("contrast", "expected", "says"),
    [
        ("T1", T1, True),
        ("T2", T2, True),
        ("STIR", STIR, True),
        ("FLUID_ATTENUATED", None, True),
        ("T2_STAR", None, True),
        ("PROTON_DENSITY", None, True),
        ("UNKNOWN", None, False),
        ("", None, False),
    ],
)
def test_acquisition_contrast(contrast, expected, says) -> None:
    found = recognise(MrFacts(contrast=contrast))
    assert (found.sequence, bool(found.why)) == (expected, says)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("T1", T1),
        ("SAG T1W TSE", T1),
        ("IBSI_1_STS_002_MR_T1_image", T1),
        ("t2_tse_sag", T2),
        ("t2_tirm_cor", STIR),
        ("COR STIR", STIR),
        ("t1_vibe_dixon_tra_opp", OPP),
        ("t1_vibe_dixon_tra_in", IN),
        ("t1_vibe_dixon_tra_F", FAT),
        ("t1_vibe_dixon_tra_W", WATER),
        ("WATER: Ax LAVA-Flex", WATER),
        ("InPhase: Ax LAVA-Flex", IN),
        ("ep2d_diff_b50_800_ADC", ADC),
        ("Apparent Diffusion Coefficient (mm2/s)", ADC),
        ("T1 fat sat", T1),
        ("T1 post-op", T1),
        ("T1 water excitation", T1),
        ("T2* GRE", None),
        ("T1 T2", None),
        ("DWI b800", None),
        ("T2 FLAIR", None),
        ("T1 map", None),
        ("fat fraction", None),
        ("ADC STIR", None),
        ("PD fs", None),
        ("spine", None),
        ("", None),
        ("T11 to T12", None),
    ],
)
def test_a_name_is_the_last_resort(name, expected) -> None:
    found = recognise(MrFacts(description=name))
    assert (found.sequence, found.plain) == (expected, False)
    assert found.why == (BY_NAME if expected else "")
    assert recognise(spin_echo(3500, 100, description=name)).sequence is T2  # what was timed goes first


SILENT = MrFacts()
FOUND = {
    T1: spin_echo(500, 12),
    T2: spin_echo(3500, 100),
    STIR: inverted(160),
    IN: words("DIXON", "IN_PHASE"),
    OPP: words("DIXON", "OPP_PHASE"),
    FAT: words("DIXON", "FAT"),
    WATER: words("DIXON", "WATER"),
    ADC: words("ADC"),
    None: words("DIFFUSION", "TRACEW"),
}
MAY_BE_CALLED = {
    T1: {T1, IN, OPP, FAT, WATER},
    T2: {T2, IN, OPP, FAT, WATER},
    STIR: {STIR},
    IN: {IN, T1, T2},
    OPP: {OPP},
    FAT: {FAT},
    WATER: {WATER, T1, T2, STIR},
    ADC: {ADC},
    None: set(),
}


@pytest.mark.parametrize("told", list(MrSequence))
@pytest.mark.parametrize("says", list(FOUND))
def test_a_manifest_may_say_what_the_header_leaves_open_and_no_more(says, told) -> None:
    facts = FOUND[says]
    found = recognise(facts)
    assert found.sequence is says
    if told in MAY_BE_CALLED[says]:
        assert settled(facts, found, told)[0] is told
        return
    with pytest.raises(ImageError) as caught:
        settled(facts, found, told)
    assert caught.value.what == f"the header says {says or 'another image'} ({found.why}), not {told}"
    assert caught.value.way_out == "correct the sequence in the manifest"


@pytest.mark.parametrize("told", list(MrSequence))
@pytest.mark.parametrize("facts", [SILENT, MrFacts(description="T1"), spin_echo(3000, 30)])
def test_silence_a_name_and_what_lies_between_contradict_nothing(facts, told) -> None:
    assert settled(facts, recognise(facts), told)[0] is told


def test_fat_suppressed_t2_may_be_called_stir_and_plain_t2_not() -> None:
    suppressed = spin_echo(3500, 80, fat_suppressed=True)
    assert recognise(suppressed).sequence is T2
    sequence, told = settled(suppressed, recognise(suppressed), STIR)
    assert sequence is STIR
    assert told == {"sequence_source": "manifest; the header says T2 (spin echo, TR 3500 ms, TE 80 ms)"}
    for plain in (False, None):
        facts = dataclasses.replace(suppressed, fat_suppressed=plain)
        assert not agrees(facts, recognise(facts), STIR)


def test_where_the_sequence_was_taken_from_is_told() -> None:
    t1 = FOUND[T1]
    assert settled(t1, recognise(t1), None) == (T1, {"sequence_source": "spin echo, TR 500 ms, TE 12 ms"})
    assert settled(t1, recognise(t1), T1) == (T1, {"sequence_source": "manifest"})
    assert settled(SILENT, recognise(SILENT), None) == (None, {})
    named = MrFacts(description="T1")
    assert settled(named, recognise(named), None) == (T1, {"sequence_source": "series description"})
    assert settled(named, recognise(named), T2)[1] == {
        "sequence_source": "manifest; the header says T1 (series description)"
    }
