"""Makes wanted changes in the files of a checkout, each proven: afterwards exactly that field of that object differs.

What is compared is what would be applied: the documents of the file, or what the kustomization renders to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.domain.cluster import Manifest, ObjectRef, dig
from tasks.domain.field_change import MISSING, FieldChange, says_the_same, value_of, with_change
from tasks.errors import BadInputError
from tasks.plan.case import Unfit
from tasks.plan.gitops.owners import KUSTOMIZATIONS, Owner, owners_in_file, owners_in_kustomization
from tasks.plan.gitops.splice import UnspliceableError, parsed, spliced

MAX_TRIES = 12
"""Of places for one field, each of which is rendered."""
MAX_CHANGES = 30
Document = dict[str, Any]
Render = Callable[[Path], tuple[Document, ...]]


@dataclass(frozen=True)
class Checkout:
    """The files of a commit, and what in them describes the object."""

    root: Path
    manifest: Manifest
    ref: ObjectRef
    """The live object."""
    render: Render

    @property
    def file(self) -> Path:
        """The manifest, or the kustomization."""
        return self.root / self.manifest.path

    @property
    def rendered(self) -> bool:
        """Whether it is rendered from a kustomization."""
        return PurePosixPath(self.manifest.path).name in KUSTOMIZATIONS

    def objects(self) -> list[Any]:
        """What would be applied.

        Raises:
            BadInputError: it cannot be read or rendered.
        """
        if self.rendered:
            return list(self.render(self.file.parent))
        try:
            return parsed(self.file.read_bytes().decode())[1]
        except (OSError, UnicodeDecodeError, UnspliceableError) as error:
            raise BadInputError(f"{self.manifest.path} cannot be read") from error

    def owners(self, change: FieldChange) -> list[Owner]:
        """Where the change may have to be made."""
        if self.rendered:
            return owners_in_kustomization(self.root, self.file.parent, self.ref, change)[:MAX_TRIES]
        return list(owners_in_file(self.file, self.ref, change))


def change_files(checkout: Checkout, changes: tuple[FieldChange, ...]) -> None:
    """Make the changes in the files; on Unfit they may be half made.

    Raises:
        Unfit: git has it so already, says something else than the cluster has, or no file can be changed so that
            nothing else changes.
    """
    if len(changes) > MAX_CHANGES:
        raise Unfit(f"{len(changes)} fields would change, more than a person can judge")
    made = [_make(checkout, change) for change in changes]
    if not any(made):
        raise Unfit(f"{checkout.manifest.path} has it so already, and it was not applied")


def _make(checkout: Checkout, change: FieldChange) -> bool:
    """Make one change; false where git has it so already."""
    before = checkout.objects()
    number = _number_of(checkout, before)
    told = value_of(before[number], change.path)
    if told is MISSING if change.remove else told is not MISSING and says_the_same(told, change.value):
        return False
    if told is not MISSING and not says_the_same(told, change.before):
        raise Unfit(f"{checkout.manifest.path} says another {change} than the cluster has")
    try:
        wanted = [*before[:number], with_change(before[number], change), *before[number + 1 :]]
    except LookupError as error:
        raise Unfit(f"{checkout.manifest.path} does not describe {change}") from error
    why = ""
    for owner in checkout.owners(change):
        why = _try(checkout, owner, wanted)
        if not why:
            return True
    raise Unfit(f"no file of {checkout.manifest.path} can be changed in {change} alone" + (f": {why}" if why else ""))


def _try(checkout: Checkout, owner: Owner, wanted: list[Any]) -> str:
    """Why the change did not work there, and then the file is as it was; empty when it did."""
    original = owner.file.read_bytes()
    try:
        owner.file.write_bytes(spliced(original.decode(), owner.number, owner.change).encode())
        if checkout.objects() == wanted:
            return ""
        why = "more or something else would change"
    except (UnspliceableError, BadInputError) as error:
        why = str(error)
    owner.file.write_bytes(original)
    return why


def _number_of(checkout: Checkout, objects: list[Any]) -> int:
    ref = checkout.ref
    found = [
        number
        for number, one in enumerate(objects)
        if (dig(one, "kind"), dig(one, "metadata", "name")) == (ref.kind, ref.name)
        and dig(one, "metadata", "namespace") in (None, "", ref.namespace)
    ]
    if len(found) != 1:
        raise Unfit(f"{checkout.manifest.path} describes {ref} {len(found)} times and not once")
    return found[0]
