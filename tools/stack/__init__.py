"""Builds the local cluster's software once, from pinned sources, into a directory that every clone shares."""

from tools.stack.build import ensure_stack, locate_stack
from tools.stack.directory import Stack

__all__ = ["Stack", "ensure_stack", "locate_stack"]
