"""Compares the template of a deployed stack with another one. Nothing here calls AWS.

Templates are dicts with long intrinsic functions, as `load` returns them. CloudFormation adds or removes one index of
a table in an update, so `steps` returns one template change for each index.
"""

import copy
import json
import re

import yaml

TABLE = "AWS::DynamoDB::Table"

# Resources with data, and the property that names them. A new name or one of the further properties replaces them.
WITH_DATA = {
    TABLE: ("TableName", ["KeySchema"]),
    "AWS::SQS::Queue": ("QueueName", ["FifoQueue"]),
    "AWS::S3::Bucket": ("BucketName", ["ObjectLockEnabled"]),
    "AWS::KMS::Key": (None, ["KeySpec", "KeyUsage"]),
    "AWS::SecretsManager::Secret": ("Name", []),
    "AWS::Logs::LogGroup": ("LogGroupName", []),
}

# Policies that keep a resource which a template has no more.
KEEPS = ("Retain", "RetainExceptOnCreate")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short functions (`!Sub`) as long ones, and dates as texts."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _function(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)


def load(text):
    """A template from YAML or JSON. botocore returns JSON templates as dicts."""
    return copy.deepcopy(text) if isinstance(text, dict) else yaml.load(text, _Loader)


def indexes(table):
    found = table.get("Properties", {}).get("GlobalSecondaryIndexes") or []
    return {index["IndexName"]: index for index in found}


def tables(template):
    return {name: part for name, part in template["Resources"].items() if part["Type"] == TABLE}


def index_changes(old, new):
    """The changes of each table that both templates have: {table: {"add": […], "remove": […], "rebuild": […]}}."""
    changes = {}
    before, after = tables(old), tables(new)
    for name in sorted(before.keys() & after.keys()):
        was, wanted = indexes(before[name]), indexes(after[name])
        change = {
            "add": [index for index in wanted if index not in was],
            "remove": [index for index in was if index not in wanted],
            "rebuild": [index for index in wanted if index in was and wanted[index] != was[index]],
        }
        if any(change.values()):
            changes[name] = change
    return changes


def steps(old, new, accepted=()):
    """The updates before the deployment: lists of (table, action, index), at most one for each table.

    New indexes are added before the deployment, because new code reads them. The deployment itself removes one index
    of a table. Surplus removals and rebuilds are steps if `accepted` names them as `Table/index`.
    """
    queues = []
    for table, change in index_changes(old, new).items():
        # A table takes one change in an update, and the deployment's own update is the last.
        surplus = change["remove"][:-1]
        queue = [("remove", index) for index in surplus if f"{table}/{index}" in accepted]
        for index in change["rebuild"]:
            if f"{table}/{index}" in accepted:
                queue += [("remove", index), ("add", index)]
        queue += [("add", index) for index in change["add"]]
        queues.append((table, queue))
    rounds = []
    while any(queue for _, queue in queues):
        rounds.append([(table, *queue.pop(0)) for table, queue in queues if queue])
    return rounds


def apply(template, new, step):
    """The template after one step. Attribute definitions are those that the remaining keys use."""
    template = copy.deepcopy(template)
    for table, action, index in step:
        properties = template["Resources"][table]["Properties"]
        present = indexes(template["Resources"][table])
        wanted = new["Resources"][table]["Properties"]
        if action == "remove":
            present.pop(index, None)
        else:
            present[index] = indexes(new["Resources"][table])[index]
        properties["GlobalSecondaryIndexes"] = list(present.values())
        if not present:
            del properties["GlobalSecondaryIndexes"]
        keys = properties["KeySchema"] + [key for part in present.values() for key in part["KeySchema"]]
        used = {key["AttributeName"] for key in keys}
        defined = properties["AttributeDefinitions"] + wanted["AttributeDefinitions"]
        types = {part["AttributeName"]: part for part in reversed(defined)}
        properties["AttributeDefinitions"] = [types[name] for name in sorted(used)]
    return template


def refusals(old, new, accepted=()):
    """Reasons against the upgrade, each with the way out."""
    found = []
    for table, change in index_changes(old, new).items():
        for index in change["remove"][:-1]:
            if f"{table}/{index}" not in accepted:
                found.append(
                    f"{table} loses the index {index} beside {change['remove'][-1]}, and an update removes one. The "
                    f"running release may read it: --accept {table}/{index} removes it before the deployment"
                )
        for index in change["rebuild"]:
            if f"{table}/{index}" not in accepted:
                found.append(
                    f"{table} has the index {index} with other keys. Readers fail until it is built again: "
                    f"--accept {table}/{index}, or give the new index another name"
                )
    for name, part in sorted(old["Resources"].items()):
        if part["Type"] not in WITH_DATA or name in accepted:
            continue
        named, further = WITH_DATA[part["Type"]]
        other = new["Resources"].get(name)
        if other is None:
            if part.get("DeletionPolicy") not in KEEPS and part["Type"] == TABLE:
                found.append(f"{name} ({part['Type']}) is deleted with its data: --accept {name}")
            continue
        mine, theirs = part.get("Properties", {}), other.get("Properties", {})
        for member in [named, *further]:
            if member and mine.get(member) != theirs.get(member):
                found.append(
                    f"{name} ({part['Type']}) gets another {member}, so CloudFormation replaces it and its data stays "
                    f"behind: --accept {name}"
                )
    return found


def removed(old, new):
    """Resources that the new template lacks, as (name, type, what happens to them)."""
    gone = []
    for name, part in sorted(old["Resources"].items()):
        if name in new["Resources"]:
            continue
        if part.get("DeletionPolicy") in KEEPS:
            fate = "stays outside the stack, with its data"
        elif part["Type"] == "AWS::SQS::Queue":
            fate = "is deleted with the messages that wait in it"
        elif part["Type"] in WITH_DATA:
            fate = "is deleted with its data"
        else:
            fate = "is deleted"
        gone.append((name, part["Type"], fate))
    return gone


def parameters(old, new, deployed, given):
    """The parameters that change, and the reasons against them.

    `deployed` has the values of the stack, `given` those of samconfig.toml. Returns (notes, refusals).
    """
    notes, refused = [], []
    before, after = old.get("Parameters", {}), new.get("Parameters", {})
    for name, wanted in after.items():
        if name not in before:
            value = given.get(name, wanted.get("Default"))
            if value is None:
                refused.append(f"the new parameter {name} needs a value: set it in samconfig.toml")
            else:
                notes.append(f"new parameter {name}, value {json.dumps(str(value))}")
        value = given.get(name, deployed.get(name, wanted.get("Default")))
        if value is not None and not _allowed(wanted, str(value)):
            refused.append(f"the parameter {name} does not take {json.dumps(str(value))} any more: set another value")
        if name in before and before[name].get("Type") != wanted.get("Type"):
            notes.append(f"parameter {name} has the type {wanted.get('Type')}, before {before[name].get('Type')}")
    for name in before.keys() - after.keys():
        if name in given:
            refused.append(f"the parameter {name} is gone: take it out of samconfig.toml")
        else:
            notes.append(f"parameter {name} is gone")
    return sorted(notes), refused


def _allowed(parameter, value):
    if "AllowedValues" in parameter and value not in [_text(item) for item in parameter["AllowedValues"]]:
        return False
    # The patterns are Java's. A pattern that Python does not know is left to CloudFormation.
    try:
        pattern = re.compile(parameter.get("AllowedPattern", ".*"), re.DOTALL)
    except re.error:
        return True
    values = value.split(",") if parameter.get("Type") == "CommaDelimitedList" else [value]
    return all(pattern.fullmatch(item) for item in values)


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
