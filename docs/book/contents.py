#!/usr/bin/env python3
"""Prints the SUMMARY of the book, made from the tables of docs/README.md. Fails for a page that is in no table.

A page beside a listed `README.md` follows that page as its child. Any other page needs a row of its own."""
import pathlib
import re
import sys

DOCS = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| \[([^\]]+)\]\(([^)#]+\.md)\) \|", re.M)


def title(page):
    """The first heading of a page, without marks."""
    return re.search(r"^# +(.+?) *$", page.read_text(encoding="utf8"), re.M)[1].replace("`", "")


def sections():
    """Each section of docs/README.md as its heading and the titles and paths of its pages."""
    for section in re.split(r"^## +", (DOCS / "README.md").read_text(encoding="utf8"), flags=re.M)[1:]:
        heading, _, body = section.partition("\n")
        yield heading.strip(), [(name, (DOCS / target).resolve()) for name, target in ROW.findall(body)]


def chapters():
    """The chapters of the book as (section, level, title, path), in the order of docs/README.md."""
    listed = {page for _, pages in sections() for _, page in pages}
    for section, pages in sections():
        for name, page in pages:
            yield section, 0, title(page) if name.endswith(".md") else name, page
            if page.name == "README.md":
                for child in sorted(page.parent.glob("*.md")):
                    if child not in listed:
                        prefix = re.match(r"\d{4}", child.name)
                        yield section, 1, f"{prefix[0]}: {title(child)}" if prefix else title(child), child


def problems():
    """Each page that the book has not exactly once."""
    found = [page for _, _, _, page in chapters()]
    for page in sorted(set(DOCS.rglob("*.md")) - set(found) - {DOCS / "README.md"}):
        yield f"docs/README.md: no row for {page.relative_to(DOCS)}, so the book has no such page"
    for page in sorted({page for page in found if found.count(page) > 1}):
        yield f"docs/README.md: {page.relative_to(DOCS.parent)} has {found.count(page)} rows"
    for page in sorted({page for page in found if not page.exists()}):
        yield f"docs/README.md: {page.relative_to(DOCS.parent)} does not exist"


def summary(path_of):
    """SUMMARY.md, with the path that `path_of` gives each page."""
    lines, last = ["# Summary", "", "[Documents](README.md)"], None
    for section, level, name, page in chapters():
        if section != last:
            lines += ["", f"# {section}", ""]
            last = section
        lines.append(f"{'  ' * level}- [{name}]({path_of(page)})")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    wrong = list(problems())
    print("\n".join(wrong) or summary(lambda page: page.relative_to(DOCS.parent)))
    sys.exit(1 if wrong else 0)
