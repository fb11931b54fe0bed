"""The Kubernetes API as the cases need it: plain dicts, watches, waiting for convergence, ports of pods."""
