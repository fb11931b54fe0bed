"""Helpers for tests of the frame: a checkout of a test's own, sessions in it, and a cluster for them."""
