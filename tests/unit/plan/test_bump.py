"""What a scanner's report names is raised where the repository names it, and nothing else is ever touched."""

import json
import os
from pathlib import Path

import pytest

from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Remedy, Risk
from tasks.domain.vulnerability import Ecosystem, Upgrade, Vulnerability
from tests.unit.plan.bumping import bump, changed_lines, patch_of, refused, report, weakness
from tests.unit.plan.conftest import Scene

pytestmark = pytest.mark.usefixtures("tools")
GO_MOD = """\
module example.com/shop

go 1.21

require (
	github.com/acme/money v1.2.0 // keep
	golang.org/x/text v0.3.6
)

require github.com/docker/distribution v2.7.1+incompatible // indirect
"""
POM = """\
<project>
  <properties><jackson.version>2.13.2</jackson.version></properties>
  <!-- <dependency><groupId>org.acme</groupId><artifactId>money</artifactId><version>0.1</version></dependency> -->
  <dependencies>
    <dependency>
      <groupId>org.acme</groupId>
      <artifactId>money</artifactId>
      <version>1.2.0</version>
      <exclusions><exclusion><groupId>x</groupId><artifactId>y</artifactId></exclusion></exclusions>
    </dependency>
    <dependency>
      <groupId>com.fasterxml</groupId><artifactId>jackson</artifactId><version>${jackson.version}</version>
    </dependency>
    <dependency><groupId>org.acme</groupId><artifactId>managed</artifactId></dependency>
  </dependencies>
</project>
"""
PACKAGE = json.dumps(
    {
        "name": "shop",
        "dependencies": {"ms": "^0.7.0", "left": "file:../left"},
        "devDependencies": {"@acme/web": "1.0.0"},
    },
    indent=2,
)


def put_tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    path.chmod(0o755)


# What is not done


def test_no_report_no_patch(scene: Scene) -> None:
    scene.commit("Require", {"requirements.txt": "flask==1.0\n"})
    assert "no report of the scanner was read" in refused(scene.draft(FailureClass.SEC_TRIVY))


def test_no_fixed_version_no_patch(scene: Scene) -> None:
    plan = bump(scene, {"requirements.txt": "flask==1.0\n"}, weakness("flask", "1.0"))
    assert "no package of the report has a fixed version" in refused(plan)


def test_a_secret_is_never_patched(scene: Scene) -> None:
    scene.commit("Leak", {"requirements.txt": "flask==1.0\n"})
    plan = scene.draft(FailureClass.SEC_SECRET, scans=(report(weakness("flask", "1.0", "1.1")),))
    assert "Revoke the secret" in refused(plan)


@pytest.mark.parametrize(
    "package", ["flask; rm -rf /", "$(id)", "`id`", "-rf", "--index-url=http://x", "a b", "../../x", "flask\n-e .", ""]
)
@pytest.mark.parametrize("ecosystem", [Ecosystem.PYPI, Ecosystem.NPM, Ecosystem.GO, Ecosystem.MAVEN])
def test_a_name_that_is_none_is_refused(scene: Scene, package: str, ecosystem: Ecosystem) -> None:
    plan = bump(scene, {"requirements.txt": "flask==1.0\n"}, weakness(package, "1.0", "1.1", ecosystem=ecosystem))
    assert "is no name of a package" in refused(plan)


@pytest.mark.parametrize("version", ["1.1; id", "$(id)", "-e .", "1.1\nevil", "1.1 --pre", '1.1", "evil'])
def test_a_version_that_is_none_is_refused(scene: Scene, version: str) -> None:
    plan = bump(scene, {"requirements.txt": "flask==1.0\n"}, weakness("flask", "1.0", version))
    assert "are no versions" in refused(plan)


@pytest.mark.parametrize(
    ("files", "found", "told"),
    [
        ({"requirements.txt": "flask==1.0\n"}, weakness("flask", "1.0", "0.9"), "would be a downgrade"),
        ({"requirements.txt": "flask==1.2\n"}, weakness("flask", "1.0", "1.1"), "report is out of date"),
        ({"requirements.txt": "django==1.0\n"}, weakness("flask", "1.0", "1.1"), "another package asks for it"),
        ({"requirements.txt": b"fl\xe9sk==1.0\n"}, weakness("flask", "1.0", "1.1"), "not UTF-8"),
        ({"requirements.txt": "flask==1.0 --hash=sha256:aa\n"}, weakness("flask", "1.0", "1.1"), "is generated or has hashes"),
        ({"requirements.txt": "flask @ https://example.com/f.whl\n"}, weakness("flask", "1.0", "1.1"), "not a plain requirement"),
        ({"poetry.lock": ""}, weakness("flask", "1.0", "1.1", file="poetry.lock"), "is made by poetry"),
        ({"README": ""}, weakness("flask", "1.0", "1.1"), "the repository has no requirements.txt"),
        ({"README": ""}, weakness("flask", "1.0", "1.1", file=None), "no single requirements file"),
        ({"go.mod": GO_MOD}, weakness("golang.org/x/text", "0.3.6", "0.3.7", ecosystem=Ecosystem.GO, file="sub/go.mod"), "has no sub/go.mod"),
        ({"README": ""}, weakness("flask", "1.0", "1.1", file="../../etc/requirements.txt"), "has no ../../etc/requirements.txt"),
        ({"Gemfile": "x"}, weakness("rack", "1.0", "1.1", ecosystem=Ecosystem.OTHER, file="Gemfile.lock"), "of no ecosystem"),
        ({"README": ""}, weakness("zlib", "1.0", "1.1", ecosystem=Ecosystem.OS, file=None), "names no fixed one"),
        ({"package.json": PACKAGE}, weakness("left", "1.0.0", "1.1.0", ecosystem=Ecosystem.NPM), "no plain version"),
        ({"package.json": PACKAGE}, weakness("qs", "1.0.0", "1.1.0", ecosystem=Ecosystem.NPM), "does not name qs"),
        ({"package.json": b'{"dependencies": {"ms": "\xff"}}'}, weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM), "not UTF-8"),
        ({"package.json": "{" * 9}, weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM), "is no JSON"),
        ({"package.json": "[]"}, weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM), "is no object"),
        ({"package.json": PACKAGE, "yarn.lock": ""}, weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM), "made by yarn"),
        ({"go.mod": GO_MOD}, weakness("github.com/acme/absent", "1.0.0", "1.1.0", ecosystem=Ecosystem.GO), "not at all"),
        ({"go.mod": GO_MOD}, weakness("stdlib", "1.21.0", "1.21.9", ecosystem=Ecosystem.GO), "with a newer Go"),
        ({"go.mod": GO_MOD, "vendor/modules.txt": "#"}, weakness("golang.org/x/text", "0.3.6", "0.3.7", ecosystem=Ecosystem.GO), "vendored"),
        ({"go.mod": GO_MOD + "replace golang.org/x/text => ../text\n"}, weakness("golang.org/x/text", "0.3.6", "0.3.7", ecosystem=Ecosystem.GO), "replaces"),
        ({"go.mod": "require github.com/acme/a/v2 v2.0.0\n"}, weakness("github.com/acme/a/v2", "v2.0.0", "v3.0.0", ecosystem=Ecosystem.GO), "another module"),
        ({"pom.xml": POM}, weakness("org.acme:managed", "1.0", "1.1", ecosystem=Ecosystem.MAVEN), "its parent does"),
        ({"pom.xml": POM}, weakness("org.acme:absent", "1.0", "1.1", ecosystem=Ecosystem.MAVEN), "another dependency asks"),
        ({"pom.xml": "<!DOCTYPE x>" + POM}, weakness("org.acme:money", "1.2.0", "1.3.0", ecosystem=Ecosystem.MAVEN), "document type"),
        ({"pom.xml": POM.replace("${jackson", "${project")}, weakness("com.fasterxml:jackson", "1.0", "1.1", ecosystem=Ecosystem.MAVEN), "not its own"),
        ({"pom.xml": POM.replace("<jackson.version>2.13.2</jackson.version>", "")}, weakness("com.fasterxml:jackson", "1.0", "1.1", ecosystem=Ecosystem.MAVEN), "nowhere"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_and_left(
    scene: Scene, files: dict[str, str | bytes], found: Vulnerability, told: str
) -> None:
    assert told in refused(bump(scene, files, found))


def test_what_a_package_manager_changes_beside_its_files_is_not_proposed(scene: Scene, tools: Path) -> None:
    put_tool(tools, "npm", "echo hacked > index.js")
    files: dict[str, str | bytes] = {"package.json": PACKAGE, "package-lock.json": "{}"}
    plan = bump(scene, files, weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM, file="package-lock.json"))
    assert "would change index.js too" in refused(plan)


def test_a_tool_that_stands_in_the_repository_is_not_run(
    scene: Scene, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.commit("Tool", {"bin/npm": "#!/bin/sh\necho x > pwned\n"})
    (scene.root / "bin/npm").chmod(0o755)
    files: dict[str, str | bytes] = {"package.json": PACKAGE, "package-lock.json": "{}"}
    monkeypatch.setenv("PATH", f"{tmp_path / 'worktrees' / 'scratch' / 'bin'}{os.pathsep}{tools}")
    plan = bump(scene, files, weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM, file="package-lock.json"))
    assert "package-lock.json has to be renewed" in patch_of(plan).summary
    assert "pwned" not in patch_of(plan).preview


# What is done


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Flask==1.0", "Flask==1.1"),
        ("flask>=1.0,<2  # web", "flask>=1.1,<2  # web"),
        ("flask~=1.0", "flask~=1.1"),
        ("flask", "flask>=1.1"),
        ("flask[async]==1.0 ; python_version > '3'", "flask[async]==1.1 ; python_version > '3'"),
        ("flask<1.1,>=0.9", "flask>=1.1"),
    ],
)
def test_a_requirement_keeps_its_form(scene: Scene, line: str, wanted: str) -> None:
    action = patch_of(bump(scene, {"requirements.txt": f"{line}\nother==1\n"}, weakness("flask", "1.0", "1.1")))
    assert changed_lines(action) == [f"-{line}", f"+{wanted}"]
    assert action.risk is Risk.MEDIUM
    assert json.loads(action.parameters["bumps"]) == [
        {"package": "flask", "installed": "1.0", "to": "1.1", "file": "requirements.txt"}
    ]


def test_the_dependencies_of_a_project_file(scene: Scene) -> None:
    project = '[project]\nname = "shop"\ndependencies = ["flask==1.0", "other"]\n'
    action = patch_of(bump(scene, {"pyproject.toml": project}, weakness("flask", "1.0", "1.1", file="pyproject.toml")))
    assert changed_lines(action)[1] == '+dependencies = ["flask==1.1", "other"]'


def test_a_jump_to_a_new_major_version_is_said_as_a_risk(scene: Scene) -> None:
    action = patch_of(bump(scene, {"requirements.txt": "flask==1.0\n"}, weakness("flask", "1.0", "2.0")))
    assert action.risk is Risk.HIGH
    assert "a new major version, which may break callers: flask" in action.summary


def test_everything_that_can_be_raised_is_and_the_rest_is_said(scene: Scene) -> None:
    found = (weakness("flask", "1.0", "1.1"), weakness("gone", "1.0", "1.1"), weakness("jinja2", "2.0", "2.1"))
    action = patch_of(bump(scene, {"requirements.txt": "flask==1.0\njinja2==2.0\nkeep==1\n"}, *found))
    assert changed_lines(action) == ["-flask==1.0", "-jinja2==2.0", "+flask==1.1", "+jinja2==2.1"]
    assert "left as it is: requirements.txt names gone not at all" in action.summary


def test_weaknesses_of_one_package_are_fixed_by_one_version(scene: Scene) -> None:
    found = (weakness("flask", "1.0", "1.1"), weakness("flask", "1.0", "1.3", "2.0"), weakness("flask", "1.0"))
    action = patch_of(bump(scene, {"requirements.txt": "flask==1.0\n"}, *found))
    assert changed_lines(action) == ["-flask==1.0", "+flask==1.3"]


def test_the_direct_dependency_that_the_report_proposes_is_raised(scene: Scene) -> None:
    package = json.dumps({"dependencies": {"debug": "^2.2.0"}})
    proposed = Upgrade(package="debug", installed="2.2.0", to="2.6.9")
    found = weakness("ms", "0.7.0", "2.0.0", ecosystem=Ecosystem.NPM, file="package.json", upgrade=proposed)
    action = patch_of(bump(scene, {"package.json": package}, found))
    assert '+{"dependencies": {"debug": "^2.6.9"}}' in action.preview
    assert action.risk is Risk.MEDIUM


def test_npm_renews_the_lock_once_without_running_scripts(scene: Scene, tools: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    put_tool(tools, "npm", f'echo "$@" >> {calls}; echo "$HEALFLOW_TOKEN" >> {calls}; echo new > package-lock.json')
    files: dict[str, str | bytes] = {"web/package.json": PACKAGE, "web/package-lock.json": "old\n"}
    found = [
        weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM, file="web/package-lock.json"),
        weakness("@acme/web", "1.0.0", "1.0.1", ecosystem=Ecosystem.NPM, file="web/package-lock.json"),
    ]
    action = patch_of(bump(scene, files, *found))
    assert changed_lines(action) == [
        "-old",
        "+new",
        '-    "ms": "^0.7.0",',
        '+    "ms": "^0.7.1",',
        '-    "@acme/web": "1.0.0"',
        '+    "@acme/web": "1.0.1"',
    ]
    assert len(calls.read_text().splitlines()) == 2
    assert "--ignore-scripts" in calls.read_text()
    assert "has to be renewed" not in action.summary


def test_a_lock_that_npm_cannot_renew_stays_and_is_said(scene: Scene, tools: Path) -> None:
    put_tool(tools, "npm", "echo broken > package-lock.json; exit 1")
    files: dict[str, str | bytes] = {"package.json": PACKAGE, "package-lock.json": "old\n"}
    found = weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM, file="package-lock.json")
    action = patch_of(bump(scene, files, found))
    assert "broken" not in action.preview
    assert "package-lock.json has to be renewed with npm install" in action.summary


@pytest.mark.parametrize(
    ("module", "installed", "fixed", "line"),
    [
        ("golang.org/x/text", "v0.3.6", "0.3.7", "+\tgolang.org/x/text v0.3.7"),
        ("github.com/acme/money", "v1.2.0", "v1.2.5", "+\tgithub.com/acme/money v1.2.5 // keep"),
        (
            "github.com/docker/distribution",
            "v2.7.1+incompatible",
            "v2.8.0",
            "+require github.com/docker/distribution v2.8.0+incompatible // indirect",
        ),
    ],
)
def test_a_go_module_without_go(scene: Scene, module: str, installed: str, fixed: str, line: str) -> None:
    found = weakness(module, installed, fixed, ecosystem=Ecosystem.GO, file="go.mod")
    action = patch_of(bump(scene, {"go.mod": GO_MOD}, found))
    assert changed_lines(action)[1:] == [line]
    assert "go.sum has to be renewed" in action.summary


def test_go_works_out_its_files_where_it_is(scene: Scene, tools: Path) -> None:
    put_tool(tools, "go", 'echo "$@" > go.sum')
    found = weakness("golang.org/x/text", "v0.3.6", "0.3.7", ecosystem=Ecosystem.GO, file="sub/go.sum")
    action = patch_of(bump(scene, {"sub/go.mod": GO_MOD}, found))
    assert "+get golang.org/x/text@v0.3.7" in changed_lines(action)
    assert "has to be renewed" not in action.summary


@pytest.mark.parametrize(
    ("package", "installed", "fixed", "line"),
    [
        ("org.acme:money", "1.2.0", "1.2.1", "+      <version>1.2.1</version>"),
        (
            "com.fasterxml:jackson",
            "2.13.2",
            "2.13.4.2",
            "+  <properties><jackson.version>2.13.4.2</jackson.version></properties>",
        ),
    ],
)
def test_a_maven_dependency_or_its_property(scene: Scene, package: str, installed: str, fixed: str, line: str) -> None:
    found = weakness(package, installed, fixed, ecosystem=Ecosystem.MAVEN, file="pom.xml")
    action = patch_of(bump(scene, {"pom.xml": POM}, found))
    assert changed_lines(action)[1:] == [line]


def test_what_was_found_in_an_image_is_raised_where_the_repository_names_it(scene: Scene) -> None:
    in_lock = weakness("ms", "0.7.0", "0.7.1", ecosystem=Ecosystem.NPM, file="app/package-lock.json")
    found = in_lock.model_copy(update={"image": "acme/shop:1"})
    installed = weakness("flask", "1.0", "1.1", file="usr/lib/python3/flask-1.0.dist-info/METADATA")
    files: dict[str, str | bytes] = {"package.json": PACKAGE, "requirements.txt": "flask==1.0\n"}
    action = patch_of(bump(scene, files, found, installed))
    assert changed_lines(action)[1::2] == ['+    "ms": "^0.7.1",', "+flask==1.1"]


def test_a_scanner_that_failed_runs_again_first(scene: Scene) -> None:
    plan = scene.draft(FailureClass.SEC_SNYK, transient=True)
    assert plan.actions[0].name == Remedy.RERUN_FAILED_JOBS
