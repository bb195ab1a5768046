# The default policy for the objects of a release, asked once for each of them. Entry point: data.healflow.decision, as
# in the policy for plans. `input` is {"object": …, "operation": "apply" | "delete", "protected_namespaces": […]}.
# An allow-list: a kind that no rule below covers is denied.
package healflow

default decision := {
	"verdict": "deny",
	"reason": "the policy does not know this kind of object",
	"rules": ["default_deny"],
}

decision := {"verdict": "deny", "reason": concat("; ", sort(reasons)), "rules": sort(names)} if {
	count(denied) > 0
	reasons := {d.reason | some d in denied}
	names := {d.rule | some d in denied}
}

decision := {"verdict": "ask", "reason": concat("; ", sort(reasons)), "rules": sort(names)} if {
	count(denied) == 0
	known_kind
	count(asked) > 0
	reasons := {a.reason | some a in asked}
	names := {a.rule | some a in asked}
}

decision := {"verdict": "allow", "reason": "nothing in it needs a person", "rules": ["plain"]} if {
	count(denied) == 0
	input.operation == "apply"
	allowed_kind
	known_group
	count(asked) == 0
}

allowed_kind if thing.kind in data.allowed_kinds

allowed_kind if plain_namespace

# A namespace by itself only gives a release its place; labels and annotations of one loosen or tighten what may run in it.
plain_namespace if {
	thing.kind == "Namespace"
	not thing.spec
	not says_more
}

says_more if count(thing.metadata.labels) > 0

says_more if count(thing.metadata.annotations) > 0

thing := input.object

group := split(thing.apiVersion, "/")[0] if contains(thing.apiVersion, "/")

group := "" if not contains(thing.apiVersion, "/")

known_group if group in data.groups

known_kind if {
	thing.kind in data.allowed_kinds
	known_group
}

known_kind if {
	thing.kind in data.asked_kinds
	known_group
}

pod := thing.spec.template.spec if thing.kind in data.pod_kinds

pod := thing.spec.jobTemplate.spec.template.spec if thing.kind == "CronJob"

containers contains c if {
	some c in pod.containers
}

containers contains c if {
	some c in pod.initContainers
}

# ---- denied

denied contains {"rule": "protected_namespace", "reason": sprintf("the namespace %s is protected", [thing.metadata.namespace])} if {
	thing.metadata.namespace in input.protected_namespaces
}

denied contains {"rule": "protected_namespace", "reason": sprintf("the namespace %s is protected", [thing.metadata.name])} if {
	thing.kind == "Namespace"
	thing.metadata.name in input.protected_namespaces
}

denied contains {"rule": "no_pods_seen", "reason": "it makes pods, and does not say of which containers"} if {
	thing.kind in data.pod_kinds
	not pod.containers
}

denied contains {"rule": "no_pods_seen", "reason": "it makes pods, and does not say of which containers"} if {
	thing.kind == "CronJob"
	not pod.containers
}

denied contains {"rule": "privileged", "reason": sprintf("the container %s is privileged", [name_of(c)])} if {
	some c in containers
	c.securityContext.privileged == true
}

denied contains {"rule": "capabilities", "reason": sprintf("the container %s adds capabilities", [name_of(c)])} if {
	some c in containers
	some added in c.securityContext.capabilities.add
	added != "NET_BIND_SERVICE"
}

denied contains {"rule": "host_path", "reason": sprintf("the volume %s is a path of the node", [name_of(v)])} if {
	some v in pod.volumes
	v.hostPath
}

denied contains {"rule": "host_namespace", "reason": "its pods share the node's network or processes"} if {
	some field in ["hostNetwork", "hostPID", "hostIPC"]
	pod[field] == true
}

denied contains {"rule": "image_not_pinned", "reason": sprintf("the image %v is not pinned to a version", [c.image])} if {
	some c in containers
	not pinned(c.image)
}

denied contains {"rule": "image_not_pinned", "reason": sprintf("the container %s names no image", [name_of(c)])} if {
	some c in containers
	not c.image
}

denied contains {"rule": "no_requests", "reason": sprintf("the container %s requests no cpu or no memory", [name_of(c)])} if {
	some c in containers
	not requests_both(c)
}

denied contains {"rule": "rbac_wildcard", "reason": "the role allows everything of something"} if {
	thing.kind in ["Role", "ClusterRole"]
	some rule in thing.rules
	some field in ["verbs", "resources", "apiGroups"]
	"*" in rule[field]
}

denied contains {"rule": "rbac_wildcard", "reason": "the role gathers what other roles allow"} if {
	thing.kind == "ClusterRole"
	thing.aggregationRule
}

denied contains {"rule": "cluster_admin", "reason": "it binds to cluster-admin"} if {
	thing.kind in ["RoleBinding", "ClusterRoleBinding"]
	thing.roleRef.name == "cluster-admin"
}

# A reason with an undefined name in it would keep its rule from firing.
name_of(x) := x.name

name_of(x) := "without a name" if not x.name

pinned(image) if contains(image, "@sha256:")

pinned(image) if {
	not contains(image, "@")
	not endswith(image, ":latest")
	parts := split(image, "/")
	contains(parts[count(parts) - 1], ":")
}

requests_both(c) if {
	c.resources.requests.cpu
	c.resources.requests.memory
}

# ---- asked

asked contains {"rule": "deletion", "reason": "it would be deleted"} if input.operation == "delete"

asked contains {"rule": "grave_kind", "reason": sprintf("a %s reaches beyond one workload", [thing.kind])} if {
	thing.kind in data.asked_kinds
	not plain_namespace
}

asked contains {"rule": "load_balancer", "reason": "a Service of type LoadBalancer costs money and opens to the outside"} if {
	thing.kind == "Service"
	thing.spec.type == "LoadBalancer"
}

asked contains {"rule": "external", "reason": "the Service leads outside of the cluster"} if {
	thing.kind == "Service"
	thing.spec.type == "ExternalName"
}

asked contains {"rule": "external", "reason": "the Service leads outside of the cluster"} if {
	thing.kind == "Service"
	count(thing.spec.externalIPs) > 0
}

asked contains {"rule": "host_port", "reason": sprintf("the container %s takes a port of the node", [name_of(c)])} if {
	some c in containers
	some p in c.ports
	p.hostPort
}

asked contains {"rule": "escalation", "reason": sprintf("the container %s may gain rights", [name_of(c)])} if {
	some c in containers
	c.securityContext.allowPrivilegeEscalation == true
}
