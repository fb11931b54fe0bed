"""A small typed client: objects in and out are dicts, errors are KubeError, nothing is retried."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config

from tools.kube.errors import Gone, KubeError, NotFound
from tools.kube.kinds import KNOWN, Kind
from tools.kubectl import kubectl
from tools.waiting import timeouts

Object = dict[str, Any]

FIELD_MANAGER = "llmisvc-conformance"
_PATCHES = {"merge": "application/merge-patch+json", "json": "application/json-patch+json"}


@dataclass(frozen=True)
class Listing:
    """Objects of a collection, and the resource version to watch on from."""

    items: list[Object]
    resource_version: str


class Kube:
    """One cluster, by one named context of one kubeconfig file.

    Args:
        kubeconfig: the file.
        context: the context in it; never the file's current one.
    """

    def __init__(self, kubeconfig: Path, context: str) -> None:
        self.kubeconfig = kubeconfig
        self.context = context
        self._api = self.new_api_client()

    def new_api_client(self) -> Any:
        """Another connection pool to the same cluster (kubernetes' streaming calls alter the client they use)."""
        settings = client.Configuration()
        # urllib3 would try a failed request three times, and hide that it had failed.
        settings.retries = False
        config.load_kube_config(str(self.kubeconfig), context=self.context, client_configuration=settings)
        return client.ApiClient(settings)

    def kubectl(self, *words: str) -> str:
        """The command line that does the same by hand."""
        return kubectl(*words, context=self.context, kubeconfig=self.kubeconfig)

    def version(self) -> str:
        """The API server's version."""
        return str(self.request("GET", "/version")["gitVersion"])

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object:
        """Read one object; raise NotFound."""
        return self.request("GET", kind.path(name, namespace))

    def find(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        """Read one object, or None."""
        try:
            return self.get(kind, name, namespace)
        except NotFound:
            return None

    def objects(self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """Objects of a kind, in a namespace or everywhere, by label and field selectors."""
        return self.listing(kind, namespace, labels=labels, fields=fields).items

    def listing(self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "") -> Listing:
        """The same with the collection's resource version."""
        query = _selectors(labels, fields)
        found = self.request("GET", kind.path(namespace=namespace), query)
        # Items of a list come without their type.
        items = [{"apiVersion": kind.api, "kind": kind.kind} | item for item in found["items"]]
        return Listing(items, found["metadata"]["resourceVersion"])

    def apply(self, document: Object) -> Object:
        """Server-side apply; takes over fields that another manager owns."""
        meta = document["metadata"]
        path = self.kind_of(document).path(meta["name"], meta.get("namespace", ""))
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return self.request("PATCH", path, query, document, "application/apply-patch+yaml")

    def create(self, document: Object) -> Object:
        """Create an object; fails if it is there."""
        path = self.kind_of(document).path(namespace=document["metadata"].get("namespace", ""))
        return self.request("POST", path, {"fieldManager": FIELD_MANAGER}, document)

    def judge(self, document: Object) -> list[str]:
        """Have a creation judged as if it were made (strict dry run: unknown fields are refused); nothing is kept.

        Returns:
            The API server's warnings.

        Raises:
            KubeError: it is refused.
        """
        path = self.kind_of(document).path(namespace=document["metadata"].get("namespace", ""))
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "dryRun": "All"}
        with closing(self._send("POST", path, query, document)) as response:
            # As RFC 7234 has them: code, agent, text in quotation marks.
            return [each.split(" ", 2)[-1].strip('"') for each in response.headers.getlist("Warning")]

    def judge_change(self, kind: Kind, name: str, namespace: str, body: Any) -> None:
        """Have a merge patch judged in the same way.

        Raises:
            KubeError: it is refused.
        """
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "dryRun": "All"}
        self.request("PATCH", kind.path(name, namespace), query, body, _PATCHES["merge"])

    def patch(
        self, kind: Kind, name: str, namespace: str, body: Any, *, how: str = "merge", subresource: str = ""
    ) -> Object:
        """Change parts of an object, by a merge patch (a dict) or a JSON patch (`how="json"`, a list)."""
        query = {"fieldManager": FIELD_MANAGER}
        return self.request("PATCH", kind.path(name, namespace, subresource), query, body, _PATCHES[how])

    def delete(self, kind: Kind, name: str, namespace: str = "", *, cascade: str = "Background") -> bool:
        """Ask for an object's deletion; return whether it was there."""
        try:
            self.request("DELETE", kind.path(name, namespace), {"propagationPolicy": cascade})
        except NotFound:
            return False
        return True

    def token(self, service_account: str, namespace: str, *, seconds: int = 3600) -> str:
        """A bearer token of a service account."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        return str(self.request("POST", path, {}, body)["status"]["token"])

    def logs(self, pod: str, namespace: str, container: str, *, lines: int = 50, previous: bool = False) -> str:
        """The end of a container's log."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        with closing(self._send("GET", path, query)) as response:
            return str(response.data.decode(errors="replace"))

    def text(self, path: str) -> str:
        """What a path answers that is no object: the API server's own way into pods, for example.

        Raises:
            KubeError: refused, or no answer; of a pod that has answered, with its own status and words.
        """
        with closing(self._send("GET", path, {}, accept="*/*")) as response:
            return str(response.data.decode(errors="replace"))

    def preview(self, document: Object) -> Object:
        """An object as the API server would make it, after all webhooks (dry run); nothing is kept.

        Raises:
            KubeError: it is refused.
        """
        path = self.kind_of(document).path(namespace=document["metadata"].get("namespace", ""))
        return self.request("POST", path, {"fieldManager": FIELD_MANAGER, "dryRun": "All"}, document)

    def watch(
        self, kind: Kind, namespace: str, resource_version: str, *, labels: str = "", fields: str = "", seconds: float
    ) -> "Watch":
        """Changes of a collection after `resource_version`, for at most `seconds`."""
        query = _selectors(labels, fields) | {"watch": "true", "resourceVersion": resource_version}
        query |= {"allowWatchBookmarks": "true", "timeoutSeconds": str(max(1, int(seconds)))}
        response = self._send(
            "GET", kind.path(namespace=namespace), query, read_seconds=seconds + timeouts.seconds("api-read")
        )
        return Watch(kind, response)

    def kind_of(self, document: Object) -> Kind:
        """The kind of a document: one of the known ones, else what the API server says."""
        api, kind = document["apiVersion"], document["kind"]
        for known in KNOWN:
            if (known.api, known.kind) == (api, kind):
                return known
        found = self.request("GET", ("/apis/" if "/" in api else "/api/") + api)["resources"]
        for row in found:
            if row["kind"] == kind and "/" not in row["name"]:
                return Kind(api, kind, row["name"], row["namespaced"])
        raise KubeError(f"GET {api}", 404, f"the cluster has no kind {kind} in {api}")

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "",
        accept: str = "",
    ) -> Object:
        """One request of the API, its answer as an object.

        Args:
            accept: media type of the answer, if another form of it is wanted than the usual JSON.

        Raises:
            KubeError: refused, or no answer.
        """
        with closing(self._send(method, path, query or {}, body, content_type, accept=accept)) as response:
            found: Object = json.loads(response.data)
            return found

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any = None,
        content_type: str = "",
        read_seconds: float | None = None,
        accept: str = "",
    ) -> urllib3.HTTPResponse:
        headers = {"Accept": accept or "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        request = self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        read = timeouts.seconds("api-read") if read_seconds is None else read_seconds
        # As plain numbers: urllib3 compares types.
        within = (float(timeouts.seconds("api-connect")), float(read))
        try:
            answer = self._api.call_api(*request, _request_timeout=within)
        except urllib3.exceptions.HTTPError as error:
            raise KubeError(f"{method} {path}", 0, str(error)) from None
        except client.ApiException as error:
            # How the library tells that TLS failed.
            raise KubeError(f"{method} {path}", error.status or 0, str(error.reason)) from None
        response: urllib3.HTTPResponse = answer.response
        if not 200 <= response.status < 300:
            raise _refusal(f"{method} {path}", response.status, response.data)
        return response


class Watch:
    """A stream of changes; `close` may be called from another thread and ends it."""

    def __init__(self, kind: Kind, response: urllib3.HTTPResponse) -> None:
        self._kind = kind
        self._response = response
        self._closed = False

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        """Yield (ADDED | MODIFIED | DELETED | BOOKMARK, object) until the server or `close` ends it; raise Gone."""
        try:
            for line in _lines(self._response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _refusal(
                        f"watch {self._kind.plural}", event["object"].get("code", 0), json.dumps(event["object"])
                    )
                yield event["type"], event["object"]
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # A stream that `close` cut short ends in whatever its reader was in the middle of.
            if not self._closed:
                raise KubeError(f"watch {self._kind.plural}", 0, str(error)) from None
        finally:
            self._response.close()

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        with suppress(ValueError, OSError, RuntimeError):  # it has ended by itself
            self._response.shutdown()


def _lines(response: urllib3.HTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line)


def _selectors(labels: str, fields: str) -> dict[str, str]:
    chosen = {"labelSelector": labels, "fieldSelector": fields}
    return {key: value for key, value in chosen.items() if value}


def _refusal(what: str, status: int, body: bytes | str) -> KubeError:
    try:
        message = str(json.loads(body).get("message", ""))
    except (ValueError, AttributeError):
        message = body.decode(errors="replace")[:500] if isinstance(body, bytes) else body[:500]
    kind = {404: NotFound, 410: Gone}.get(status, KubeError)
    return kind(what, status, message)
