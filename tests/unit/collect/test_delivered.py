"""What an event brought with it is evidence: quoted, bounded and redacted, and what is missing is said."""

import json

from tasks.collect.delivered import MAX_LINES, read_alert, read_event_log
from tasks.diagnose import diagnose, signatures
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tests.unit.intake.alerts import alert, bare, notification


def log(text: object) -> Evidence:
    return read_event_log(json.dumps({"log": text}).encode(), name="nightly", signatures=signatures())


def test_event_without_a_log_says_what_could_be_sent() -> None:
    for text in ("", "  \n", None, 7):
        evidence = log(text)
        assert evidence.lines == ()
        assert "field 'log'" in evidence.unreadable[0].reason


def test_log_of_an_event_is_explained_like_any() -> None:
    evidence = log("collecting\nModuleNotFoundError: No module named 'requests'\n")
    found = diagnose(evidence, repository="acme/shop", workflow="nightly")
    assert found.failure_class is FailureClass.CI_TEST_COLLECT
    assert evidence.line(found.evidence_ids[0]) is not None


def test_secrets_in_what_was_sent_are_not_quoted() -> None:
    told = read_alert(notification(bare(annotations={"detail": "password=hunter2hunter2"})), "f-QueueSlow")
    assert not any("hunter2" in line.text for line in (*told.lines, *log("error: token=hunter2hunter2").lines))


def test_only_the_alert_in_question_is_quoted_and_what_was_not_looked_at_is_said() -> None:
    evidence = read_alert(notification(bare("A"), bare("B")), "f-B")
    assert "alertname: B" in [line.text for line in evidence.lines]
    assert "alertname: A" not in [line.text for line in evidence.lines]
    assert [source.source for source in evidence.unreadable] == ["cluster"]


def test_text_of_an_alert_is_no_sign_of_a_cause() -> None:
    said = alert(annotations={"summary": "ModuleNotFoundError: No module named 'requests'"})
    evidence = read_alert(notification(said), "f-PodCrashLooping")
    found = diagnose(evidence, repository="alertmanager/x", workflow="x")
    assert found.failure_class is FailureClass.UNKNOWN


def test_alert_with_a_thousand_labels_is_cut_and_says_so() -> None:
    evidence = read_alert(notification(alert(labels={f"l{n}": "v" for n in range(1000)})), "f-PodCrashLooping")
    assert (len(evidence.lines), evidence.truncated) == (MAX_LINES, True)
