"""What git says of the cluster: what is not applied as it stands does not count, and only what was committed does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.clients.workspace import Manifests, Mirrors, open_manifests
from tasks.domain.cluster import Manifest
from tasks.domain.code_host import GitRemote
from tasks.errors import NotFoundError, PermanentError
from tasks.settings import ManifestSettings
from tests.unit.clients.workspace.repositories import commit_files, git

PRICES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: prices, namespace: shop}\ndata: {eur: '1'}\n"
LOGIN = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: hunter2}\n"


class Nowhere:
    """A code host that nobody may ask."""

    @property
    def branches(self) -> Any:
        raise AssertionError("the repository is here")

    def git_remote(self, repository: str) -> GitRemote:
        raise AssertionError(repository)


def rendered(folder: Path) -> tuple[dict[str, Any], ...]:
    """What a kustomization names, in the namespace that it gives."""
    wanted = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found = [yaml.safe_load((folder / name).read_text()) for name in wanted["resources"]]
    return tuple({**one, "metadata": {**one["metadata"], "namespace": wanted["namespace"]}} for one in found)


def opened(repository: Path, folder: str = "", branch: str = "", render: Callable[..., Any] = rendered) -> Manifests:
    settings = ManifestSettings(repository=str(repository), folder=folder, branch=branch)
    return open_manifests(settings, Mirrors(repository.parent / "mirrors"), Nowhere(), render)


def names(manifests: Manifests) -> list[str]:
    return sorted(f"{one.path}: {one.ref}" for one in manifests.find_all())


def one(manifests: Manifests) -> Manifest:
    (found,) = manifests.find_all()
    return found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("k8s/chart/templates/prices.yaml", PRICES),
        ("k8s/prices.yaml.tpl", PRICES),
        ("elsewhere/prices.yaml", PRICES),
        ("k8s/login.yaml", LOGIN + "sops: {version: 3}\n"),
        ("k8s/broken.yaml", "a: [1\n"),
        ("k8s/template.yaml", "kind: ConfigMap\nmetadata: {{- include 'x' }}\n"),
        ("k8s/values.yaml", "image: cart\n"),
        ("k8s/list.yaml", "- 1\n"),
        ("k8s/overlay/patch.yaml", PRICES),
        ("k8s/large.yaml", PRICES + "#" * (1 << 20)),
    ],
)
def test_what_is_not_applied_as_it_stands_describes_nothing(repository: Path, path: str, text: str) -> None:
    chart = {"k8s/chart/Chart.yaml": "name: shop\n", "k8s/overlay/kustomization.yaml": "resources: []\n"}
    commit_files(repository, "Add", {path: text, **chart})
    assert names(opened(repository, "k8s")) == []


def test_work_tree_does_not_count(repository: Path) -> None:
    commit_files(repository, "Add", {"prices.yaml": PRICES})
    (repository / "prices.yaml").write_text(PRICES.replace("'1'", "'2'"))
    (repository / "more.yaml").write_text(LOGIN)
    known = opened(repository)
    assert names(known) == ["prices.yaml: ConfigMap/shop/prices"]
    assert known.read(one(known))["data"] == {"eur": "1"}


def test_each_document_of_a_file_counts(repository: Path) -> None:
    commit_files(repository, "Add", {"all.yaml": f"{PRICES}---\n{LOGIN}---\n"})
    assert names(opened(repository)) == ["all.yaml: ConfigMap/shop/prices", "all.yaml: Secret/login"]


def test_manifest_noun_holds_nothing_of_a_secret(repository: Path) -> None:
    commit_files(repository, "Add", {"login.yaml": LOGIN})
    found = one(opened(repository))
    assert "hunter2" not in found.model_dump_json() + repr(found)


def test_manifest_that_was_altered_since_is_not_read(repository: Path) -> None:
    commit_files(repository, "Add", {"prices.yaml": PRICES})
    planned = one(opened(repository))
    commit_files(repository, "Raise", {"prices.yaml": PRICES.replace("'1'", "'2'")})
    with pytest.raises(NotFoundError, match=r"prices\.yaml was changed on main since"):
        opened(repository).read(planned)


def test_commit_beside_it_does_not_matter(repository: Path) -> None:
    commit_files(repository, "Add", {"prices.yaml": PRICES})
    planned = one(opened(repository))
    commit_files(repository, "Else", {"a.txt": "other\n"})
    assert opened(repository).read(planned)["data"] == {"eur": "1"}


def test_manifest_that_is_gone_or_told_twice_is_not_read(repository: Path) -> None:
    commit_files(repository, "Add", {"prices.yaml": PRICES})
    planned = one(opened(repository))
    commit_files(repository, "Twice", {"prices.yaml": f"{PRICES}---\n{PRICES}"})
    with pytest.raises(NotFoundError, match="2 times"):
        opened(repository).read(planned)
    git(repository, "rm", "--quiet", "prices.yaml")
    git(repository, "commit", "--quiet", "--message", "Remove")
    with pytest.raises(NotFoundError, match="0 times"):
        opened(repository).read(planned)


def test_commit_that_git_lost_is_not_read(repository: Path) -> None:
    commit_files(repository, "Add", {"prices.yaml": PRICES})
    known = opened(repository)
    lost = one(known).model_copy(update={"commit": "a" * 40})
    with pytest.raises(NotFoundError, match="does not hold the commit"):
        known.read(lost)


def test_kustomization_counts_as_what_it_renders_to(repository: Path) -> None:
    kustomization = "namespace: prod\nresources: [../base/login.yaml]\n"
    commit_files(repository, "Add", {"base/login.yaml": LOGIN, "prod/kustomization.yaml": kustomization})
    known = opened(repository, "prod")
    assert names(known) == ["prod/kustomization.yaml: Secret/prod/login"]
    assert known.read(one(known))["stringData"] == {"password": "hunter2"}
    assert git(repository, "status", "--porcelain") == ""


def test_rendering_leaves_nothing_behind(repository: Path) -> None:
    seen: list[Path] = []

    def render(folder: Path) -> tuple[dict[str, Any], ...]:
        seen.append(folder)
        return rendered(folder)

    files = {"login.yaml": LOGIN, "kustomization.yaml": "namespace: prod\nresources: [login.yaml]\n"}
    commit_files(repository, "Add", files)
    assert len(opened(repository, render=render).find_all()) == 1
    assert not seen[0].exists()


def test_other_branch_than_the_one_checked_out_counts_when_named(repository: Path) -> None:
    commit_files(repository, "Add", {"prices.yaml": PRICES})
    git(repository, "switch", "--quiet", "--create", "live")
    commit_files(repository, "More", {"login.yaml": LOGIN})
    git(repository, "switch", "--quiet", "main")
    assert len(opened(repository).find_all()) == 1
    assert len(opened(repository, branch="live").find_all()) == 2


@pytest.mark.parametrize("branch", ["gone", "-x", "a..b"])
def test_branch_that_is_not_there_is_said(repository: Path, branch: str) -> None:
    with pytest.raises(PermanentError, match=branch):
        opened(repository, branch=branch)


def test_folder_that_is_no_repository_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not a git repository"):
        opened(tmp_path)


def test_without_a_repository_the_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="MANIFESTS__REPOSITORY"):
        open_manifests(ManifestSettings(), Mirrors(tmp_path), Nowhere(), rendered)


@pytest.mark.parametrize(
    ("repository", "folder"),
    [("shop", ""), ("./shop", ""), ("-x/shop", ""), ("acme/shop/more", ""), ("/a", "../b"), ("/a", "/b")],
)
def test_settings_that_name_no_such_place_are_refused(repository: str, folder: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ManifestSettings(repository=repository, folder=folder)


def test_branch_of_a_hosted_repository_is_fetched(repository: Path, tmp_path: Path) -> None:
    tip = commit_files(repository, "Add", {"prices.yaml": PRICES})

    class Host:
        branches: Any

        def default(self, _repository: str) -> str:
            return "main"

        def tip(self, _repository: str, branch: str) -> str | None:
            return tip if branch == "main" else None

        def git_remote(self, _repository: str) -> GitRemote:
            return GitRemote(url=repository.as_uri())

    host = Host()
    host.branches = host
    settings = ManifestSettings(repository="acme/shop")
    known = open_manifests(settings, Mirrors(tmp_path / "mirrors"), host, rendered)
    assert (known.branch, known.commit) == ("main", tip)
    assert known.read(one(known))["data"] == {"eur": "1"}
    gone = settings.model_copy(update={"branch": "gone"})
    with pytest.raises(NotFoundError, match="no branch 'gone'"):
        open_manifests(gone, Mirrors(tmp_path / "mirrors"), host, rendered)
