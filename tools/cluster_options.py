"""Which cluster a subcommand is about: the local one, or an existing one that is named."""

import argparse
from pathlib import Path

from tools.errors import UserError


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options that name an existing cluster."""
    parser.add_argument("--context", metavar="NAME", default="", help="of an existing cluster")
    parser.add_argument("--kubeconfig", metavar="FILE", type=Path, help="the file that has the context")
    parser.add_argument(
        "--identity", metavar="UID", default="", help="the cluster's, as the profile pins it: refuse another cluster"
    )


def chosen(options: argparse.Namespace) -> tuple[Path, str]:
    """Kubeconfig and context: of an existing cluster only when it is named; else of the local one."""
    # Most commands do without the Kubernetes client, which takes a second to import.
    from tools.cluster.existing import ExistingProvider
    from tools.cluster.kubeconfig import only_context
    from tools.cluster.local import registry

    if options.context or options.kubeconfig or options.identity:
        access = ExistingProvider(options.context, options.kubeconfig, options.identity).up()
        return access.kubeconfig, access.context
    topology = registry.load(options.name)
    if topology is None:
        raise UserError(
            f"local cluster {options.name} to be running, or --context with the name of another",
            "there is none",
            cause="what was on it went with it",
            next_step="llmisvc-conformance status --all",
        )
    return topology.kubeconfig, only_context(topology.kubeconfig)
