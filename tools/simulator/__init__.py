"""A stand-in for the vLLM OpenAI server: same doors, same errors, same metrics, no model behind them.

It lets the whole serving stack (gateway, endpoint picker, controller, policies) be exercised where there is no
accelerator. What it answers is generated from a fixed vocabulary, so it says nothing about model quality, GPU memory or
true speed. Everything it sends names it as a stand-in: the header `x-simulator`, `/version`, and the log.

The behaviour imitated is that of vLLM 0.16, except where a module says otherwise. The parts:
`settings` and `cli` (flags), `tokens` (tokenizer and vocabulary), `protocol` with `fields` and `errors` (requests in),
`prompts`, `engine` (what is generated, pure), `kvcache`, `sequence` with `fixed` or `batching` (who runs, and when each
token comes), `exchange` and `replies` (JSON and SSE out), `exposition`, `metrics`, `generations` (their names by
release, `--metrics-generation`) and `http_metrics` (counters), `server` (routes), `tls`,
`run` (socket and signals), `background` (a simulator for self-tests), `identity`.

By default every token comes at a fixed time (`--ttft-ms`, `--itl-ms`), so that functional runs are quick. With
`--preset t4` or `v6e` a seeded model of an engine sets the pace (`model`, `presets`): batch slots and a queue, steps
that take longer with more sequences and prompt tokens, prompts in chunks, hits of the prefix cache that save their
time, preemption when KV blocks run out. `presets` says how far it is from published measurements.

It can misbehave on demand: `faults` names what it can do wrong, `misbehaviour`, `streams` and `scrapes` do it. Faults
are given at the start (`--fault NAME`, SIMULATOR_FAULTS) or switched while it runs, through a Unix socket in its pod
that no network reaches (`admin_socket`; the command for `kubectl exec POD -c main --` is in `admin`).

What differs from vLLM 0.16 on purpose or for lack of a model:
- SIGTERM lets running requests finish; vLLM 0.16 cuts them (`--shutdown-timeout 0` does so here).
- Without a seed an answer is the same each time; temperature and other sampling numbers change nothing.
- Tokens are those of `tokens`, so counts differ from any real model's.
- "maximum context length" stands in the refusal of long prompts, as in vLLM before and after 0.16.
- A refusal of a body repeats at most 200 characters of it, and names no source file of the server.
- logprobs, tools, structured output, beam search, token ids in replies, images: refused with 400, never ignored.
- /v1/responses, /v1/embeddings, /tokenize, /v1/messages and LoRA adapters do not exist: 404.
- The prefix cache knows prompts, not generated text, and sequences with the same prefix hold blocks of their own.
- Without a preset each sequence is a batch of its own: load does not slow it down, a hit of the prefix cache is counted
  but saves no time, and nothing is ever preempted.
- With a preset, times are those of two accelerators with models of some 3·10⁹ parameters; `--preset-billions` scales
  them. Compilation, quantization, speculation and attention over long contexts take no time of their own.
- `--metrics-generation` changes names, `/version` with them, and nothing else of an older release.
- Unknown flags are ignored with a log line; vLLM refuses to start. Client certificates are never asked for.
"""
