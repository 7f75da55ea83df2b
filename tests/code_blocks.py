#!/usr/bin/env python3
"""Checks the code blocks of the repository's Markdown files.

Usage, in the root of the repository:
  python3 tests/code_blocks.py                   the checks that need no build
  PYTHON tests/code_blocks.py target/local/carillon
    also compiles YAML blocks with `carillon check`, and TypeScript and JavaScript blocks if Node is installed; PYTHON
    needs PyYAML, as .local/sam/bin/python has it

| language | check |
|---|---|
| sh, bash | bash parses the block, and each target of `make` and each named file exists; unit tests of both programs \
parse each of their commands |
| json | the block is a sequence of JSON values |
| yaml | `carillon check` accepts the block in a project that completes it |
| python | Python compiles the block |
| js, ts | Node parses the block, and TypeScript checks its types |
| text, console, mermaid | none: output and pictures |

A block of another language, and a block that cannot be checked, needs a comment in the line above:
  <!-- not run: REASON -->          the block is not checked
  <!-- excerpt of FILE -->          the lines of the block stand in FILE, which other tests run
  <!-- run by FILE -->              the test FILE reads the page and runs the block
"""
import ast
import json
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```[ ]*$", re.S | re.M)
MARKER = re.compile(r"<!-- (not run: .+|excerpt of \S+|run by \S+) -->\s*\Z")
OUTPUT = {"text", "console", "mermaid"}
# Folders of the repository whose files a command may name.
FOLDERS = ("packs/", "examples/", "tests/", "infra/", "docs/", "config/")


@dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    marker: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def pages():
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return sorted(name for name in listed if (ROOT / name).exists())


def blocks_of(page):
    text = (ROOT / page).read_text(encoding="utf8")
    for found in BLOCK.finditer(text):
        indent = len(found[1])
        lines = [line[indent:] if line[:indent].isspace() else line for line in found[3].splitlines()]
        marker = MARKER.search(text[: found.start()])
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[2].strip(), "\n".join(lines) + "\n", marker[1] if marker else "")


def shell_problem(block):
    parsed = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    if parsed.returncode != 0:
        return parsed.stderr.strip()
    makefile = (ROOT / "Makefile").read_text(encoding="utf8")
    for target in re.findall(r"^\s*make ([a-z-]+)", block.text, re.M):
        if not re.search(rf"^{target}:", makefile, re.M):
            return f"the Makefile has no target `{target}`"
    for word in re.split(r"[\s'\"()=]+", re.sub(r"(^|\s)#.*", "", block.text, flags=re.M)):
        if word.startswith(FOLDERS) and not re.search(r"[*<>…$]", word) and not (ROOT / word).exists():
            # Commands may write below config/, as the first project of a user.
            if not word.startswith("config/"):
                return f"found {word}, which is no file of the repository"
    return None


def json_problem(block):
    decoder, rest = json.JSONDecoder(), block.text.strip()
    while rest:
        try:
            _, end = decoder.raw_decode(rest)
        except json.JSONDecodeError as error:
            return f"no JSON: {error}"
        rest = rest[end:].strip()
    return None


def python_problem(block):
    try:
        ast.parse(block.text)
    except SyntaxError as error:
        return f"no Python: {error}"
    return None


def marker_problem(block):
    """A problem of the block's marker. Markers of blocks without need of one are problems, too."""
    kind, _, rest = block.marker.partition(" ")
    if kind == "excerpt":
        file = ROOT / rest.removeprefix("of ")
        if not file.exists():
            return f"found no file {rest.removeprefix('of ')}"
        return None if block.text.strip() in file.read_text(encoding="utf8") else f"{rest.removeprefix('of ')} has other lines"
    if kind == "run":
        file = ROOT / rest.removeprefix("by ")
        if not file.exists() or block.page not in file.read_text(encoding="utf8"):
            return f"{rest.removeprefix('by ')} does not read the page"
    return None


def rust_problem(block):
    """A problem of a block that no doc test compiles. Doc tests compile the README of a crate that includes it."""
    library = (ROOT / block.page).parent / "src/lib.rs"
    is_included = library.exists() and 'include_str!("../README.md")' in library.read_text(encoding="utf8")
    return None if is_included else "found Rust, which no doc test compiles; write `<!-- not run: REASON -->`"


CHECKS = {"sh": shell_problem, "bash": shell_problem, "json": json_problem, "python": python_problem} | dict.fromkeys(
    ["rust", "rust,no_run"], rust_problem
)
WITH_PROGRAM = {"yaml", "js", "ts"}


def problem(block):
    if block.marker:
        return marker_problem(block)
    if block.language in OUTPUT or block.language in WITH_PROGRAM:
        return None
    if not block.language:
        return "found no language; write `text` for output"
    if block.language not in CHECKS:
        return f"found language {block.language}, which no test runs; add a check or `<!-- not run: REASON -->`"
    return CHECKS[block.language](block)


def main():
    blocks = [block for page in pages() for block in blocks_of(page)]
    problems = [f"{block}: {found}" for block in blocks if (found := problem(block))]
    checked = [block for block in blocks if not block.marker and block.language not in OUTPUT]
    if sys.argv[1:]:
        import code_blocks_compiled

        problems += code_blocks_compiled.problems(pathlib.Path(sys.argv[1]).resolve(), checked)
    else:
        checked = [block for block in checked if block.language not in WITH_PROGRAM]
    print("\n".join(problems) or f"code blocks: {len(checked)} of {len(blocks)} checked, no problem")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
