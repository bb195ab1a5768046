"""`healflow audit`: proves the trail whole, and hands it out."""

import typer

from deployments.cli.commands import Commands

app = typer.Typer(
    cls=Commands, help="The hash-chained trail of questions, answers, refusals and actions.", no_args_is_help=True
)


@app.command()
def verify(anchor: str = typer.Option("", help="COUNT:HASH, as printed earlier and kept elsewhere.")) -> None:
    """Check every link; exit code 1 and the place where it breaks, when it does."""
    from rich.console import Console

    from deployments.home import open_ledger
    from tasks.settings import Settings

    report = open_ledger(Settings()).audit.verify(anchor=_read_anchor(anchor))
    console = Console(highlight=False, soft_wrap=True)
    if report.problem:
        console.print(f"broken: {report.problem}", style="red", markup=False)
        raise typer.Exit(1)
    console.print(f"whole: {report.entries} entries; anchor {report.entries}:{report.head}", markup=False)


def _read_anchor(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    count, _, known = text.partition(":")
    if not count.isdecimal() or not known:
        from tasks.errors import BadInputError

        raise BadInputError(f"{text[:100]!r} is no anchor; 'healflow audit verify' prints one as COUNT:HASH")
    return int(count), known


@app.command()
def export() -> None:
    """Print the trail as JSON lines, oldest first."""
    from deployments.home import open_ledger
    from tasks.settings import Settings

    for entry in open_ledger(Settings()).audit.entries():
        print(entry.model_dump_json())  # noqa: T201
