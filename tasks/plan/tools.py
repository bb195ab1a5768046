"""Runs a package manager that a draft needs: no shell, no scripts of packages, no credential of ours."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.plan.case import Case

TIMEOUT_SECONDS = 90.0
_INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "npm_config_registry"),
    *("GOPATH", "GOROOT", "GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOPRIVATE", "GOSUMDB"),
)


def find_tool(case: Case, name: str) -> str | None:
    """The program on PATH, never one that stands in the checkout itself."""
    folders = [*map(str, case.tool_paths), os.environ.get("PATH", os.defpath)]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None or Path(found).resolve().is_relative_to(case.checkout.resolve()):
        return None
    return found


def run_tool(arguments: Sequence[str], *, folder: Path, more: Mapping[str, str]) -> bool:
    """Whether the program ran and succeeded. `more` is added to its environment."""
    # Handed on to a child, not read as configuration: the tool gets no token and no setting of Healflow.
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
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
