"""What CI systems print about a job itself: where steps start and end, what passed, and that the job failed.

A mark is never a cause. It says which lines belong to the failing step, and how near to the failure they stand.
"""

from enum import StrEnum


class Mark(StrEnum):
    """What a CI system's own line says."""

    SCRIPT_STARTS = "script_starts"
    """The script of a step follows, as text; its output starts at the end of the group."""
    SCRIPT_ENDS = "script_ends"
    STEP_STARTS = "step_starts"
    TIMER_STARTS = "timer_starts"
    """Travis starts a command; such marks nest when scripts print their own."""
    TIMER_ENDS = "timer_ends"
    STEP_PASSED = "step_passed"
    RECOVERED = "recovered"
    """A download, installation or pull went well, so what failed of it before was tried again."""
    FAILED = "failed"
    """The step or the job failed; the cause stands before."""
    CLOSED = "closed"
    """The job ends as failed; what stands before may be cleaning up."""
    WRAPPED = "wrapped"
    """A process failed; whether the job did is not said."""
    JOB_PASSED = "job_passed"
    JOB_ENDS = "job_ends"
    """GitHub's steps are over: when none of them said that it failed, the job passed."""


MARKS: tuple[tuple[Mark, str], ...] = (
    (Mark.SCRIPT_STARTS, r"^##\[group\]Run "),
    (Mark.SCRIPT_ENDS, r"^##\[endgroup\]"),
    (Mark.STEP_STARTS, r"^##\[section\]Starting: |section_start:\d+:(?:step|build)_script"),
    (Mark.TIMER_STARTS, r"travis_time:start:[0-9a-f]"),
    (Mark.TIMER_ENDS, r"travis_time:end:[0-9a-f]"),
    (Mark.STEP_PASSED, r"\" exited with 0\.?$"),
    (Mark.JOB_ENDS, r"^Post job cleanup\.|^Cleaning up orphan processes"),
    (Mark.JOB_PASSED, r"^Finished: SUCCESS|^Done\. Your build exited with 0|^Job succeeded"),
    (
        Mark.FAILED,
        r"(?:##\[error\]|^Error: )(?:Process completed with exit code|The process '[^']*' failed with exit code) ?\d+"
        r"|^##\[error\](?:Bash|PowerShell|Cmd\.exe|Script) (?:exited|failed) with (?:code|exit code)"
        r"|^Build step '[^']*' marked build as failure|^ERROR: script returned exit code [1-9]"
        r"|\" (?:failed and )?exited with [1-9]\d*(?: during [^\n]*)?\.?$"
        r"|^ERROR: Job failed: |^Exited with code (?:exit status )?[1-9]\d*|^Command exited with code [1-9]"
        r"|Error: The command exited with status [1-9]",
    ),
    (Mark.CLOSED, r"^Finished: (?:FAILURE|ABORTED|UNSTABLE)|^Done\. Your build exited with [1-9]|^##\[error\]"),
    (Mark.WRAPPED, r"^npm (?:ERR!|error) Exit status \d+|exited with code [1-9]\d*\.?$"),
    (
        Mark.RECOVERED,
        r"^(?:Successfully (?:installed|built|tagged) |Installing collected packages: |added [1-9]\d* packages"
        r"|Status: (?:Downloaded newer image|Image is up to date) |Bundle complete! |Login Succeeded"
        r"|Terraform has been successfully initialized|Fetched [\d.,]+ [kMG]?B in |Resolving deltas: 100%"
        r"|Resolved [1-9]\d* packages|Prepared [1-9]\d* packages|success Saved lockfile)"
        r"|[\"'\x{2019}] saved \[\d+|(?:[Aa]ttempt|[Rr]etry) #?\d+(?: of \d+)?:? succeeded"
        r"|succeeded (?:on|after) (?:attempt|retry|\d+ (?:attempts|retries))",
    ),
)
"""In the order in which a line is asked for them."""
