#!/usr/bin/env python3
"""Checks the files for GitHub, pre-commit and the devcontainer. Commands name targets and programs that exist, owners
have paths that exist, and workflows have limits. With `--schemas`, it also validates the files against the schemas of
GitHub. `tests/run.sh` calls it both ways."""
import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECKER = ROOT / ".local/workflows/bin/check-jsonschema"
CONFIG = ".github/ISSUE_TEMPLATE/config.yml"
SCHEMAS = {
    "vendor.github-workflows": ".github/workflows/*",
    "custom.github-workflows-require-timeout": ".github/workflows/*",
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/*",
    "vendor.github-issue-config": CONFIG,
}
# A major version, or a commit with the version in a comment.
ACTION = re.compile(r"[\w.-]+/[\w./-]+@(?:v\d+|[0-9a-f]{40} # v\d[\d.]*)")
# A program or a file of the repository in a command.
LOCAL = re.compile(r"(?:tests|infra|docs|benches)/[\w./-]+\.(?:py|sh|toml|txt)")
SEPARATORS = {"&&", "||", ";", "|", "{", "}", "(", ")", "&"}


def tracked():
    """The files of the repository, with those that are new."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).exists()]


def targets(makefile):
    """The targets of the Makefile, with the files of explicit rules."""
    rules = re.findall(r"^([\w./$() -]+?):(?!=)", makefile, re.M)
    return {name for rule in rules for name in rule.split() if "$" not in name}


def called_targets(script):
    """The targets of each `make` in a shell script. A quotation must end in its line."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, "#"
        inside, takes_value = False, False
        for word in lexer:
            if word in SEPARATORS:
                inside = False
            elif inside and takes_value:
                takes_value = False
            elif inside and word.startswith("-"):
                takes_value = word in {"-C", "-f", "-j"}
            elif inside and "=" not in word:
                yield word
            inside = inside or word == "make"


def scripts(workflow):
    """The `run` steps of a workflow, as one line or as a block."""
    block, depth = None, 0
    for line in [*workflow.splitlines(), "end:"]:
        if block is not None:
            if not line.strip() or len(line) - len(line.lstrip()) > depth:
                block.append(line)
                continue
            yield "\n".join(block)
            block = None
        found = re.match(r"( *)(?:- )?run: *(.*)$", line)
        if found and found[2] in {"|", "|-", ">", ">-"}:
            block, depth = [], len(found[1])
        elif found:
            yield found[2]


def wrong_command(script, known):
    """Each target, and each program of the repository, that a command names and that does not exist."""
    try:
        called = list(called_targets(script))
    except ValueError as error:
        yield f"{error}: end each quotation in its line: {script.strip().splitlines()[0]}"
        return
    yield from (f"the Makefile has no target `{target}`" for target in called if target not in known)
    for name in LOCAL.findall(script):
        if not (ROOT / name).exists():
            yield f"no such file: `{name}`"


def wrong_workflow(text, known):
    """Each fault of a workflow that its schema allows."""
    if not re.search(r"^permissions:\n  contents: read\n", text, re.M):
        yield "wanted `permissions: contents: read` for the whole file, and more in a job only"
    found = list(scripts(text))
    if not found:
        yield "found no `run` step"
    for script in found:
        shell = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        if shell.returncode != 0:
            yield shell.stderr.strip()
            continue
        yield from wrong_command(script, known)
        if "${{" in script:
            yield "an expression in a script is code; pass the value as a variable: " + script.strip().splitlines()[0]
    for action in re.findall(r"uses: *(.+)$", text, re.M):
        if not ACTION.fullmatch(action):
            yield f"`{action}`: wanted a major version such as `@v6`, or a commit with `# v6.0.1`"


def wrong_owners(files):
    """Each path of CODEOWNERS without a file, and each line without an owner."""
    for line in (ROOT / ".github/CODEOWNERS").read_text(encoding="utf8").splitlines():
        path, *owners = line.split("#")[0].split() or [""]
        if path and not all(re.fullmatch(r"@[\w-]+(/[\w-]+)?", owner) for owner in owners or [""]):
            yield f"{path}: wanted an owner such as `@organization/team`"
        name = path.removeprefix("/")
        there = any(file.startswith(name) for file in files) if name.endswith("/") else name in files
        if name not in ("", "*") and not there:
            yield f"{path}: no such file, or no such folder with `/` at its end"


def problems():
    files = tracked()
    known = targets((ROOT / "Makefile").read_text(encoding="utf8"))
    versions = {}
    for path in sorted(ROOT.glob(".github/workflows/*")):
        text, name = path.read_text(encoding="utf8"), path.relative_to(ROOT)
        yield from (f"{name}: {problem}" for problem in wrong_workflow(text, known))
        for action, version in re.findall(r"uses: *([\w./-]+)@(\S+)", text):
            versions.setdefault(action, set()).add(version)
    if not versions:
        yield ".github/workflows: found no action"
    for action, found in versions.items():
        if len(found) > 1:
            yield f"{action}: wanted one version, found {sorted(found)}"
    yield from (f".github/CODEOWNERS: {problem}" for problem in wrong_owners(files))
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf8")
    for entry in re.findall(r"^ +entry: (.+)$", hooks, re.M):
        yield from (f".pre-commit-config.yaml: {problem}" for problem in wrong_command(entry, known))
    if set(re.findall(r"^ *- repo: (.+)$", hooks, re.M)) != {"local"}:
        yield ".pre-commit-config.yaml: wanted local hooks only, because hooks of other repositories are not locked"
    template = (ROOT / ".github/pull_request_template.md").read_text(encoding="utf8")
    for code in re.findall(r"`(make [^`]+)`", template):
        yield from (f".github/pull_request_template.md: {problem}" for problem in wrong_command(code, known))
    for folder in re.findall(r"directory: /(.*)$", (ROOT / ".github/dependabot.yml").read_text(encoding="utf8"), re.M):
        if not (ROOT / folder).is_dir():
            yield f".github/dependabot.yml: no such folder: /{folder}"
    yield from wrong_links(files)
    yield from wrong_devcontainer()


def wrong_links(files):
    """Each link to the repository that names another repository or a missing file."""
    repository = re.search(r'^repository = "(.+)"', (ROOT / "Cargo.toml").read_text(encoding="utf8"), re.M)[1]
    for link in re.findall(r"^ +url: (.+)$", (ROOT / CONFIG).read_text(encoding="utf8"), re.M):
        page = link.removeprefix(f"{repository}/")
        if page == link:
            yield f"{CONFIG}: {link}: wanted a page of {repository}"
        elif page.startswith("blob/main/") and page.removeprefix("blob/main/") not in files:
            yield f"{CONFIG}: {link}: no such file"


def wrong_devcontainer():
    """The fault of the devcontainer's JSON, which may have lines of comments."""
    text = (ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf8")
    try:
        container = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
    except ValueError as error:
        yield f".devcontainer/devcontainer.json: {error}"
        return
    dockerfile = (ROOT / ".devcontainer" / container["build"]["dockerfile"]).read_text(encoding="utf8")
    if f" {container['remoteUser']}\n" not in dockerfile:
        yield f".devcontainer: the Dockerfile makes no user `{container['remoteUser']}`"


def wrong_schemas():
    """Each file that violates its schema."""
    for schema, pattern in SCHEMAS.items():
        files = [file for file in sorted(ROOT.glob(pattern)) if pattern == CONFIG or file != ROOT / CONFIG]
        if not files:
            yield f"{pattern}: no such file"
            continue
        checked = subprocess.run([CHECKER, "--builtin-schema", schema, *files], capture_output=True, text=True)
        if checked.returncode != 0:
            yield f"{schema}: {checked.stdout}{checked.stderr}"


def main():
    parser = argparse.ArgumentParser(description="Checks the files for GitHub, pre-commit and the devcontainer.")
    parser.add_argument("--schemas", action="store_true", help="validate against the schemas by check-jsonschema")
    arguments = parser.parse_args()
    if arguments.schemas and not CHECKER.exists():
        sys.exit(f"found no {CHECKER.relative_to(ROOT)}; run `make .local/workflows/.installed`")
    found = list(wrong_schemas() if arguments.schemas else problems())
    print("\n".join(found) or "files for GitHub: all checks passed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
