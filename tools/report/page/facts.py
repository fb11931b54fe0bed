"""Tables of what the run rests on: features, stand-ins, versions, images, proof, and how to run it again."""

from collections.abc import Mapping

from tools.report.page.markup import Markup, badge, command, fold, join, local_link, table, tag
from tools.report.record import RunRecord
from tools.report.tally import suite
from tools.report.text import one_line

_PRESENT = {True: ("passed", "present"), False: ("not-run", "absent"), None: ("unknown", "could not be told")}
_FILES = {
    "conformance-report.yaml": "this run in the shape of the Gateway API's ConformanceReport",
    "junit.xml": "for CI systems, with the whole text of every failure",
    "run.json": "the record that all of these are made from",
}


def features(record: RunRecord) -> Markup:
    """What the cluster has and lacks."""
    rows: list[tuple[str, ...]] = [
        (
            tag("code", each.name),
            badge(*_PRESENT[each.present]),
            join(one_line(each.have), tag("span", one_line(each.evidence), class_="of")),
        )
        for each in record.features
    ]
    return table(("Feature", "Is it there", "Found, and where"), rows, "Features of the cluster", "features")


def standins(record: RunRecord) -> Markup:
    """What stood in for real things, and what this run therefore says nothing about."""
    rows: list[tuple[str, ...]] = [
        (
            join(one_line(each.what), tag("span", tag("code", each.id), class_="of")),
            one_line(each.in_place_of),
            tag("ul", *(tag("li", one_line(text)) for text in each.cannot_show)),
        )
        for each in record.standins
    ]
    return table(("In use", "In place of", "What this run cannot show"), rows, "Stand-ins", "standins")


def versions(record: RunRecord) -> Markup:
    """Versions found, beside the ranges that the profiles accept, and images."""
    ranges = {profile.name: _dashed(profile.versions) for profile in record.profiles}
    names = list(dict.fromkeys([*record.versions, *(each for found in ranges.values() for each in found)]))
    rows: list[tuple[str, ...]] = [
        (name, record.versions.get(name, "not found"), _accepted(ranges, name)) for name in names
    ]
    found = table(("Component", "Found", "The profile accepts"), rows, "Versions")
    if not record.images:
        return found
    pairs: list[tuple[str, ...]] = [
        (tag("code", name), tag("code", image)) for name, image in sorted(record.images.items())
    ]
    return join(found, fold(f"{len(pairs)} images with digests", table(("Container", "Image"), pairs, "Images")))


def profiles(record: RunRecord) -> Markup:
    """The profiles with their rules."""
    rows: list[tuple[str, ...]] = [
        (
            each.name,
            each.accelerator,
            join(tag("code", each.file), tag("span", f"sha256 {each.sha256[:12]}…", class_="of")),
            _rules(each.signoff),
        )
        for each in record.profiles
    ]
    return table(("Profile", "Accelerator", "File", "Sign-off wants"), rows, "Profiles")


def proof(record: RunRecord) -> Markup:
    """What the cases themselves are worth."""
    if record.proof is None:
        return tag("p", "This run did not prove that its cases can fail: run the command below with --prove.")
    found = record.proof
    return tag(
        "p",
        tag("strong", f"{found.proven} of {found.selected} cases"),
        f" were seen to pass, to fail with the expected words while their fault was in place, and to pass again. The"
        f" suite has {found.cases} cases.",
    )


def reproduce(record: RunRecord) -> Markup:
    """The command, and the files of the run."""
    files = [tag("li", local_link(name), f": {text}") for name, text in _FILES.items()]
    told = {
        "Started": record.started,
        "Ended": record.ended,
        "Ended by": record.ended_by,
        "Suite": suite(record),
        "Cluster": f"{record.provider} {record.context}".strip(),
        "Identity (UID of kube-system)": record.identity or "unknown",
        "Stack": "installed by the run" if record.installed else "taken as found",
    }
    rows = tag("dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in told.items()), class_="rows")
    return join(command(record.command), rows, tag("ul", *files, class_="plain"))


def trouble(record: RunRecord) -> Markup:
    """What the run could not do or left behind."""
    return tag("ul", *(tag("li", one_line(each, 1000)) for each in record.trouble))


def _dashed(versions: Mapping[str, str]) -> dict[str, str]:
    # A profile's keys have underscores where what was found has dashes.
    return {name.replace("_", "-"): accepted for name, accepted in versions.items()}


def _accepted(ranges: Mapping[str, Mapping[str, str]], component: str) -> str:
    said = {profile: found[component] for profile, found in ranges.items() if component in found}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{profile}: {accepted}" for profile, accepted in said.items()) or "any"


def _rules(signoff: Mapping[str, object]) -> str:
    return "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in signoff.items()) or "the defaults"
