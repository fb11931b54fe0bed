"""How long an engine's steps take and how much it holds, for two kinds of accelerator.

A step runs every sequence of the batch once: it reads the weights (`fixed_s` and `per_billion_s` for each 10⁹
parameters), does a little for each sequence, and computes the prompt tokens that fit into its budget. A request also
takes `request_s` outside of steps, for HTTP, tokenizing and, in the published figures, the way to the client.

The numbers are fitted to the end-to-end latencies and output tokens per second in `PUBLISHED`, which the origin of
this project's services has measured; their times to the first token are invalid and not used. For each row the model
is within `WITHIN` of the median latency and of the tokens per second, which a test holds it to: 10 % for the T4, 20 %
for the v6e, where the rows contradict each other (a model of 2.5·10⁹ parameters slower than one of 3.1·10⁹). Real
latencies spread more than the model's, whose p95 is up to 10 % lower for the T4 and 30 % for the v6e. Prefill speed
shows in none of the rows (80 prompt tokens take no time to speak of): it is two operations for each parameter and token
at 40 % of the accelerator's peak.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """One kind of accelerator.

    Args:
        fixed_s: of a step, in seconds.
        per_billion_s: of a step, for each 10⁹ parameters of the model.
        per_sequence_s: of a step, for each sequence that decodes and each 10⁹ parameters.
        per_prompt_token_s: of a step, for each prompt token computed in it and each 10⁹ parameters.
        request_s: of a request, before it comes to the queue.
        jitter: standard deviation of a step's duration and of `request_s`, as a share of it.
        max_num_batched_tokens: tokens that a step computes at most, vLLM's default for such an accelerator.
        num_gpu_blocks: KV-cache blocks of 16 tokens beside a model of 3.1·10⁹ parameters.
        billions: parameters of the model whose figures are published, in 10⁹.
    """

    fixed_s: float
    per_billion_s: float
    per_sequence_s: float
    per_prompt_token_s: float
    request_s: float
    jitter: float
    max_num_batched_tokens: int
    num_gpu_blocks: int
    billions: float

    def step_s(self, decoding: int, prompt_tokens: int) -> float:
        """Duration of a step without jitter, in seconds.

        Args:
            decoding: sequences that get one token further in it.
            prompt_tokens: computed in it, those of preempted sequences once more included.
        """
        by_size = self.per_billion_s + self.per_sequence_s * decoding + self.per_prompt_token_s * prompt_tokens
        return self.fixed_s + self.billions * by_size


PRESETS: Mapping[str, Preset] = {
    # One T4: 320 GB/s of memory of which about two thirds are used, 65 TFLOPS with half precision.
    "t4": Preset(
        fixed_s=0.0,
        per_billion_s=9.1e-3,
        per_sequence_s=2.2e-4,
        per_prompt_token_s=7.7e-5,
        request_s=0.11,
        jitter=0.03,
        max_num_batched_tokens=2048,
        num_gpu_blocks=10240,
        billions=2.5,
    ),
    # Four v6e chips with tensor parallelism: what does not depend on the model's size is nearly all.
    "v6e": Preset(
        fixed_s=7.4e-3,
        per_billion_s=4e-4,
        per_sequence_s=2.5e-5,
        per_prompt_token_s=1.4e-6,
        request_s=0.02,
        jitter=0.03,
        max_num_batched_tokens=1024,
        num_gpu_blocks=180_000,
        billions=3.1,
    ),
}


@dataclass(frozen=True)
class Published:
    """A published measurement: so many clients, each asking anew as soon as it has its answer.

    Args:
        source: name of the result file.
        preset: key of PRESETS.
        billions: parameters of the model, in 10⁹.
        replicas: servers behind one gateway.
        clients: at the same time, over all replicas.
        max_tokens: output tokens of a request.
        p50_s, p95_s: end-to-end latency in seconds.
        tokens_per_s: output tokens per second, over all replicas.
    """

    source: str
    preset: str
    billions: float
    replicas: int
    clients: int
    max_tokens: int
    p50_s: float
    p95_s: float
    tokens_per_s: float


PUBLISHED = (
    Published("benchmark_20260119", "t4", 2.5, 1, 1, 50, 1.297, 1.374, 39),
    Published("test_run", "t4", 2.5, 1, 1, 100, 2.467, 2.663, 40),
    Published("llm-d-pattern1-20260122", "t4", 2.5, 1, 10, 100, 3.109, 3.398, 306),
    Published("llm-d-pattern3-20260123_1406", "t4", 3.1, 3, 1, 50, 1.637, 1.652, 31),
    Published("throughput_1410", "t4", 3.1, 3, 20, 100, 3.546, 3.748, 544),
    Published("high-concurrency_1411", "t4", 3.1, 3, 50, 50, 2.274, 2.482, 1065),
    Published("tpu_v6e_20260119", "v6e", 2.5, 1, 1, 50, 0.478, 0.538, 104),
    Published("tpu_v6e_async_20260119", "v6e", 2.5, 1, 1, 50, 0.470, 0.525, 103),
    Published("pattern2_bbr_qwen_latency", "v6e", 3.1, 1, 1, 50, 0.411, 0.513, 114),
    Published("pattern2_bbr_qwen_concurrent", "v6e", 3.1, 1, 10, 50, 0.425, 0.673, 1056),
    Published("pattern2_bbr_phi3_latency", "v6e", 3.8, 1, 1, 50, 0.512, 0.554, 99),
    Published("pattern2_bbr_phi3_concurrent", "v6e", 3.8, 1, 10, 50, 0.614, 0.736, 816),
)
PUBLISHED_PROMPT_TOKENS = 80
WITHIN: Mapping[str, float] = {"t4": 0.10, "v6e": 0.20}
