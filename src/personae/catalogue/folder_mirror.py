"""A project folder at a URL, and the copy of it in which a worker works."""

from __future__ import annotations

import posixpath
from pathlib import Path

from personae.catalogue.storage import (
    join_path,
    open_storage,
    reraise_storage_errors,
)
from personae.core.files import reraise_write_errors
from personae.pipeline.stage import CHECKPOINT_SUFFIX
from personae.project.folder import MANIFEST, Project


class FolderMirror:
    """Brings a project folder to this machine, and stage by stage back to where it belongs.

    The manifest is written last, so the folder at the URL never claims a stage whose files are not
    there; files whose content is there already are not sent again. What people have said of the
    film is fetched, and never sent.
    """

    def __init__(self, url: str, copy: Path) -> None:
        self.url = url
        self.copy = copy
        self._sent: dict[str, str] = {}

    def download(self) -> None:
        """Copy the folder to this machine; one that is not there yet gives an empty one.

        What a stage keeps there while it runs is left out.

        Raises:
            CatalogueError: The storage cannot be reached.
            OutputError: This machine has no space for it.
        """
        with reraise_write_errors(self.copy):
            self.copy.mkdir(parents=True, exist_ok=True)
        file_system, inner = open_storage(self.url)
        with reraise_storage_errors(self.url):
            file_system.invalidate_cache()
            there = file_system.find(inner) if file_system.exists(inner) else []
        for file in there:
            name = posixpath.relpath(file, inner)
            if name.partition("/")[0].endswith(CHECKPOINT_SUFFIX):
                continue
            target = self.copy / name
            with reraise_storage_errors(self.url):
                content = file_system.cat_file(file)
            with reraise_write_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        if (self.copy / MANIFEST).exists():
            self._sent = _marked_files(Project.open(self.copy))

    def upload(self) -> None:
        """Send what finished stages have written and is not there yet, the manifest last.

        Raises:
            CatalogueError: The storage cannot be reached.
        """
        marked = _marked_files(Project.open(self.copy))
        changed = [name for name, sha256 in marked.items() if self._sent.get(name) != sha256]
        file_system, inner = open_storage(self.url)
        with reraise_storage_errors(self.url):
            for name in [*changed, MANIFEST]:
                target = join_path(inner, name)
                file_system.makedirs(posixpath.dirname(target), exist_ok=True)
                file_system.put_file(str(self.copy / name), target)
            for name in self._sent.keys() - marked.keys():
                file_system.rm_file(join_path(inner, name))
        self._sent = marked


def _marked_files(project: Project) -> dict[str, str]:
    """Return the files of the finished stages, and their sha256."""
    records = project.manifest.stages.values()
    return {name: mark.sha256 for record in records for name, mark in record.files.items()}
