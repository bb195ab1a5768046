"""Trivy's JSON: reports of images, file systems and repositories, of clusters, and the bare lists before version 0.20.

The format: https://trivy.dev/latest/docs/configuration/reporting/#json
"""

from tasks.collect.scans.draft import ReportDraft, Row, ecosystem_of, severity_of, version_list
from tasks.collect.scans.fields import Node
from tasks.domain.vulnerability import BreachKind, Ecosystem, ScanFault, Scanner, ScanReport

_FINDINGS = ("Vulnerabilities", "Misconfigurations", "Secrets", "Licenses")
_IMAGE_TYPES = ("container_image", "image", "vm")


def is_trivy(document: object) -> bool:
    """Whether this is a report of Trivy."""
    if isinstance(document, list):
        return bool(document) and all(isinstance(item, dict) and "Target" in item for item in document)
    if not isinstance(document, dict):
        return False
    named = "ArtifactName" in document or "ClusterName" in document or "Trivy" in document
    return ("SchemaVersion" in document and ("Results" in document or named)) or (
        named and ("Results" in document or "Resources" in document)
    )


def parse_trivy(document: object, *, source: str) -> ScanReport:
    """The report.

    Raises:
        Misfit: it is not built as Trivy builds its reports.
    """
    draft = ReportDraft(scanner=Scanner.TRIVY, tool="Trivy", source=source)
    root = Node({"Results": document} if isinstance(document, list) else document)
    draft.target = root.text("ArtifactName") or root.text("ClusterName")
    if root.has("ClusterName") or root.has("Resources"):
        _read_cluster(draft, root)
    else:
        image = root.text("ArtifactName") if root.text("ArtifactType") in _IMAGE_TYPES else ""
        tags = root.node("Metadata").texts("RepoTags")
        _read_results(draft, root, image=tags[0] if image and tags else image)
        _note_system(draft, root.node("Metadata").node("OS"))
    return draft.finish()


def _note_system(draft: ReportDraft, system: Node) -> None:
    if system.flag("EOSL"):
        name = f"{system.text('Family')} {system.text('Name')}".strip() or "the operating system"
        draft.gap(f"{name} gets no security updates any more, so that Trivy does not know all that is wrong with it")


def _read_cluster(draft: ReportDraft, root: Node) -> None:
    resources = list(root.each("Resources")) or list(root.each("Findings"))
    if not resources:
        draft.gap("the report lists no resource that was scanned")
    for path, value in resources:
        with draft.entry():
            resource = Node(value, path)
            name = "/".join(filter(None, map(resource.text, ("Namespace", "Kind", "Name"))))
            if resource.text("Error"):
                draft.gap(f"{name} was not scanned: {resource.text('Error')}", ScanFault.TOOL)
            elif resource.has("Results"):
                _read_results(draft, resource, image="", place=name)


def _read_results(draft: ReportDraft, root: Node, *, image: str, place: str = "") -> None:
    if not root.items("Results"):
        draft.gap(
            f"the report lists nothing that was scanned in {place or draft.target or 'its target'}: "
            "Trivy found no file that it knows, or was told to skip them",
            ScanFault.NO_PROJECT,
        )
    for path, value in root.each("Results"):
        with draft.entry():
            result = Node(value, path)
            target = _Target(result, image, place)
            for kind in _FINDINGS:
                for entry_path, entry in result.each(kind):
                    with draft.entry():
                        target.read(draft, kind, Node(entry, entry_path))


class _Target:
    """One result: one file, or the packages of one system."""

    def __init__(self, result: Node, image: str, place: str) -> None:
        self.name = result.text("Target")
        self.type = result.text("Type")
        self.ecosystem = ecosystem_of(self.type, result.text("Class"))
        # Before 0.20 there was no class: a system stands in the target's brackets, `alpine:3.10 (alpine 3.10.2)`.
        old_system = not result.has("Class") and self.name.endswith(")") and " (" in self.name
        if old_system:
            self.ecosystem = Ecosystem.OS
        self.image = image or (self.name.partition(" (")[0] if self.ecosystem is Ecosystem.OS else "")
        self.place = place

    @property
    def file(self) -> str:
        """The file that the result is about; the packages of a system stand in none."""
        named = "" if self.ecosystem is Ecosystem.OS else self.name
        return f"{self.place}: {named}" if self.place and named else named

    def read(self, draft: ReportDraft, kind: str, entry: Node) -> None:
        """Take one finding."""
        if kind == "Vulnerabilities":
            draft.add_vulnerability(self._vulnerability(entry), entry.path)
        elif kind == "Secrets":
            draft.secrets.append(self._secret(entry))
        elif kind == "Licenses":
            draft.breaches.append(self._license(entry))
        elif entry.text("Status") in ("", "FAIL"):
            draft.breaches.append(self._misconfiguration(entry))

    def _vulnerability(self, entry: Node) -> Row:
        return Row(
            id=entry.text("VulnerabilityID"),
            severity=severity_of(entry.text("Severity")),
            package=entry.text("PkgName"),
            installed=entry.text("InstalledVersion"),
            fixed=version_list([entry.text("FixedVersion")]),
            ecosystem=self.ecosystem,
            file=entry.text("PkgPath") or self.file,
            image=self.image,
            title=entry.text("Title"),
            aliases=tuple(entry.texts("VendorIDs")),
        )

    def _misconfiguration(self, entry: Node) -> Row:
        return Row(
            id=entry.text("ID") or entry.text("AVDID"),
            severity=severity_of(entry.text("Severity")),
            file=self.file,
            line=entry.node("CauseMetadata").line("StartLine"),
            title=entry.text("Title") or entry.text("Message"),
            advice=entry.text("Resolution"),
        )

    def _secret(self, entry: Node) -> Row:
        # `Match` and `Code` hold the line itself and are not read.
        return Row(
            id=entry.text("RuleID"),
            severity=severity_of(entry.text("Severity")),
            file=self.file or self.name,
            line=entry.line("StartLine"),
            title=entry.text("Title") or entry.text("Category"),
        )

    def _license(self, entry: Node) -> Row:
        package, name = entry.text("PkgName") or "a file", entry.text("Name")
        return Row(
            id=f"license:{name}",
            severity=severity_of(entry.text("Severity")),
            kind=BreachKind.LICENSE,
            file=entry.text("FilePath") or self.file,
            title=f"{package} has the licence {name}, which policy calls {entry.text('Category')}",
        )
