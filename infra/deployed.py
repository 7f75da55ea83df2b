"""Writes the catalog that an environment's dispatch is deployed with, so that a new one can be compared with it.

    .local/sam/bin/python infra/deployed.py ENV FILE [--samconfig infra/samconfig.toml]

It needs lambda:GetFunction. An environment that was never deployed has none: that is no error, and nothing is written.
"""

import argparse
import io
import pathlib
import re
import sys
import urllib.request
import zipfile

import boto3
import botocore.exceptions


def region(samconfig: str, environment: str) -> str | None:
    """The region of [ENV.deploy.parameters]; Python 3.10 has no TOML reader."""
    section = None
    for line in pathlib.Path(samconfig).read_text().splitlines():
        head = re.match(r"\s*\[([^]]+)\]", line)
        if head:
            section = head.group(1).strip()
        found = re.match(r'\s*region\s*=\s*"([^"]+)"', line)
        if found and section == f"{environment}.deploy.parameters":
            return found.group(1)
    return None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("environment")
    parser.add_argument("file")
    parser.add_argument("--samconfig", default="infra/samconfig.toml")
    args = parser.parse_args()
    functions = boto3.client("lambda", region_name=region(args.samconfig, args.environment))
    try:
        found = functions.get_function(FunctionName=f"carillon-{args.environment}-dispatch")
    except functions.exceptions.ResourceNotFoundException:
        print(f"{args.environment} has no dispatch yet", file=sys.stderr)
        return 1
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        print(f"the deployed catalog cannot be read: {error}", file=sys.stderr)
        return 1
    with urllib.request.urlopen(found["Code"]["Location"], timeout=60) as answer:
        code = zipfile.ZipFile(io.BytesIO(answer.read()))
    pathlib.Path(args.file).write_bytes(code.read("catalog.json"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
