#!/usr/bin/env python3
"""Checks that every relative link and anchor in the repository's Markdown files resolves. `tests/run.sh` calls it."""
import pathlib
import re
import subprocess
import sys

FENCE = re.compile(r"^\s*```.*?^\s*```[^\n]*$", re.S | re.M)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def anchors(page):
    """The anchors of a page; a repeated heading gets a number."""
    found, seen = set(), {}
    for heading in re.findall(r"^#{1,6} +(.+?) *$", FENCE.sub("", page), re.M):
        name = slug(heading)
        seen[name] = seen.get(name, -1) + 1
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
    return found


def broken(root):
    """Each broken link as `file: target: reason`."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=root, capture_output=True, text=True, check=True)
    pages = {root / name: (root / name).read_text(encoding="utf8") for name in listed.stdout.split() if (root / name).exists()}
    for path, page in pages.items():
        for target in LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", page))):
            if re.match(r"[a-z]+:|\{", target):
                continue
            name, _, anchor = target.partition("#")
            to = (path.parent / name).resolve() if name else path
            if not to.exists():
                yield f"{path.relative_to(root)}: {target}: no such file"
            elif anchor and to.suffix == ".md" and anchor not in anchors(to.read_text(encoding="utf8")):
                yield f"{path.relative_to(root)}: {target}: no such heading"


problems = list(broken(pathlib.Path(__file__).resolve().parent.parent))
print("\n".join(problems) or "links: every relative link and anchor resolves")
sys.exit(1 if problems else 0)
