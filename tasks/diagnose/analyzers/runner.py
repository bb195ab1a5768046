"""The machine that ran the job: disk, memory, time, signals, and the runner itself."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="disk.full",
        failure_class=FailureClass.CI_DISK,
        pattern=r"(?i)no space left on device|insufficient space remaining on the device|\bENOSPC\b"
        r"|not enough (?:free |disk |free disk )space|disk quota exceeded|There is not enough space on the disk",
        cause="The disk of the runner is full.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="disk",
        rank=5,
        confidence=0.95,
    ),
    Signature(
        name="runner.lost",
        failure_class=FailureClass.CI_RUNNER_LOST,
        pattern=r"The runner has received a shutdown signal|lost communication with the server"
        r"|The self-hosted runner: .* lost|hudson\.remoting\.(?:Channel\$OrderlyShutdown|ChannelClosedException"
        r"|RequestAbortedException)|Agent went offline during the build|Cannot contact .{1,80}: (?:java|hudson)\."
        r"|java\.io\.EOFException: unexpected stream termination|ERROR: Job failed \(system failure\)"
        r"|The hosted runner encountered an error|No runner matching the specified labels",
        cause="The runner was lost while the job ran.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="runner",
        rank=8,
        confidence=0.9,
        transient=True,
    ),
    Signature(
        name="oom.heap",
        failure_class=FailureClass.CI_OOM,
        pattern=r"java\.lang\.OutOfMemoryError|JavaScript heap out of memory|Cannot allocate memory|^MemoryError\b"
        r"|std::bad_alloc|fatal error: runtime: out of memory|Out of memory: Kill(?:ed)? process|oom-kill"
        r"|There is insufficient memory for the Java Runtime|virtual memory exhausted|\bOOMKilled\b"
        r"|GC overhead limit exceeded|memory allocation of \d+ bytes failed",
        cause="A process ran out of memory.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="memory",
        rank=6,
        confidence=0.92,
    ),
    Signature(
        name="oom.killed",
        failure_class=FailureClass.CI_OOM,
        pattern=r"(?:exit(?:ed with)?(?: code| status)?:?|returned) ?\(?137\b|^\S*(?:line \d+: +\d+ )?Killed\b"
        r"|: line \d+: +\d+ Killed|signal: killed|Killed: 9|c\+\+: fatal error: Killed signal terminated",
        cause="A process was killed, as the kernel does when memory runs out (exit code 137).",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="memory",
        rank=20,
        confidence=0.75,
    ),
    Signature(
        name="timeout.step",
        failure_class=FailureClass.CI_TIMEOUT,
        pattern=r"##\[error\]The (?:action|job)(?: '[^']*'| running on .*)? has (?:timed out|exceeded the maximum execution time)"
        r"|exceeded the maximum execution time|execution took longer than|Build timed out \(after"
        r"|The job exceeded the maximum time limit|No output has been received in the last \d+|Your build has been stopped"
        r"|ERROR: Job failed: execution took longer|Timeout has been exceeded|Cancelling nested steps due to timeout"
        r"|Too long with no output|exited with(?: code)? 124\b|\btimeout: context deadline exceeded",
        cause="The job took longer than its time limit.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="time limit",
        rank=10,
        confidence=0.9,
    ),
    Signature(
        name="timeout.test",
        failure_class=FailureClass.CI_TIMEOUT,
        pattern=r"panic: test timed out after|Timeout >\d+\.?\d*s|Failed: Timeout \(?>|Timeout of \d+ms exceeded"
        r"|Exceeded timeout of \d+ ?ms for a test|TestTimedOutException|test timed out after \d+"
        r"|^(?i:tests? timed out)\b|deadline exceeded.*test|\*\*\*Timeout\b",
        cause="A test took longer than its time limit.",
        rank=18,
        confidence=0.8,
    ),
    Signature(
        name="runner.canceled",
        failure_class=FailureClass.CI_RUNNER_LOST,
        pattern=r"##\[error\]The operation was cancell?ed",
        cause="The job was cancelled before it ended.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="runner",
        rank=60,
        confidence=0.55,
    ),
    Signature(
        name="signal.arch",
        failure_class=FailureClass.CI_SIGNAL,
        pattern=r"(?i)exec format error|cannot execute binary file",
        cause="A program is built for another kind of processor.",
        rank=12,
        confidence=0.85,
    ),
    Signature(
        name="signal.crash",
        failure_class=FailureClass.CI_SIGNAL,
        pattern=r"(?i)segmentation fault|core dumped|\bSIG(?:SEGV|ABRT|BUS|ILL|FPE)\b|Received Signal: SIG"
        r"|ERROR: (?:Address|Leak|Thread|Memory)Sanitizer|AddressSanitizer:DEADLYSIGNAL"
        r"|exit(?:ed with)?(?: code| status)?:? ?(?:134|139|143)\b|fatal error: unexpected signal|double free or corruption",
        cause="A process crashed.",
        rank=22,
        confidence=0.8,
    ),
)
