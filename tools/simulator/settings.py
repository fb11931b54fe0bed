"""Everything a simulator process can be told at its start."""

from dataclasses import dataclass

from tools.simulator.faults import Fault
from tools.simulator.generations import LATEST
from tools.simulator.presets import Preset

# KServe's preset mounts an empty directory there that only this container sees.
ADMIN_SOCKET = "/tmp/simulator-admin.sock"  # noqa: S108 - its mode is 0600, and what it gives is no secret


@dataclass(frozen=True)
class Settings:
    """Settings of one server.

    Args:
        host: address to listen on; IPv4 any address by default, as vLLM does.
        port: TCP port; 0 lets the kernel choose (the chosen one is logged).
        model: model path, shown as `root` in /v1/models.
        served_names: names that requests may use, at least one. The first one is what replies and metrics carry.
        max_model_len: context length in tokens, prompt and output together.
        max_num_seqs: sequences that run at the same time; more of them wait.
        block_size: tokens in a KV-cache block.
        num_gpu_blocks: KV-cache size in blocks.
        gpu_memory_utilization: only reported, in vllm:cache_config_info.
        prefix_caching: whether prompt blocks seen before count as cache hits.
        ttft_ms: without a preset, time from scheduling to the first token, in milliseconds.
        itl_ms: without a preset, time between two tokens of a sequence, in milliseconds.
        preset: durations of an accelerator by which sequences are batched; None: ttft_ms and itl_ms for each.
        max_num_batched_tokens: tokens that a step computes at most; None: what the preset has.
        seed: of the preset's jitter.
        metrics_generation: vLLM release by which metrics are named, a key of `generations.GENERATIONS`.
        shutdown_timeout_s: how long running requests may go on after SIGTERM, in seconds; None waits for all.
        echo_request_id: send X-Request-Id back (vLLM's --enable-request-id-headers).
        ssl_certfile, ssl_keyfile: PEM files; TLS is on when the first is given.
        ssl_refresh: use changed TLS files without a restart (vLLM's --enable-ssl-refresh).
        api_keys: if any, requests below /v1 need one of them as bearer token.
        faults: names of faults that are on from the start.
        ready_after_s: how long the fault `ready-too-soon` lasts, in seconds from the start or from being switched on.
        admin_socket: path of the Unix socket by which faults are switched; None: there is none.
        pod_name: sent as the header x-inference-pod.
    """

    served_names: tuple[str, ...]
    model: str
    host: str = "0.0.0.0"
    port: int = 8000
    max_model_len: int = 32768
    max_num_seqs: int = 256
    block_size: int = 16
    num_gpu_blocks: int = 16384
    gpu_memory_utilization: float = 0.9
    prefix_caching: bool = True
    ttft_ms: float = 20.0
    itl_ms: float = 5.0
    preset: Preset | None = None
    max_num_batched_tokens: int | None = None
    seed: int = 0
    metrics_generation: str = LATEST
    shutdown_timeout_s: float | None = None
    echo_request_id: bool = False
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_refresh: bool = False
    api_keys: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    ready_after_s: float = 30.0
    admin_socket: str | None = None
    pod_name: str = ""
