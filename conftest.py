"""Wiring only: the fixtures and hooks are in fixtures/, one noun a module."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.order",
    "fixtures.cluster",
    "fixtures.accelerator",
    "fixtures.run",
    "fixtures.deployment",
    "fixtures.service",
    "fixtures.measure",
    "fixtures.evidence",
    "fixtures.report",
]
