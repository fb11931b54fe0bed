"""The command line: vLLM's flags that matter here, the simulator's own, and a tolerated rest.

A manifest written for `vllm serve` must start the simulator unchanged, so flags that it does not know are dropped with
a log line. That can hide a misspelt flag, which vLLM would refuse; look for "ignored" in the log.
"""

import argparse
import asyncio
import logging
import os
import re
import socket
from collections.abc import Collection, Sequence
from dataclasses import replace

from tools.simulator.faults import Fault, named
from tools.simulator.generations import GENERATIONS
from tools.simulator.presets import PRESETS, Preset
from tools.simulator.run import serve
from tools.simulator.settings import ADMIN_SOCKET, Settings

log = logging.getLogger("simulator")


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(asctime)s %(name)s: %(message)s")
    settings, ignored = parse(argv)
    for item in ignored:
        log.info("ignored: %s", item)
    asyncio.run(serve(settings))
    return 0


def parse(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """Read a command line.

    Args:
        argv: arguments after the program's name; `serve` and a model may come first, as for `vllm`.

    Returns:
        the settings, and the unknown arguments that were left out.

    Raises:
        SystemExit: a known flag with a bad value, as argparse does it.
    """
    parser, known = _parser()
    rest = [_plain_name(item) for item in argv]
    if rest[:1] == ["serve"]:
        rest = rest[1:]
    positional = rest.pop(0) if rest and not rest[0].startswith("-") else None
    kept, ignored = _split(rest, known)
    given = parser.parse_args(kept)
    model = given.model or positional or "simulated-model"
    preset = _preset(given.preset, given.preset_billions)
    return Settings(
        served_names=tuple(given.served_model_name or [model]),
        model=model,
        host=given.host,
        port=given.port,
        max_model_len=given.max_model_len,
        max_num_seqs=given.max_num_seqs,
        block_size=given.block_size,
        num_gpu_blocks=given.num_gpu_blocks_override or (preset.num_gpu_blocks if preset else Settings.num_gpu_blocks),
        gpu_memory_utilization=given.gpu_memory_utilization,
        prefix_caching=given.enable_prefix_caching,
        ttft_ms=given.ttft_ms,
        itl_ms=given.itl_ms,
        preset=preset,
        max_num_batched_tokens=given.max_num_batched_tokens,
        seed=given.seed,
        metrics_generation=given.metrics_generation,
        shutdown_timeout_s=given.shutdown_timeout,
        echo_request_id=given.enable_request_id_headers,
        ssl_certfile=given.ssl_certfile,
        ssl_keyfile=given.ssl_keyfile,
        ssl_refresh=given.enable_ssl_refresh,
        api_keys=tuple(given.api_key or filter(None, [os.environ.get("VLLM_API_KEY")])),
        faults=tuple(_faults(parser, given.fault)),
        ready_after_s=given.ready_after,
        admin_socket=given.admin_socket or None,
        pod_name=os.environ.get("POD_NAME") or socket.gethostname(),
    ), ignored


def _faults(parser: argparse.ArgumentParser, given: Sequence[str]) -> list[Fault]:
    """Those of the command line and of SIMULATOR_FAULTS (names with commas between them)."""
    told = [name for name in os.environ.get("SIMULATOR_FAULTS", "").split(",") if name.strip()]
    try:
        return [named(name.strip()) for name in [*given, *told]]
    except ValueError as error:
        parser.error(str(error))


def _preset(name: str, billions: float | None) -> Preset | None:
    preset = PRESETS.get(name)
    return replace(preset, billions=billions) if preset and billions else preset


def _plain_name(item: str) -> str:
    """vLLM takes `--max_model_len` for `--max-model-len`."""
    if not item.startswith("--"):
        return item
    name, equals, value = item.partition("=")
    return name.replace("_", "-") + equals + value


def _split(items: Sequence[str], known: Collection[str]) -> tuple[list[str], list[str]]:
    """Part known flags with their values from the rest; what follows an unknown flag and is no flag is its value."""
    kept: list[str] = []
    ignored: list[str] = []
    target = ignored
    for item in items:
        if _is_flag(item):
            target = kept if item.partition("=")[0] in known else ignored
            target.append(item)
        elif target is ignored and ignored and " " not in ignored[-1] and "=" not in ignored[-1]:
            ignored[-1] += f" {item}"
        else:
            target.append(item)
    return kept, ignored


def _is_flag(item: str) -> bool:
    return item.startswith("-") and not re.fullmatch(r"-\d.*", item)


def _tokens(text: str) -> int:
    """A count as vLLM takes it: `4096`, `4k` (thousands), `4K` (1024s)."""
    match = re.fullmatch(r"(\d+)([kKmM]?)", text)
    if not match or int(match[1]) < 1:
        raise argparse.ArgumentTypeError(f"not a positive number of tokens: {text!r}")
    return int(match[1]) * {"": 1, "k": 1000, "K": 1024, "m": 1000**2, "M": 1024**2}[match[2]]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a positive number: {text!r}")
    return int(text)


def _duration(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"not a duration: {text!r}")
    return value


def _parser() -> tuple[argparse.ArgumentParser, set[str]]:
    """The parser, and the flags that it knows."""
    plain = Settings(served_names=("",), model="")
    parser = argparse.ArgumentParser(
        prog="python -m tools.simulator",
        description="A stand-in for the vLLM OpenAI server. Other flags of `vllm serve` are accepted and ignored.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    actions = [
        add("--model", help="model path, shown as `root` in /v1/models"),
        add("--served-model-name", nargs="+", help="names that requests may use (default: the model)"),
        add("--host", default=plain.host),
        add("--port", type=int, default=plain.port, help="0: the kernel chooses"),
        add("--max-model-len", type=_tokens, default=plain.max_model_len, help="tokens, prompt and output together"),
        add("--max-num-seqs", type=_count, default=plain.max_num_seqs, help="sequences running at the same time"),
        add("--block-size", type=_count, default=plain.block_size, help="tokens in a KV-cache block"),
        add("--num-gpu-blocks-override", type=_count, help="KV-cache blocks"),
        add("--max-num-batched-tokens", type=_tokens, help="tokens that a step computes at most, with --preset"),
        add("--gpu-memory-utilization", type=float, default=plain.gpu_memory_utilization, help="only reported"),
        add("--enable-prefix-caching", action=argparse.BooleanOptionalAction, default=plain.prefix_caching),
        add("--enable-request-id-headers", action="store_true", help="send X-Request-Id back"),
        add("--ssl-certfile", help="PEM file; serves TLS"),
        add("--ssl-keyfile", help="PEM file"),
        add("--enable-ssl-refresh", action="store_true", help="use changed TLS files without a restart"),
        add("--api-key", nargs="+", help="bearer tokens that requests below /v1 need one of (or VLLM_API_KEY)"),
        add(
            "--shutdown-timeout", type=_duration, help="seconds that running requests get after SIGTERM (default: all)"
        ),
        add("--ttft-ms", type=_duration, default=plain.ttft_ms, help="milliseconds to the first token"),
        add("--itl-ms", type=_duration, default=plain.itl_ms, help="milliseconds between tokens"),
        add("--preset", choices=["none", *PRESETS], default="none", help="batch and take time as an accelerator does"),
        add("--preset-billions", type=_duration, help="parameters of the model in 10^9, if not the preset's own"),
        add("--seed", type=int, default=plain.seed, help="of what is drawn with --preset"),
        add("--metrics-generation", choices=list(GENERATIONS), default=plain.metrics_generation, help="names' release"),
        add("--fault", action="append", default=[], metavar="NAME", help="a fault that is on (or SIMULATOR_FAULTS)"),
        add("--ready-after", type=_duration, default=plain.ready_after_s, help="seconds of the fault ready-too-soon"),
        add("--admin-socket", default=ADMIN_SOCKET, help="Unix socket by which faults are switched; empty: none"),
    ]
    flags = {flag for action in actions for flag in action.option_strings}
    return parser, flags | {"-h", "--help"}
