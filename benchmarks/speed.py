"""How fast images are read and lesions measured, beside named peers in the same run.

    python benchmarks/speed.py [--runs 5] [--only read,jpegls,lesions,visits]

The first call makes an environment for itself in `.cache/benchmarks` and installs this package and the peers there.
Every job is done by all in turn, run after run, on one machine with its files in the cache of the disk; what is printed
are medians of wall time and the ratio to this package. An absolute time says little on another machine, a ratio does.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from speed_bodies import body, ellipsoids, write_series

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from mdanderson.geometry import Geometry
    from mdanderson.volume import Mask, Volume

__all__ = ["Job", "main"]

ROOT = Path(__file__).parents[1]
PEERS = ("pandas", "pyjpegls")
PYRADIOMICS = ("setuptools", "wheel", "cython", "versioneer", "numpy", "PyWavelets", "pykwalify", "six", "docopt")
"""What its source needs to be built with; it has no wheel for this Python."""


class Job(NamedTuple):
    """One piece of work. ways: what does it, by name, this package first. aim: seconds, from the project's targets."""

    title: str
    aim: str
    ways: Mapping[str, Callable[[], object]]


def main(runs: int, only: list[str]) -> None:
    """Make the data, let everybody do every job, print the table."""
    print(f"medians of {runs} runs, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        for name, prepare in JOBS.items():
            if not only or name in only:
                print_job(prepare(Path(folder) / name), runs)


def print_job(job: Job, runs: int) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in job.ways}
    for way in job.ways.values():
        way()
    for _ in range(runs):
        for name, way in job.ways.items():
            began = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - began)
    print(f"\n{job.title} (aim {job.aim})")
    ours = median(next(iter(seconds.values())))
    for name, taken in seconds.items():
        print(f"  {name:52}{median(taken):8.3f} s{median(taken) / ours:8.2f} x   ({min(taken):.3f}-{max(taken):.3f})")


def median(values: list[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def unchecked_pydicom(folder: Path) -> npt.NDArray[np.int16]:
    """What most scripts do: sort by height, stack, rescale; nothing is asked."""
    import numpy as np
    from pydicom import dcmread

    slices = sorted((dcmread(file) for file in folder.iterdir()), key=lambda one: float(one.ImagePositionPatient[2]))
    array = np.empty((len(slices), slices[0].Rows, slices[0].Columns), dtype=np.int16)
    for number, one in enumerate(slices):
        plane = array[number]
        if one.file_meta.TransferSyntaxUID.is_compressed:
            plane[...] = one.pixel_array
        else:
            plane[...] = np.frombuffer(one.PixelData, dtype="<u2").reshape(plane.shape)
        plane += np.int16(one.RescaleIntercept)
    return array


def simpleitk_series(folder: Path) -> object:
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return SimpleITK.GetArrayViewFromImage(reader.Execute())


def highdicom_series(folder: Path) -> object:
    import highdicom
    from pydicom import dcmread

    return highdicom.get_volume_from_series([dcmread(file) for file in folder.iterdir()]).array


def read_job(folder: Path) -> Job:
    from mdanderson.readers.dicom_series import read_dicom

    series = write_series(folder, body((300, 512, 512)), (1.0, 0.78, 0.78))
    return Job(
        "300 x 512 x 512 CT, single-frame files, uncompressed",
        "0.30 s where unchecked pydicom takes 0.20, SimpleITK 0.41, highdicom 1.22",
        {
            "this package, all checks": lambda: read_dicom(series),
            "pydicom + frombuffer, unchecked": lambda: unchecked_pydicom(series),
            "SimpleITK series reader, unchecked": lambda: simpleitk_series(series),
            "highdicom get_volume_from_series, checked": lambda: highdicom_series(series),
        },
    )


def jpegls_job(folder: Path) -> Job:
    from mdanderson.readers.dicom_series import read_dicom

    series = write_series(folder, body((300, 512, 512)), (1.0, 0.78, 0.78), jpegls=True)
    return Job(
        "the same in JPEG-LS",
        "1.3 s where SimpleITK takes 2.1, pydicom 2.3",
        {
            "this package, all checks": lambda: read_dicom(series),
            "pydicom, unchecked": lambda: unchecked_pydicom(series),
            "SimpleITK series reader, unchecked": lambda: simpleitk_series(series),
        },
    )


def measure_all(volume: npt.NDArray[np.int16], labels: npt.NDArray[np.uint16], geometry: Geometry) -> object:
    """Size (both diameters, slice, volume) and HU (mean, SD, percentiles) of every label, by this package."""
    import numpy as np

    from mdanderson.measure.diameters import measure_diameters
    from mdanderson.settings import ImageSettings
    from mdanderson.volume import Mask

    settings = ImageSettings()
    found = []
    for region in Mask.from_label_map(labels, geometry):
        values = volume[region.box][region.voxels]
        found.append(
            (
                measure_diameters(region, geometry, settings=settings),
                values.size * geometry.voxel_volume_mm3,
                float(values.mean(dtype=np.float64)),
                float(values.std(dtype=np.float64)),
                np.percentile(values, (5, 10, 50, 90, 95)),
            )
        )
    return found


def simpleitk_measures(image: Any, mask: Any) -> object:
    """Shape and intensity statistics; no perpendicular, and the long axis over all three dimensions."""
    import SimpleITK

    shape = SimpleITK.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    values = SimpleITK.LabelIntensityStatisticsImageFilter()
    values.Execute(mask, image)
    return [(shape.GetPhysicalSize(n), values.GetMean(n), values.GetMedian(n)) for n in shape.GetLabels()]


def skimage_measures(volume: npt.NDArray[np.int16], labels: npt.NDArray[np.uint16]) -> object:
    """Region properties with the greatest diameter over all three dimensions; no perpendicular."""
    from skimage.measure import regionprops

    return [(one.feret_diameter_max, one.area, one.intensity_mean) for one in regionprops(labels, volume)]


def pyradiomics_measures(image: Any, mask: Any) -> object:
    """Shape and first-order features, each lesion cropped first: without that it takes minutes."""
    import SimpleITK
    from radiomics import firstorder, shape

    boxes = SimpleITK.LabelShapeStatisticsImageFilter()
    boxes.Execute(mask)
    found = []
    for label in boxes.GetLabels():
        box = boxes.GetBoundingBox(label)
        part, part_mask = (SimpleITK.RegionOfInterest(one, box[3:], box[:3]) for one in (image, mask))
        found += [
            family(part, part_mask, label=label, binWidth=25).execute()
            for family in (shape.RadiomicsShape, firstorder.RadiomicsFirstOrder)
        ]
    return found


def lesions_job(_folder: Path) -> Job:
    import SimpleITK

    from mdanderson.geometry import Geometry

    size, spacing = (400, 512, 512), (1.0, 0.78, 0.78)
    volume, labels = body(size), ellipsoids(size, spacing, 60)
    geometry = Geometry.from_axes(shape=size, spacing_mm=spacing, origin_mm=(0, 0, 0))
    image, mask = SimpleITK.GetImageFromArray(volume), SimpleITK.GetImageFromArray(labels)
    for one in (image, mask):
        one.SetSpacing(spacing[::-1])
    ways: dict[str, Callable[[], object]] = {
        "this package: both diameters, slice, volume, HU": lambda: measure_all(volume, labels, geometry),
        "SimpleITK label statistics: no perpendicular": lambda: simpleitk_measures(image, mask),
        "scikit-image regionprops: no perpendicular": lambda: skimage_measures(volume, labels),
    }
    if importlib.util.find_spec("radiomics"):
        ways["pyradiomics, each lesion cropped: no in-plane axes"] = lambda: pyradiomics_measures(image, mask)
    return Job("60 lesions in 512 x 512 x 400", "0.12 s where SimpleITK takes 0.69, pyradiomics 2.6", ways)


def visits_job(folder: Path) -> Job:
    import nibabel
    import numpy as np
    import SimpleITK
    from scipy import ndimage

    size, spacing = (200, 256, 256), (1.5, 1.5, 1.5)
    folder.mkdir(parents=True)
    pairs = []
    for visit in range(5):
        pair = folder / f"ct_{visit}.nii.gz", folder / f"mask_{visit}.nii.gz"
        arrays = body(size, seed=visit), ellipsoids(size, spacing, 10, seed=visit)
        for file, array in zip(pair, arrays, strict=True):
            stored = nibabel.Nifti1Image(array.T, np.diag([-1.5, -1.5, 1.5, 1.0]))
            stored.set_qform(stored.affine, code=1)
            nibabel.save(stored, file)
        pairs.append(pair)

    def ours() -> None:
        import datetime as dt

        from mdanderson.readers.masks import read_mask
        from mdanderson.readers.nifti import read_nifti
        from mdanderson.vocabulary import Modality

        for number, (image, mask) in enumerate(pairs):
            volume = read_nifti(image, modality=Modality.CT, date=dt.date(2024, 1, 1 + number))
            labels = read_mask(mask, like=volume)
            measure_regions(volume, labels)

    def simpleitk() -> None:
        for image, mask in pairs:
            simpleitk_measures(SimpleITK.ReadImage(str(image)), SimpleITK.ReadImage(str(mask)))

    def with_nibabel() -> None:
        for image, mask in pairs:
            values, labels = (np.asanyarray(nibabel.load(one).dataobj) for one in (image, mask))
            for number, box in enumerate(ndimage.find_objects(labels), 1):
                inside = values[box][labels[box] == number]
                _ = inside.mean(), inside.std(), np.percentile(inside, (5, 50, 95))

    return Job(
        "five visits 256 x 256 x 200 .nii.gz with masks, 10 lesions, read and measured",
        "0.40 s where SimpleITK takes 0.44 to read alone, nibabel 0.73",
        {
            "this package: both diameters, slice, volume, HU": ours,
            "SimpleITK readers and label statistics": simpleitk,
            "nibabel and numpy: HU and volume only": with_nibabel,
        },
    )


def measure_regions(volume: Volume, mask: Mask) -> None:
    from mdanderson.measure.density import measure_density
    from mdanderson.measure.diameters import measure_diameters
    from mdanderson.settings import ImageSettings

    settings = ImageSettings()
    for region in mask:
        measure_diameters(region, volume.geometry, settings=settings)
        measure_density(volume, region, None, settings=settings)


JOBS: dict[str, Callable[[Path], Job]] = {
    "read": read_job,
    "jpegls": jpegls_job,
    "lesions": lesions_job,
    "visits": visits_job,
}


def own_python() -> Path:
    """The interpreter of the benchmark's own environment, made anew when what it needs has changed."""
    home = ROOT / ".cache" / "benchmarks"
    python, ready = home / "bin" / "python", home / "ready"
    lock, project = ROOT / "requirements.lock", ROOT / "pyproject.toml"
    wanted = "\n".join([lock.read_text(), project.read_text(), *PEERS, *PYRADIOMICS])
    if not ready.exists() or ready.read_text() != wanted:
        print(f"installing this package and its peers in {home.relative_to(ROOT)} ...", flush=True)
        venv.create(home, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--constraint", str(lock), "--editable", str(ROOT), *PEERS], check=True)
        subprocess.run([*install, *PYRADIOMICS], check=True)
        if subprocess.run([*install, "--no-build-isolation", "--no-deps", "pyradiomics"], check=False).returncode:
            print("pyradiomics could not be built: left out")
        ready.write_text(wanted)
    return python


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", type=lambda names: names.split(","), default=[])
    asked = parser.parse_args()
    if Path(sys.prefix) != ROOT / ".cache" / "benchmarks":
        os.execv(own := str(own_python()), [own, __file__, *sys.argv[1:]])
    main(asked.runs, asked.only)
