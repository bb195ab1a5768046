"""The manifests in git: which objects a folder of a commit describes, and one of them in full. No work tree is read.

A folder with a kustomization counts as what it renders to; any other as the plain YAML below it.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import yaml

from tasks.clients.workspace.git import check_commit, find_commit, git, git_bytes, require_repository, try_git
from tasks.clients.workspace.mirror import Mirrors
from tasks.domain.cluster import KubeObject, Manifest, ObjectRef, mapping_of
from tasks.domain.code_host import GitRemote
from tasks.errors import NotFoundError, PermanentError
from tasks.settings import ManifestSettings

MAX_FILE_BYTES = 1 << 20
MAX_FILES = 20_000
"""Of a repository whose kustomization is rendered: it may name any of them."""
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
Document = dict[str, Any]
Render = Callable[[Path], tuple[Document, ...]]
"""The objects of a kustomize folder."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _HostBranches(Protocol):
    def default(self, repository: str) -> str: ...

    def tip(self, repository: str, branch: str) -> str | None: ...


class ManifestHost(Protocol):
    """What is asked of the code host on which the manifests are."""

    @property
    def branches(self) -> _HostBranches:
        """Its branches."""

    def git_remote(self, repository: str) -> GitRemote:
        """Where git fetches from."""


@dataclass(frozen=True)
class Manifests:
    """What one folder describes at the end of one branch."""

    repository: Path
    branch: str
    commit: str
    """The end of the branch when it was looked at."""
    folder: str
    render: Render

    def find_all(self) -> tuple[Manifest, ...]:
        """Every object. Left out is what is not applied as it stands: what a kustomization below the folder uses,
        charts, templates, and encrypted Secrets.

        Raises:
            PermanentError: the folder's kustomization cannot be rendered.
        """
        return tuple(
            Manifest(
                ref=ref_of(one),
                commit=self.commit,
                path=path,
                described=KubeObject(raw=one) if one["kind"] == "Job" else None,
            )
            for path, one in self._read(self.commit)
        )

    def read(self, manifest: Manifest) -> Document:
        """The document itself, as it was when it was planned with, and as it still is on the branch.

        Raises:
            NotFoundError: git no longer describes the object so, or in two places.
        """
        then = self._one(check_commit(manifest.commit), manifest)
        now = then if self.commit == manifest.commit else self._one(self.commit, manifest)
        if now != then:
            raise NotFoundError(f"{manifest.path} was changed on {self.branch} since {manifest.commit[:12]}")
        return now

    def _one(self, commit: str, manifest: Manifest) -> Document:
        found = [one for path, one in self._read(commit) if path == manifest.path and ref_of(one) == manifest.ref]
        if len(found) != 1:
            where = f"{manifest.path} at {commit[:12]}"
            raise NotFoundError(f"{where} describes {manifest.ref} {len(found)} times and not once")
        return found[0]

    def _read(self, commit: str) -> Iterator[tuple[str, Document]]:
        if find_commit(self.repository, commit) is None:
            raise NotFoundError(f"{self.repository} does not hold the commit {commit[:12]} any more")
        files = _files(self.repository, commit)
        inside = {path: entry for path, entry in files.items() if PurePosixPath(path).is_relative_to(self.folder)}
        own = next((name for name in KUSTOMIZATIONS if str(PurePosixPath(self.folder, name)) in inside), None)
        if own is not None:
            path = str(PurePosixPath(self.folder, own))
            yield from ((path, one) for one in self._rendered(commit, len(files)) if _is_whole(one))
            return
        for path in _plain(inside):
            for one in parse_documents(git_bytes(self.repository, "cat-file", "blob", inside[path].blob)):
                yield path, one

    def _rendered(self, commit: str, count: int) -> tuple[Document, ...]:
        if count > MAX_FILES:
            raise PermanentError(f"{self.repository} holds {count} files, too many to render a folder of it")
        with tempfile.TemporaryDirectory(prefix="healflow-") as scratch:
            root = Path(scratch, "files")
            root.mkdir()
            place = {"GIT_INDEX_FILE": str(Path(scratch, "index")), "GIT_WORK_TREE": str(root)}
            for step in (("read-tree", commit), ("checkout-index", "--all", f"--prefix={root}/")):
                end = try_git(self.repository, *step, env=place)
                if not end.succeeded:
                    raise PermanentError(f"'git {step[0]}' failed in {self.repository}: {end.errors[-300:]}")
            return self.render(root / self.folder)


@dataclass(frozen=True)
class _Entry:
    blob: str
    size: int


def open_manifests(settings: ManifestSettings, mirrors: Mirrors, host: ManifestHost, render: Render) -> Manifests:
    """The manifests that the settings name, as the end of their branch has them now.

    Raises:
        NotFoundError: there is no such repository or branch.
        PermanentError: the settings name no repository, or it cannot be had.
        TransientError: the code host cannot be reached now.
    """
    if settings.repository is None:
        raise PermanentError("HEALFLOW_KUBERNETES__MANIFESTS__REPOSITORY names no repository with manifests")
    if settings.hosted:
        branch = settings.branch or host.branches.default(settings.repository)
        commit = host.branches.tip(settings.repository, branch)
        if commit is None:
            raise NotFoundError(f"{settings.repository} has no branch {branch!r}")
        remote = host.git_remote(settings.repository)
        repository = mirrors.fetch(remote, settings.repository, branch=branch, commit=commit)
    else:
        repository = Path(settings.repository).expanduser()
        require_repository(repository)
        head = try_git(repository, "symbolic-ref", "--quiet", "--short", "HEAD").output.strip()
        branch = settings.branch or head
        found = find_commit(repository, branch or "HEAD")
        if found is None:
            raise NotFoundError(f"{repository} has no branch {branch!r} with a commit")
        commit = found
    return Manifests(repository=repository, branch=branch, commit=commit, folder=settings.folder, render=render)


def ref_of(document: Document) -> ObjectRef:
    """The object that a document describes; its namespace is empty where it names none."""
    metadata = mapping_of(document["metadata"])
    return ObjectRef(
        kind=str(document["kind"]), namespace=str(metadata.get("namespace") or ""), name=str(metadata["name"])
    )


def parse_documents(text: bytes | str) -> list[Document]:
    """The documents that are whole objects; a file that is no YAML, such as a template, has none."""
    try:
        return [one for one in yaml.load_all(text, Loader=_LOADER) if _is_whole(one)]
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def _is_whole(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return False
    named = document.get("kind") and document.get("apiVersion") and document["metadata"].get("name")
    return bool(named) and "sops" not in document


def _files(repository: Path, commit: str) -> dict[str, _Entry]:
    listing = git(repository, "ls-tree", "-r", "-z", "--long", "--full-tree", commit)
    found = {}
    for line in listing.split("\0"):
        facts, _, path = line.partition("\t")
        if path and facts.startswith("100"):
            _, _, blob, size = facts.split()
            found[path] = _Entry(blob=blob, size=int(size))
    return found


def _plain(files: dict[str, _Entry]) -> Iterator[str]:
    """The files that are applied as they stand."""
    marks = (*KUSTOMIZATIONS, "Chart.yaml")
    made = {PurePosixPath(path).parent for path in files if PurePosixPath(path).name in marks}
    for path, entry in sorted(files.items()):
        plain = path.endswith((".yaml", ".yml")) and not made.intersection(PurePosixPath(path).parents)
        if plain and entry.size <= MAX_FILE_BYTES:
            yield path
