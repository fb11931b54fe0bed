#!/bin/sh
# `vllm` in the simulator's image. KServe's presets ask for its version before they tell it to serve.
if [ "$1" = --version ]; then
  exec python3 -c 'from tools.simulator.identity import VERSION; print(VERSION)'
fi
exec python3 -m tools.simulator "$@"
