"""What every reply of the simulator says about itself."""

from tools.simulator.generations import LATEST

STAND_IN = "llmisvc-conformance stand-in for vLLM"


def version(generation: str) -> str:
    """The version of a server whose metrics have the names of such a release (`0.16`)."""
    return f"{generation}.0+simulator"


VERSION = version(LATEST)
