"""Installs the stack under test (CRDs, Istio, KServe) on a cluster that a provider gave."""
