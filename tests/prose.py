#!/usr/bin/env python3
"""Measures the language of documents, comments and log messages, and fails beyond the limits of STYLE.md.

Run in any folder of the repository. `--worst 20` lists the files with most findings.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

INDEFINITE = set(
    "what whatever who whom whose whoever whomever nobody somebody everybody anybody nothing something anything "
    "everything someone anyone everyone noone".split()
)
BEGINNING = re.compile(r"^(it|what|whatever|who|whom|whose|whoever|nobody|somebody|nothing|something)\b", re.I)
LOG = re.compile(r"tracing::(?:info|warn|error|debug)!\((.*?)\);", re.S)

# Share of indefinite words in percent, words a sentence, colons and semicolons per 100 sentences.
LIMITS = {"documents": (0.6, 18, 20), "comments": (0.6, 18, 20)}


def tracked(*patterns):
    command = ["git", "-C", str(ROOT), "ls-files", *patterns]
    return [ROOT / name for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


def prose_of_document(text):
    """A Markdown text without code, tables, headings and targets of links."""
    text = re.sub(r"```.*?```", " ", text, flags=re.S)
    text = re.sub(r"^\s*\|.*$|^#+ .*$", " ", text, flags=re.M)
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`", "x", text))


def comments(source):
    """The doc comments of a Rust source, each as one text."""
    block = []
    for line in source.split("\n") + [""]:
        found = re.match(r"\s*//[/!] ?(.*)", line)
        if found:
            block.append(found.group(1))
        elif block:
            yield re.sub(r"`[^`]*`", "x", " ".join(block)).strip()
            block = []


def figures(text):
    sentences = re.split(r"(?<=[.!?])\s+|\n\s*\n|\n\s*[-*] ", text)
    sentences = [sentence for sentence in sentences if re.search("[a-z]", sentence or "")]
    words = re.findall(r"[A-Za-z][A-Za-z'’-]*", text)
    indefinite = sum(word.lower() in INDEFINITE for word in words)
    marks = len(re.findall(r"[:;](?=\s)", text))
    return 100 * indefinite / max(len(words), 1), len(words) / max(len(sentences), 1), 100 * marks / max(len(sentences), 1)


def main():
    parser = argparse.ArgumentParser(description="Measures the language of documents and comments.")
    parser.add_argument("--worst", type=int, metavar="COUNT", help="print the files with the most findings, too")
    arguments = parser.parse_args()
    texts = {"documents": [], "comments": []}
    problems, counts = [], []
    for path in tracked("*.md"):
        texts["documents"].append(prose_of_document(path.read_text(encoding="utf8")))
    for path in tracked("*.rs"):
        source = path.read_text(encoding="utf8")
        found = list(comments(source))
        texts["comments"].extend(found)
        messages = [re.findall(r'"((?:[^"\\]|\\.)*)"', call) for call in LOG.findall(source)]
        said = found + [strings[-1] for strings in messages if strings and "tests" not in path.parts]
        name = path.relative_to(ROOT)
        problems += [f"{name}: begins with an indefinite word: {text[:80]}" for text in said if BEGINNING.match(text)]
        words = [word.lower() for text in found for word in re.findall(r"[A-Za-z]+", text)]
        counts.append((sum(word in INDEFINITE for word in words), str(name)))
    for kind, limits in LIMITS.items():
        measured = figures("\n\n".join(texts[kind]))
        names = ("% indefinite words", "words a sentence", "colons and semicolons per 100 sentences")
        print(f"{kind}: " + ", ".join(f"{value:.2f} {name}" for value, name in zip(measured, names)))
        problems += [
            f"{kind}: {value:.2f} {name}, wanted at most {limit}"
            for value, name, limit in zip(measured, names, limits)
            if value > limit
        ]
    if arguments.worst:
        print("\n".join(f"{count:5} {name}" for count, name in sorted(counts, reverse=True)[: arguments.worst]))
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


sys.exit(main())
