#!/usr/bin/env python3
"""Checks the repository's Markdown files: every relative link and anchor resolves, the book has each page of docs/ once,
no word in angle brackets is lost, and the counts of resources in docs/operate/deploy.md are those of infra/template.yaml. With the path of `carillon`, it also follows the tutorial of
docs/start/first-rule.md and the tests of docs/rules/decision-tests.md. `tests/run.sh` calls it both ways."""
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^\s*```.*?^\s*```[^\n]*$", re.S | re.M)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")

# Row of the page, type in the template, and number of resources of that type per unit in the row.
COUNTS = [
    ("Lambda functions", "AWS::Serverless::Function", lambda number: number),
    ("IAM roles", "AWS::IAM::Role", lambda number: number),
    # Each queue has a dead-letter queue. One queue of the bus exists only with a customer key.
    ("SQS queues", "AWS::SQS::Queue", lambda number: 2 * number + 1),
    ("DynamoDB tables, on demand", "AWS::DynamoDB::Table", lambda number: number),
    ("KMS keys", "AWS::KMS::Key", lambda number: number),
    ("secrets", "AWS::SecretsManager::Secret", lambda number: number),
    ("log groups", "AWS::Logs::LogGroup", lambda number: number),
    # All alarms except the one that needs a customer key.
    ("CloudWatch alarms", "AWS::CloudWatch::Alarm", lambda number: number + 1),
    ("Scheduler schedules", "AWS::Scheduler::Schedule", lambda number: number),
]


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


def broken_links():
    """Each broken link as `file: target: reason`."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for path in (ROOT / name for name in listed if (ROOT / name).exists()):
        page = re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text(encoding="utf8")))
        for target in LINK.findall(page):
            if re.match(r"[a-z]+:|\{", target):
                continue
            name, _, anchor = target.partition("#")
            to = (path.parent / name).resolve() if name else path
            if not to.exists():
                yield f"{path.relative_to(ROOT)}: {target}: no such file"
            elif anchor and to.suffix == ".md" and anchor not in anchors(to.read_text(encoding="utf8")):
                yield f"{path.relative_to(ROOT)}: {target}: no such heading"


def book_problems():
    """Each page that the book lacks or has twice."""
    script = [sys.executable, "-B", ROOT / "docs/book/contents.py"]
    checked = subprocess.run(script, capture_output=True, text=True)
    return (checked.stdout + checked.stderr).splitlines() if checked.returncode != 0 else []


def lost_words():
    """Each `<word>` outside code. Browsers read it as an element and show no text."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        # A code span may go on in the next line of its paragraph.
        page = re.sub(r"`(?:[^`\n]|\n(?!\n))*`", "", FENCE.sub("", path.read_text(encoding="utf8")))
        for word in re.findall(r"(?<!\\)<(?!br>)[a-z][\w-]*>", page):
            yield f"{path.relative_to(ROOT)}: {word} outside code is invisible; write \\{word}"


def wrong_counts():
    """Each count of the page that the template contradicts."""
    template = (ROOT / "infra/template.yaml").read_text(encoding="utf8")
    resources = template.split("\nResources:\n")[1].split("\nOutputs:\n")[0]
    there = collections.Counter(re.findall(r"^(?:    |  \w+: \{ ?)Type: (AWS::[\w:]+)", resources, re.M))
    page = (ROOT / "docs/operate/deploy.md").read_text(encoding="utf8")
    for row, kind, meaning in COUNTS:
        found = re.search(rf"^\| {re.escape(row)} \| (\d+)", page, re.M)
        if not found:
            yield f"docs/operate/deploy.md: found no row `{row}` with a number"
        elif meaning(int(found[1])) != there[kind]:
            yield f"docs/operate/deploy.md: {row}: found {found[1]}, and {there[kind]} of {kind} in infra/template.yaml"
    parameters = template.split("\nParameters:\n")[1].split("\nConditions:")[0].split("\nRules:")[0]
    number = len(re.findall(r"^  [A-Z]\w+:", parameters, re.M))
    if f"It has {number} parameters" not in re.sub(r"\s+", " ", page):
        yield f"docs/operate/deploy.md: wanted `It has {number} parameters`"


def blocks(page, language):
    """The code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf8"), re.S | re.M)


def failed_tutorial(program):
    """The output of `check --strict` if the project of the tutorial does not pass it."""
    page = "docs/start/first-rule.md"
    rule, test = blocks(page, "yaml")
    parts = re.findall(r"^\| `([a-z.]+\.(?:txt|html))` \| (.*) \|$", (ROOT / page).read_text(encoding="utf8"), re.M)
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder) / "my-config"
        subprocess.run([program, "init", project, "--pack", "healthcare"], capture_output=True, check=True)
        files = {"rules/shop.yaml": rule, "tests/shop.yaml": test, "tests/more.yaml": blocks("docs/rules/decision-tests.md", "yaml")[0]}
        files["events/shop/parcel.shipped.json"] = blocks(page, "json")[0]
        for name, text in parts:
            files[f"templates/parcel-shipped/en/{name}"] = "\n".join(line.strip("`") for line in text.split("<br>"))
        for name, text in files.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text, encoding="utf8")
        checked = subprocess.run([program, "check", project, "--strict"], capture_output=True, text=True)
        if checked.returncode != 0:
            yield f"{page}: the project of the tutorial fails:\n{checked.stdout}{checked.stderr}"


if sys.argv[1:]:
    problems = list(failed_tutorial(pathlib.Path(sys.argv[1]).resolve()))
else:
    problems = [*broken_links(), *book_problems(), *lost_words(), *wrong_counts()]
print("\n".join(problems) or "documents: all checks passed")
sys.exit(1 if problems else 0)
