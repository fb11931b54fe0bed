"""The command `llmisvc-conformance`: clusters to work on, caches, policies, and the decision on a finished run."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from tools import cleanup_cli
from tools.cluster.local import bring_up, preflight, registry, status
from tools.cluster.local.provider import Keep, LocalProvider
from tools.errors import UserError
from tools.netpolicy import cli as policies_cli
from tools.report import signoff_cli
from tools.stack import locate_stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; the process's own by default.

    Returns:
        0 when done, 1 when `status` finds something wrong, 2 for a mistake that the user can put right; `signoff` has
        codes of its own, see docs/signoff.md.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # All that follows `kubectl` is kubectl's, options too, which argparse would take for its own.
    rest = given[given.index("kubectl") + 1 :] if "kubectl" in given else []
    options = _parser().parse_args(given[: len(given) - len(rest)])
    options.rest = rest
    signal.signal(signal.SIGTERM, partial(_end_politely, os.getpid()))
    try:
        return int(options.run(options))
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip()
        print(f"llmisvc-conformance {options.command}: {error}\n{said}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"llmisvc-conformance {options.command}: {error}", file=sys.stderr)
        return 2
    except UserError as error:
        print(f"llmisvc-conformance {options.command}: refused\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\ninterrupted; the same command goes on from here, `llmisvc-conformance down` removes what there is",
            file=sys.stderr,
        )
        return 130


def _end_politely(owner: int, *_: object) -> None:
    """An end that is asked for politely cleans up like Ctrl-C, but only here: pyroute2 ends forks of us in this way."""
    if os.getpid() != owner:
        os._exit(128 + signal.SIGTERM)
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llmisvc-conformance", description=__doc__)
    parser.add_argument(
        "--name", default=registry.default_name(), help="cluster's name (default: one per checkout, %(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the local cluster and install the stack; does nothing when it runs")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="remove the local cluster and everything of it")
    down.add_argument("--all", action="store_true", help="all local clusters of this user")
    down.set_defaults(run=_down)
    state = commands.add_parser("status", help="machines, components, memory, addresses")
    state.add_argument("--all", action="store_true", help="all local clusters of this user")
    state.set_defaults(run=_status)
    kubectl = commands.add_parser("kubectl", help="the built kubectl on the local cluster; the rest of the line is its")
    kubectl.set_defaults(run=_kubectl)
    check = commands.add_parser(
        "check", help="tell whether this machine can run the local cluster, before anything is built"
    )
    check.set_defaults(run=_check)
    cleanup_cli.add_parser(commands)
    cache = commands.add_parser("cache", help="what was built and downloaded, and how large it is")
    cache.add_argument("do", choices=["status", "prune"])
    cache.set_defaults(run=_cache)
    signoff_cli.add_parser(commands)
    policies_cli.add_parser(commands)
    return parser


def _up(options: argparse.Namespace) -> int:
    provider = LocalProvider(options.name, say=partial(print, flush=True), keep=Keep.UNTIL_DOWN)
    access = provider.up()
    print("started" if provider.started else "was running already")
    print(
        f"  export KUBECONFIG={access.kubeconfig}\n  llmisvc-conformance kubectl get nodes\n  llmisvc-conformance down"
    )
    return 0


def _down(options: argparse.Namespace) -> int:
    for name in registry.names() if options.all else [options.name]:
        print(f"{name}: removed" if LocalProvider(name).down() else f"{name}: there is no such cluster")
    return 0


def _status(options: argparse.Namespace) -> int:
    wanted = registry.names() if options.all else [options.name]
    reports = [status.look(name) for name in wanted]
    print("\n".join(report.text for report in reports) or "no local cluster")
    return 0 if all(report.well for report in reports) else 1


def _kubectl(options: argparse.Namespace) -> int:
    topology = registry.load(options.name)
    if topology is None:
        raise UserError(
            f"local cluster {options.name} to be running", "there is none", next_step="llmisvc-conformance up"
        )
    for death in bring_up.deaths(topology):
        print(f"note: {death.component} on {death.machine} ended; log: {death.log}", file=sys.stderr)
    program = str(locate_stack().bin("kubectl"))
    os.execve(program, [program, *options.rest], {**os.environ, "KUBECONFIG": str(topology.kubeconfig)})


def _check(options: argparse.Namespace) -> int:
    preflight.require_root()
    topology = registry.load(options.name)
    if topology is not None and bring_up.is_ready(topology):
        print(f"this machine runs the local cluster {options.name}")
        return 0
    preflight.check(preflight.look(registry.cluster_directory(options.name)))
    print("this machine can run the local cluster")
    return 0


def _cache(options: argparse.Namespace) -> int:
    from tools.stack import cache

    print(cache.prune() if options.do == "prune" else cache.status())
    return 0


if __name__ == "__main__":
    sys.exit(main())
