#!/usr/bin/env python3
"""Takes the screenshots of docs/screenshots anew with headless Chromium: screenshots.py [PATH-OF-CARILLON].

The e-mail is the output of `carillon render`. The unsubscribe page is the built-in one of the API, filled by hand. Run
this script after a change of a template or of that page. No other program calls it."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TO = ROOT / "docs/screenshots"
CARILLON = sys.argv[1] if sys.argv[1:] else str(ROOT / "target/local/carillon")
EVENT = "packs/healthcare/events/appointment.created.json"
PAGE = ROOT / "functions/api/src/unsubscribe/page.rs"
VALUES = {
    "lang": "en",
    "title": "Unsubscribe?",
    "sender": "Lindenhof clinic",
    "text": "You will not get messages of the kind “newsletter” any more. What concerns you in person still reaches you.",
    "button": '<form method="post"><button type="submit">Unsubscribe</button></form>',
}


def email():
    """The HTML of the first e-mail of the event."""
    command = [CARILLON, "render", EVENT, "--channel", "email", "--locale", "en", "--json"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[0])["content"]["html"]


def unsubscribe():
    """The HTML of the built-in page, read from the constant in the API's source."""
    literal = re.search(r'const BUILT_IN: &str = "\\\n(.*?)\n";', PAGE.read_text(encoding="utf8"), re.S)[1]
    html = literal.replace("\\\n", "").replace('\\"', '"')
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: VALUES[found[1]], html)


def shoot(html, name, width, height):
    """Writes the picture of a page, at two device pixels for each pixel."""
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "page.html")
        page.write_text(html, encoding="utf8")
        options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars"
        command = ["chromium", *options.split(), f"--user-data-dir={folder}/profile", "--force-device-scale-factor=2"]
        command += [f"--window-size={width},{height}", f"--screenshot={TO / name}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)


TO.mkdir(exist_ok=True)
shoot(email(), "email.png", 640, 620)
shoot(unsubscribe(), "unsubscribe.png", 640, 420)
