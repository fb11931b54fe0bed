"""Asking whether one place reaches another, and the words for what came of it."""
