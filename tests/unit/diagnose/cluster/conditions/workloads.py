"""What makes pods: rollouts, sets, autoscalers, budgets, jobs, things that stay, and resources of other tools."""

from typing import Any

from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import Raw, State, ago
from tests.unit.diagnose.cluster.conditions.table import (
    WEB,
    Condition,
    Plant,
    both,
    fault,
    hint,
    put,
    well,
)

HPA = "HorizontalPodAutoscaler/shop/web"
JOB = "Job/shop/import"
CRON = "CronJob/shop/nightly"
SET = "StatefulSet/shop/db"
CONDITION = dict[str, str]


def said(*rows: tuple[str, str] | tuple[str, str, str, str], **rest: Any) -> Raw:
    found = [
        {
            "type": row[0],
            "status": row[1],
            "reason": row[2] if len(row) > 2 else "Said",
            "message": row[3] if len(row) > 3 else "so",
        }
        for row in rows
    ]
    return {"conditions": found, **rest}


def scaler(
    *rows: Any,
    target: tuple[str, str] = ("Deployment", "web"),
    metrics: Any = None,
    current: int = 1,
    least: int = 1,
    most: int = 5,
) -> Plant:
    ref = {
        "apiVersion": "apps/v1" if target[0] != "ReplicationController" else "v1",
        "kind": target[0],
        "name": target[1],
    }
    share = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
    }
    spec = {"scaleTargetRef": ref, "minReplicas": least, "maxReplicas": most, "metrics": metrics or [share]}
    return put("HorizontalPodAutoscaler", "web", spec=spec, status=said(*rows, currentReplicas=current))


def job(*rows: Any, spec: Raw | None = None, **status: Any) -> Plant:
    template = {
        "metadata": {"labels": {"job": "import"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "a:1"}]},
    }
    return put("Job", "import", spec={"template": template, **(spec or {})}, status=said(*rows, **status))


def cron(**spec: Any) -> Plant:
    template = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "a:1"}]}}}}
    return put("CronJob", "nightly", spec={"schedule": "5 4 * * *", "jobTemplate": template, **spec}, status={})


def cron_tells(reason: str, message: str, **spec: Any) -> Plant:
    return lambda s: [cron(**spec)(s), s.tell(s.get("CronJob", "nightly"), reason, message)]


def database(state: State, *, service: bool = True, **spec: Any) -> None:
    state.workload("db", kind="StatefulSet", serviceName="db", **spec)
    if service:
        state.service("db", port=5432, clusterIP="None")


def budget(allowed: int, *, healthy: int = 1, desired: int = 1, selector: str = "web") -> Plant:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": selector}}}
    status = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": 1}
    return put("PodDisruptionBudget", "web", spec=spec, status=status)


def going(kind: str, name: str, minutes: float, *finalizers: str, **rest: Any) -> Plant:
    """An object whose deletion was asked for some minutes ago."""
    return put(kind, name, metadata={"deletionTimestamp": ago(minutes), "finalizers": list(finalizers)}, **rest)


def namespace_stays(state: State) -> None:
    row = (
        "NamespaceContentRemaining",
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: queues.acme.io has 1 resource instances",
    )
    state.put(
        "Namespace",
        "old",
        namespace="",
        metadata={"deletionTimestamp": ago(60)},
        spec={"finalizers": ["kubernetes"]},
        status={**said(row), "phase": "Terminating"},
    )


def claim_goes(state: State) -> None:
    going("PersistentVolumeClaim", "data", 30, "kubernetes.io/pvc-protection", spec={}, status={"phase": "Bound"})(
        state
    )
    state.workload("web", pod={"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]})
    state.pending("web", 'persistentvolumeclaim "data" is being deleted')


def pod_stays(state: State) -> None:
    state.workload("db", kind="StatefulSet")
    pod = state.pods("db")[0]
    pod["metadata"] |= {"deletionTimestamp": ago(30), "finalizers": ["acme.io/backup"]}
    state.short("db")


def draining(state: State) -> None:
    budget(0)(state)
    state.node("n1", unschedulable=True)


def custom(kind: str, group: str, *rows: Any, name: str = "it", **status: Any) -> Plant:
    return put(kind, name, apiVersion=f"{group}/v1", spec={}, status=said(*rows, **status))


def deadline(state: State) -> None:
    made = state.get("Deployment", "web")
    made["status"]["conditions"] = said(
        ("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "web-1" has timed out progressing.')
    )["conditions"]
    state.short("web")


def progressing(state: State) -> None:
    state.get("Deployment", "web")["status"]["conditions"] = said(
        ("Progressing", "True", "NewReplicaSetAvailable", "done"), ("Available", "True")
    )["conditions"]


def helm(status: str, version: str = "3") -> Plant:
    labels = {"owner": "helm", "name": "web", "status": status, "version": version}
    return put(
        "Secret", f"sh.helm.release.v1.web.v{version}", labels=labels, type="helm.sh/release.v1", data={"release": "x"}
    )


def application(**status: Any) -> Plant:
    return put("Application", "web", apiVersion="argoproj.io/v1alpha1", spec={}, status=status)


CONDITIONS: tuple[Condition, ...] = (
    # Rollouts and sets
    fault("a rollout ran out of time", deadline, F.DEP_ROLLOUT_TIMEOUT, WEB, "dep.rollout.timeout", "deployment.go:101", "TestDeploymentAnalyzerProgressDeadlineExceeded"),
    well("a rollout came to its end", progressing, "TestDeploymentAnalyzerProgressingTrueNotReported"),
    fault("a deployment has fewer pods than it should", lambda s: s.short("web"), F.DEP_ROLLOUT_TIMEOUT, WEB, "deployment.go:64", "deployment.go:81", "TestDeploymentAnalyzer", "TestDeploymentAnalyzerNilReplicas"),
    fault("pods are refused and the replica set says so", lambda s: [s.get("ReplicaSet", "web-5d4f8c7b9")["status"].update(said(("ReplicaFailure", "True", "FailedCreate", 'exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5'))), [s.drop("Pod", p["metadata"]["name"]) for p in s.pods("web")], s.short("web")], F.K8S_QUOTA, "ResourceQuota/shop/team", "k8s.quota", "rs.go:52", "TestReplicaSetAnalyzer"),
    hint("a deployment is paused", lambda s: s.get("Deployment", "web")["spec"].update(paused=True), F.DEP_ROLLOUT_TIMEOUT, WEB),
    fault("a daemon set is not on every node", lambda s: [s.workload("agent", kind="DaemonSet"), s.short("agent")], F.DEP_ROLLOUT_TIMEOUT, "DaemonSet/shop/agent", "daemonset.go:44", "TestDaemonSetAnalyzer", "TestDaemonSetAnalyzerNoReadyReplicas"),
    fault("a set has fewer pods than it should", lambda s: [database(s), s.short("db")], F.DEP_ROLLOUT_TIMEOUT, SET, "statefulset.go:108", "TestStatefulSetAnalyzer", "TestStatefulSetAnalyzerReplica"),
    fault("the pod of a set does not run", lambda s: [database(s), s.pending("db", "")], F.K8S_PENDING_UNSCHED, SET, "statefulset.go:116", "TestStatefulSetAnalyzerUnavailableReplicaWithPodInitialized", "TestStatefulSetAnalyzerUnavailableReplicas", "TestStatefulSetAnalyzerNotRunningPodSensitiveMasking"),
    fault("a set names a service that does not exist", lambda s: database(s, service=False), F.K8S_SVC_SELECTOR, "Service/shop/db", "TestStatefulSetAnalyzerWithoutService"),
    fault("a set asks for a storage class that does not exist", lambda s: [database(s, volumeClaimTemplates=[{"metadata": {"name": "d"}, "spec": {"storageClassName": "fast"}}]), s.pending("db", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")], F.K8S_PENDING_PVC, SET, "statefulset.go:85", "TestStatefulSetAnalyzerMissingStorageClass"),
    # Autoscalers and budgets
    fault("an autoscaler scales what cannot be scaled", scaler(target=("DaemonSet", "web")), F.K8S_HPA, HPA, "hpa.go:121", "TestHPAAnalyzerWithUnsuportedScaleTargetRef"),
    fault("an autoscaler scales what does not exist", scaler(target=("Deployment", "wbe")), F.K8S_HPA, HPA, "hpa.go:130", "TestHPAAnalyzerWithNonExistentScaleTargetRef", "TestHPAAnalyzer", "TestHPAAnalyzerWithMultipleHPA"),
    fault("an autoscaler has nothing to measure against", lambda s: [s.workload("web", {"resources": {}}), scaler()(s)], F.K8S_HPA, WEB, "k8s.hpa", "hpa.go:151", "TestHPAAnalyzerWithExistingScaleTargetRefWithoutSpecifyingResources"),
    fault("an autoscaler cannot read what to scale", scaler(("AbleToScale", "False", "FailedGetScale", "the HPA controller was unable to get the target's current scale")), F.K8S_HPA, HPA, "hpa.go:81", "TestHPAAnalyzerStatusFieldAbleToScale", "TestHPAAnalyzerStatusField"),
    fault("an autoscaler gets no metrics of its own kind", scaler(("ScalingActive", "False", "FailedGetPodsMetric", "unable to get metric queue_length: no custom metrics API")), F.K8S_HPA, HPA, "hpa.go:87", "TestHPAAnalyzerStatusFieldScalingActive", "k8s.hpa"),
    fault("the metrics server does not answer", scaler(("ScalingActive", "False", "FailedGetResourceMetric", "failed to get cpu utilization: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)")), F.K8S_HPA, "Deployment/kube-system/metrics-server", "k8s.hpa"),
    fault("an autoscaler is at its most", scaler(("ScalingLimited", "True", "TooManyReplicas", "the desired replica count is more than the maximum"), current=5), F.K8S_HPA, HPA, "hpa.go:81", "TestHPAAnalyzerScalingLimitedTooManyReplicasReported", "TestHPAAnalyzerStatusFieldScalingLimited", "TestHPAAnalyzerStatusScalingLimitedError"),
    hint("an autoscaler would go below what it may, from above", scaler(("ScalingLimited", "True", "TooFewReplicas"), current=3), F.K8S_HPA, HPA, "TestHPAAnalyzerScalingLimitedTooFewReplicasAboveMinReported"),
    well("an autoscaler is at its least", scaler(("ScalingLimited", "True", "TooFewReplicas"), current=1), "TestHPAAnalyzerScalingLimitedTooFewReplicasAtMinIgnored"),
    well("an autoscaler scales a deployment", scaler(("AbleToScale", "True"), ("ScalingActive", "True")), "TestHPAAnalyzerWithExistingScaleTargetRefAsDeployment"),
    well("an autoscaler scales a set", lambda s: [database(s), scaler(target=("StatefulSet", "db"))(s)], "TestHPAAnalyzerWithExistingScaleTargetRefAsStatefulSet"),
    well("an autoscaler scales a replica set", scaler(target=("ReplicaSet", "web-5d4f8c7b9")), "TestHPAAnalyzerWithExistingScaleTargetRefAsReplicaSet"),
    well("an autoscaler scales a replication controller", lambda s: [s.workload("old", kind="ReplicationController"), scaler(target=("ReplicationController", "old"))(s)], "TestHPAAnalyzerWithExistingScaleTargetRefAsReplicationController"),
    hint("a budget protects pods that do not exist", budget(0, healthy=0, selector="gone"), F.K8S_PDB, "PodDisruptionBudget/shop/web", "pdb.go:69", "TestPodDisruptionBudgetAnalyzer"),
    fault("a budget keeps a node from being emptied", draining, F.K8S_PDB, "PodDisruptionBudget/shop/web"),
    hint("a budget allows no disruption, and nobody wants one", budget(0), F.K8S_PDB, "PodDisruptionBudget/shop/web"),
    well("a budget allows one", budget(1)),
    # Jobs
    fault("a job failed as often as it may", job(("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"), failed=7), F.K8S_JOB, JOB, "k8s.job", "job.go:81", "TestJobAnalyzer/Failed Job", "TestJobAnalyzerEventFailure", "TestJobAnalyzerFailedConditionOverridesRetries"),
    fault("a job ran out of time", job(("Failed", "True", "DeadlineExceeded", "Job was active longer than specified deadline"), failed=1), F.K8S_JOB, JOB, "k8s.job"),
    hint("a job is suspended", job(("Suspended", "True"), spec={"suspend": True}), F.K8S_JOB, JOB, "job.go:59", "TestJobAnalyzer/Suspended Job"),
    well("a job succeeded after some failures", job(("Complete", "True"), failed=2, succeeded=1), "TestJobAnalyzerSucceededAfterRetries", "TestJobAnalyzer/Valid Job"),
    fault("a schedule is no schedule", cron(schedule="5 4 * *"), F.K8S_JOB, CRON, "cronjob.go:78", "TestCronJobAnalyzer/Invalid schedule format", "TestCronJobAnalyzer/Multiple issues", "TestCheckCronScheduleIsValid/Invalid schedule - wrong format", "TestCheckCronScheduleIsValid/Invalid schedule - empty string"),
    fault("a schedule has a field too many", cron(schedule="0 5 4 * * *"), F.K8S_JOB, CRON, "TestCheckCronScheduleIsValid/Invalid schedule - too many fields"),
    fault("a starting deadline lies before the start", cron(startingDeadlineSeconds=-5), F.K8S_JOB, CRON, "cronjob.go:100", "TestCronJobAnalyzer/Negative starting deadline"),
    fault("a cron job missed too many starts", cron_tells("TooManyMissedTimes", "too many missed start times: 101. Set or decrease .spec.startingDeadlineSeconds or check clock skew"), F.K8S_JOB, CRON),
    fault("a time zone is not known", cron_tells("UnknownTimeZone", "invalid timeZone: Europe/Bärlin"), F.K8S_JOB, CRON),
    hint("a cron job is suspended", cron(suspend=True), F.K8S_JOB, CRON, "cronjob.go:59", "TestCronJobAnalyzer/Suspended CronJob"),
    well("a cron job that is well", cron(schedule="*/5 0-6 * jan,jun mon-fri"), "TestCronJobAnalyzer/Valid CronJob", "TestCheckCronScheduleIsValid"),
    # What stays although it should go
    fault("a namespace is not rid of its content", namespace_stays, F.K8S_TERMINATING, "Namespace/old"),
    fault("a pod needs a claim that is being deleted", claim_goes, F.K8S_TERMINATING, "PersistentVolumeClaim/shop/data"),
    fault("a pod is kept by a finalizer, and its set makes no other", pod_stays, F.K8S_TERMINATING, "Pod/shop/db-0"),
    hint("something is kept by a finalizer, and nobody waits", going("ConfigMap", "old", 60, "acme.io/keep", data={"a": "1"}), F.K8S_TERMINATING, "ConfigMap/shop/old"),
    well("something was deleted this minute", going("PersistentVolumeClaim", "data", 0.5, "kubernetes.io/pvc-protection", spec={}, status={"phase": "Bound"})),
    # Resources of other tools
    fault("a certificate is not ready", custom("Certificate", "cert-manager.io", ("Ready", "False", "Failed", "the ACME order failed"), name="tls"), F.K8S_CERT, "Certificate/shop/tls", "k8s.cert"),
    fault("a program is given a certificate that has expired", lambda s: s.crash("web", "x509: certificate has expired or is not yet valid"), F.K8S_CERT, WEB, "k8s.cert"),
    fault("a release is stuck in an upgrade", helm("pending-upgrade"), F.DEP_HELM, "Secret/shop/sh.helm.release.v1.web.v3", "dep.helm"),
    hint("an earlier release had failed", both(helm("failed", "2"), helm("deployed", "3")), F.DEP_HELM, "Secret/shop/sh.helm.release.v1.web.v2"),
    fault("a release failed", custom("HelmRelease", "helm.toolkit.fluxcd.io", ("Ready", "False", "UpgradeFailed", "Helm upgrade failed: another operation is in progress")), F.DEP_HELM, "HelmRelease/shop/it", "dep.helm"),
    fault("an application is out of sync and not healthy", application(sync={"status": "OutOfSync"}, health={"status": "Degraded"}), F.DEP_DRIFT, "Application/shop/web", "dep.drift"),
    hint("an application is out of sync and healthy", application(sync={"status": "OutOfSync"}, health={"status": "Healthy"}), F.DEP_DRIFT, "Application/shop/web", "dep.drift"),
    fault("a manifest is not valid", application(operationState={"phase": "Failed", "message": 'Deployment.apps "web" is invalid: spec.selector: Invalid value: field is immutable'}), F.DEP_APPLY_INVALID, "Application/shop/web", "dep.apply.invalid"),
    fault("someone else owns a field", custom("Kustomization", "kustomize.toolkit.fluxcd.io", ("Ready", "False", "ReconciliationFailed", 'Deployment/shop/web: Apply failed with 1 conflict: conflict with "kubectl-edit": .spec.replicas')), F.DEP_CONFLICT, "Kustomization/shop/it", "dep.conflict"),
    fault("an API is not served", custom("Kustomization", "kustomize.toolkit.fluxcd.io", ("Ready", "False", "BuildFailed", 'Ingress/shop/web dry-run failed: no matches for kind "Ingress" in version "extensions/v1beta1"')), F.DEP_API, "Kustomization/shop/it", "dep.api"),
    fault("a source of catalogs does not answer", put("CatalogSource", "ops", apiVersion="operators.coreos.com/v1alpha1", spec={}, status={"connectionState": {"lastObservedState": "TRANSIENT_FAILURE"}}), F.DEP_APPLY_INVALID, "CatalogSource/shop/ops", "TestCatalogSourceAnalyzer_UnhealthyState_ReturnsResult"),
    well("a source of catalogs is ready", put("CatalogSource", "ops", apiVersion="operators.coreos.com/v1alpha1", spec={}, status={"connectionState": {"lastObservedState": "READY"}}), "TestCatalogSourceAnalyzer_HealthyOrNoState_Ignored"),
    fault("a catalog is not served", custom("ClusterCatalog", "olm.operatorframework.io", ("Serving", "False", "Unavailable", "no")), F.DEP_APPLY_INVALID, "ClusterCatalog/shop/it", "clustercatalog.go:106", "clustercatalog.go:119", "TestClusterCatalogAnalyzer", "TestClusterCatalogAnalyzerParentObject"),
    fault("an extension is not installed", custom("ClusterExtension", "olm.operatorframework.io", ("Installed", "False", "Failed", "no bundle")), F.DEP_APPLY_INVALID, "ClusterExtension/shop/it", "clusterextension.go:105", "clusterextension.go:118", "TestClusterExtensionAnalyzer", "TestClusterExtensionAnalyzerParentObject"),
    fault("an operator failed to install", put("ClusterServiceVersion", "op", apiVersion="operators.coreos.com/v1alpha1", spec={}, status={"phase": "Failed", "message": "install strategy failed"}), F.DEP_APPLY_INVALID, "ClusterServiceVersion/shop/op", "clusterserviceversion.go:46", "TestClusterServiceVersionAnalyzer"),
    fault("the plan of an installation failed", put("InstallPlan", "p", apiVersion="operators.coreos.com/v1alpha1", spec={"approval": "Automatic"}, status=said(("Installed", "False", "InstallComponentFailed", "no CRD"), phase="Failed")), F.DEP_APPLY_INVALID, "InstallPlan/shop/p", "instalplan.go:42", "TestInstallPlanAnalyzer"),
    hint("the plan of an installation waits for a person", put("InstallPlan", "p", apiVersion="operators.coreos.com/v1alpha1", spec={"approval": "Manual"}, status={"phase": "RequiresApproval"}), F.DEP_APPLY_INVALID, "InstallPlan/shop/p", "instalplan.go:46"),
    fault("a subscription does not resolve", custom("Subscription", "operators.coreos.com", ("ResolutionFailed", "True", "ConstraintsNotSatisfiable", "no operators found"), state="UpgradePending"), F.DEP_APPLY_INVALID, "Subscription/shop/it", "TestSubscriptionAnalyzer"),
    fault("two groups of operators are in one namespace", both(put("OperatorGroup", "a", apiVersion="operators.coreos.com/v1", spec={}), put("OperatorGroup", "b", apiVersion="operators.coreos.com/v1", spec={})), F.DEP_APPLY_INVALID, "OperatorGroup/shop/a", "operatorgroup.go:41", "TestOperatorGroupAnalyzer"),
)  # fmt: skip
