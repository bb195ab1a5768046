"""Which files of a patch make a person necessary: tests, pipelines, scanners, secrets, state."""

import re

_CHANGED = re.compile(r"^(?:\+\+\+ b/|--- a/|rename (?:from|to) )(.+?)\s*$", re.MULTILINE)
_QUOTED = re.compile(r'^(?:\+\+\+|---) "(?:a|b)/(.+?)"\s*$', re.MULTILINE)
_SENSITIVE = re.compile(
    r"(^|/)(\.github|\.gitlab|\.circleci|\.buildkite)/"
    r"|(^|/)(\.gitlab-ci\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|\.travis\.ya?ml)$"
    r"|(^|/)(\.trivyignore|\.snyk|\.gitleaks\.toml|\.pre-commit-config\.ya?ml|CODEOWNERS)$"
    r"|(^|/)\.env(\.|$)|\.(pem|key|p12|tfstate|tfvars)$"
    r"|(^|/)(tests?|__tests__|spec)/|(^|/)(test_[^/]+\.py|conftest\.py|[^/]+_test\.(py|go)|[^/]+\.(test|spec)\.[jt]sx?)$",
    re.IGNORECASE,
)


def changed_files(patch: str) -> list[str]:
    """The files that a unified diff names, on either side."""
    return sorted(set(_CHANGED.findall(patch)) | set(_QUOTED.findall(patch)))


def sensitive_files(patch: str) -> list[str]:
    """Those of them that must not change without a person."""
    return [name for name in changed_files(patch) if _SENSITIVE.search(name)]
