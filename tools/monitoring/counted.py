"""Counters as Prometheus has them after a scrape that began after everything of interest had ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.explain import check
from tools.kube.llm_service import LlmService
from tools.monitoring.prometheus import Prometheus
from tools.waiting.eventually import Settled, eventually
from tools.waiting.timeouts import seconds

# Those that a client gave up or an error ended do not count.
_UNFINISHED = "abort|error"


@dataclass(frozen=True)
class Counter:
    """A counter of the service's pods.

    Attributes:
        what: in words.
        names: of the metric, newest first.
        more: further matchers.
    """

    what: str
    names: Sequence[str]
    more: str = ""

    def selector(self, service: LlmService) -> str:
        """Its series of one service."""
        where = f'namespace="{service.namespace}", pod=~"{service.name}-kserve-.+"'
        return f'{{__name__=~"{"|".join(self.names)}", {where}{self.more}}}'


FINISHED = Counter(
    "requests finished by the servers", ("vllm:request_success_total",), f', finished_reason!~"{_UNFINISHED}"'
)
PICKED = Counter("requests that the picker was asked about",
                 ("inference_objective_request_total", "inference_model_request_total"))  # fmt: skip


def scraped_since(prometheus: Prometheus, service: LlmService, counter: Counter, asked: float) -> Settled:
    """Wait until every series of a counter was scraped after a moment; a series that appears later is not waited for.

    Args:
        prometheus: who scrapes.
        service: whose counter.
        counter: which.
        asked: the moment, by Prometheus' clock.

    Raises:
        NotSettled: it was not, within the budget.
    """

    def scraped() -> None:
        ages = [each.value - asked for each in prometheus.query(f"timestamp({counter.selector(service)})")]
        told = f"the last is of {-min(ages):.1f} s before" if ages else "it has no such series"
        check(
            bool(ages) and min(ages) > 0,
            f"a scrape of {counter.what} since",
            told,
            cause="its targets are down, or the metric has another name: metrics' names are those of the version",
            next_step=prometheus.instrument.by_hand("/api/v1/targets"),
        )

    return eventually(f"a scrape of {counter.what}", scraped, budget=seconds("prometheus-scrapes"), in_a_row=1)


def count(prometheus: Prometheus, service: LlmService, counters: Sequence[Counter]) -> Mapping[str, float]:
    """What each counter says by now, from a scrape that begins after this call."""
    asked = prometheus.now()
    for each in counters:
        scraped_since(prometheus, service, each, asked)
    found = {}
    for each in counters:
        # Of a metric and its older name at once, one is enough.
        values = [sum(s.value for s in prometheus.query(each.selector(service)) if s.labels["__name__"] == name)
                  for name in each.names]  # fmt: skip
        found[each.what] = next((value for value in values if value), 0.0)
    return found
