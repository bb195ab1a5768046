"""Records outcomes, tells incidents whole, and finds what worked before."""

from tasks.remember.report import story_markdown
from tasks.remember.story import read_story

__all__ = ["read_story", "story_markdown"]
