"""CNI plugin, chained after the one that gives a pod its address: the pod begins when its rules are in force.

Runs for every sandbox of a node (CNI specification 1.0.0), so it is one file that imports the standard library only. It
changes nothing by itself: it tells the node's agent, and waits. Without the agent a pod does not start, and the kubelet
tries again.
"""

import json
import os
import socket
import sys
from typing import Any

# More than the agent takes to refuse.
_ANSWER_SECONDS = 30.0
_TRY_AGAIN = 11  # error code of the specification
_VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0"]


def main() -> int:
    """Entry point; the exit status."""
    command = os.environ.get("CNI_COMMAND", "")
    config = json.load(sys.stdin)
    try:
        print(json.dumps(_do(command, config)) if command != "CHECK" else "", flush=True)
    except (OSError, ValueError, KeyError) as error:
        version = config.get("cniVersion", _VERSIONS[-1])
        message = f"{command} of policies for {os.environ.get('CNI_ARGS', 'a pod')}: {type(error).__name__}: {error}"
        print(json.dumps({"cniVersion": version, "code": _TRY_AGAIN, "msg": message}))
        return 1
    return 0


def _do(command: str, config: dict[str, Any]) -> dict[str, Any]:
    if command == "VERSION":
        return {"cniVersion": config["cniVersion"], "supportedVersions": _VERSIONS}
    if command == "DEL":
        _detach(config["socket"])
        return {}
    if command != "ADD":
        return {}
    result: dict[str, Any] = config["prevResult"]
    pod = dict(part.split("=", 1) for part in os.environ["CNI_ARGS"].split(";"))
    attachment = {
        "namespace": pod["K8S_POD_NAMESPACE"],
        "name": pod["K8S_POD_NAME"],
        "uid": pod.get("K8S_POD_UID", ""),
        "container": os.environ["CNI_CONTAINERID"],
    }
    for address in result["ips"]:
        own = str(address["address"]).split("/")[0]
        _ask(config["socket"], {"do": "attach", "attachment": {**attachment, "address": own}})
    return result


def _detach(path: str) -> None:
    try:
        _ask(path, {"do": "detach", "container": os.environ["CNI_CONTAINERID"]})
    except OSError:
        # A pod must be able to go while there is no agent, which forgets it by the API server's list when it is back.
        return


def _ask(path: str, message: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(path)
        connection.sendall(json.dumps(message).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    if "error" in answer:
        raise ValueError(answer["error"])


if __name__ == "__main__":
    sys.exit(main())
