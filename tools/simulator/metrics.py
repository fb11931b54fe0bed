"""The vllm:* families: names, types, labels, buckets and help texts of vLLM 0.16.

What each number means is vLLM's as well (vllm/v1/metrics): a request with n choices counts as n sequences, a sequence
that the client abandons is counted in no family of finished requests, and TTFT runs from arrival, not from scheduling.
One thing is simpler without a preset: every sequence is a batch of its own, so `iteration_tokens_total` has the right
sum, and the right count only when sequences do not overlap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.simulator.exposition import Counter, Family, Gauge, Histogram
from tools.simulator.generations import names
from tools.simulator.settings import Settings

REASONS = ("stop", "length", "abort", "error")
SOURCES = ("local_compute", "local_cache_hit", "external_kv_transfer")

_ITERATION_BOUNDS = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
_N_BOUNDS = (1, 2, 5, 10, 20)
_TTFT_BOUNDS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
)  # fmt: skip
_ITL_BOUNDS = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
_LATENCY_BOUNDS = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
    1920.0, 7680.0,
)  # fmt: skip


def length_bounds(most: int) -> list[int]:
    """1, 2, 5 times powers of ten up to the context length, as vLLM's `build_1_2_5_buckets`."""
    bounds, power = list[int](), 1
    while True:
        for mantissa in (1, 2, 5):
            if mantissa * power > most:
                return bounds
            bounds.append(mantissa * power)
        power *= 10


@dataclass(frozen=True)
class Finished:
    """What is known of a sequence at its end; times in seconds."""

    reason: str
    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    max_tokens: int
    queued: float
    prefill: float
    decode: float
    e2e: float


class EngineMetrics:
    """The families of one engine.

    Args:
        settings: names, bounds and cache sizes.
        running, waiting, cache_usage: read at each scrape; sequences, sequences, share of the KV cache (0 to 1).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        running: Callable[[], float],
        waiting: Callable[[], float],
        cache_usage: Callable[[], float],
    ) -> None:
        self._generation = settings.metrics_generation
        self._labels = {"model_name": settings.served_names[0], "engine": "0"}
        self._families: list[Family] = []
        lengths = length_bounds(settings.max_model_len)
        self._gauge("num_requests_running", "Number of requests in model execution batches.", running)
        self._gauge("num_requests_waiting", "Number of requests waiting to be processed.", waiting)
        self._sleep_state()
        self._gauge("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", cache_usage)
        self.cache_queries = self._counter(
            "prefix_cache_queries", "Prefix cache queries, in terms of number of queried tokens."
        )
        self.cache_hits = self._counter("prefix_cache_hits", "Prefix cache hits, in terms of number of cached tokens.")
        self._never_moving_caches()
        self.preemptions = self._counter("num_preemptions", "Cumulative number of preemption from the engine.")
        self.prompt_tokens = self._counter("prompt_tokens", "Number of prefill tokens processed.")
        self.by_source = self._counters(
            "prompt_tokens_by_source", "Number of prompt tokens by source.", "source", SOURCES
        )
        self.cached_tokens = self._counter("prompt_tokens_cached", "Number of cached prompt tokens (local + external).")
        self._counter("prompt_tokens_recomputed", "Number of cached tokens recomputed for forward pass.")
        self.generation_tokens = self._counter("generation_tokens", "Number of generation tokens processed.")
        self.success = self._counters(
            "request_success", "Count of successfully processed requests.", "finished_reason", REASONS
        )
        self.request_prompt = self._histogram("request_prompt_tokens", "Number of prefill tokens processed.", lengths)
        self.request_generation = self._histogram(
            "request_generation_tokens", "Number of generation tokens processed.", lengths
        )
        self.iteration = self._histogram(
            "iteration_tokens_total", "Histogram of number of tokens per engine_step.", _ITERATION_BOUNDS
        )
        self.most_generated = self._histogram(
            "request_max_num_generation_tokens",
            "Histogram of maximum number of requested generation tokens.",
            lengths,
        )
        self.params_n = self._histogram("request_params_n", "Histogram of the n request parameter.", _N_BOUNDS)
        self.params_max_tokens = self._histogram(
            "request_params_max_tokens", "Histogram of the max_tokens request parameter.", lengths
        )
        self.ttft = self._histogram(
            "time_to_first_token_seconds", "Histogram of time to first token in seconds.", _TTFT_BOUNDS
        )
        self.itl = self._histogram(
            "inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", _ITL_BOUNDS
        )
        self.tpot = self._histogram(
            "request_time_per_output_token_seconds",
            "Histogram of time_per_output_token_seconds per request.",
            _ITL_BOUNDS,
        )
        self.e2e = self._latency("e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.")
        self.queue_time = self._phase("queue", "WAITING")
        self.inference_time = self._phase("inference", "RUNNING")
        self.prefill_time = self._phase("prefill", "PREFILL")
        self.decode_time = self._phase("decode", "DECODE")
        self.prefill_computed = self._histogram(
            "request_prefill_kv_computed_tokens",
            "Histogram of new KV tokens computed during prefill (excluding cached tokens).",
            lengths,
        )
        self._cache_config(settings)

    def looked_up(self, prompt_tokens: int, cached_tokens: int) -> None:
        """A prompt was looked for in the prefix cache."""
        self.cache_queries.inc(prompt_tokens)
        self.cache_hits.inc(cached_tokens)

    def stepped(self, tokens: int) -> None:
        """The engine has made a step; its tokens are those of prompts that are done with it and those generated."""
        self.iteration.observe(tokens)

    def prefilled(self, prompt_tokens: int, cached_tokens: int, ttft: float) -> None:
        """A sequence has its first token, `ttft` seconds after its request arrived."""
        self.prompt_tokens.inc(prompt_tokens)
        self.by_source["local_compute"].inc(prompt_tokens - cached_tokens)
        self.by_source["local_cache_hit"].inc(cached_tokens)
        self.cached_tokens.inc(cached_tokens)
        self.generation_tokens.value += 1
        self.ttft.observe(ttft)

    def decoded(self, gap: float) -> None:
        """A sequence has a further token, `gap` seconds after the one before."""
        self.generation_tokens.value += 1
        self.itl.observe(gap)

    def finished(self, end: Finished) -> None:
        """A sequence ended by itself, by a stop text or by its length."""
        self.success[end.reason].inc()
        self.e2e.observe(end.e2e)
        self.queue_time.observe(end.queued)
        self.prefill_time.observe(end.prefill)
        self.decode_time.observe(end.decode)
        self.inference_time.observe(end.prefill + end.decode)
        self.prefill_computed.observe(end.prompt_tokens - end.cached_tokens)
        self.request_prompt.observe(end.prompt_tokens)
        self.request_generation.observe(end.generated_tokens)
        self.tpot.observe(end.decode / (end.generated_tokens - 1) if end.generated_tokens > 1 else 0.0)
        self.params_max_tokens.observe(end.max_tokens)

    def request_done(self, n: int, most_generated: int) -> None:
        """All n choices for a prompt are finished; the longest has so many tokens."""
        self.params_n.observe(n)
        self.most_generated.observe(most_generated)

    def text(self) -> str:
        """The families in the text format."""
        return "".join(self._named(family) for family in self._families)

    def _named(self, family: Family) -> str:
        """A family under the names that the generation has for it."""
        shown, text = names(self._generation, family.name), family.text()
        return text if shown == (family.name,) else "".join(text.replace(family.name, name) for name in shown)

    def _family(self, name: str, kind: str, help_text: str) -> Family:
        family = Family(f"vllm:{name}", kind, help_text)
        self._families.append(family)
        return family

    def _gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        self._family(name, "gauge", help_text).add(Gauge(f"vllm:{name}", self._labels, read))

    def _counter(self, name: str, help_text: str) -> Counter:
        return self._family(name, "counter", help_text).add(Counter(f"vllm:{name}", self._labels))

    def _counters(self, name: str, help_text: str, label: str, values: Sequence[str]) -> dict[str, Counter]:
        family = self._family(name, "counter", help_text)
        return {value: family.add(Counter(f"vllm:{name}", {**self._labels, label: value})) for value in values}

    def _histogram(self, name: str, help_text: str, bounds: Sequence[float]) -> Histogram:
        return self._family(name, "histogram", help_text).add(Histogram(f"vllm:{name}", self._labels, bounds))

    def _latency(self, name: str, help_text: str) -> Histogram:
        return self._histogram(name, help_text, _LATENCY_BOUNDS)

    def _phase(self, name: str, shown: str) -> Histogram:
        return self._latency(f"request_{name}_time_seconds", f"Histogram of time spent in {shown} phase for request.")

    def _never_moving_caches(self) -> None:
        self._counter(
            "external_prefix_cache_queries",
            "External prefix cache queries from KV connector cross-instance cache sharing, "
            "in terms of number of queried tokens.",
        )
        self._counter(
            "external_prefix_cache_hits",
            "External prefix cache hits from KV connector cross-instance cache sharing, "
            "in terms of number of cached tokens.",
        )
        self._counter("mm_cache_queries", "Multi-modal cache queries, in terms of number of queried items.")
        self._counter("mm_cache_hits", "Multi-modal cache hits, in terms of number of cached items.")

    def _sleep_state(self) -> None:
        help_text = (
            "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake; "
            "weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2."
        )
        family = self._family("engine_sleep_state", "gauge", help_text)
        for state, value in (("awake", 1.0), ("weights_offloaded", 0.0), ("discard_all", 0.0)):
            family.add(_constant("vllm:engine_sleep_state", {**self._labels, "sleep_state": state}, value))

    def _cache_config(self, settings: Settings) -> None:
        labels = {
            "block_size": str(settings.block_size),
            "cache_dtype": "auto",
            "calculate_kv_scales": "False",
            "cpu_kvcache_space_bytes": "None",
            "cpu_offload_gb": "0.0",
            "enable_prefix_caching": str(settings.prefix_caching),
            "engine": "0",
            "gpu_memory_utilization": str(settings.gpu_memory_utilization),
            "is_attention_free": "False",
            "kv_cache_memory_bytes": "None",
            "kv_offloading_backend": "native",
            "kv_offloading_size": "None",
            "kv_sharing_fast_prefill": "False",
            "mamba_block_size": "None",
            "mamba_cache_dtype": "auto",
            "mamba_cache_mode": "none",
            "mamba_page_size_padded": "None",
            "mamba_ssm_cache_dtype": "auto",
            "num_cpu_blocks": "None",
            "num_gpu_blocks": str(settings.num_gpu_blocks),
            "num_gpu_blocks_override": "None",
            "prefix_caching_hash_algo": "sha256",
            "sliding_window": "None",
            "swap_space": "4.0",
        }
        family = self._family("cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
        family.add(_constant("vllm:cache_config_info", labels, 1.0))


def _constant(name: str, labels: dict[str, str], value: float) -> Gauge:
    return Gauge(name, labels, lambda: value)
