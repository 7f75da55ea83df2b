#!/usr/bin/env python3
"""Builds the book with mdBook into target/docs: build.py PATH-OF-MDBOOK. `make docs` calls it.

The pages are staged in target/book. Links to other pages stay relative. Links to other files of the repository become
addresses of the repository. A broken link, a missing anchor or a page in no table of docs/README.md fails the build."""
import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

import contents

ROOT = contents.DOCS.parent
STAGE, SITE = ROOT / "target/book", ROOT / "target/docs"
REPOSITORY = re.search(r'git-repository-url = "([^"]+)"', (contents.DOCS / "book.toml").read_text(encoding="utf8"))[1]
# A code block, a code span, or the target of a link or an image.
TARGET = re.compile(r"(^[ \t]*```.*?^[ \t]*```|`(?:[^`\n]|\n(?!\n))*`)|(\]\()([^()\s]+)(?=\))", re.S | re.M)


def place(page):
    """The path of a page in the book. Pages outside docs/ go to `project`."""
    if page.is_relative_to(contents.DOCS):
        return page.relative_to(contents.DOCS)
    return pathlib.Path("project", page.name)


def target_in_book(page, target, pages):
    """The target of a link as the book needs it."""
    if re.match(r"[a-z]+:|#", target):
        return target
    name, mark, anchor = target.partition("#")
    file = (page.parent / urllib.parse.unquote(name)).resolve()
    if not file.exists():
        return target  # broken_links finds it
    if file in pages or (file.suffix in (".svg", ".png") and file.is_relative_to(contents.DOCS)):
        # mdBook writes README.md as index.html.
        staged_name = re.sub(r"README\.md$", "index.md", str(place(file)))
        return os.path.relpath(staged_name, place(page).parent) + mark + anchor
    kind = "tree" if file.is_dir() else "blob"
    return f"{REPOSITORY}/{kind}/main/{file.relative_to(ROOT)}{mark}{anchor}"


def staged(page, pages):
    """The text of a page for the book."""
    # mdBook would read `{id}` at the end of a heading as attributes of the heading.
    text = re.sub(r"^(#{1,6} .*)\{([^{}\n]*)\}$", r"\1&#123;\2&#125;", page.read_text(encoding="utf8"), flags=re.M)
    return TARGET.sub(lambda found: found[1] or found[2] + target_in_book(page, found[3], pages), text)


def stage():
    """Writes the pages, the pictures, the theme and SUMMARY.md into target/book."""
    shutil.rmtree(STAGE, ignore_errors=True)
    pages = {page for _, _, _, page in contents.chapters()} | {contents.DOCS / "README.md"}
    for page in pages:
        to = STAGE / "docs" / place(page)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(staged(page, pages), encoding="utf8")
    for picture in [*contents.DOCS.rglob("*.svg"), *contents.DOCS.rglob("*.png")]:
        if not picture.is_relative_to(contents.DOCS / "book"):
            to = STAGE / "docs" / place(picture)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, to)
    (STAGE / "docs/SUMMARY.md").write_text(contents.summary(place), encoding="utf8")
    shutil.copytree(contents.DOCS / "book/theme", STAGE / "theme")
    shutil.copy(contents.DOCS / "book.toml", STAGE)


class Page(html.parser.HTMLParser):
    """The anchors and links of a page of the site."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(path.read_text(encoding="utf8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.add(value)
            elif name in ("href", "src") and value and not re.match(r"[a-z]+:|//", value):
                self.links.append(value)


def broken_links():
    """Each link of the site to a file or an anchor that does not exist."""
    pages = {path: Page(path) for path in sorted(SITE.rglob("*.html"))}
    for path, page in pages.items():
        # The page for unknown addresses has links from the root of a server.
        for link in page.links if path.name != "404.html" else []:
            name, _, anchor = link.partition("#")
            to = (path.parent / urllib.parse.unquote(name)).resolve() if name else path
            if not to.exists():
                yield f"{path.relative_to(SITE)}: {link}: no such file"
            elif anchor and to in pages and urllib.parse.unquote(anchor) not in pages[to].ids:
                yield f"{path.relative_to(SITE)}: {link}: no such heading"


def finish():
    """Corrects the link `edit this page` of pages outside docs/, and lets names in tables break at `_` on a phone.

    Code of more than 36 characters gets a class, so that one long value does not widen its column."""
    for path in SITE.rglob("*.html"):
        text = path.read_text(encoding="utf8").replace("/edit/main/docs/project/", "/edit/main/")
        text = re.sub(r"<td><code>[^<]*</code>", lambda found: found[0].replace("_", "_<wbr>"), text)
        text = re.sub(r"<code>(?=[^<]{37})", '<code class="long">', text)
        path.write_text(text, encoding="utf8")


def main():
    wrong = list(contents.problems())
    if not wrong:
        stage()
        shutil.rmtree(SITE, ignore_errors=True)
        built = subprocess.run([sys.argv[1], "build", STAGE], capture_output=True, text=True)
        wrong = [line for line in built.stderr.splitlines() if re.search("WARN|ERROR", line)]
        if built.returncode == 0:
            finish()
            wrong += broken_links()
    print("\n".join(wrong) or f"docs: {len(list(SITE.rglob('*.html')))} pages, open file://{SITE / 'index.html'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
