"""Settings: the only place that reads the environment (`HEALFLOW_…`, nested with `__`); every value is bounded."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.domain.approval import Person, shared_names
from tasks.domain.cluster_bounds import ChangeBounds
from tasks.domain.freeze import Freeze
from tasks.domain.gitops import GitopsMode
from tasks.domain.grouping import GroupedBy

Port = Annotated[int, Field(ge=0, le=65535)]


class GithubSettings(BaseModel):
    """How GitHub is reached: with a token, or as an installation of an App; with neither, public things are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] = "https://api.github.com"
    """GitHub Enterprise Server answers at `https://HOST/api/v3`."""
    git_url: Annotated[str, Field(pattern=r"^(https?|file)://[^\s?#]+$")] | None = None
    """Where `/OWNER/NAME.git` is fetched from; `None` is the host of `api_url`."""
    token: SecretStr | None = None
    """A fine-grained or classic token; it goes before the App."""
    app_id: Annotated[int, Field(gt=0)] | None = None
    installation_id: Annotated[int, Field(gt=0)] | None = None
    private_key: SecretStr | None = None
    """The App's private key in PEM, line breaks included."""
    repositories: tuple[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")], ...
    ] = ()
    """A JSON list of `OWNER/NAME` whose failed runs are looked for, lest their webhook was lost; those that have failed
    before are anyway. It takes credentials."""
    seconds_between_writes: Annotated[float, Field(ge=0.0, le=60.0)] = 1.0
    """What GitHub asks for:
    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api"""
    comment: bool = True
    """Whether the triage is written on the pull request that failed, in one comment that is renewed."""
    status: bool = False
    """Whether the failed commit gets a status `healflow`."""
    prove_here: bool = True
    """Whether failed jobs of our own repositories are run on this machine to prove a patch; a fork's never are."""
    rerun_timeout_seconds: Annotated[int, Field(ge=60, le=24 * 3600)] = 2 * 3600
    """How long the re-run of failed jobs on GitHub is waited for."""

    @property
    def web_url(self) -> str:
        """Where its pages stand, which the API's address tells: `https://HOST` for `https://HOST/api/v3`."""
        return (
            "https://github.com" if self.api_url == "https://api.github.com" else self.api_url.removesuffix("/api/v3")
        )

    @property
    def can_write(self) -> bool:
        """Whether there are credentials to write with."""
        return self.token is not None or self.app_id is not None


class ManifestSettings(BaseModel):
    """Where git says what the objects of the cluster should be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: (
        Annotated[str, Field(pattern=r"^(~?/\S.*|[A-Za-z0-9_][A-Za-z0-9._-]{0,99}/[A-Za-z0-9_][A-Za-z0-9._-]{0,99})$")]
        | None
    ) = None
    """The absolute path of a repository here, or `OWNER/NAME` on GitHub; `None` when there is none. From it a missing
    ConfigMap, Secret or Service is made again."""
    folder: Annotated[str, Field(pattern=r"^(\.?[\w-][\w.-]*(/\.?[\w-][\w.-]*)*)?$")] = ""
    """The folder in it; one with a kustomization counts as what it renders to, any other as the plain YAML below it."""
    branch: Annotated[str, Field(pattern=r"^\S*$")] = ""
    """The branch whose end counts; empty is the one that is checked out there, or GitHub's default branch."""

    @property
    def hosted(self) -> bool:
        """Whether the repository is one on GitHub."""
        return self.repository is not None and not self.repository.startswith(("/", "~"))


class KubernetesSettings(BaseModel):
    """How the cluster is reached, and what in it may be changed; reading needs no more than the observer's rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kubeconfig: Path | None = None
    """`None` is what KUBECONFIG names, else kubectl's own default, else the account of the pod it runs in."""
    context: str | None = None
    """The context that is read with; `None` is the kubeconfig's current one."""
    cluster_name: Annotated[str, Field(max_length=100)] = ""
    """What alerts call this cluster in their label `cluster`. An alert of another one is then reported, and neither
    looked at nor healed here; when empty, the label is not looked at."""
    healer_context: str | None = None
    """The context that changes are made with, so that reading and acting can be two accounts; `None` is `context`."""
    protected_namespaces: tuple[str, ...] = ("kube-system", "kube-public", "kube-node-lease")
    """Nothing in these is ever changed, except that CoreDNS may be restarted once."""
    namespaces: tuple[str, ...] = ()
    """The only namespaces in which something may be changed; when empty, all that are not protected."""
    request_timeout_seconds: Annotated[int, Field(ge=1, le=600)] = 30
    """How long one answer of the API server is waited for."""
    look_again_seconds: Annotated[int, Field(ge=0, le=600)] = 60
    """How long a failure that was reported and does not show at this moment is looked for again."""
    stable_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    """How long a healed workload has to stay healthy before the fix counts as proven."""
    heal_timeout_seconds: Annotated[int, Field(ge=10, le=3600)] = 300
    """How long a workload may take to become healthy after a fix."""
    measure_seconds: Annotated[int, Field(ge=0, le=600)] = 120
    """How long readings of what a workload uses are waited for before a size is planned from the highest of them."""
    bounds: ChangeBounds = ChangeBounds()
    """How far sizes and replicas may be changed."""
    manifests: ManifestSettings = ManifestSettings()
    """Where git says what the objects should be."""
    gitops: GitopsMode = GitopsMode.OFF
    """Whether workloads and Services are changed in `manifests` and not in the cluster: `off`, `branch` or
    `pull_request`. What Argo CD or Flux keeps is changed there in any case."""

    def in_context(self, context: str) -> Self:
        """The same for another context of the kubeconfig; empty is no other."""
        return self.model_copy(update={"context": context, "healer_context": None}) if context else self


class ApprovalSettings(BaseModel):
    """Who the people are that policy speaks of, and that answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: tuple[Person, ...] = ()
    """A JSON list of people with the names that Slack, GitHub and this machine know them by: `[{"name": "ada",
    "slack": "U012AB3CD", "github": "ada-l", "local": "ada", "authors": ["ada@example.com"]}]`. One person is one vote
    through whatever channel."""
    channels: tuple[Literal["slack", "email", "log"], ...] = ("slack", "email", "log")
    """How people are told that a question waits: over the first that is set up and works, `log` being the gateway's
    own log. Answers count through every door, whichever channel told of them."""
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$")] | None = None
    """Where people reach the gateway, for the links of the approval page; `None` is loopback at the gateway's port."""
    link_key: Annotated[SecretStr, Field(min_length=32)] | None = None
    """Signs those links; when unset, one is made at first use and kept in the home, readable by its owner only."""

    @field_validator("people")
    @classmethod
    def _each_is_one_person(cls, people: tuple[Person, ...]) -> tuple[Person, ...]:
        """Whoever stood there twice would have two votes."""
        shared = shared_names(people)
        if shared:
            raise ValueError(f"two people share {', '.join(shared)}; each person stands there once, with all accounts")
        return people


class SlackSettings(BaseModel):
    """How people are asked in Slack: over HTTP with the signing secret, or over Socket Mode with the app's token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot_token: SecretStr | None = None
    """`xoxb-…`, with the scopes `chat:write` and `commands`; without it nothing is sent."""
    signing_secret: SecretStr | None = None
    """What Slack signs its requests to `/slack/…` with; without it they are refused."""
    app_token: SecretStr | None = None
    """`xapp-…`, with the scope `connections:write`; with it answers come over Socket Mode, and no address has to be
    reachable from outside."""
    channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,20}$")] | None = None
    """The id of the channel that the cards are shown in; the app has to be a member."""
    api_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+/$")] = "https://slack.com/api/"
    """With a slash at its end."""
    timeout_seconds: Annotated[int, Field(ge=1, le=60)] = 10
    """How long one answer of Slack is waited for."""


class IntakeSettings(BaseModel):
    """How events are accepted, grouped and handed on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group_window_seconds: Annotated[int, Field(ge=0, le=24 * 3600)] = 300
    """A failure that shares something with an incident joins it until nothing came for so long; 0 groups nothing."""
    group_by: tuple[GroupedBy, ...] = tuple(GroupedBy)
    """A JSON list of what failures are grouped by; leave `node` out where all runs on one node."""
    events_per_second: Annotated[int, Field(ge=1, le=10_000)] = 50
    """How many accepted events are handed on to incidents at most; further ones wait in the ledger."""
    keep_bodies_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How long the ledger keeps what an event said, word for word; incidents and the audit trail stay."""
    heals_per_minute: Annotated[int, Field(ge=1, le=6_000)] = 120
    """How many heals are started at most; further incidents wait their turn, the oldest first."""
    sweep_seconds: Annotated[int, Field(ge=10, le=24 * 3600)] = 300
    """How often Prefect and GitHub are read for failures whose webhook was lost."""
    sweep_most_back_hours: Annotated[int, Field(ge=1, le=7 * 24)] = 24
    """What failed longer ago than that, while nobody listened, is left alone."""


class MailSettings(BaseModel):
    """How cards go out by mail; with a host and a sender it is set up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]*$")] = ""
    """The SMTP server; empty is no mail."""
    port: Annotated[int, Field(gt=0, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` is for a server on this machine only: a mail holds a link that answers."""
    user: str = ""
    password: SecretStr | None = None
    sender: Annotated[str, Field(pattern=r"^$|^[^\s@<>]+@[^\s@<>]+$")] = ""
    """The address that mails come from."""
    recipients: tuple[Annotated[str, Field(pattern=r"^[^\s@<>]+@[^\s@<>]+$")], ...] = ()
    """Addresses that get every card without a link, such as a list's; people with an `email` get one with a link of
    their own."""
    timeout_seconds: Annotated[int, Field(ge=1, le=20)] = 10
    """How long one answer of the server is waited for."""

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if self.security == "none" and self.host not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError("HEALFLOW_MAIL__SECURITY=none is for a server on this machine only")
        return self


class McpSettings(BaseModel):
    """What an agent may see through `healflow mcp`, and how much of it at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: Annotated[SecretStr, Field(min_length=16)] | None = None
    """The bearer token of the HTTP transport; when unset, `healflow mcp --http` makes one and keeps it in the home,
    readable by its owner only."""
    port: Port = 4212
    """Of the HTTP transport, on loopback; 0 takes a free one."""
    namespaces: tuple[str, ...] = ()
    """The only namespaces that may be read; when empty, all but the protected ones. A protected one is read when it is
    named here."""
    cluster_objects: bool = True
    """Whether objects that belong to no namespace (nodes, volumes, classes, roles of the cluster) may be read."""
    log_max_lines: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Of one container's log in one answer, from its end."""
    log_max_bytes: Annotated[int, Field(ge=1_000, le=1_000_000)] = 65_536
    """The same in bytes."""
    answer_max_bytes: Annotated[int, Field(ge=2_000, le=1_000_000)] = 100_000
    """Any answer is cut after so many bytes, and says so."""


class Settings(BaseSettings):
    """What an operator may set; read it once at a door and hand it on."""

    model_config = SettingsConfigDict(env_prefix="HEALFLOW_", env_nested_delimiter="__", extra="ignore", frozen=True)

    home: Path = Path(".healflow")
    """The folder that holds the ledger, runs, worktrees and Prefect's state."""
    webhook_secret: SecretStr | None = None
    """Signs events; when unset, `healflow up` makes one and keeps it in the home, readable by its owner only."""
    webhook_secret_before: Annotated[SecretStr, Field(min_length=8)] | None = None
    """The secret that signed events before, which is still good while it is rotated."""
    event_tokens: tuple[SecretStr, ...] = ()
    """A JSON list of bearer tokens for events of Prefect and Alertmanager, two while one is rotated; when empty,
    `healflow up` makes one and keeps it in the home, readable by its owner only."""
    event_secrets: tuple[SecretStr, ...] = ()
    """A JSON list of secrets that sign events at `/webhooks/events`, two while one is rotated; when empty, `healflow
    up` makes one and keeps it in the home, readable by its owner only."""
    database_url: str | None = None
    """SQLAlchemy URL of the ledger, as `postgresql://USER:PASSWORD@HOST/DATABASE`; `None` is SQLite in the home."""
    gateway_port: Port = 4210
    """On loopback; 0 takes a free one."""
    prefect_port: Port = 4211
    """On loopback; 0 takes a free one."""
    prefect_ui_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")] | None = None
    """Where people reach Prefect's pages, for the links of a card; `None` is loopback at `prefect_port`."""
    approval_timeout_seconds: Annotated[int, Field(ge=5, le=30 * 24 * 3600)] = 24 * 3600
    """How long a question waits; then silence is *no*."""
    event_max_bytes: Annotated[int, Field(ge=1_000, le=26_214_400)] = 5_242_880
    """Larger webhook bodies are refused; GitHub's own limit is 25 MB."""
    event_max_age_seconds: Annotated[int, Field(ge=60)] = 24 * 3600
    """Older events are refused as stale."""
    log_max_bytes: Annotated[int, Field(ge=1_000)] = 2_147_483_648
    """What a local job may print; of what comes after, the last lines are kept."""
    step_timeout_seconds: Annotated[int, Field(ge=1, le=6 * 3600)] = 6 * 3600
    """The limit of a local step that names none itself; GitHub's default for a job is six hours."""
    policy_dir: Path | None = None
    """A folder with your own policy (`*.rego`, `*.json`); `None` is the default one."""
    object_policy_dir: Path | None = None
    """The same for the policy that the objects of a release are asked about, one by one."""
    kill_switch: bool = False
    """When true the gate denies everything that changes something."""
    freezes: tuple[Freeze, ...] = ()
    """A JSON list of spans in which the gate denies every change: `begins` and `ends` with their zones, `why`, and
    `environments` where it is not all of them."""
    protected_branches: tuple[str, ...] = ()
    """Branches that are never merged into, not even with an approval."""
    max_attempts_per_fingerprint: Annotated[int, Field(ge=1, le=10)] = 2
    """After so many fixes of one fingerprint within a day that did not hold, a person takes over."""
    max_actions_per_hour: Annotated[int, Field(ge=1, le=1000)] = 30
    """Over all incidents; the gate denies what comes after."""
    run_silence_seconds: Annotated[int, Field(ge=4, le=3600)] = 90
    """A heal's run that gives no sign of life for so long is taken for dead, and another one goes on."""
    max_runs_per_incident: Annotated[int, Field(ge=1, le=20)] = 3
    """After so many runs of one heal were lost, a person takes over; more is for machines that are taken away often."""
    outage_patience_seconds: Annotated[int, Field(ge=0, le=7 * 24 * 3600)] = 6 * 3600
    """For so long a heal waits for something outside that is away; then a person takes over."""
    github: GithubSettings = GithubSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    slack: SlackSettings = SlackSettings()
    mail: MailSettings = MailSettings()
    mcp: McpSettings = McpSettings()
    intake: IntakeSettings = IntakeSettings()

    @property
    def ledger_url(self) -> str:
        """The ledger's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.root / 'ledger.db'}"

    @property
    def prefect_pages_url(self) -> str:
        """Where people reach Prefect's pages."""
        return self.prefect_ui_url or f"http://127.0.0.1:{self.prefect_port}"

    @property
    def runs_root(self) -> Path:
        """Where local pipeline runs and their logs are kept."""
        return self.root / "runs"

    @property
    def worktrees_root(self) -> Path:
        """Where the git worktrees of heals stand while they are needed."""
        return self.root / "worktrees"

    @property
    def mirrors_root(self) -> Path:
        """Where copies of repositories on GitHub are kept."""
        return self.root / "mirrors"

    @property
    def root(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().absolute()


def variables_of_this_machine(names: Iterable[str]) -> dict[str, str]:
    """Those of the named variables that are set: what a tool that is started here may see."""
    return {name: os.environ[name] for name in names if name in os.environ}


_NOT_HANDED_ON = ("PREFECT_", "HEALFLOW_")


def handed_on(settings: Settings) -> dict[str, str]:
    """The environment for a child process: ours without anybody's Prefect profile, and these settings made absolute."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
    for name, value in settings:
        if isinstance(value, BaseModel):
            told = {f"{name}__{inner}": _as_text(known) for inner, known in value if known is not None}
        else:
            told = {} if value is None else {name: _as_text(value)}
        inherited |= {f"HEALFLOW_{key.upper()}": text for key, text in told.items()}
    return inherited | {"HEALFLOW_HOME": str(settings.root)}


def _as_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    if isinstance(value, tuple):
        return json.dumps([_as_json(item) for item in value])
    return str(value.expanduser().absolute() if isinstance(value, Path) else value)


def _as_json(item: object) -> object:
    if isinstance(item, BaseModel):
        return item.model_dump(mode="json")
    return _as_text(item) if isinstance(item, SecretStr) else item
