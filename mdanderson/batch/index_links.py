"""The rows of a manifest as it is written: paths that any program reads, and folders of links to scattered files."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mdanderson.errors import OutputError, Problem, printable
from mdanderson.readers.dicom_index import ImageRow
from mdanderson.report.cells import Cells, guarded, render_row
from mdanderson.report.columns import Table

__all__ = ["Linked", "link_images", "links_folder"]

_MARK = ".made-by-mdanderson-index"


@dataclass(kw_only=True, slots=True)
class Linked:
    """The cells of the manifest, and what went wrong with links. folder: of the links, None where none are needed."""

    rows: list[Cells] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    folder: Path | None = None


def links_folder(manifest: Path) -> Path:
    """Where the links of a manifest are, beside it."""
    return manifest.with_name(f"{manifest.stem}_links")


def link_images(images: Sequence[ImageRow], root: Path, manifest: Path | None, table: Table) -> Linked:
    """The rows of `images` for `manifest`, and its folder of links made anew; without a manifest nothing is made.

    Raises `OutputError` where links cannot be made, or another's folder is in their place.
    """
    linked = Linked()
    made = _Links(root=root, folder=None if manifest is None else links_folder(manifest))
    for number, row in enumerate(images, start=1):
        cells = asdict(row)
        del cells["files"], cells["view"]
        image = root / row.image
        if row.files or not _is_plain(row.image):
            image = made.add(f"{number:04d}_{row.date}_{row.modality}", row.files or (row.image,))
        cells["image"] = _cell(image, manifest)
        for column in ("mask", "bone_mask"):
            if path := cells[column]:
                place = root / path if _is_plain(path) else made.add(f"{number:04d}_{column}", (path,))
                cells[column] = _cell(place, manifest)
        linked.rows.append(render_row(table, cells))
    if manifest is not None:
        linked.folder = made.write()
    return linked


def _is_plain(path: str) -> bool:
    """Whether a path is read from a cell as it was written to it."""
    return printable(path) == path and path.strip() == path


def _cell(path: Path, manifest: Path | None) -> str:
    """The path from the manifest, or from the root where it does not lie below; never a formula."""
    place = Path(os.path.abspath(path))  # noqa: PTH100 - links stay links
    if manifest is not None:
        with contextlib.suppress(ValueError):
            near = place.relative_to(os.path.abspath(manifest.parent)).as_posix()  # noqa: PTH100 - the same
            return near if guarded(near) == near and near.strip() == near else f"./{near}"
    return place.as_posix()


@dataclass(kw_only=True, slots=True)
class _Links:
    """Folders of links to come: name -> the files."""

    root: Path
    folder: Path | None
    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, name: str, files: tuple[str, ...]) -> Path:
        """Where files will be found: the folder, or the one file."""
        self.wanted[name] = files
        home = self.folder or self.root
        return home / name / "0001.dcm" if len(files) == 1 else home / name

    def write(self) -> Path | None:
        """Make the folders, in the place of those of an earlier index. Raises `OutputError`."""
        if self.folder is None:
            return None
        if self.folder.is_symlink() or (self.folder.exists() and not (self.folder / _MARK).is_file()):
            raise OutputError(
                "a folder is in the place of the links", where=str(self.folder), way_out="name another manifest"
            )
        draft = self.folder.with_name(f".{self.folder.name}.{os.getpid()}.tmp")
        try:
            _remove(draft)
            if self.wanted:
                draft.mkdir()
                (draft / _MARK).write_text("Links to images, made by `mdanderson index`: it makes them anew.\n")
                for name, files in self.wanted.items():
                    self._link(draft, name, files)
            _remove(self.folder)
            if not self.wanted:
                return None
            draft.rename(self.folder)
        except OSError as error:
            _remove(draft)
            raise OutputError(
                f"links to scattered files cannot be made ({error.strerror})",
                where=str(self.folder),
                way_out="name a manifest on a disk that holds links, or put each series into a folder of its own",
            ) from error
        return self.folder

    def _link(self, draft: Path, name: str, files: Iterable[str]) -> None:
        (draft / name).mkdir()
        at = Path(os.path.realpath(draft.parent)) / self.folder.name / name if self.folder else draft
        for number, file in enumerate(files, start=1):
            source = self.root / file
            target = Path(os.path.realpath(source.parent)) / source.name
            link = draft / name / f"{number:04d}.dcm"
            try:
                link.symlink_to(os.path.relpath(target, at))
            except (OSError, NotImplementedError):  # a disk without links of names may have those of contents
                link.hardlink_to(target)


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
