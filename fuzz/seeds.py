#!/usr/bin/env python3
"""Writes the first inputs of a fuzz target from files of the repository: fuzz/seeds.py TARGET FOLDER"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def texts(*patterns):
    """The files that fit the patterns."""
    for pattern in patterns:
        for file in sorted(ROOT.glob(pattern)):
            yield file.read_text(encoding="utf8")


def bodies(name):
    """The message bodies of a Lambda payload in events/lambda."""
    payload = json.loads((ROOT / f"events/lambda/{name}.json").read_text(encoding="utf8"))
    return [record["body"] for record in payload.get("Records", [])]


def jobs():
    """A queue message of each channel."""
    for file in sorted((ROOT / "events/lambda").glob("*.json")):
        yield from (body for body in bodies(file.stem) if '"content"' in body)


def pattern_seeds():
    """Two patterns of the documents, and an event."""
    page = "\n".join(texts("docs/rules/*.md"))
    found = [text for text in re.findall(r"^```json\n(.*?)^```", page, re.S | re.M) if '"detail' in text]
    found += ['{"detail-type":["a.b"],"detail":{"data":{"n":[{"numeric":[">",5,"<=",9]}],"$or":[{"x":[{"prefix":"a"}]},{"y":[{"exists":false}]}]}}}',
              '{"source":[{"anything-but":{"suffix":"b"}}],"detail":{"data":{"t":[{"wildcard":"a*c"},{"equals-ignore-case":"B"}],"ip":[{"cidr":"10.0.0.0/8"}]}}}']
    event = '{"specversion":"1.0","id":"1","source":"shop","type":"a.b","time":"2026-11-20T12:00:00Z","data":{"n":7,"x":["ab","b"],"t":"abc","ip":"10.1.2.3"}}'
    one_line = [" ".join(text.split()) for text in found]
    for first, second in zip(one_line, one_line[1:] + one_line[:1]):
        yield f"{first}\n{second}\n{event}"


def catalog_seeds():
    """The small files of the property tests, and the rules of each pack with the policy and tests beside them."""
    source = (ROOT / "shared/catalog/src/tests/hostile.rs").read_text(encoding="utf8")
    constants = re.findall(r'^const \w+: &str = "(.*?)";$', source, re.S | re.M)
    yield "\n%%\n".join(re.sub(r"\\\n\s*", "", text).replace("\\n", "\n") for text in constants)
    policy = (ROOT / "config/policy.yaml").read_text(encoding="utf8")
    for pack in sorted((ROOT / "packs").iterdir()):
        for rules in texts(f"packs/{pack.name}/rules/*.yaml"):
            # One template exists.
            rules = re.sub(r"template: \S+", "template: t", rules)
            yield "\n%%\n".join([rules, policy, next(texts(f"packs/{pack.name}/tests/*.yaml"), "")])


def token_seeds():
    """Parts of claims, and the shape of a token."""
    yield "commercial\nann\nkey\nclinic\nClinic"
    yield "category:billing\nann\nkey\n\n"
    yield "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    yield "AQAEa2V5cwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def field_seeds():
    """Values of each kind of field."""
    yield from ["2026-11-20T12:00:00Z", "Europe/London", "12.34", "90d", "https://example.com:8443/hooks?a=b", "http://127.0.0.1:3000",
                "acme/erp", "$.data.items[0].name", "ann@example.com", "+436601234567", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
                '{"x-api-key":"secret"}', '{"start":"22:00","end":"07:00","days":["fri"]}', '{"every":"weekly","days":["mon"],"at":"09:00"}',
                '{"every":"monthly","day_of_month":31,"at":"09:00"}', '"2h"', "10/second", "[::1]", "https://[fd00::1]/", "tenants/", "U0123456789"]
    yield '{"id":"erp","tenant":"acme","url":"https://example.com/hooks"}'


SEEDS = {
    "event": lambda: texts("packs/*/events/*.json", "shared/domain/src/feedback/receipt/samples/*.json"),
    "pattern": pattern_seeds,
    "catalog": catalog_seeds,
    "token": token_seeds,
    "receipt": lambda: texts("shared/domain/src/feedback/receipt/samples/*.json"),
    "stored": lambda: [*jobs(), *texts("config/people/*.json", "shared/domain/tests/golden/**/*.json")],
    "field": field_seeds,
}

target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
for number, text in enumerate(SEEDS[target]()):
    (folder / f"{number:04}").write_text(text, encoding="utf8")
