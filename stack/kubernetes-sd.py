#!/usr/bin/python3
"""Finds pods for Debian's Prometheus, which is built without Kubernetes' service discovery.

It answers every GET in the form of `http_sd_configs`, with the pods of all namespaces as they are now and the
`__meta_kubernetes_*` labels that Prometheus' own discovery gives to role `pod` (its documentation,
"kubernetes_sd_config"), so that relabelling is the same. Runs beside Prometheus in its pod, with its service account.
"""

import json
import os
import re
import ssl
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SECONDS = 10


def groups(pods):
    """Target groups of pods, one for each port that a container declares, or for a container without ports. Pure.

    Args:
        pods: items of a PodList.
    """
    return [group for pod in pods if pod.get("status", {}).get("podIP") for group in _of_pod(pod)]


def _of_pod(pod):
    about = _about(pod)
    inits = [(each, "true") for each in pod["spec"].get("initContainers", [])]
    for container, is_init in [*((each, "false") for each in pod["spec"]["containers"]), *inits]:
        of_container = {**about, "pod_container_name": container["name"], "pod_container_init": is_init}
        ports = container.get("ports", [])
        if not ports:
            yield _group(about["pod_ip"], of_container)
        for port in ports:
            of_port = {
                "pod_container_port_number": str(port["containerPort"]),
                "pod_container_port_name": port.get("name", ""),
                "pod_container_port_protocol": port.get("protocol", "TCP"),
            }
            yield _group(f"{about['pod_ip']}:{port['containerPort']}", of_container | of_port)


def _about(pod):
    meta, status = pod["metadata"], pod["status"]
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    found = {
        "namespace": meta["namespace"],
        "pod_name": meta["name"],
        "pod_ip": status["podIP"],
        "pod_phase": status.get("phase", ""),
        "pod_ready": conditions.get("Ready", "unknown").lower(),
        "pod_node_name": pod["spec"].get("nodeName", ""),
        "pod_uid": meta["uid"],
    }
    for kind, values in (("label", meta.get("labels")), ("annotation", meta.get("annotations"))):
        for key, value in (values or {}).items():
            name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
            found[f"pod_{kind}_{name}"] = value
            found[f"pod_{kind}present_{name}"] = "true"
    return found


def _group(address, labels):
    return {"targets": [address], "labels": {f"__meta_kubernetes_{key}": value for key, value in labels.items()}}


def _pods():
    server = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
    # The token is renewed while this runs. Version 0: from the API server's own memory.
    headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"}
    request = urllib.request.Request(f"{server}/api/v1/pods?resourceVersion=0", headers=headers)
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, timeout=SECONDS, context=trusted) as answer:
        return json.load(answer)["items"]


class _Discovery(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, body = 200, groups(_pods())
        except OSError as error:
            status, body = 502, str(error)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing: it is asked every second."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Discovery).serve_forever()
