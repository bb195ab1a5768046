"""Images, git, workflows, artifacts and infrastructure as they show in a job's log."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="registry.auth",
        failure_class=FailureClass.CI_REGISTRY_AUTH,
        pattern=r"requested access to the resource is denied|pull access denied(?: for (?P<name>[\w./:-]+))?"
        r"|unauthorized: (?:authentication required|incorrect username or password|access to the requested resource)"
        r"|no basic auth credentials|insufficient_scope: authorization failed|Error response from daemon: (?:Get .*: )?unauthorized"
        r"|DENIED: denied|denied: (?:permission_denied|installation not allowed|Permission \")|error getting credentials"
        r"|denied: (?:access forbidden|requested access|Your authorization token)|failed to authorize: failed to fetch (?:oauth|anonymous) token.{0,200}(?:401|403|denied)"
        r"|unexpected status from \w+ request to \S+: (?:401|403)|Error response from daemon: .{0,120}(?:unauthorized|denied)",
        cause="The container registry refused the login or the access.",
        culprit_kind=CulpritKind.IMAGE,
        rank=13,
        reach_lines=400,
    ),
    Signature(
        name="image.pull",
        failure_class=FailureClass.CI_IMAGE_PULL,
        pattern=r"manifest (?:for (?P<name>\S+) )?(?:unknown|not found)|manifest unknown|no matching manifest for|(?P<name2>\S+): not found: manifest"
        r"|failed to resolve reference \"(?P<name3>[^\"]+)\"|invalid reference format|repository (?P<name4>\S+) not found|failed to resolve source metadata for (?P<name5>\S+)"
        r"|Error response from daemon: (?:manifest for (?P<name9>\S+)|manifest|pull|repository|No such image)|image .* could not be found|no such image"
        r"|[Ff]ailed to pull image \"?(?P<name6>[\w./:@-]+)|initializing source docker://(?P<name7>\S+?):? |unable to find the specified image \"(?P<name8>[^\"]+)",
        cause="The image cannot be pulled: {name}.",
        culprit_kind=CulpritKind.IMAGE,
        rank=16,
        reach_lines=400,
    ),
    Signature(
        name="docker.build",
        failure_class=FailureClass.CI_DOCKER_BUILD,
        pattern=r"failed to solve: |ERROR: failed to build|(?:COPY|ADD) failed: |executor failed running|(?i:dockerfile parse error)|failed to compute cache key"
        r"|The command '.*' returned a non-zero code: \d+|failed to read dockerfile|unknown instruction: "
        r"|Cannot connect to the Docker daemon|Service '\S+' failed to build|dependency failed to start: container"
        r"|(?:port is already allocated|driver failed programming external connectivity)|target stage .{1,60} could not be found"
        r"|unable to prepare context: ",
        cause="The image cannot be built.",
        culprit_kind=CulpritKind.FILE,
        culprit_name="Dockerfile",
        rank=46,
    ),
    Signature(
        name="git.push",
        failure_class=FailureClass.CI_GIT,
        pattern=r"failed to push some refs|^CONFLICT \(|Automatic merge failed|(?i:merge conflict)|shallow update not allowed|non-fast-forward|fatal: refusing to merge unrelated"
        r"|(?:error|fatal): pathspec|fatal: couldn't find remote ref|fatal: reference is not a tree|[Rr]emote branch .* not found|not our ref|fatal: not a git repository"
        r"|could not apply [0-9a-f]{6,}|fatal: bad object|fatal: ambiguous argument|error: Your local changes|detected dubious ownership|fatal: unsafe repository"
        r"|error: patch failed|fatal: No url found for submodule"
        r"|A branch or tag with the name .{1,120} could not be found|Author identity unknown|Please tell me who you are|empty ident name"
        r"|fatal: tag '[^']+' already exists|fatal: bad revision|fatal: invalid reference|index-pack failed|fatal: Unable to create '[^']*\.lock'"
        r"|unknown revision or path not in the working tree|Need to specify how to reconcile|Not possible to fast-forward"
        r"|[Cc]lone of .{1,200} into submodule path .{1,200} failed|This repository (?:is over its data quota|exceeded its LFS)"
        r"|remote: Repository not found|fatal: repository '[^']+' (?:not found|does not exist)|smudge filter lfs failed",
        cause="git cannot do what the job asked of it.",
        rank=19,
        reach_lines=400,
    ),
    Signature(
        name="workflow.config",
        failure_class=FailureClass.CI_CONFIG,
        pattern=r"Invalid workflow file|Unexpected value '|(?i:yaml: line \d+)|mapping values are not allowed|while parsing a block mapping|did not find expected key"
        r"|Unable to resolve action|Can't find 'action\.yml'|The workflow is not valid|Unrecognized named-value|\(Line: \d+, Col: \d+\)|WorkflowScript: \d+:|No such DSL method"
        r"|No such property: .* for class: (?:groovy|WorkflowScript)|tox\.config|Unknown lifecycle phase|The goal you specified requires a project to execute"
        r"|uses a deprecated version of `?(?P<name>[\w./@-]+)|Missing download info for (?P<name2>\S+)|An action could not be found at the URI"
        r"|`(?P<name3>set-env|add-path)` command is disabled|Container action is only supported on Linux|Config Processing Error|ERROR IN CONFIG FILE"
        r"|Unable to find Node version|Could not find satisfied version for SemVer|[Tt]he version .(?P<name4>[\w.-]+). with arch\w* .\w+. was not found"
        r"|(?:Additional property|additional properties) .{1,60} not allowed|yaml: unmarshal errors|error (?:converting YAML to JSON|parsing \S+\.ya?ml)"
        r"|yaml\.(?:scanner\.ScannerError|parser\.ParserError)|TOMLDecodeError|toml: (?:line|expected)|json: cannot unmarshal",
        cause="The configuration of the pipeline or build is wrong.",
        culprit_kind=CulpritKind.FILE,
        rank=18,
        reach_lines=500,
    ),
    Signature(
        name="artifact.missing",
        failure_class=FailureClass.CI_ARTIFACT,
        pattern=r"(?i:artifact(?:s)?(?: \S+)? not found|unable to find any artifacts)|No files were found with the provided path|Unable to download artifact|Artifact has expired"
        r"|Failed to (?:CreateArtifact|FinalizeArtifact|ListArtifacts)"
        r"|Artifact not found for name: (?P<name>\S+)|ERROR: No files to upload|No artifacts found that match the file pattern \"(?P<name2>[^\"]+)"
        r"|could not retrieve the needed artifacts|No test report files were found|^(?:Error: )?Path does not exist: (?P<name3>\S+)"
        r"|an artifact with this name already exists|Pattern '(?P<name4>[^']+)' does not match any files|Artifact storage quota has been hit"
        r"|ERROR: Uploading artifacts .{1,120}(?:too large|error|forbidden)",
        cause="An artifact that the job needs is not there.",
        rank=28,
        reach_lines=200,
    ),
    Signature(
        name="tf.lock",
        failure_class=FailureClass.TF_LOCK,
        pattern=r"Error acquiring the state lock|ConditionalCheckFailedException|state is locked",
        cause="Terraform's state is locked by another run.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="state lock",
        rank=10,
    ),
    Signature(
        name="tf.capacity",
        failure_class=FailureClass.TF_SPOT_CAPACITY,
        pattern=r"InsufficientInstanceCapacity|capacity-not-available",
        cause="There is no capacity for that kind of instance now.",
        rank=9,
    ),
    Signature(
        name="tf.quota",
        failure_class=FailureClass.TF_QUOTA,
        pattern=r"(?:Address|Vpc|Vcpu|MaxSpotInstanceCount|Instance)?LimitExceeded|QUOTA_EXCEEDED|(?i:quota .* exceeded|exceeded .* quota)|QuotaExceeded"
        r"|Error setting billing account .{1,200}Precondition check failed|Quota .{1,120} (?:exceeded|limit)|OperationNotAllowed.{1,200}quota"
        r"|ServiceQuotaExceededException",
        cause="A quota of the cloud account is used up.",
        rank=15,
    ),
    Signature(
        name="tf.state",
        failure_class=FailureClass.TF_STATE,
        pattern=r"state snapshot was created by|Unable to find remote state|state data in S3 does not have the expected content|Failed to (?:load|save|persist) state|Provider produced inconsistent (?:result|final plan)"
        r"|Unknown project id: |to be managed via Terraform this resource needs to be imported|\bEntityAlreadyExists\b"
        r"|alreadyExists\b|already exists - to be managed|AlreadyExistsException",
        cause="Terraform's state does not fit.",
        rank=14,
    ),
    Signature(
        name="tf.provider",
        failure_class=FailureClass.TF_PROVIDER,
        pattern=r"Failed to query available provider packages|Inconsistent dependency lock file|Failed to install provider|Could not load plugin"
        r"|match any of the checksums previously recorded|Could not retrieve the list of available versions|does not have a provider named"
        r"|Incompatible provider version|required by this configuration but no version is selected",
        cause="A Terraform provider cannot be installed.",
        rank=16,
    ),
    Signature(
        name="tf.auth",
        failure_class=FailureClass.TF_AUTH,
        pattern=r"No valid credential sources found|validating provider credentials: |retrieving caller identity from STS|Unable to locate credentials|could not find default credentials|NoCredentialProviders"
        r"|building (?:AzureRM Client|account)|unable to build authorizer|Attempted to load application default credentials",
        cause="There are no credentials for the cloud.",
        rank=11,
    ),
    Signature(
        name="tf.config",
        failure_class=FailureClass.TF_CONFIG,
        pattern=r"Error: (?:Unsupported (?:argument|attribute|block type)|Missing required argument|Invalid (?:value|reference|function|expression|resource)|Reference to undeclared|Duplicate (?:resource|variable)|Module not installed|Argument or block definition required)"
        r"|Error: (?:Incorrect attribute value type|Inconsistent conditional|Cycle: |No value for required variable|Unsupported Terraform Core version|Call to unknown function|Error in function call|Backend (?:initialization required|configuration changed)|Attribute redefined|No configuration files|Invalid (?:index|for_each|count|default)|Unreadable module|Unclosed configuration block)",
        cause="The Terraform configuration is wrong.",
        culprit_kind=CulpritKind.FILE,
        rank=20,
    ),
)
