"""One visit at work: each image read, each segmented lesion given its identity and measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from mdanderson.assessment.best_seen import BestSeen
from mdanderson.assessment.by_reader import StatedNames
from mdanderson.assessment.catalogue import Catalogue, Known
from mdanderson.assessment.comparable import implant_at
from mdanderson.assessment.elsewhere import Elsewhere
from mdanderson.assessment.examiner import Examined, Seen
from mdanderson.assessment.examiners import examiner_of
from mdanderson.assessment.lookup import Origin, seen_at_baseline
from mdanderson.assessment.segmented import in_view_of, labels_of, place_of, together
from mdanderson.assessment.station import Station
from mdanderson.criteria.checks.presence import NEW_LESION_SIZE
from mdanderson.errors import Problem, Severity
from mdanderson.findings import LesionFinding
from mdanderson.lesions import Lesion, find_lesions
from mdanderson.matching import Match, MatchKind, match
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.measure.plane import asked_axis, measuring_axis
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Region

__all__ = ["Desk"]


@dataclass(kw_only=True, slots=True)
class Desk:
    """The work of one visit while its images are read one after the other: the only thing here that changes.

    baseline: empty when this visit is the first. best: what was found so far.
    called: found key -> what another modality calls it, of the image at hand.
    """

    settings: Settings
    catalogue: Catalogue
    baseline: tuple[Station, ...]
    stated: StatedNames
    elsewhere: Elsewhere
    best: BestSeen = field(default_factory=BestSeen)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)
    first_seen: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def forget_ambiguous_labels(self, stations: Sequence[Station]) -> None:
        """A label that two images of one day have names no lesion."""
        seen: set[tuple[dt.date, str]] = set()
        for station in stations:
            for label in (str(region.label) for region in station.image.lesions):
                key = station.image.date, label
                if key in seen and self.stated.pop((*key, ""), ""):
                    self._warn(station, f"label {label} is in two images of {key[0]}: {_NOT_TIED}", _OTHER_LABEL)
                seen.add(key)

    def read(self, station: Station) -> None:
        """Give every lesion segmented in `station` its identity, and measure it."""
        self._tell_of_planes(station)
        lesions = {str(lesion.label): lesion for lesion in find_lesions(station.image.lesions)}
        identities = self.catalogue.identities({key: lesion.region.tracking_uid for key, lesion in lesions.items()})
        stated = {key: name for key in lesions if (name := self._name_stated(station, key))}
        identities |= (
            stated if station.trusted else {key: name for key, name in stated.items() if name in self.catalogue}
        )
        placed = self._where_alike if station.trusted else self._without_place
        lesions = placed(station, lesions, identities)
        known = [in_view_of(station, known.place) for known in self._in_view(station, identities)]
        found = [place_of(station, lesion, key) for key, lesion in lesions.items()]
        matches = match(
            known, found, error_mm=station.error_mm, settings=self.settings.image, identities=identities or None
        )
        neighbours = self._neighbours(station)
        first_seen = [key for one in matches if one.kind is MatchKind.NEW for key in one.found if key not in stated]
        self._ask_elsewhere(station, {key: lesions[key] for key in first_seen})
        for one in _joined(matches, stated):
            self._take(one, station, lesions, neighbours)
            self._name(station, one)

    def _name_stated(self, station: Station, label: str) -> str:
        """What a reader calls a label, in the mask that leads or under a companion's label of the same lesion."""
        day, image = station.image.date, station.image
        own = [(label, image)] + [(str(one.drawn.get(int(label), "")), one) for one in image.companions]
        asked = [(day, each, str(one.volume.sequence or "")) for each, one in own] + [(day, label, "")]
        return next((name for key in asked if (name := self.stated.get(key))), "")

    def _ask_elsewhere(self, station: Station, first_seen: Mapping[str, Lesion]) -> None:
        """What lesions without a match are called where another modality has shown them."""
        names = self.elsewhere.names(station, first_seen, settings=self.settings)
        self.called = dict(names.by_key)
        self.problems += names.problems

    def _name(self, station: Station, one: Match) -> None:
        """Which lesion each label of a match is, for images that borrow these outlines."""
        where = station.image.where
        for key in one.found:
            lesion_id = one.known[0] if one.known else self.names.get((where, one.found[0]), "")
            self.names[where, key] = lesion_id

    def _tell_of_planes(self, station: Station) -> None:
        """Say it where lesions cannot be measured in the planes that the settings ask for."""
        geometry, image = station.volume.geometry, self.settings.image
        if station.image.lesions.regions and measuring_axis(geometry, image) != asked_axis(geometry, image):
            steps = " x ".join(f"{step:.3g}" for step in geometry.spacing_mm)
            what = f"voxels of {steps} mm cannot be cut in {image.measuring_plane} planes"
            self._warn(station, f"{what}: measured in the planes of the acquisition", _CUBES)

    def _take(self, one: Match, station: Station, lesions: dict[str, Lesion], neighbours: Sequence[Region]) -> None:
        """Turn one match into findings."""
        segmented = [lesions[key] for key in one.found]
        if one.kind is MatchKind.NEW:
            self._first_seen(station, segmented, neighbours)
        elif one.kind is MatchKind.FOLLOWED:
            self._followed(station, one.known[0], segmented, Status.FOLLOWED, neighbours)
        elif one.kind is MatchKind.SPLIT:
            self._followed(station, one.known[0], segmented, Status.SPLIT, neighbours)
        elif one.kind is MatchKind.MERGED:
            self._merged(station, one.known, segmented, neighbours)
        elif one.kind is MatchKind.AMBIGUOUS:
            self._ambiguous(station, one)

    def _followed(
        self, station: Station, lesion_id: str, parts: Sequence[Lesion], status: Status, neighbours: Sequence[Region]
    ) -> None:
        """A known lesion, in one piece or several; several are measured as one region (docs/details.md, detail 27)."""
        if lesion_id in self.first_seen:
            self._seen_again(station, lesion_id, parts, neighbours)
            return
        known = self.catalogue[lesion_id]
        if known.in_doubt:
            self._enter_since_baseline(station, lesion_id, parts, neighbours)
            return
        examined = self._examine(station, together(parts), lesion_id, status, known, neighbours)
        self.best.keep(examined.labelled(labels_of(parts)))

    def _seen_again(
        self, station: Station, lesion_id: str, parts: Sequence[Lesion], neighbours: Sequence[Region]
    ) -> None:
        """A lesion first seen at this very visit, in another image of it: no follow-up of itself."""
        before, region = self.catalogue[lesion_id].first, together(parts)
        examined = self._examine(station, region, lesion_id, before.status, None, neighbours)
        examined = examined.told(lambda finding: replace(finding, why=finding.why or before.why))
        if self.best.keep(examined.labelled(labels_of(parts))):
            self._enter(station, region, examined)

    def _merged(
        self, station: Station, parents: Sequence[str], segmented: Sequence[Lesion], neighbours: Sequence[Region]
    ) -> None:
        """Several known lesions in one region (or cut up anew): the first parent's row carries the measurement.

        A parent in doubt, now that it has no outline of its own, stays so; where all are, they are one focus in doubt.
        """
        first, *others = parents = sorted(parents, key=lambda parent: self.catalogue[parent].in_doubt)
        if self.catalogue[first].in_doubt:
            self._followed(station, first, segmented, Status.MERGED, neighbours)
            for lesion_id in others:
                why = f"one focus with {first} here"
                self.best.keep(Examined(finding=_bare(lesion_id, station, Status.NOT_EVALUABLE, why)))
            return
        known = self.catalogue[first]
        region = together(segmented)
        examined = self._examine(station, region, first, Status.MERGED, known, neighbours)
        before = self._measured_together(parents)
        merged = partial(
            replace,
            parents=tuple(parents),
            parents_long_axis_mm=before.long_axis_mm if before else None,
            parents_short_axis_mm=before.short_axis_mm if before else None,
        )
        self.best.keep(examined.told(merged).labelled(labels_of(segmented)))
        for lesion_id in others:
            row = _bare(lesion_id, station, Status.MERGED, f"merged into {first}", parents=tuple(parents))
            self.best.keep(Examined(finding=replace(row, maybe_new=self.catalogue[lesion_id].in_doubt)))

    def _measured_together(self, parents: Sequence[str]) -> Diameters | None:
        """The parents of a merge at baseline, measured as one region; None when no one image shows them all."""
        all_known = [self.catalogue[lesion_id] for lesion_id in parents]
        home = all_known[0].home
        if any(known.home is not home or known.first.status is not Status.BASELINE for known in all_known):
            return None
        together = Region.together([known.region for known in all_known])
        return measure_diameters(together, home.volume.geometry, settings=self.settings.image)

    def _first_seen(self, station: Station, parts: Sequence[Lesion], neighbours: Sequence[Region]) -> None:
        """A lesion without a match: part of the baseline, new, or there before and only now segmented."""
        label = str(parts[0].label)
        stated = self._name_stated(station, label) or self.called.get(label, "")
        lesion_id = stated if stated and stated not in self.catalogue else self.catalogue.next_id
        if self.baseline:
            self._enter_since_baseline(station, lesion_id, parts, neighbours)
            return
        region = together(parts)
        examined = self._examine(station, region, lesion_id, Status.BASELINE, None, neighbours)
        self._enter_first(station, region, examined.labelled(labels_of(parts)))

    def _enter_since_baseline(
        self, station: Station, lesion_id: str, parts: Sequence[Lesion], neighbours: Sequence[Region]
    ) -> None:
        """A lesion that baseline has no outline of: new, there before, or in doubt (docs/details.md, detail 31)."""
        lesion = parts[0] if len(parts) == 1 else Lesion.from_region(together(parts), station.volume.geometry)
        examined = self._examine(station, lesion.region, lesion_id, Status.NEW, None, neighbours)
        origin = seen_at_baseline(station, lesion, examined.findings, self.baseline, settings=self.settings)
        doubted = origin.in_doubt and not self._is_too_small(examined.finding)
        if origin.why:
            self._warn(station, f"lesion {lesion_id} (label {lesion.label}): {origin.why}", _AT_BASELINE[origin.status])
        entered = partial(_entered, origin=origin, doubted=doubted)
        self._enter_first(station, lesion.region, examined.told(entered).labelled(labels_of(parts)))

    def _is_too_small(self, finding: LesionFinding) -> bool:
        """Whether a focus is below the size from which a new one counts (detail 15); one without a size is not."""
        size = finding.long_axis_mm
        return size is not None and not NEW_LESION_SIZE.met("long_axis_mm", exact(size), self.settings)

    def _enter_first(self, station: Station, region: Region, examined: Examined) -> None:
        """Keep what a lesion enters the catalogue by."""
        self.first_seen.add(examined.finding.lesion_id)
        self.best.keep(examined)
        self._enter(station, region, examined)

    def _enter(self, station: Station, region: Region, examined: Examined) -> None:
        """Enter a lesion into the catalogue, with the image that shows it best at its first visit."""
        points = station.to_common(Lesion.from_region(region, station.volume.geometry).points_lps_mm)
        metal, cement = implant_at(station, region, settings=self.settings)
        self.catalogue = self.catalogue.with_lesion(
            Known(
                lesion_id=examined.finding.lesion_id,
                home=station,
                region=region,
                points_common_mm=points,
                lytic=examined.lytic,
                first=examined.finding,
                beside=examined.beside,
                metal=metal,
                cement=cement,
            )
        )

    def _ambiguous(self, station: Station, one: Match) -> None:
        """Neighbours too close to be told apart: all of them are named, none is guessed."""
        labels = ", ".join(one.found)
        why = f"{', '.join(one.known)} cannot be told apart from labels {labels} here"
        if len(one.known) == len(one.found) == 1:
            why = f"label {labels} may be {one.known[0]}, moved, or a new lesion beside its place"
        for lesion_id in one.known:
            self.best.keep(Examined(finding=_bare(lesion_id, station, Status.AMBIGUOUS, why)))
        self._warn(station, why, _WHICH)

    def _without_place(
        self, station: Station, lesions: dict[str, Lesion], identities: dict[str, str]
    ) -> dict[str, Lesion]:
        """Where the registration is not trusted only lesions identified by a tracking UID can be followed."""
        lost = [key for key in lesions if key not in identities]
        if lost or self.catalogue.lesions:
            unknown = f"; labels {', '.join(lost)} have no identity" if lost else ""
            self._warn(
                station,
                f"the image cannot be laid on the baseline: {station.registration.why}{unknown}",
                "check that both images show the same patient and region",
                Severity.ERROR,
            )
        return {key: lesion for key, lesion in lesions.items() if key in identities}

    def _where_alike(
        self, station: Station, lesions: dict[str, Lesion], identities: dict[str, str]
    ) -> dict[str, Lesion]:
        """The lesions whose place at baseline is known: where the two images do not look alike nobody can say."""
        lost = [
            key
            for key, lesion in lesions.items()
            if key not in identities and not station.trusted_here(lesion.points_lps_mm)
        ]
        for key in lost:
            why = station.registration.near_follow_up(lesions[key].points_lps_mm).why
            self._warn(station, f"label {key} has no identity: {why}", _WHICH, Severity.ERROR)
        return {key: lesion for key, lesion in lesions.items() if key not in lost}

    def _in_view(self, station: Station, identities: dict[str, str]) -> list[Known]:
        """The known lesions that this image could show: also those that may have grown, or been moved, into it."""
        wanted = set(identities.values())
        reach_mm = self.settings.image.matching_reach_mm
        return [
            known
            for known in self.catalogue
            if known.lesion_id in wanted
            or (
                station.trusted_at(known.points_common_mm)
                and station.out_of_view_mm(known.points_common_mm).min() <= reach_mm
            )
        ]

    def _neighbours(self, station: Station) -> list[Region]:
        """Everything in this image that is, or was, a lesion: no reference bone there."""
        regions = list(station.image.lesions.regions)
        if station.trusted:
            carried = (station.carry(known.region, known.home) for known in self.catalogue if known.home is not station)
            regions += [region for region in carried if region is not None]
        return regions

    def _examine(
        self,
        station: Station,
        region: Region,
        lesion_id: str,
        status: Status,
        known: Known | None,
        neighbours: Sequence[Region],
    ) -> Examined:
        self.names[station.image.where, str(region.label)] = lesion_id
        examined = examiner_of(station.volume).examine(
            station,
            region,
            lesion_id=lesion_id,
            status=status,
            known=known,
            neighbours=neighbours,
            settings=self.settings,
        )
        if examined.gap:
            self._warn(station, f"lesion {lesion_id} (label {region.label}): {examined.gap}", _WIDER)
        if examined.implant:
            self._warn(station, f"density of lesion {lesion_id} is not judged: {examined.implant}", _IMPLANT)
        seen = Seen(station=station, region=region, measured=examined.core or region, finding=examined.finding)
        return replace(examined, seen=seen)

    def _warn(self, station: Station, what: str, way_out: str, severity: Severity = Severity.WARNING) -> None:
        image = station.image
        self.problems.append(
            Problem(severity=severity, visit=image.visit, where=image.where, what=what, how_to_fix=way_out)
        )


_AT_BASELINE = {
    Status.FOLLOWED: "segment it in the baseline mask too",
    Status.NOT_EVALUABLE: "segment it in a baseline image that shows its place, or leave it out",
    Status.EQUIVOCAL: "state new=true, or new=false if it was there, in reads.csv; a larger outline is looked up again",
}
_NOT_TIED = "reads.csv cannot match a lesion by it"
_OTHER_LABEL = "use other labels in one of the masks"
_WHICH = "say which is which: label and lesion_id in reads.csv, or the tracking UIDs of a DICOM SEG"
_IMPLANT = "state surgery or cementation in events.csv; a reader may judge density in reads.csv"
_CUBES = "use an image of nearly cubic voxels, or leave measuring_plane as it is"
_WIDER = "its size is not known; use an image that shows the whole lesion"


def _joined(matches: Sequence[Match], stated: Mapping[str, str]) -> list[Match]:
    """The matches, those stated first: a name given by a reader is not given away, and several labels may have one."""
    named: dict[str, list[str]] = {}
    others: list[Match] = []
    for one in matches:
        if one.kind is MatchKind.NEW and one.found[0] in stated:
            named.setdefault(stated[one.found[0]], []).append(one.found[0])
        else:
            others.append(one)
    return [Match(kind=MatchKind.NEW, found=tuple(keys)) for keys in named.values()] + others


def _entered(finding: LesionFinding, *, origin: Origin, doubted: bool) -> LesionFinding:
    """A lesion that baseline has no outline of, with where it comes from."""
    return replace(finding, status=origin.status, why=origin.why or finding.why, maybe_new=doubted)


def _bare(
    lesion_id: str, station: Station, status: Status, why: str, *, parents: tuple[str, ...] = ()
) -> LesionFinding:
    """A finding without a measurement, with its reason."""
    return LesionFinding.without_outline(
        lesion_id,
        status,
        why,
        modality=station.volume.modality,
        date=station.image.date,
        visit=station.image.visit,
        parents=parents,
    )
