"""Containers that end, or never start: out of memory, no such command, what their log says, or their exit code."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.calling import variable_holding
from tasks.diagnose.analyzers.cluster.mounts import mounted_source
from tasks.diagnose.analyzers.cluster.reading import (
    MAX_QUOTES,
    ContainerState,
    ailing_pods,
    event_quote,
    events_saying,
    is_healthy,
    is_leaving,
    one_line,
    states_of,
    status_quote,
)
from tasks.diagnose.analyzers.cluster.saying import Said, listen
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.log_digest import ContainerLog

_CRASHED = ("CrashLoopBackOff", "RunContainerError", "CreateContainerError", "StartError", "ContainerCannotRun")
_ODD_EXITS = {126: "is not executable", 127: "is not found"}
_SIGNALS = {
    139: "a segmentation fault",
    134: "an abort",
    132: "an illegal instruction",
    135: "a bus error",
    136: "an arithmetic error",
}
_COMMAND = re.compile(
    r"exec:? \\?[\"'](?P<name>[^\"'\\]+)\\?[\"']:? (?P<why>executable file not found|stat \S+ no such file|no such file|permission denied|is a directory)|(?P<format>exec format error)|no command specified",
    re.I,
)
_NEAR = {
    "wge": "wget",
    "crul": "curl",
    "pyhton": "python",
    "pyton": "python",
    "ngnix": "nginx",
    "bsh": "bash",
    "nod": "node",
    "jav": "java",
}
_QUOTED = re.compile(r"(?<=['\"`])[^'\"`]{2,120}(?=['\"`])")
_PERMISSION = re.compile(
    r"permission denied|read-only file system|runAsNonRoot|not permitted|must run as"
    r"|cannot load seccomp profile|seccomp|apparmor|invalid capabilit|unknown capability",
    re.I,
)
YOUNG_SECONDS = 600
_NOWHERE = ObjectRef(kind="", name="")
_LIVENESS = r"liveness probe|startup probe"
_KILLED = r"^Killing.*(?:liveness|startup) probe"
LONG_RUN_SECONDS = 600
"""Whoever ran for longer is taken as well again at once, as the kubelet does that forgets its back-off then."""
RELAPSE_SECONDS = 10
"""How much longer than the last time a container has to run to be taken as well."""


def find_crashes(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each container that crashes."""
    for pod in ailing_pods(snapshot):
        for state in states_of(pod):
            if crashes(state, pod):
                yield _explain(snapshot, pod, state)
        if pod.status.get("phase") == "Failed" and not any(True for _ in states_of(pod)):
            yield from _failed_without_state(snapshot, pod)
    for pod in snapshot.of_kind("Pod"):
        if is_healthy(pod) and not is_leaving(pod):
            yield from (_explain(snapshot, pod, state) for state in states_of(pod) if _relapses(snapshot, pod, state))
    yield from _killed_before(snapshot)


def _relapses(snapshot: ClusterSnapshot, pod: KubeObject, state: ContainerState) -> bool:
    """Whether a container is well only because it was started again a moment ago: it ended again and again, or its
    probe killed it, and it has not yet run for as long as the last time. Out of memory is told by itself."""
    since, ran = snapshot.seconds_since(state.running_since), state.ran_seconds
    if not (state.ready and state.running and state.restarts) or state.end_reason in ("OOMKilled", "Unknown"):
        return False
    if since is None or ran is None or not since < ran + RELAPSE_SECONDS or ran > LONG_RUN_SECONDS:
        return False
    killed = events_saying(snapshot, pod.ref, _KILLED)
    return bool(killed) or (state.restarts > 1 and state.exit_code not in (0, 143, None))


def crashes(state: ContainerState, pod: KubeObject) -> bool:
    """Whether a container ends, or never starts, though it should run."""
    if state.waiting_reason in _CRASHED:
        return True
    if state.running and not state.ready and state.ended and (state.restarts >= 2 or state.end_reason == "OOMKilled"):
        return True  # between two crashes
    wants_to_run = pod.spec.get("restartPolicy", "Always") == "Always" and not state.init
    return state.ended and not state.running and not state.waiting_reason and (state.exit_code != 0 or wants_to_run)


def _explain(snapshot: ClusterSnapshot, pod: KubeObject, state: ContainerState) -> Clue:
    said_by_status = [status_quote(pod, state.said)]
    failed = events_saying(snapshot, pod.ref, r"^(?:Failed|OOMKilling|BackOff|Killing)\b")
    texts = "\n".join([state.waiting_message, state.end_message, *(event.message for event in failed)])
    quotes = said_by_status + [event_quote(event) for event in failed if event.reason == "Failed"][-1:]
    found = _by_kernel(state, quotes) or _by_start(state, texts, quotes)
    found = found or _by_hook(snapshot, pod, state, said_by_status)
    killed = events_saying(snapshot, pod.ref, _LIVENESS)
    killed = [event for event in killed if "probe failed:" in event.message] or killed  # what it failed with, if told
    if found is None and killed and state.exit_code in (0, 2, 137, 143, None):
        found = _clue(
            F.K8S_CRASH_LIVENESS,
            "liveness",
            f"{_who(state)} is killed because its liveness probe fails: {_reason_of(killed[-1].message)}",
            [event_quote(killed[-1]), *said_by_status],
            0.9,
            26,
        )
    if found is None:
        found = _by_log(snapshot, pod, state, quotes) or _by_exit(snapshot, pod, state, quotes)
    target = snapshot.workload_of(pod)
    told = found.model_copy(update={"target": target, "victims": (pod.ref,), "cause": f"{target}: {found.cause}"})
    return _of_variable(snapshot, _of_mounted_file(told, pod, state), pod)


def _of_mounted_file(clue: Clue, pod: KubeObject, state: ContainerState) -> Clue:
    """A file that a program cannot make sense of comes from what is mounted there: that has to change."""
    if clue.failure_class is not F.K8S_CRASH_CONFIG or not clue.quotes[0].source.startswith("log:"):
        return clue
    path, source = mounted_source(pod, state.name, clue.quotes[0].text)
    if source is None:
        return clue
    cause = f"{clue.cause.rstrip('.')}: {path} comes from {source}."
    return clue.model_copy(update={"target": source, "victims": (clue.target, *clue.victims), "cause": cause})


def _of_variable(snapshot: ClusterSnapshot, clue: Clue, pod: KubeObject) -> Clue:
    """A value that a program quotes when it fails is one that it was given: what gives it has to change."""
    if clue.failure_class not in (F.K8S_CRASH_APP, F.K8S_CRASH_CONFIG) or not clue.quotes[0].source.startswith("log:"):
        return clue
    workload = snapshot.find(clue.target.kind, clue.target.namespace, clue.target.name) or pod
    for value in _QUOTED.findall(clue.quotes[0].text):
        found = variable_holding(snapshot, workload, value)
        if found is not None:
            cause = f"{clue.cause.rstrip('.')}: {value!r} is the value of {found[0]}, given by {found[1]}."
            changed = {"failure_class": F.K8S_CRASH_CONFIG, "cause": cause, "target": found[1], "rank": 28}
            victims = clue.victims if found[1] == clue.target else (clue.target, *clue.victims)
            return clue.model_copy(update={**changed, "victims": victims, "confidence": max(0.8, clue.confidence)})
    return clue


def _by_hook(snapshot: ClusterSnapshot, pod: KubeObject, state: ContainerState, quotes: list[Quote]) -> Clue | None:
    events = events_saying(snapshot, pod.ref, r"^FailedPostStartHook")
    if not events or state.init:
        return None
    why = f"{_who(state)} is killed because the hook after its start fails: {_reason_of(events[-1].message)}"
    return _clue(F.K8S_CRASH_CMD, "hook", why, [event_quote(events[-1]), *quotes], 0.9, 24)


def _clue(
    failure_class: F, rule: str, cause: str, quotes: list[Quote], confidence: float, rank: int, host: str = ""
) -> Clue:
    """A clue whose target is filled in by the caller."""
    return Clue(
        failure_class=failure_class,
        rule=f"cluster-crash-{rule}",
        cause=cause + ".",
        target=_NOWHERE,
        quotes=tuple(quotes[:MAX_QUOTES]),
        confidence=confidence,
        rank=rank,
        host=host,
    )


def _who(state: ContainerState) -> str:
    kind = "init container" if state.init else "container"
    return f"{kind} {state.name}" if state.name else f"a {kind}"


def _reason_of(message: str) -> str:
    return one_line(message.partition("probe failed:")[2] or message)[:160].rstrip(".")


def _by_kernel(state: ContainerState, quotes: list[Quote]) -> Clue | None:
    if state.end_reason == "OOMKilled":
        return _clue(
            F.K8S_OOM,
            "oom",
            f"{_who(state)} was killed out of memory (OOMKilled): its limit is too low, or it leaks",
            quotes,
            0.97,
            20,
        )
    return None


def _by_start(state: ContainerState, texts: str, quotes: list[Quote]) -> Clue | None:
    """The runtime could not start the container at all."""
    found = _COMMAND.search(texts)
    if found is not None and found["why"] != "permission denied":
        name = found["name"] or ""
        near = next((right for wrong, right in _NEAR.items() if name.rsplit("/", 1)[-1] == wrong), "")
        hint = f" (a typo for {near}?)" if near else ""
        why = (
            f"its command {name!r} is not found in the image{hint}"
            if name
            else "its command does not fit this machine or is missing"
        )
        return _clue(F.K8S_CRASH_CMD, "command", f"{_who(state)} cannot start: {why}", quotes, 0.97, 20)
    if state.waiting_reason in _CRASHED[1:] or state.end_reason in _CRASHED[1:]:
        match = _PERMISSION.search(texts)
        if match is not None:
            return _clue(
                F.K8S_CRASH_PERM, "start-permission", f"{_who(state)} cannot start: {match[0]}", quotes, 0.9, 20
            )
        return _clue(
            F.K8S_CRASH_CMD, "start", f"{_who(state)} cannot be started: {one_line(texts)[:200]}", quotes, 0.6, 28
        )
    return None


def _by_log(snapshot: ClusterSnapshot, pod: KubeObject, state: ContainerState, quotes: list[Quote]) -> Clue | None:
    said: Said | None = listen(snapshot.logs_of(pod, state.name))
    if said is None and state.end_message:
        said = _message_said(state, pod)
    if said is None:
        return None
    rank = 30 if said.rank < 40 else said.rank
    return _clue(
        said.failure_class,
        said.rule,
        f"{_who(state)} ends because {said.cause}",
        [*said.quotes[:2], *quotes],
        said.confidence,
        rank,
        said.host,
    )


def _message_said(state: ContainerState, pod: KubeObject) -> Said | None:
    """Programs may leave their last words in the status: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/."""
    words = ContainerLog(
        namespace=pod.namespace, pod=pod.name, container=state.name, lines=tuple(state.end_message.splitlines())
    )
    return listen([words])


def _by_exit(snapshot: ClusterSnapshot, pod: KubeObject, state: ContainerState, quotes: list[Quote]) -> Clue:
    code = state.exit_code
    last = _last_words(snapshot, pod, state)
    if code in _ODD_EXITS:
        return _clue(
            F.K8S_CRASH_CMD,
            "exit",
            f"{_who(state)} ends with exit code {code}: a command {_ODD_EXITS[code]}",
            quotes,
            0.8,
            30,
        )
    if code in _SIGNALS:
        return _clue(
            F.K8S_CRASH_APP, "signal", f"{_who(state)} dies of {_SIGNALS[code]} (exit code {code})", quotes, 0.7, 40
        )
    if code == 0:
        return _clue(
            F.K8S_CRASH_APP,
            "ends",
            f"{_who(state)} ends by itself (exit code 0) though it should keep running",
            quotes,
            0.6,
            60,
        )
    if code == 137:
        return _clue(
            F.K8S_CRASH_APP, "killed", f"{_who(state)} was killed (exit code 137), by whom is not said", quotes, 0.4, 60
        )
    return _clue(
        F.K8S_CRASH_APP,
        "exit",
        f"{_who(state)} ends with {'an error' if code is None else f'exit code {code}'}; "
        + (
            f"its log does not say why, and ends: {last.text[:200].rstrip('.')}" if last else "its log does not say why"
        ),
        [*quotes[:1], *((last,) if last else ()), *quotes[1:]],
        0.5,
        60,
    )


def _last_words(snapshot: ClusterSnapshot, pod: KubeObject, state: ContainerState) -> Quote | None:
    """The last line of the log of the container that ended; where there are two logs, of the one before."""
    logs = sorted(snapshot.logs_of(pod, state.name), key=lambda log: not log.previous)
    for log in logs:
        for number in range(len(log.lines) - 1, -1, -1):
            if log.lines[number].strip():
                text = log.lines[number].strip()[:900]
                return Quote(source=log.source, text=text, line_number=log.first_line_number + number)
    return None


def _failed_without_state(snapshot: ClusterSnapshot, pod: KubeObject) -> Iterator[Clue]:
    reason = str(pod.status.get("reason") or "")
    if reason in ("Evicted", "Preempting", "NodeLost", "Shutdown", "Terminated") or not reason:
        return
    said = one_line(f"{reason}: {pod.status.get('message') or ''}")
    classes = {
        "UnexpectedAdmissionError": F.K8S_PENDING_RES,
        "NodeAffinity": F.K8S_PENDING_AFFINITY,
        "OutOfcpu": F.K8S_PENDING_RES,
        "OutOfmemory": F.K8S_PENDING_RES,
        "OutOfpods": F.K8S_PENDING_UNSCHED,
        "DeadlineExceeded": F.K8S_JOB,
    }
    target = snapshot.workload_of(pod)
    yield Clue(
        failure_class=classes.get(reason, F.K8S_CRASH_APP),
        rule="cluster-pod-failed",
        cause=f"{target}: its pod failed: {said}.",
        target=target,
        victims=(pod.ref,),
        quotes=(status_quote(pod, said),),
        confidence=0.7,
        rank=35,
    )


def _is_young(pod: KubeObject, snapshot: ClusterSnapshot) -> bool:
    """Whether the pod was made within the last minutes: what kills it so soon came with its revision."""
    age = snapshot.age_seconds(pod)
    return age is not None and age < YOUNG_SECONDS


def _killed_before(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """Pods that run again after they were killed out of memory: a fault after twice, or where the pod is young; else
    worth knowing.
    """
    for pod in snapshot.of_kind("Pod"):
        if pod.status.get("phase") != "Running" or is_leaving(pod):
            continue
        for state in states_of(pod):
            if state.ready and state.running and state.restarts and state.end_reason == "OOMKilled":
                target = snapshot.workload_of(pod)
                yield Clue(
                    failure_class=F.K8S_OOM,
                    rule="cluster-crash-oom-before",
                    cause=f"{target}: {_who(state)} was killed out of memory (OOMKilled) {state.restarts} times and runs again.",
                    target=target,
                    victims=(pod.ref,),
                    quotes=(status_quote(pod, state.said),),
                    confidence=0.75,
                    rank=25,
                    hint=state.restarts < 2 and not _is_young(pod, snapshot),
                )
