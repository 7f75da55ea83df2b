#!/usr/bin/env python3
"""Holds the runbooks of docs/operate/runbooks/ to infra/template.yaml: each alarm names its page and the page's first
command, and each page lists its alarms. Queues, functions, log codes, parameters and `make` targets in them exist.

With `--aws`, parses every `aws` command with the AWS CLI of the Python that runs this file, without network:
`.local/awscli/bin/python tests/runbooks.py --aws`. The unit tests of the two programs parse the `carillon` and
`carillon-dev` commands of all documents with clap."""
import contextlib
import io
import os
import pathlib
import re
import shlex
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/operate/runbooks"
INDEX = FOLDER / "README.md"
SECTIONS = ["Alarms", "Symptoms", "First commands", "Causes", "Over when", "Record"]
# CloudFormation's limit for the description of an alarm, and the longest name of an environment.
MAX_DESCRIPTION = 1024
LONGEST_ENVIRONMENT = "e" * 20
# Version 2 of the AWS CLI has these commands, and the pinned version 1 lacks them: their options with a value.
VERSION_2 = {("logs", "tail"): {"--since", "--filter-pattern", "--format"}}
# A value for each variable, long enough for an id.
VALUE = "00000000-0000-0000-0000-000000000000"
SHELL = {"export", ".", "make", "carillon", "carillon-dev", "aws", "curl", "date"}


# Names of AWS that runbooks mention: errors, metrics, states.
AWS_NAMES = {
    "AccessDenied", "AccessDeniedException", "PutEvents", "PendingDeletion", "UnreservedConcurrentExecutions", "LastProcessingResult",
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "SentLast24Hours", "LastChangedDate", "LastModified",
}


def read(path):
    return (ROOT / path).read_text(encoding="utf8")


def alarms():
    """Logical id, name without `carillon-<env>-`, and description of each alarm."""
    for block in re.finditer(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm\n((?:    .*\n)+)", read("infra/template.yaml"), re.M):
        name = re.search(r"AlarmName: !Sub carillon-\$\{Environment\}-(\S+)$", block[2], re.M)
        description = re.search(r"AlarmDescription: (.*)$", block[2], re.M)
        yield block[1], name[1], description[1] if description else ""


def pages():
    return sorted(path for path in FOLDER.glob("*.md") if path != INDEX)


def section(text, title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    return found[1] if found else ""


def joined(block):
    """The lines of a block; those that a backslash continues are one."""
    return re.sub(r" \\\n\s*", " ", block).splitlines()


def first_commands(text):
    """The commands of the first block of `First commands`."""
    block = re.search(r"^```sh\n(.*?)^```", section(text, "First commands"), re.S | re.M)
    return joined(block[1]) if block else []


def commands(text):
    """Each command of the shell blocks and of the sentences, and each command within `$(…)`."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M):
        for line in joined(block):
            line = line.strip()
            for inner in re.findall(r"\$\(([^()]*)\)", line):
                yield inner
            if line and not line.startswith("#"):
                yield re.sub(r"\$\([^()]*\)", "value", line)
    for inline in re.findall(r"`((?:carillon|carillon-dev|aws|make) [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)):
        yield inline


def words(command):
    """The words of a command up to a pipe or a redirection. Variables have a value."""
    found = shlex.split(re.sub(r"\$(SINCE|NOW)\b", "2026-11-30T00:00:00Z", command), comments=True)
    end = next((at for at, word in enumerate(found) if word in {"|", ">", "<", "&&", ";"}), len(found))
    return found[:end]


def normal(command):
    """The form that descriptions and pages share: the environment is a variable."""
    command = command.replace("carillon --env ${Environment} ", "carillon ")
    return command.replace("${Environment}", "$CARILLON_ENV")


def is_command_of(wanted, found):
    """Whether the page's command is the wanted one. Other variables than the environment stand for any word."""
    pattern = re.sub(r"\\\$(?!CARILLON_ENV)[A-Z]+", r"\\S+", re.escape(found))
    return re.fullmatch(pattern, wanted) is not None


def expanded(name):
    """The alarms of a name with `<channel>`: those of the channels in infra/channels.py that have such an alarm."""
    channels = re.findall(r'dict\(name="([a-z]+)"', read("infra/channels.py"))
    names = {name.replace("<channel>", channel) for channel in channels}
    return sorted(names & {alarm for _, alarm, _ in alarms()}) if "<channel>" in name else [name]


def wrong_alarms():
    base = re.search(r"^  RunbookBase:\n(?:    .*\n)*?    Default: (\S+)", read("infra/template.yaml"), re.M)[1]
    repository = re.search(r'^repository = "(.*)"', read("Cargo.toml"), re.M)[1]
    if base != f"{repository}/blob/main/docs/operate/runbooks":
        yield f"infra/template.yaml: RunbookBase: found {base}, wanted the folder below {repository}"
    number = read("infra/template.yaml").count("Type: AWS::CloudWatch::Alarm\n")
    page = read("docs/operate/alarms.md")
    summed = sum(map(int, re.findall(r"^\| `[^|]*\|[^|]*\| (\d+)", page, re.M)))
    if len(list(alarms())) != number or summed != number or f"has {number - 1} alarms, and one more" not in page:
        yield f"docs/operate/alarms.md: found {summed} alarms in the table, and {number} in infra/template.yaml"
    linked = {}
    for logical, name, description in alarms():
        place = f"infra/template.yaml: {logical}"
        filled = description.replace("${Environment}", LONGEST_ENVIRONMENT).replace("${RunbookBase}", base)
        if not description.startswith("!Sub ") or not filled.isascii() or len(filled) > MAX_DESCRIPTION:
            yield f"{place}: wanted `!Sub`, ASCII, at most {MAX_DESCRIPTION} characters"
        named = re.search(r" Runbook \$\{RunbookBase\}/([a-z-]+\.md)$", description)
        command = re.search(r"First command, `([^`]+)`", description)
        if not named or not command:
            yield f"{place}: the description names no first command or ends without a runbook"
            continue
        page = FOLDER / named[1]
        linked.setdefault(page, set()).add(name)
        if not page.exists():
            yield f"{place}: docs/operate/runbooks/{named[1]} does not exist"
            continue
        first = next(iter(first_commands(page.read_text(encoding="utf8"))), "")
        if not is_command_of(normal(command[1]), first):
            yield f"{place}: first command `{normal(command[1])}`, and `{first}` in {named[1]}"
    for page in pages():
        table = re.search(r"(?:^\|.*\n)+", section(page.read_text(encoding="utf8"), "Alarms"), re.M)
        rows = re.findall(r"^\| ([^|]*)", table[0] if table else "", re.M)
        listed = [alarm for name in re.findall(r"`([a-z<>-]+)`", "\n".join(rows)) for alarm in expanded(name)]
        if set(listed) != linked.get(page, set()) or len(listed) != len(set(listed)):
            yield f"{page.name}: lists {sorted(listed)}, and alarms {sorted(linked.get(page, set()))} name the page"


def wrong_pages():
    for page in pages():
        text = page.read_text(encoding="utf8")
        if re.findall(r"^## (.*)$", text, re.M) != SECTIONS:
            yield f"{page.name}: wanted the sections {', '.join(SECTIONS)}"
        if not re.search(r"^\*\*Severity:\*\* (critical|high|medium)", text, re.M):
            yield f"{page.name}: names no severity"
        if len(first_commands(text)) != 3 or "**Good:**" not in section(text, "First commands"):
            yield f"{page.name}: wanted three first commands, and their good output"
        rows = re.findall(r"^\|.*\|$", section(text, "Causes"), re.M)
        if not rows or rows[0] != "| cause | sign | fix | risk of the fix |" or len(rows) < 4:
            yield f"{page.name}: wanted a table of causes: cause, sign, fix, risk of the fix"
        for index in (INDEX, ROOT / "docs/operate/alarms.md"):
            link = page.name if index == INDEX else f"runbooks/{page.name}"
            if f"]({link})" not in index.read_text(encoding="utf8"):
                yield f"{index.relative_to(ROOT)}: no link to {page.name}"


def wrong_names():
    """Names in the runbooks that do not exist."""
    template, makefile = read("infra/template.yaml"), read("Makefile")
    codes = set(re.findall(r"^\| `([A-Z_]+)` \|", read("docs/reference/log-codes.md"), re.M))
    queues = set(re.findall(r"QueueName: !Sub carillon-\$\{Environment\}-(\S+)", template))
    functions = {path.name for path in (ROOT / "functions").iterdir()}
    variables = set(re.findall(r"\$([A-Z_]+)", "".join(page.read_text(encoding="utf8") for page in [INDEX, *pages()])))
    for page in [INDEX, *pages()]:
        text = page.read_text(encoding="utf8")
        for code in set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text)):
            is_pattern = f"{code}_*" in text and any(known.startswith(f"{code}_") for known in codes)
            if code not in codes | variables | {"AWS_REGION", "CARILLON_ENV", "UPDATE_COMPLETE", "INSUFFICIENT_DATA"} and not is_pattern:
                yield f"{page.name}: {code} is no log code of docs/reference/log-codes.md"
        for group in re.findall(r"/aws/lambda/carillon-\$CARILLON_ENV-([a-z]+)", text):
            if group not in functions:
                yield f"{page.name}: {group} is no function"
        for name in re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", text):
            if name not in template and name not in AWS_NAMES:
                yield f"{page.name}: {name} is neither in infra/template.yaml nor a name of AWS"
        for command in commands(text):
            parts = words(command)
            if parts[0] not in SHELL:
                yield f"{page.name}: `{command}`: {parts[0]} is no program of the runbooks"
            if parts[0] == "make" and len(parts) > 1 and not re.search(rf"^{parts[1]}:", makefile, re.M):
                yield f"{page.name}: `{command}`: no such target"
            queue = re.match(r"carillon(?: --json)? dlq [a-z]+ ([a-z-]+)", command)
            if queue and not {queue[1], f"{queue[1]}-dead-letters"} <= queues:
                yield f"{page.name}: `{command}`: no such queue"


class Accepted(BaseException):
    """The AWS CLI has checked a command and would send its request now."""


def looked_up(node, shape):
    """The shape that a part of a `--query` finds in the answer of an operation.

    Raises LookupError for a member that the answer cannot have."""
    kind, parts = node["type"], node["children"]
    if kind == "field":
        if shape.type_name == "map":
            return shape.value
        if node["value"] not in getattr(shape, "members", {}):
            raise LookupError(f"{node['value']} is no member of {shape.name}")
        return shape.members[node["value"]]
    if kind in {"subexpression", "index_expression"}:
        return looked_up(parts[1], looked_up(parts[0], shape))
    if kind in {"flatten", "projection"}:
        found = looked_up(parts[0], shape)
        return found if kind == "flatten" else looked_up(parts[1], found.member)
    if kind == "index":
        return shape.member
    if kind == "multi_select_list":
        for part in parts:
            looked_up(part, shape)
    if kind == "function_expression":  # sort_by(list, &member)
        found = looked_up(parts[0], shape)
        looked_up(parts[1]["children"][0], found.member)
        return found
    return shape


def wrong_aws_commands():
    """Each `aws` command that the AWS CLI does not accept, and each `--query` without a place in the answer."""
    import jmespath
    from awscli.clidriver import create_clidriver

    os.environ.update(AWS_REGION="eu-central-1", AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="a")
    driver = create_clidriver()

    def stop(model, **_):
        raise Accepted(model)

    driver.session.register("before-call", stop)
    found = {command: page.name for page in [INDEX, *pages()] for command in commands(page.read_text(encoding="utf8"))}
    checked = 0
    for command, page in found.items():
        parts = [re.sub(r"\$[A-Z_]+", VALUE, part) for part in words(command)]
        if parts[0] != "aws" or len(parts) <= 3:  # mentions of an operation
            continue
        checked += 1
        if options := VERSION_2.get(tuple(parts[1:3])):
            rest = parts[4:]
            if not parts[3].startswith("/aws/") or len(rest) % 2 or set(rest[::2]) - options:
                yield f"{page}: `{command}`: wanted a log group and options of {sorted(options)}"
            continue
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                driver.main(parts[1:])
        except Accepted as accepted:
            if "--query" in parts:
                query = jmespath.compile(parts[parts.index("--query") + 1])
                try:
                    looked_up(query.parsed, accepted.args[0].output_shape)
                except LookupError as error:
                    yield f"{page}: `{command}`: {error}"
            continue
        except SystemExit:
            pass
        yield f"{page}: `{command}`: {' '.join(output.getvalue().split())[-300:]}"
    print(f"runbooks: {checked} aws commands parsed")


def main():
    checks = [wrong_aws_commands] if "--aws" in sys.argv[1:] else [wrong_alarms, wrong_pages, wrong_names]
    problems = [problem for check in checks for problem in check()]
    print("\n".join(problems) or "runbooks: all checks passed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
