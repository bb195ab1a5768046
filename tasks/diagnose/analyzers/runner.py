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
    ),
    Signature(
        name="runner.lost",
        failure_class=FailureClass.CI_RUNNER_LOST,
        pattern=r"The runner has received a shutdown signal|lost communication with the server"
        r"|The self-hosted runner: .* lost|hudson\.remoting\.(?:Channel\$OrderlyShutdown|ChannelClosedException"
        r"|RequestAbortedException)|Agent went offline during the build|Cannot contact .{1,80}: (?:java|hudson)\."
        r"|java\.io\.EOFException: unexpected stream termination|ERROR: Job failed \(system failure\)"
        r"|The hosted runner encountered an error|No runner matching the specified labels|marked offline: Connection was broken"
        r"|We stopped hearing from agent|\(agent lost\)|Job failed: prepare environment|runner_system_failure|Agent was lost"
        r"|Received signal 15.{0,40}spot|Backing channel .{1,80} is disconnected",
        cause="The runner was lost while the job ran.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="runner",
        rank=8,
        transient=True,
    ),
    Signature(
        name="oom.heap",
        failure_class=FailureClass.CI_OOM,
        pattern=r"java\.lang\.OutOfMemoryError|JavaScript heap out of memory|Cannot allocate memory|^MemoryError\b"
        r"|std::bad_alloc|fatal error: runtime: out of memory|Out of memory: Kill(?:ed)? process|\boom-kill(?:er)?:"
        r"|There is insufficient memory for the Java Runtime|virtual memory exhausted|\bOOMKilled\b"
        r"|GC overhead limit exceeded|memory allocation of \d+ bytes failed"
        r"|Reached heap limit Allocation failed|Ineffective mark-compacts near heap limit|(?:fatal error|internal compiler error): Killed"
        r"|ld terminated with signal 9 \[Killed\]|signal: 9, SIGKILL|JVM heap space is exhausted|can't allocate memory"
        r"|CUDA out of memory|LLVM ERROR: out of memory|OutOfMemoryException|SIGKILL! Perhaps out of memory|terminated by another process: .{0,20}signal=SIGKILL"
        r"|Signals\.SIGKILL: 9",
        cause="A process ran out of memory.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="memory",
        rank=6,
    ),
    Signature(
        name="oom.killed",
        failure_class=FailureClass.CI_OOM,
        pattern=r"(?:exit(?:ed with)?(?: code| status)?:?|returned) ?\(?137\b|^\S*(?:line \d+: +\d+ )?Killed\b"
        r"|: line \d+: +\d+ Killed|signal: killed|Killed: 9|c\+\+: fatal error: Killed signal terminated"
        r"|non-zero code: 137|errno 137\b|exit code -9\b|Gradle build daemon disappeared unexpectedly",
        cause="A process was killed, as the kernel does when memory runs out (exit code 137).",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="memory",
        rank=20,
        reach_lines=200,
    ),
    Signature(
        name="timeout.step",
        failure_class=FailureClass.CI_TIMEOUT,
        pattern=r"##\[error\]The (?:action|job)(?: '[^']*'| running on .*)? has (?:timed out|exceeded the maximum execution time)"
        r"|exceeded the maximum execution time|execution took longer than|Build timed out \(after"
        r"|The job exceeded the maximum time limit|No output has been received in the last \d+|Your build has been stopped"
        r"|ERROR: Job failed: execution took longer|Timeout has been exceeded|Cancelling nested steps due to timeout"
        r"|Too long with no output|exited with(?: code)? 124\b|\btimeout: context deadline exceeded"
        r"|ran longer than the maximum time of \d+ minutes|timeout: sending signal|Timed out after \d+ (?:minutes|seconds) of inactivity"
        r"|Execution timed out!",
        cause="The job took longer than its time limit.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="time limit",
        rank=10,
    ),
    Signature(
        name="timeout.test",
        failure_class=FailureClass.CI_TIMEOUT,
        pattern=r"panic: test timed out after|Timeout >\d+\.?\d*s|Failed: Timeout \(?>|Timeout of \d+ms exceeded"
        r"|Exceeded timeout of \d+ ?ms for a test|TestTimedOutException|test timed out after \d+"
        r"|^(?i:tests? timed out)\b|deadline exceeded.*test|\*\*\*Timeout\b"
        r"|Test timeout of \d+ms exceeded|Timeout - Async (?:callback|function)|exceeded the timeout of \d+",
        cause="A test took longer than its time limit.",
        rank=18,
    ),
    Signature(
        name="runner.canceled",
        failure_class=FailureClass.CI_RUNNER_LOST,
        pattern=r"##\[error\]The operation was cancell?ed"
        r"|Canceled since a higher priority waiting request|The run was canceled by|^Aborted by \S|script canceled externally",
        cause="The job was cancelled before it ended.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="runner",
        rank=60,
    ),
    Signature(
        name="signal.arch",
        failure_class=FailureClass.CI_SIGNAL,
        pattern=r"(?i)exec format error|cannot execute binary file",
        cause="A program is built for another kind of processor.",
        rank=12,
    ),
    Signature(
        name="signal.sanitizer",
        failure_class=FailureClass.CI_SIGNAL,
        pattern=r"ERROR: (?:Address|Leak|Thread|Memory)Sanitizer|SUMMARY: (?:Address|Thread|Memory|Leak|UndefinedBehavior)Sanitizer: (?P<name>[\w-]+)"
        r"|WARNING: ThreadSanitizer: (?P<name2>[\w -]+)",
        cause="A sanitizer found a memory error: {name}.",
        rank=21,
    ),
    Signature(
        name="signal.crash",
        failure_class=FailureClass.CI_SIGNAL,
        pattern=r"(?i)segmentation fault|core dumped|\bSIG(?:SEGV|ABRT|BUS|ILL|FPE)\b|Received Signal: SIG"
        r"|ERROR: (?:Address|Leak|Thread|Memory)Sanitizer|AddressSanitizer:DEADLYSIGNAL"
        r"|exit(?:ed with)?(?: code| status)?:? ?(?:134|139|143)\b|fatal error: unexpected signal|double free or corruption"
        r"|runtime error: .{1,200}(?:undefined behavior|overflow)|SUMMARY: (?:Address|Thread|Memory|Leak|UndefinedBehavior)Sanitizer: "
        r"|WARNING: ThreadSanitizer|fatal error has been detected by the Java Runtime|Fatal Python error: |signal: (?:segmentation fault|aborted|illegal instruction)"
        r"|terminated by signal SIG(?:SEGV|ABRT|BUS|ILL)|0xC0000005|-1073741819|EXC_BAD_ACCESS|Test crashed with signal"
        r"|forked VM terminated without|Bus error",
        cause="A process crashed.",
        rank=22,
        reach_lines=600,
    ),
    Signature(
        name="log.truncated",
        failure_class=FailureClass.CI_LOG_TRUNCATED,
        pattern=r"no more output will be collected|log length has exceeded the limit|[Oo]utput exceeded the limit of",
        cause="The log was cut, and what stands in it does not say why the job failed.",
        rank=98,
    ),
)
