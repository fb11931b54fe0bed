"""The HTTPRoute that KServe makes for a service: what it must be, version by version, and what it is."""
