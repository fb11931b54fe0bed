"""The subcommand `cleanup`: removes what a run left, on the local cluster or on an existing one that is named."""

import argparse
from pathlib import Path
from typing import Any

from tools.errors import UserError


def add_parser(commands: Any) -> None:
    """Add the subcommand to those of `llmisvc-conformance`."""
    parser = commands.add_parser("cleanup", help="remove what a run left on a cluster; by default on the local one")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--run", metavar="ID", dest="of_run", help="what this run left; reports and leftovers are named after it"
    )
    which.add_argument("--all", action="store_true", help="what any run left")
    parser.add_argument("--context", metavar="NAME", default="", help="of an existing cluster")
    parser.add_argument("--kubeconfig", metavar="FILE", type=Path, help="the file that has the context")
    parser.add_argument(
        "--identity", metavar="UID", default="", help="the cluster's, as the profile pins it: refuse another cluster"
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
    parser.add_argument("--force", action="store_true", help="also from under a run that goes on")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    # Most commands do without the Kubernetes client, which takes a second to import.
    from tools.cleanup import clean
    from tools.kube.client import Kube
    from tools.kube.errors import KubeError
    from tools.kube.labels import RUN

    kube = Kube(*_cluster(options))
    try:
        return clean(kube, options.of_run, print, dry=options.dry_run, force=options.force)
    except KubeError as error:
        raise UserError(
            f"to find and remove what runs left on {kube.context}",
            str(error),
            cause="this user lacks a right, or the API server went away",
            next_step=kube.kubectl("get", "namespaces", "--selector", RUN),
        ) from None


def _cluster(options: argparse.Namespace) -> tuple[Path, str]:
    """Kubeconfig and context: of an existing cluster only when it is named; else of the local one."""
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
