"""A stand-in for the vLLM OpenAI server: same doors, same errors, same metrics, no model behind them.

It lets the whole serving stack (gateway, endpoint picker, controller, policies) be exercised where there is no
accelerator. What it answers is generated from a fixed vocabulary, so it says nothing about model quality, GPU memory or
true speed. Everything it sends names it as a stand-in: the header `x-simulator`, `/version`, and the log.

The behaviour imitated is that of vLLM 0.16, except where a module says otherwise. The parts:
`settings` and `cli` (flags), `tokens` (tokenizer and vocabulary), `protocol` with `fields` and `errors` (requests in),
`engine` (what is generated and when, pure), `kvcache`, `scheduler` (who runs, and the pacing), `replies` (JSON and
SSE out), `exposition`, `metrics` and `http_metrics` (counters), `server` (routes), `run` (socket, TLS, signals).
"""
