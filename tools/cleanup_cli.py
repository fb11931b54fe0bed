"""The subcommand `cleanup`: removes what a run left, on the local cluster or on an existing one that is named."""

import argparse
from typing import Any

from tools import cluster_options
from tools.errors import UserError


def add_parser(commands: Any) -> None:
    """Add the subcommand to those of `llmisvc-conformance`."""
    parser = commands.add_parser("cleanup", help="remove what a run left on a cluster; by default on the local one")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--run", metavar="ID", dest="of_run", help="what this run left; reports and leftovers are named after it"
    )
    which.add_argument("--all", action="store_true", help="what any run left")
    cluster_options.add(parser)
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
    parser.add_argument("--force", action="store_true", help="also from under a run that goes on")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    # Most commands do without the Kubernetes client, which takes a second to import.
    from tools.cleanup import clean
    from tools.kube.client import Kube
    from tools.kube.errors import KubeError
    from tools.kube.labels import RUN

    kube = Kube(*cluster_options.chosen(options))
    try:
        return clean(kube, options.of_run, print, dry=options.dry_run, force=options.force)
    except KubeError as error:
        raise UserError(
            f"to find and remove what runs left on {kube.context}",
            str(error),
            cause="this user lacks a right, or the API server went away",
            next_step=kube.kubectl("get", "namespaces", "--selector", RUN),
        ) from None
