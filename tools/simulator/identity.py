"""What every reply of the simulator says about itself."""

VERSION = "0.16.0+simulator"
STAND_IN = "llmisvc-conformance stand-in for vLLM"
