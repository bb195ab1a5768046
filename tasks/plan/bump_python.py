"""Bumps a Python distribution in a requirements file or in `[project].dependencies`."""

from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

from tasks.domain.vulnerability import Ecosystem
from tasks.plan.bump_target import Bumped, Target, check_newer, names_dependencies, read_manifest
from tasks.plan.case import Case, Unfit
from tasks.plan.requirements import check_written_by_hand, choose_file, find_requirement, replace_specifier
from tasks.plan.versions import choose_version

_LOCKS = {"poetry.lock": "poetry", "uv.lock": "uv", "Pipfile.lock": "pipenv", "pdm.lock": "pdm"}
_EXACT = frozenset({"==", "==="})
_FROM_BELOW = frozenset({">=", ">", "==", "===", "~="})


def bump_python(case: Case, target: Target) -> Bumped:
    """Raise the requirement to the fixed version, keeping its form."""
    path = _manifest(case, target)
    read_manifest(path)
    check_written_by_hand(path)
    file = path.relative_to(case.checkout).as_posix()
    was = find_requirement(path, target.package)
    present = [one.version.removesuffix(".*") for one in was.specifier if one.operator in _FROM_BELOW]
    installed = target.installed or (present[0] if present else "")
    choice = choose_version(Ecosystem.PYPI, installed, target.fixed_lists)
    for version in present:
        check_newer(Ecosystem.PYPI, version, choice.version, file)
    replace_specifier(path, target.package, _specifier(was, choice.version))
    return Bumped(target.package, installed, choice.version, file, choice.major_jump)


def _manifest(case: Case, target: Target) -> Path:
    name = PurePosixPath(target.file or "").name
    if name in _LOCKS:
        raise Unfit(f"{name} is made by {_LOCKS[name]}: raise {target.package} there")
    if target.file and name.endswith((".txt", ".toml")):
        path = case.file_inside(target.file)
        if path is not None:
            return path
        if names_dependencies(name) and not target.in_image:
            raise Unfit(f"the repository has no {target.file[:200]}, where the report found {target.package}")
    return choose_file(case)


def _specifier(was: Requirement, version: str) -> str:
    operators = {one.operator for one in was.specifier}
    if operators & _EXACT:
        return f"=={version}"
    if "~=" in operators:
        return f"~={version}"
    others = (
        one for one in was.specifier if one.operator not in _FROM_BELOW and one.contains(version, prereleases=True)
    )
    return ",".join([f">={version}", *sorted(map(str, others))])
