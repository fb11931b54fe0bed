"""What the API server serves, by its aggregated discovery: one answer that every user may read. Pure."""

from tools.features.reading import Object

KIND = "APIGroupDiscoveryList"


def served(discovery: Object, group: str, plural: str) -> list[str]:
    """Versions in which a resource is served, the preferred one first; empty if it is not."""
    return [
        version["version"]
        for each in discovery["items"]
        if each["metadata"]["name"] == group
        for version in each["versions"]
        if any(resource["resource"] == plural for resource in version.get("resources", []))
    ]
