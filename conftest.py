"""Wiring only: the fixtures and hooks are in fixtures/, one noun a module."""

# A module before those that import it: pytest rewrites a plugin's assertions only when it is the first to import it.
pytest_plugins = [
    "fixtures.options",
    "fixtures.order",
    "fixtures.accelerator",
    "fixtures.run",
    "fixtures.cluster",
    "fixtures.cases",
    "fixtures.known_issues",
    "fixtures.outcomes",
    "fixtures.gate",
    "fixtures.results",
    "fixtures.measure",
    "fixtures.allure_labels",
    "fixtures.deployment",
    "fixtures.platform",
    "fixtures.service",
    "fixtures.throwaway",
    "fixtures.proving",
    "fixtures.proofs",
    "fixtures.exclusive",
    "fixtures.workers",
    "fixtures.evidence",
    "fixtures.session",
    "fixtures.report",
]
