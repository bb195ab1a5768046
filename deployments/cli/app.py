"""The commands of `healflow`. Nothing heavy is imported before a command needs it: `--help` answers at once."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.audit import app as audit
from deployments.cli.commands import Commands

if TYPE_CHECKING:
    from deployments.cli.triage import Style

app = typer.Typer(
    name="healflow",
    cls=Commands,
    help="A delivery pipeline that heals itself: from a failed run to a proven fix.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(audit, name="audit")

IncidentId = Annotated[str, typer.Argument(metavar="ID", help="An incident's id, or its beginning.")]
Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="One namespace of the cluster in KUBECONFIG.")]
WholeCluster = Annotated[bool, typer.Option("--all", help="All of the cluster in KUBECONFIG.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def up() -> None:
    """Start the Prefect server, the gateway and the flows on this machine, until Ctrl-C."""
    from deployments.local import up as start
    from tasks.settings import Settings

    raise typer.Exit(start(Settings()))


@app.command()
def demo(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes and merge.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the demo's folder, for a look at it afterwards.")] = False,
) -> None:
    """Break a small real repository four times, and heal it each time before your eyes."""
    from deployments.demo.run import run_demo
    from tasks.settings import Settings

    raise typer.Exit(run_demo(Settings(), yes=yes, keep=keep))


@app.command()
def ci(
    workflow: Annotated[str, typer.Argument(help="Workflow file, from the repository's root.")] = "",
    repository: Annotated[Path, typer.Option("--repository", "-C", help="A git repository.")] = Path(),
    ref: Annotated[str, typer.Option(help="The branch or commit to run.")] = "HEAD",
    job: Annotated[list[str] | None, typer.Option(metavar="JOB", help="Run only this job; may be repeated.")] = None,
    report: Annotated[bool, typer.Option(help="Report a failure to the gateway, which starts the heal.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run a GitHub Actions workflow here, in a git worktree, and report a failure to the gateway."""
    from deployments.cli.pipeline import run_workflow
    from tasks.settings import Settings

    code = run_workflow(
        Settings(), repository, workflow, ref=ref, job_keys=tuple(job or ()), report=report, as_json=as_json
    )
    raise typer.Exit(code)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD…", help="The command and its arguments.")],
    as_json: AsJson = False,
) -> None:
    """Run any command; its exit code is kept, and on failure the triage is printed."""
    from deployments.cli.pipeline import run_and_triage
    from tasks.settings import Settings

    raise typer.Exit(run_and_triage(Settings(), command, as_json=as_json))


@app.command()
def triage(
    source: Annotated[
        str,
        typer.Argument(
            metavar="LOGFILE|-|OWNER/NAME#RUN", help="A log or a scanner's report, - for input, or a run on GitHub."
        ),
    ] = "",
    *,
    pull_request: Annotated[int | None, typer.Option("--pr", min=1, help="A pull request's newest failed run.")] = None,
    repository: Annotated[str, typer.Option(help="Of --pr, as OWNER/NAME; else the remote origin's.")] = "",
    namespace: Namespace = None,
    whole: WholeCluster = False,
    snapshot: Annotated[Path | None, typer.Option(help="A folder with the captured state of a cluster.")] = None,
    as_json: AsJson = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a job summary.")] = False,
    save: Annotated[Path | None, typer.Option(help="Also write triage.json, .md and .sarif into this folder.")] = None,
) -> None:
    """Say why something failed: the cause, the quoted lines, and what to do. Changes nothing."""
    from deployments.cli.triage import Style, run_of_pull_request
    from deployments.cli.triage import triage as explain

    asked = [
        style for style, on in ((Style.JSON, as_json), (Style.SARIF, as_sarif), (Style.MARKDOWN, as_markdown)) if on
    ]
    if len(asked) > 1:
        raise typer.BadParameter("choose one of --json, --sarif and --markdown")
    style = asked[0] if asked else Style.TEXT
    if namespace or whole or snapshot is not None:
        if source or pull_request is not None:
            raise typer.BadParameter("explain either a cluster, or a log or run")
        _triage_cluster(namespace, style, whole=whole, snapshot=snapshot, save=save)
        return
    if bool(source) == (pull_request is not None):
        raise typer.BadParameter(
            "name a log file, -, OWNER/NAME#RUN, a pull request with --pr N, or a cluster: --namespace, --all or "
            "--snapshot"
        )
    if pull_request is not None:
        source = run_of_pull_request(pull_request, repository)
    explain(source, style, save=save)


def _triage_cluster(
    namespace: str | None, style: "Style", *, whole: bool, snapshot: Path | None, save: Path | None
) -> None:
    from deployments.cli.snapshot import triage_live, triage_snapshot
    from tasks.settings import Settings

    if whole and (namespace or snapshot is not None):
        raise typer.BadParameter("--all stands alone")
    if snapshot is not None:
        raise typer.Exit(triage_snapshot(snapshot, style, namespace=namespace, save=save))
    raise typer.Exit(triage_live(Settings(), style, namespace=namespace, save=save))


@app.command()
def snapshot(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write, which must not be there yet.")],
    namespace: Namespace = None,
    whole: WholeCluster = False,
) -> None:
    """Write the state of a cluster into a folder, without secrets, so that it can be explained elsewhere."""
    from deployments.cli.snapshot import write_snapshot
    from tasks.settings import Settings

    if bool(namespace) == whole:
        raise typer.BadParameter("name either --namespace NS or --all")
    raise typer.Exit(write_snapshot(Settings(), output, namespace=namespace))


@app.command()
def heal(namespace: Namespace = None, everything: WholeCluster = False, as_json: AsJson = False) -> None:
    """Open an incident for each cause found in a live cluster; 'healflow up' heals them, and asks before it changes."""
    from deployments.cli.snapshot import open_incidents
    from tasks.settings import Settings

    if (namespace is None) == (not everything):
        raise typer.BadParameter("name one namespace with --namespace, or --all")
    open_incidents(Settings(), namespace=namespace, as_json=as_json)


@app.command()
def rbac(
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NS",
            help="The only namespaces to change something in; may be repeated. In kube-system that is CoreDNS alone.",
        ),
    ] = None,
) -> None:
    """Print the two accounts of Healflow for 'kubectl apply -f -': an observer and a healer, with least rights."""
    from deployments.rbac import accounts_yaml

    typer.echo(accounts_yaml(namespace or ()), nl=False)


@app.command()
def deploy(
    folder: Annotated[Path, typer.Argument(help="A kustomize folder, a folder of manifests, or one file of them.")],
    *,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Where all of it goes; else where the manifests say, or default.")
    ] = "",
    image_map: Annotated[
        list[str] | None,
        typer.Option(metavar="FROM=TO", help="Take another image, or another start of images; may be repeated."),
    ] = None,
    commit: Annotated[str, typer.Option(help="The commit that is deployed, for the record.")] = "",
    smoke_url: Annotated[str, typer.Option(help="An address that has to answer with 2xx afterwards.")] = "",
    smoke_path: Annotated[
        str, typer.Option(help="Without --smoke-url: the path at the first NodePort of the release.")
    ] = "/_healthz",
    smoke_timeout: Annotated[float, typer.Option(min=1, max=3600, help="Seconds for the smoke test to answer.")] = 60,
    timeout: Annotated[float, typer.Option(min=1, max=3600, help="Seconds for the workloads to come out.")] = 300,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Say yes where policy asks.")] = False,
    wait: Annotated[
        int, typer.Option(min=0, max=86_400, help="Seconds to wait where policy asks, for 'healflow approve'.")
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a release out: policy, dry run, apply, watch, smoke test; a failed rollout opens an incident."""
    from deployments.cli.deploy import deploy as bring_out
    from tasks.domain.cluster import NAMESPACE
    from tasks.domain.rollout import ReleaseOrder
    from tasks.settings import Settings

    if namespace and not re.fullmatch(NAMESPACE, namespace):
        raise typer.BadParameter(f"{namespace!r} is no name of a namespace: small letters, digits and dashes")
    order = ReleaseOrder(
        folder=str(folder.absolute()),
        namespace=namespace,
        image_map=tuple(image_map or ()),
        commit=commit,
        smoke_url=smoke_url,
        smoke_path=smoke_path,
        smoke_timeout_seconds=smoke_timeout,
        dry_run=dry_run,
        rollout_timeout_seconds=timeout,
    )
    raise typer.Exit(bring_out(Settings(), order, yes=yes, wait_seconds=wait, as_json=as_json))


@app.command()
def incidents(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    in_flight: Annotated[bool, typer.Option("--in-flight", help="Only those that have not ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the incidents, newest first."""
    from deployments.cli.incidents import list_incidents
    from tasks.settings import Settings

    list_incidents(Settings(), limit=limit, in_flight=in_flight, as_json=as_json)


@app.command()
def show(incident_id: IncidentId, as_json: AsJson = False) -> None:
    """Print the whole story of an incident: evidence, diagnosis, plan, diff, answer, proof, outcome."""
    from deployments.cli.incidents import show_incident
    from tasks.settings import Settings

    show_incident(Settings(), incident_id, as_json=as_json)


@app.command()
def approve(
    incident_id: IncidentId,
    merge: Annotated[bool, typer.Option("--merge", help="Merge the fix once it is proven.")] = False,
    why: Annotated[str, typer.Option("--why", help="A reason, for the record.")] = "",
) -> None:
    """Say yes to the plan of an incident; it binds to exactly the plan that 'show' prints."""
    from deployments.cli.answers import answer
    from tasks.domain.approval import Answer
    from tasks.settings import Settings

    answer(Settings(), incident_id, Answer.APPROVE_AND_MERGE if merge else Answer.APPROVE, reason=why)


@app.command(name="approve-link")
def approve_link(
    incident_id: IncidentId,
    person: Annotated[str, typer.Option("--person", help="Somebody of HEALFLOW_APPROVALS__PEOPLE; else you.")] = "",
) -> None:
    """Print a signed link to the approval page, for one person and one question; whoever holds it answers so."""
    from deployments.cli.answers import make_link
    from tasks.settings import Settings

    make_link(Settings(), incident_id, person)


@app.command()
def reject(
    incident_id: IncidentId,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")],
) -> None:
    """Say no to the plan of an incident; nothing is done."""
    from deployments.cli.answers import answer
    from tasks.domain.approval import Answer
    from tasks.settings import Settings

    answer(Settings(), incident_id, Answer.REJECT, reason=why)


@app.command()
def edit(
    incident_id: IncidentId,
    values: Annotated[list[str], typer.Argument(metavar="N.NAME=VALUE…", help="Action's number, parameter, value.")],
) -> None:
    """Have the plan of an incident made with other values, and be asked about it again."""
    from deployments.cli.answers import edit as ask_for
    from tasks.settings import Settings

    ask_for(Settings(), incident_id, values)


@app.command()
def undo(incident_id: IncidentId) -> None:
    """Take the fix of a healed incident back, and check that it is gone."""
    from deployments.cli.answers import take_back
    from tasks.settings import Settings

    take_back(Settings(), incident_id)


@app.command()
def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Streamable HTTP with a bearer token, instead of stdio.")
    ] = False,
    host: Annotated[str, typer.Option(help="A loopback address; another one is refused.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.")] = None,
) -> None:
    """Let an agent look at the cluster and at incidents over MCP; it reads and proposes, and never acts."""
    from deployments.mcp.serve import serve_http, serve_stdio
    from tasks.settings import Settings

    if http:
        serve_http(Settings(), host, port)
    else:
        serve_stdio(Settings())


@app.command(name="eval")
def evaluate(
    cases: Annotated[Path, typer.Argument(help="A .jsonl file of labelled cases, or a folder with one.")],
    labels: Annotated[Path | None, typer.Option(help="YAML: a case's label, and the classes that are right.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how often the diagnosis is right: class, quoted line, false alarms, speed."""
    from deployments.cli.evaluate import evaluate as run_evaluation

    run_evaluation(cases, labels, as_json=as_json)
