"""The software bill of materials of a release, as CycloneDX 1.6 JSON, from Cargo.lock and `cargo metadata`.

The crates are those that the CLI and the functions link for the release's targets, without development dependencies.
"""

import json
import re
import subprocess
import uuid

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL


def metadata(root, targets):
    filters = [part for target in targets for part in ("--filter-platform", target)]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline", *filters]
    return json.loads(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)


def checksums(root):
    """The SHA-256 of each crate's archive, by name and version."""
    found = {}
    for part in (root / "Cargo.lock").read_text().split("[[package]]"):
        members = dict(re.findall(r'^(name|version|checksum) = "([^"]*)"', part, re.MULTILINE))
        if "checksum" in members:
            found[members["name"], members["version"]] = members["checksum"]
    return found


def shipped(found):
    """The ids of the packages that the CLI and the functions link, and the dependencies of each."""
    nodes = {}
    for node in found["resolve"]["nodes"]:
        links = [part["pkg"] for part in node["deps"] if any(kind["kind"] is None for kind in part["dep_kinds"])]
        nodes[node["id"]] = sorted(links)
    programs = {}
    for package in found["packages"]:
        path = package["manifest_path"]
        if package["source"] is None and ("/functions/" in path or path.endswith("/cli/Cargo.toml")):
            programs[package["id"]] = package
    open_, seen = list(programs), set(programs)
    while open_:
        for other in nodes[open_.pop()]:
            if other not in seen:
                seen.add(other)
                open_.append(other)
    return seen, nodes, programs


def licence(text):
    if not text:
        return []
    # Cargo's old form with a slash means "or".
    expression = text.replace("/", " OR ")
    return [LicenseExpression(expression) if " " in expression else DisjunctiveLicense(id=expression)]


def bill(root, version, targets, moment):
    found, sums = metadata(root, targets), checksums(root)
    ids, nodes, programs = shipped(found)
    carillon = Component(name="carillon", version=version, type=ComponentType.APPLICATION, bom_ref="carillon")
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"carillon/{version}/{moment.isoformat()}"))
    bom.metadata.component = carillon
    bom.metadata.timestamp = moment
    components = {}
    for package in sorted(found["packages"], key=lambda package: (package["name"], package["version"])):
        if package["id"] not in ids:
            continue
        name, number = package["name"], package["version"]
        digest = sums.get((name, number))
        purl = PackageURL(type="cargo", name=name, version=number)
        components[package["id"]] = Component(
            name=name,
            version=number,
            type=ComponentType.APPLICATION if package["id"] in programs else ComponentType.LIBRARY,
            bom_ref=str(purl),
            purl=purl if digest else None,
            licenses=licence(package["license"]),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
        )
    bom.components.update(components.values())
    bom.register_dependency(carillon, [components[program] for program in programs])
    for identifier, component in components.items():
        bom.register_dependency(component, [components[other] for other in nodes[identifier] if other in components])
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    # The library stores sets. Sorted lists give the same bytes for the same release.
    return json.dumps(ordered(json.loads(text)), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def ordered(value):
    if isinstance(value, dict):
        return {name: ordered(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted((ordered(member) for member in value), key=lambda member: json.dumps(member, sort_keys=True))
    return value
