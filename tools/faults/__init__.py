"""Faults: ways to break a running service or its cluster, so that cases are seen to fail.

Each is a context manager over one service. It returns only when the fault is proved to be in effect, in the data plane
too where that is what it breaks, and it puts back what it found, whatever happens in between. Nothing here knows cases.
"""
