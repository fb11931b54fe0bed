"""A stand-in for Hugging Face's Hub: the part of its API that downloads models, with faults that can be switched on.

Runs outside the pod network, as a component of the local cluster. Started by `python -m tools.hub`.
"""
