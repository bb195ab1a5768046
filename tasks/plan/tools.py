"""Runs a package manager that a draft needs: no shell, no scripts of packages, no credential of ours."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.plan.case import Case
from tasks.settings import variables_of_this_machine

TIMEOUT_SECONDS = 90.0
_INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "npm_config_registry"),
    *("GOPATH", "GOROOT", "GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOPRIVATE", "GOSUMDB"),
)


def find_tool(case: Case, name: str, *, last: str = "") -> str | None:
    """The program among the job's own tools, on PATH or in the folder `last`; never one that stands in the checkout
    itself, which is the repository's to change."""
    usual = variables_of_this_machine(["PATH"]).get("PATH", os.defpath)
    folders = [*map(str, case.tool_paths), usual, *([last] if last else [])]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None or Path(found).resolve().is_relative_to(case.checkout.resolve()):
        return None
    return found


def run_tool(arguments: Sequence[str], *, folder: Path, more: Mapping[str, str]) -> bool:
    """Whether the program ran and succeeded. `more` is added to its environment."""
    environment = variables_of_this_machine(_INHERITED)
    try:
        done = subprocess.run(
            list(arguments),
            cwd=folder,
            env={"LANG": "C.UTF-8", **environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
