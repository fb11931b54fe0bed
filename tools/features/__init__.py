"""What a cluster has and lacks, read from it, each with its evidence.

A feature is what is installed, not whether it is well: a controller that crashes is a failure for the cases to find,
and must not turn them into "not supported". What could not be read is told as such, never as missing.
"""

from tools.features.catalogue import NAMES as NAMES
