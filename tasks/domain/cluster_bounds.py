"""ChangeBounds: how far the size of a workload may be changed, whatever was measured."""

from pydantic import Field

from tasks.domain.base import Noun


class ChangeBounds(Noun):
    """Held when a change is drafted, and again when it is made."""

    headroom: float = Field(default=1.5, ge=1.1, le=2.0)
    """What is asked for is the measured use times this."""
    max_factor: float = Field(default=2.0, gt=1.0, le=4.0)
    """Neither memory nor replicas become more than this times what they are."""
    max_memory_mib: int = Field(default=4096, ge=16)
    """No container is given more memory than this, in MiB."""
    max_replicas: int = Field(default=10, ge=1)
    """No workload is scaled beyond this."""
