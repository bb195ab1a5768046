# The default policy. Entry point: data.healflow.decision, always an object of exactly
#   {"verdict": "allow" | "ask" | "deny", "reason": string, "rules": [string, …]}, and with "ask" an "approval".
# An allow-list: an action that no rule below covers is denied. Python's floor is ANDed with whatever this says.
package healflow

default decision := {
	"verdict": "deny",
	"reason": "no rule of the policy covers this plan",
	"rules": ["default_deny"],
}

decision := {"verdict": "deny", "reason": concat("; ", sort(reasons)), "rules": sort(names)} if {
	count(denied) > 0
	reasons := [d.reason | some d in denied]
	names := [d.rule | some d in denied]
}

decision := {"verdict": "ask", "reason": concat("; ", sort(reasons)), "rules": sort(names), "approval": terms} if {
	count(denied) == 0
	every_action_covered
	count(asked) > 0
	reasons := [a.reason | some a in asked]
	names := [a.rule | some a in asked]
}

decision := {"verdict": "allow", "reason": concat("; ", sort(reasons)), "rules": sort(names)} if {
	count(denied) == 0
	every_action_covered
	count(asked) == 0
	reasons := [a.reason | some a in allowed]
	names := [a.rule | some a in allowed]
}

every_action_covered if {
	count(input.plan.actions) > 0
	count(covered_indexes) == count(input.plan.actions)
}

covered_indexes contains a.index if {
	some a in allowed
}

covered_indexes contains a.index if {
	some a in asked
}

known_environment if input.environment in data.environments

# what is only told by somebody else can be reported, and nothing there can be changed
known_environment if {
	input.environment in data.only_told
	every action in input.plan.actions { action.name == "report_only" }
}

# ---- denied whatever else holds

denied contains {"rule": "unknown_environment", "reason": "the environment is not one that this policy knows"} if {
	not known_environment
}

denied contains {"rule": "unknown_cause", "reason": "the cause is unknown, so nothing may be changed"} if {
	input.diagnosis.failure_class == "unknown"
	some action in input.plan.actions
	action.name != "report_only"
}

denied contains {"rule": "from_fork", "reason": "the commit comes from a fork"} if {
	input.incident.from_fork == true
	some action in input.plan.actions
	action.name != "report_only"
}

denied contains {"rule": "rerun_once", "reason": "this class was run again on this commit before"} if {
	some action in input.plan.actions
	action.name == "rerun_failed_jobs"
	input.reruns_so_far > 0
}

denied contains {"rule": "once", "reason": "this was done once against the same failure, which came back"} if {
	some action in input.plan.actions
	action.name in data.once_per_fingerprint
	action.name in input.taken_before
}

# ---- allowed without a person

allowed contains {"index": i, "rule": "report", "reason": "a report changes nothing"} if {
	some i, action in input.plan.actions
	action.name == "report_only"
}

allowed contains {"index": i, "rule": "mark", "reason": "it leaves a mark of ours and changes no code"} if {
	some i, action in input.plan.actions
	action.name in data.marks
}

allowed contains {"index": i, "rule": "rerun_transient", "reason": "one re-run of a passing fault"} if {
	some i, action in input.plan.actions
	action.name == "rerun_failed_jobs"
	input.diagnosis.transient == true
	input.reruns_so_far == 0
}

allowed contains {"index": i, "rule": "earned", "reason": "this remedy has held often enough here"} if {
	some i, action in input.plan.actions
	earned(action)
}

earned(action) if {
	action.name in data.can_be_earned
	input.diagnosis.confidence >= data.autonomy.confidence_needed
	count(action.sensitive_files) == 0
	some record in input.track_records
	record.action_name == action.name
	record.healed_since_failure >= data.autonomy.healed_needed
}

# ---- allowed with a person's approval

asked contains {"index": i, "rule": "patch", "reason": "it changes files on a branch of ours"} if {
	some i, action in input.plan.actions
	action.name in data.patches
	not earned(action)
}

asked contains {"index": i, "rule": "cluster_change", "reason": "it changes a live object of the cluster"} if {
	some i, action in input.plan.actions
	action.name in data.cluster_changes
	input.environment == "cluster"
}

asked contains {"index": i, "rule": "manifest_change", "reason": "it changes a manifest on a branch of ours"} if {
	some i, action in input.plan.actions
	action.name in data.manifest_changes
	input.environment == "cluster"
}

asked contains {"index": i, "rule": "rerun_persistent", "reason": "nothing says that running it again would help"} if {
	some i, action in input.plan.actions
	action.name == "rerun_failed_jobs"
	input.diagnosis.transient == false
	input.reruns_so_far == 0
}

asked contains {"index": i, "rule": "unsure", "reason": "the diagnosis is not sure enough to act alone"} if {
	some i, action in input.plan.actions
	action.name != "report_only"
	input.diagnosis.confidence < data.autonomy.confidence_floor
}

asked contains {"index": i, "rule": "sensitive_files", "reason": "it touches tests, pipelines or security settings"} if {
	some i, action in input.plan.actions
	count(action.sensitive_files) > 0
}

# ---- who has to approve: by environment, and by the highest risk in the plan

default place := "elsewhere"

place := input.environment if data.approval[input.environment]

default risk := "usual"

risk := "high" if {
	some action in input.plan.actions
	action.risk == "high"
}

terms := data.approval[place][risk]
