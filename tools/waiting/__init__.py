"""Waiting: budgets in one place, whole assertions several times in a row, and failures that tell what was seen."""
