"""Builds the local cluster's software once, from pinned sources, into a directory that every clone shares."""
