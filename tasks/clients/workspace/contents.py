"""The files that a range of commits changes, with their new contents: what a fix is made of."""

from pathlib import Path

from tasks.clients.workspace.git import git, git_bytes
from tasks.domain.code_host import FileChange, FileMode
from tasks.errors import PermanentError

MAX_FILES = 500
MAX_FILE_BYTES = 10 << 20
_GONE = "000000"


def read_file_changes(repository: Path, base: str, tip: str) -> tuple[FileChange, ...]:
    """Each file that differs between two commits, in the order of their paths."""
    # A record is ":OLDMODE NEWMODE OLDBLOB NEWBLOB STATUS" and the path: https://git-scm.com/docs/git-diff#_raw_output_format
    listing = git(repository, "diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", base, tip, "--")
    fields = listing.split("\0")[:-1]
    rows = list(zip(fields[::2], fields[1::2], strict=True))
    if len(rows) > MAX_FILES:
        raise PermanentError(f"the fix changes {len(rows)} files, more than a person can judge")
    return tuple(_change(repository, facts.removeprefix(":").split(" "), path) for facts, path in rows)


def _change(repository: Path, facts: list[str], path: str) -> FileChange:
    mode, blob = facts[1], facts[3]
    if mode == _GONE:
        return FileChange(path=path, content=None)
    if mode not in {str(known) for known in FileMode}:
        raise PermanentError(f"the fix changes {path[:120]!r}, which is a submodule: that is left to a person")
    if int(git(repository, "cat-file", "-s", blob)) > MAX_FILE_BYTES:
        raise PermanentError(f"{path[:120]!r} has more than {MAX_FILE_BYTES >> 20} MB: that is left to a person")
    return FileChange(path=path, content=git_bytes(repository, "cat-file", "blob", blob), mode=FileMode(mode))
