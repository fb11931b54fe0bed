"""The subcommand `policies`: prints the NetworkPolicies that a deployed service needs. Only reads."""

import argparse
from ipaddress import ip_network
from typing import Any

from tools import cluster_options
from tools.errors import UserError


def add_parser(commands: Any) -> None:
    """Add the subcommand to those of `llmisvc-conformance`."""
    parser = commands.add_parser(
        "policies", help="print the NetworkPolicies that a deployed service needs; by default on the local cluster"
    )
    parser.add_argument("service", metavar="NAMESPACE/NAME", help="of the LLMInferenceService")
    cluster_options.add(parser)
    parser.add_argument(
        "--profile", default="local-gpu", help="where KServe and Istio are, and the Gateway; default: %(default)s"
    )
    parser.add_argument(
        "--model-source", metavar="CIDR", default="", help="addresses that models come from; default: all public ones"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    # Most commands do without the Kubernetes client, which takes a second to import.
    from tools.kube.client import Kube
    from tools.kube.errors import KubeError
    from tools.kube.llm_service import Place
    from tools.kube.target import locate
    from tools.netpolicy.generate import text
    from tools.netpolicy.reading import read, uncovered
    from tools.openai.connection import Connection
    from tools.profile import load_profile

    place = Place(*_service(options.service))
    source = _cidr(options.model_source)
    profile = load_profile(options.profile)
    kube = Kube(*cluster_options.chosen(options))
    try:
        service = locate(kube, place, profile, Connection(""))
        if what := uncovered(service.read()["spec"]):
            raise UserError(
                "a service for which there are policies",
                f"{place} has {what}",
                cause="their channels are not in the templates yet; a guess would be too wide or would break them",
                next_step="docs/policies.md, Limits",
            )
        found = read(service, source)
    except KubeError as error:
        raise UserError(
            f"to read {place} and its neighbours on {kube.context}",
            str(error),
            cause="this user may not list pods, namespaces, policies, Services or EndpointSlices of every namespace",
            next_step="docs/clusters.md has the rights, manifests/rbac/reader.yaml a role with them",
        ) from None
    if found.facts.ambient:
        raise UserError(
            "a service without mesh or with sidecars",
            f"namespace {place.namespace} is in the ambient mesh",
            cause="policies see the mesh's tunnels there, not who is in them",
            next_step="docs/policies.md, Limits",
        )
    print(text(found.facts), end="")
    return 0


def _service(given: str) -> tuple[str, str]:
    namespace, _, name = given.partition("/")
    if not namespace or not name or "/" in name:
        raise UserError("NAMESPACE/NAME of an LLMInferenceService", repr(given), next_step="kubectl get llmisvc -A")
    return namespace, name


def _cidr(given: str) -> str:
    try:
        return str(ip_network(given)) if given else ""
    except ValueError as error:
        raise UserError(
            "a range of addresses such as 192.0.2.0/24", str(error), next_step="--model-source CIDR"
        ) from None
