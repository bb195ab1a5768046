"""Who owns a file: the repository's CODEOWNERS, else whoever changed the file last.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

import re

from tasks.clients.workspace import last_author
from tasks.plan.case import Case

_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_OWNER = re.compile(r"@[\w./-]+|[^@\s]+@[\w.-]+")


def owner_of(case: Case, file: str) -> str:
    """The owners of a file of the checkout, or the author of its last change; empty when nobody is known."""
    for place in _PLACES:
        path = case.file_inside(place)
        if path is not None:
            owners = _owners(path.read_text(encoding="utf-8", errors="replace"), file)
            return " ".join(owners) or last_author(case.checkout, file)
    return last_author(case.checkout, file)


def _owners(text: str, file: str) -> list[str]:
    """The last line that matches decides, also when it names nobody."""
    owners: list[str] = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words and re.fullmatch(_pattern(words[0]), file):
            owners = [word for word in words[1:] if _OWNER.fullmatch(word)]
    return owners


def _pattern(glob: str) -> str:
    """A CODEOWNERS pattern as an expression over a whole path; a folder stands for all in it."""
    anchored = "/" in glob.rstrip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.strip("/"))
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(known.get(part, re.escape(part)) for part in parts)
    below = "" if glob.endswith("/*") else "(?:/.*)?"
    return ("" if anchored else "(?:.*/)?") + body + below
