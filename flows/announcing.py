"""Announces on GitHub what a heal found and what became of it; each mark passes the gate, none can stop the heal."""

from tasks.act.task import leave_mark, plan_marks
from tasks.domain.incident import SignalSource
from tasks.domain.outcome import Outcome
from tasks.domain.plan import Decision, Plan, Verdict
from tasks.domain.story import Triage
from tasks.gate.task import decide_marks


def announce(story: Triage, outcome: Outcome | None = None) -> None:
    """Write or renew the marks; on behalf of a fork nothing is written."""
    signal = story.incident.signal
    if signal.source is not SignalSource.GITHUB or signal.from_fork:
        return
    planned = plan_marks(story, outcome)
    if planned is None:
        return
    marked = story.model_copy(update={"plan": Plan.model_validate(planned)})
    if Decision.model_validate(decide_marks(marked)).verdict is Verdict.ALLOW:
        for index in range(len(marked.plan.actions)):
            leave_mark(marked, index)
