"""What makes two notifications tell of the same alert; shared by who opens an incident and who reads its evidence."""

import json
import re
from collections.abc import Mapping

from tasks.domain.incident import short_hash

_GIVEN = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def alert_fingerprint(alert: Mapping[str, object]) -> str:
    """Alertmanager's fingerprint of an alert, or a digest of its labels where an old or trimmed sender gives none."""
    given = alert.get("fingerprint")
    if isinstance(given, str) and _GIVEN.fullmatch(given):
        return given
    return short_hash("labels", json.dumps(alert.get("labels"), sort_keys=True), length=16)
