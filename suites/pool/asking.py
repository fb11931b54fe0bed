"""Clients and tokens for the services that cases make for themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.answering import await_answers
from tools.kube.llm_service import LlmService
from tools.manifests.metrics_reader import METRICS_READER
from tools.openai.client import Client
from tools.profile import Profile
from tools.profile.budgets import budget
from tools.secret import Secret
from tools.waiting.patience import unhurried


@contextmanager
def asking(service: LlmService) -> Iterator[Client]:
    """A client of a service."""
    client = service.connection.client(service.url, f"llmisvc-conformance ({service.namespace})")
    try:
        yield client
    finally:
        client.close()


@contextmanager
def asking_when_it_answers(service: LlmService, profile: Profile) -> Iterator[Client]:
    """A client of a service that has servers, once it answers.

    Raises:
        Violation: it did not.
    """
    with unhurried():
        found = await_answers(service.connection, service.url, budget("answers", profile))
    if found.problem is not None:
        raise found.problem
    with asking(service) as client:
        yield client


def reader(service: LlmService) -> Secret:
    """A token that may read its picker's metrics."""
    return Secret(service.kube.token(METRICS_READER, service.namespace))
