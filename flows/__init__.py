"""The stories: what happens, in order, told with the stages' tasks."""
