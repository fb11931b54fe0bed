"""Commands in a pod's container, through the API server and the kubelet, as `kubectl exec` runs them."""

from collections.abc import Sequence

from kubernetes import client, stream
from websocket import WebSocketException

from tools.kube.client import Kube
from tools.kube.errors import KubeError

_SECONDS = 60.0


def run_in_pod(
    kube: Kube, namespace: str, pod: str, command: Sequence[str], *, container: str = "", seconds: float = _SECONDS
) -> str:
    """Run a command; what it printed.

    Args:
        kube: the cluster.
        namespace, pod: where.
        command: program and arguments; no shell looks at them.
        container: of the pod; empty for its first.
        seconds: that it may take.

    Raises:
        KubeError: it could not be run, failed, or took longer.
    """
    what = f"exec {command[0]} in pod {namespace}/{pod}"
    # An API client of its own: the streaming call replaces a method of the one it uses while it connects.
    api = kube.new_api_client()
    chosen = {"container": container} if container else {}
    try:
        connect = client.CoreV1Api(api).connect_get_namespaced_pod_exec
        running = stream.stream(
            connect, pod, namespace, command=list(command), stdout=True, stderr=True, _preload_content=False,
            _request_timeout=seconds, **chosen,
        )  # fmt: skip
        try:
            running.run_forever(timeout=seconds)
            if running.is_open():
                raise KubeError(what, 0, f"it has not ended after {seconds:.0f} s")
            printed, said, status = running.read_stdout(), running.read_stderr(), running.returncode
        finally:
            running.close()
            # What the other side has closed first is left open by that.
            running.sock.shutdown()
    except client.ApiException as error:
        raise KubeError(what, error.status or 0, str(error.reason)) from None
    except (OSError, WebSocketException, ValueError) as error:
        raise KubeError(what, 0, f"{type(error).__name__}: {error}") from None
    finally:
        api.close()
    if status:
        raise KubeError(what, 0, f"exit status {status}: {str(said).strip()[-500:]}")
    return str(printed)
