"""A pipeline that runs here: executes workflow files on this machine, keeps the runs, and reports them as GitHub
does."""

from tasks.clients.pipeline.command import run_command
from tasks.clients.pipeline.execute import LocalPipeline
from tasks.clients.pipeline.report import DeliveryReceipt, report_run, sign, workflow_run_event
from tasks.clients.pipeline.runs import RunStore, StoredRun
from tasks.clients.pipeline.workflow import load_workflow

__all__ = [
    "DeliveryReceipt",
    "LocalPipeline",
    "RunStore",
    "StoredRun",
    "load_workflow",
    "report_run",
    "run_command",
    "sign",
    "workflow_run_event",
]
