"""Figures of speed and memory, each printed beside a reference measured in the same run; nothing here is asserted."""
