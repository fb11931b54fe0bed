"""Ready means that it answers, or will in a moment."""

from fixtures.deployment import Deployed
from fixtures.measure import Record
from tools.kube.llm_service import LlmService


def test_answers_soon_after_ready(service: LlmService, deployed: Deployed, record: Record) -> None:
    """Completions through the gateway are answered, several in a row, within the budget after Ready."""
    found = deployed.answering
    assert found is not None, f"{service.name} is Ready and was not asked"
    record("time from Ready to answers", found.seconds, found.budget, f"after {found.failed} that were not good")
    if found.problem:
        raise found.problem
