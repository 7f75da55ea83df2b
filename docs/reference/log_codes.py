#!/usr/bin/env python3
"""Generates docs/reference/log-codes.md from the tracing calls of all crates.

Usage, in the root of the repository:
  python3 docs/reference/log_codes.py           writes the page
  python3 docs/reference/log_codes.py --check   exits with 1 and names the problems:
    a call without a code, a code with different meanings in different crates, a stale page
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/log-codes.md"
FOLDERS = ["shared", "functions", "cli", "dev"]
CALL = re.compile(r"\b(?:tracing::)?(error|warn|info|debug|trace)!\(")
CODE = re.compile(r"\bcode\s*=\s*([^,]+?)\s*,")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
HEAD = """# Log codes

Every log line of a function is a JSON object with a stable member `code`. Search for it with CloudWatch Logs Insights:

```
fields @timestamp, level, message, code | filter code = "DELIVERY_RETRY" | sort @timestamp desc
```

`python3 docs/reference/log_codes.py` writes this page from the source code, and a test fails when the page is stale.

| code | level | message | crate |
|---|---|---|---|
"""


def end_of_call(source, start):
    """The index behind the closing parenthesis of a call whose arguments begin at `start`."""
    depth, index = 1, start
    while depth:
        if source[index] == '"':
            index = TEXT.match(source, index).end()
            continue
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(source[index], 0)
        index += 1
    return index


def computed(expression):
    """The (code, message) pairs of an enum whose `code()` and `meaning()` give both."""
    if not expression.endswith(".code()"):
        return []
    for path in sorted((ROOT / "shared/domain/src").rglob("*.rs")):
        source = path.read_text(encoding="utf8")
        if "fn code(self) -> &'static str" in source and "fn meaning(self)" in source:
            arm = r'(\w+::\w+) => (?:\{\s*)?"([^"]+)"'
            codes = dict(re.findall(arm, source.split("fn code(")[1].split("\n    }\n")[0]))
            meanings = dict(re.findall(arm, source.split("fn meaning(")[1].split("\n    }\n")[0]))
            return [(code, meanings.get(name, "")) for name, code in codes.items()]
    return []


def sources():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS],
        cwd=ROOT, capture_output=True, text=True, check=True)
    for name in sorted(set(listed.stdout.split("\n"))):
        is_test = name.endswith("/tests.rs") or "/tests/" in name or "/examples/" in name
        if name.endswith(".rs") and not is_test and (ROOT / name).exists():
            yield name


def crate_of(name):
    """The name of the crate, without the prefix that all crates share."""
    folder = next(parent for parent in (ROOT / name).parents if (parent / "Cargo.toml").exists())
    manifest = (folder / "Cargo.toml").read_text(encoding="utf8")
    return re.search(r'^name = "(?:carillon-)?([^"]+)"', manifest, re.M).group(1)


def collect():
    """The rows (code, level, message, crate), and the calls without a code."""
    rows, problems = set(), []
    for name in sources():
        source = (ROOT / name).read_text(encoding="utf8").split("#[cfg(test)]\nmod tests {")[0]
        if "tracing" not in source:
            continue
        for call in CALL.finditer(source):
            line_start = source.rfind("\n", 0, call.start()) + 1
            if source[line_start:call.start()].lstrip().startswith("//"):
                continue
            body = source[call.end():end_of_call(source, call.end())]
            code = CODE.search(body)
            if not code:
                line = source.count("\n", 0, call.start()) + 1
                problems.append(f"{name}:{line}: found a tracing call without a code, wanted `code = \"AREA_THING\"`")
                continue
            message = re.sub(r"\s+", " ", TEXT.findall(body)[-1]).replace("|", "\\|")
            literal = re.fullmatch(r'"([A-Z][A-Z0-9_]+)"', code.group(1))
            found = [(literal.group(1), message)] if literal else computed(code.group(1))
            if not found:
                problems.append(f"{name}: found code {code.group(1)}, wanted a literal in UPPER_SNAKE")
            rows |= {(code, call.group(1), text, crate_of(name)) for code, text in found}
    return rows, problems


def conflicts(rows):
    """The codes that have different levels or messages in different crates."""
    by_code = {}
    for code, level, message, crate in rows:
        by_code.setdefault(code, {}).setdefault(crate, set()).add((level, message))
    for code, crates in sorted(by_code.items()):
        if len({frozenset(meanings) for meanings in crates.values()}) > 1:
            yield f"{code}: found different meanings in {', '.join(sorted(crates))}, wanted one"


def page(rows):
    crates = {}
    for code, level, message, crate in rows:
        crates.setdefault((code, level, message), set()).add(crate)
    lines = (f"| `{code}` | {level} | {message} | {', '.join(sorted(names))} |\n"
             for (code, level, message), names in sorted(crates.items()))
    return HEAD + "".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Writes the page of log codes.")
    parser.add_argument("--check", action="store_true", help="write no file, and fail if the page is stale")
    arguments = parser.parse_args()
    rows, problems = collect()
    problems += conflicts(rows)
    text = page(rows)
    if not arguments.check:
        PAGE.write_text(text, encoding="utf8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf8") != text:
        problems.append(f"{PAGE.relative_to(ROOT)}: the page is stale; run `python3 docs/reference/log_codes.py`")
    if problems:
        sys.exit("\n".join(problems))


main()
