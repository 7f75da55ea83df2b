"""Prepares the stack of an environment for the deployment of this release: `carillon upgrade` runs this program.

    python infra/upgrade/main.py dev --template infra/template.yaml [--samconfig infra/samconfig.toml] [--dry-run]

Each step reads the deployed state anew, so a run that was interrupted continues where it ended.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import time

import boto3
import botocore.exceptions
import plan
import yaml

# CloudFormation takes larger templates from S3 only.
MAX_BODY = 51_200

# The stack in which `sam deploy` with `resolve_s3` keeps its bucket.
SAM_STACK = "aws-sam-cli-managed-default"

STABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


class Stop(Exception):
    """The upgrade cannot go on, for this reason."""


class Output:
    """Prints lines, or one JSON value a line."""

    def __init__(self, as_json):
        self.as_json = as_json

    def __call__(self, kind, text, **more):
        print(json.dumps({"kind": kind, "text": text, **more}) if self.as_json else text, flush=True)


def section(samconfig, environment):
    """The members of [ENV.deploy.parameters]; Python 3.10 has no TOML reader."""
    inside, lines = False, []
    for line in pathlib.Path(samconfig).read_text().splitlines():
        head = re.match(r"\s*\[([^]]+)\]", line)
        if head:
            inside = head.group(1).strip() == f"{environment}.deploy.parameters"
        elif inside and not line.lstrip().startswith("#"):
            lines.append(line)
    text = "\n".join(lines)
    members = dict(re.findall(r'^\s*(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"', text, re.MULTILINE))
    listed = re.search(r"^\s*parameter_overrides\s*=\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if listed:
        members["parameter_overrides"] = " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', listed.group(1)))
    return members


def overrides(text):
    """The parameters of `Name=value Name="a value"`."""
    found = re.findall(r'(\w+)=(?:\\?"((?:[^"\\]|\\(?!"))*)\\?"|(\S*))', text)
    return {name: quoted or plain for name, quoted, plain in found}


class Stack:
    def __init__(self, name, region, bucket, output):
        self.name, self.bucket, self.output = name, bucket, output
        self.region = region
        self.cloudformation = boto3.client("cloudformation", region_name=region)
        self.dynamodb = boto3.client("dynamodb", region_name=region)

    def describe(self):
        try:
            return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except botocore.exceptions.ClientError as error:
            if "does not exist" in str(error):
                raise Stop(f"the stack {self.name} does not exist: deploy it, there is nothing to upgrade") from error
            raise

    def settled(self):
        """The stack, as soon as no update runs."""
        told = None
        while True:
            stack = self.describe()
            status = stack["StackStatus"]
            if status in STABLE:
                return stack
            if not status.endswith("_IN_PROGRESS"):
                raise Stop(
                    f"the stack {self.name} is in {status}: repair it first, with `aws cloudformation "
                    f"continue-update-rollback --stack-name {self.name}` after a failed rollback"
                )
            if told != status:
                self.output("waiting", f"the stack is in {status}: waiting", status=status)
                told = status
            time.sleep(self.pause())

    def pause(self):
        local = "127.0.0.1" in self.cloudformation.meta.endpoint_url
        return 0.2 if local else 5

    def template(self):
        answer = self.cloudformation.get_template(StackName=self.name, TemplateStage="Original")
        return plan.load(answer["TemplateBody"])

    def table_indexes(self, logical):
        """The indexes that the table has, by name, each with its status."""
        resource = self.cloudformation.describe_stack_resource(StackName=self.name, LogicalResourceId=logical)
        table = resource["StackResourceDetail"]["PhysicalResourceId"]
        found = self.dynamodb.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
        return {index["IndexName"]: index for index in found}

    def update(self, template, parameters):
        body = json.dumps(template, separators=(",", ":"))
        where = {"TemplateBody": body} if len(body.encode()) <= MAX_BODY else {"TemplateURL": self.upload(body)}
        names = [parameter["ParameterKey"] for parameter in parameters]
        self.cloudformation.update_stack(
            StackName=self.name,
            **where,
            Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in names],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )

    def upload(self, body):
        bucket = self.bucket or self.sam_bucket()
        key = f"{self.name}/upgrade-{time.time_ns()}.template"
        s3 = boto3.client("s3", region_name=self.region)
        s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
        endpoint = s3.meta.endpoint_url
        if "amazonaws.com" in endpoint:
            return f"https://{bucket}.s3.{self.region or s3.meta.region_name}.amazonaws.com/{key}"
        return f"{endpoint}/{bucket}/{key}"

    def sam_bucket(self):
        try:
            stack = self.cloudformation.describe_stacks(StackName=SAM_STACK)["Stacks"][0]
        except botocore.exceptions.ClientError as error:
            raise Stop("the template is too large for one request: name a bucket for it, --bucket NAME") from error
        return next(part["OutputValue"] for part in stack["Outputs"] if part["OutputKey"] == "SourceBucket")


def check(stack, described, old, new, args, given):
    """Prints the comparison. Returns the reasons against the upgrade."""
    output = stack.output
    for name, kind, fate in plan.removed(old, new):
        output("removed", f"resource {name} ({kind}) {fate}", resource=name)
    deployed = {part["ParameterKey"]: part["ParameterValue"] for part in described.get("Parameters", [])}
    notes, refused = plan.parameters(old, new, deployed, given)
    for note in notes:
        output("parameter", note)
    for table in sorted(plan.tables(old)):
        told, found = plan.indexes(plan.tables(old)[table]), stack.table_indexes(table)
        for index in sorted(told.keys() ^ found.keys()):
            place = "the table has it and the stack does not" if index in found else "the stack has it, the table not"
            refused.append(f"{table}: the index {index} was changed outside the stack: {place}. Undo that first")
    return refused + plan.refusals(old, new, args.accept)


def run(args, output):
    members = section(args.samconfig, args.environment) if pathlib.Path(args.samconfig).exists() else {}
    name = args.stack or members.get("stack_name") or f"carillon-{args.environment}"
    bucket = args.bucket or members.get("s3_bucket")
    # botocore reads AWS_DEFAULT_REGION only.
    region = args.region or members.get("region") or os.environ.get("AWS_REGION")
    stack = Stack(name, region, bucket, output)
    given = overrides(members.get("parameter_overrides", ""))
    new = plan.load(pathlib.Path(args.template).read_text())
    described, old = stack.settled(), stack.template()

    refused = check(stack, described, old, new, args, given)
    rounds = plan.steps(old, new, args.accept)
    for number, step in enumerate(rounds, 1):
        told = ", ".join(f"{action} {table}/{index}" for table, action, index in step)
        output("step", f"step {number} of {len(rounds)}: {told}", step=[list(part) for part in step])
    for table, change in plan.index_changes(old, new).items():
        for index in change["remove"][-1:]:
            output("deployment", f"the deployment removes {table}/{index}")
    for reason in refused:
        output("refused", f"refused: {reason}")
    if refused:
        return 1
    if args.dry_run:
        output("next", "dry run: nothing was changed. Next: the same command without --dry-run")
        return 0
    apply(stack, new, args)
    output("next", f"the tables are ready. Next: make deploy E={args.environment}")
    return 0


def apply(stack, new, args):
    """Applies one step after the other. The deployed template is read before each, so a repetition goes on."""
    while True:
        described, old = stack.settled(), stack.template()
        rounds = plan.steps(old, new, args.accept)
        if not rounds:
            return
        step = rounds[0]
        told = ", ".join(f"{action} {table}/{index}" for table, action, index in step)
        stack.output("update", f"updating the stack: {told}; {len(rounds) - 1} more", step=[list(part) for part in step])
        stack.update(plan.apply(old, new, step), described.get("Parameters", []))
        if stack.settled()["StackStatus"] != "UPDATE_COMPLETE":
            raise Stop(f"the update was rolled back: see the events of the stack {stack.name}")
        for table, action, index in step:
            wait(stack, table, action, index)


def wait(stack, table, action, index):
    """Waits until an index is active, or gone."""
    told = None
    while True:
        found = stack.table_indexes(table).get(index)
        status = found["IndexStatus"] if found else "gone"
        if status == ("ACTIVE" if action == "add" else "gone"):
            stack.output("done", f"{table}/{index} is {status.lower()}")
            return
        if status != told:
            stack.output("waiting", f"{table}/{index} is {status.lower()}: waiting", status=status)
            told = status
        time.sleep(stack.pause())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("environment")
    parser.add_argument("--template", default="infra/template.yaml")
    parser.add_argument("--samconfig", default="infra/samconfig.toml")
    parser.add_argument("--stack")
    parser.add_argument("--region")
    parser.add_argument("--bucket")
    parser.add_argument("--accept", action="append", default=[])
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        return run(args, Output(args.json))
    except Stop as stop:
        print(f"refused: {stop}", file=sys.stderr)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        print(f"AWS refused a call: {error}. Run the command again, it continues where it ended", file=sys.stderr)
    except (OSError, yaml.YAMLError, KeyError) as error:
        print(f"a template cannot be read: {error!r}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
