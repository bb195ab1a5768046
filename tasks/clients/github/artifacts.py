"""The artifacts of a run: reads out of them what may be a scanner's report, bounded at every step."""

import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tasks.clients.github.connection import Connection, check_number, repository_path
from tasks.clients.github.failures import known_form
from tasks.clients.github.logs import open_signed
from tasks.errors import NotFoundError, PermanentError

MAX_LISTED, MAX_OPENED = 100, 8
MAX_ARTIFACT_BYTES, MAX_MEMBER_BYTES = 64 << 20, 64 << 20
_LIKELY = re.compile(r"(?i)scan|trivy|snyk|grype|sarif|vuln|secur|audit|report")
_REPORT = re.compile(r"(?i)\.(?:json|sarif)$")
_READ = "actions: read"


class Artifacts:
    """Reads artifacts; nothing of them is written to disk under a name of theirs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def reports(self, repository: str, run_id: str) -> Iterator[tuple[str, bytes]]:
        """The JSON and SARIF files in artifacts whose name speaks of a scan or a report, as `ARTIFACT/FILE`.

        Raises:
            PermanentError: they cannot be listed, or one is no zip.
        """
        path = f"{repository_path(repository)}/actions/runs/{check_number(run_id)}/artifacts"
        what = f"read the artifacts of run {run_id} of {repository}"
        listed = self._connection.pages(path, what=what, key="artifacts", needs=_READ, limit=MAX_LISTED)
        with known_form(what):
            chosen = [one for one in listed if _may_be_read(one)][:MAX_OPENED]
            named = [(str(one["id"]), str(one["name"])) for one in chosen]
        for number, name in named:
            yield from self._members(repository, number, name)

    def _members(self, repository: str, number: str, name: str) -> Iterator[tuple[str, bytes]]:
        what = f"artifact {name!r} of {repository}"
        path = f"{repository_path(repository)}/actions/artifacts/{check_number(number)}/zip"
        try:
            address = self._connection.redirect_of(path, what=f"read the {what}", needs=_READ)
        except NotFoundError:
            return  # it expired between the two requests
        with (
            open_signed(address, what=what, timeout_seconds=self._connection.timeout_seconds) as stream,
            tempfile.TemporaryFile() as packed,
        ):
            _copy(stream, packed, what)
            try:
                with zipfile.ZipFile(packed) as archive:
                    for member in archive.infolist()[:MAX_LISTED]:
                        if _REPORT.search(member.filename) and member.file_size <= MAX_MEMBER_BYTES:
                            with archive.open(member) as content:
                                yield f"{name}/{member.filename}", content.read(MAX_MEMBER_BYTES)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                raise PermanentError(f"the {what} is no zip that can be read ({error})") from error


def _may_be_read(artifact: Mapping[str, Any]) -> bool:
    small = int(artifact["size_in_bytes"]) <= MAX_ARTIFACT_BYTES
    return small and not artifact.get("expired") and _LIKELY.search(str(artifact["name"])) is not None


def _copy(stream: BinaryIO, packed: BinaryIO, what: str) -> None:
    size = 0
    while chunk := stream.read(1 << 16):
        size += len(chunk)
        if size > MAX_ARTIFACT_BYTES:
            raise PermanentError(f"the {what} is larger than it was said to be")
        packed.write(chunk)
    packed.seek(0)
