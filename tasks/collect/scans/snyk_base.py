"""What Snyk says of a container's base image: which it is, and which it proposes instead.

The advice is printed text, a heading (`Minor upgrades`) before each table of images:
https://docs.snyk.io/scan-with-snyk/snyk-container/use-snyk-container/analyze-and-fix-container-images
"""

import re

from tasks.collect.scans.fields import Node
from tasks.domain.vulnerability import UpgradeStep

MAX_UPGRADES = 10
_HEADINGS = (
    (re.compile(r"^\s*minor upgrades", re.I), UpgradeStep.MINOR),
    (re.compile(r"^\s*major upgrades", re.I), UpgradeStep.MAJOR),
    (re.compile(r"^\s*alternative", re.I), UpgradeStep.ALTERNATIVE),
)
_IMAGE_ROW = re.compile(r"^\s*([a-z0-9][\w./-]*(?::\d+/[\w./-]+)?:[\w][\w.-]{0,127})\s+\d+\s")


def read_base(docker: Node) -> tuple[str, tuple[tuple[str, UpgradeStep], ...]] | None:
    """The base image with the proposed ones, the nearest first; `None` when the report names none."""
    image = docker.text("baseImage")
    if not image:
        return None
    step: UpgradeStep | None = None
    found: list[tuple[str, UpgradeStep]] = []
    for path, value in docker.node("baseImageRemediation").each("advice"):
        for line in Node(value, path).text("message").splitlines():
            step = next((known for heading, known in _HEADINGS if heading.match(line)), step)
            row = _IMAGE_ROW.match(line)
            if row and step is not None and row[1] != image and len(found) < MAX_UPGRADES:
                found.append((row[1], step))
    order = list(UpgradeStep)
    return image, tuple(sorted(found, key=lambda one: order.index(one[1])))
