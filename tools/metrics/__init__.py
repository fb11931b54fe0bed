"""Counters of the components, read from their Prometheus expositions."""
