"""What is wrong with pods: what was seen, the probable cause, the next command, and whether waiting can mend it."""

from tools.troubles.trouble import Kind, Trouble

__all__ = ["Kind", "Trouble"]
