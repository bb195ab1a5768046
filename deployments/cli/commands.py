"""How the help of every command looks, beyond what typer does by itself."""

from typing import Any

from typer.core import TyperGroup


class Commands(TyperGroup):
    """Shows no type beside what takes no value: `--yes <bool>` would ask for one."""

    def get_params(self, ctx: Any) -> Any:
        """Those of the group itself."""
        return _bare(super().get_params(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or `None`."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            _bare(found.get_params(ctx))
        return found


def _bare(parameters: Any) -> Any:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
