"""What owns an object, told from its name alone: a pod's name is made of its workload's, as long as it has any."""

import re

_SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""The letters and digits of generated names:
https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go"""
_SUFFIX = re.compile(rf"(?P<owner>.+)-[{_SAFE}]{{5}}")
_HASHED = re.compile(rf"(?P<owner>.+)-[{_SAFE}]{{6,10}}")
_ORDINAL = re.compile(r"(?P<owner>.+)-\d{1,5}")
_SCHEDULED = re.compile(r"(?P<owner>.+)-\d{8,10}")
"""The minutes since 1970 of a CronJob's job:
https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/cronjob/utils.go"""
_RULES = (
    ("Pod", _SUFFIX, ("ReplicaSet", "DaemonSet", "Job")),
    ("Pod", _ORDINAL, ("StatefulSet",)),
    ("ReplicaSet", _HASHED, ("Deployment",)),
    ("Job", _SCHEDULED, ("CronJob",)),
)


def owners_by_name(kind: str, name: str) -> tuple[tuple[str, str], ...]:
    """Kind and name of all that could own the object, and what owns that: only one of them is there, but no other
    object of that namespace would be of their name."""
    found = [
        (owner, match["owner"])
        for owned, pattern, owners in _RULES
        if owned == kind and (match := pattern.fullmatch(name))
        for owner in owners
    ]
    return (*found, *(further for one in found for further in owners_by_name(*one)))
