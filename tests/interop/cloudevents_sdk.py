"""CloudEvents as the Python SDK writes them, and edge cases of the specification, beside `carillon publish` and `match`.

Each event of the SDK (structured mode) must be read, with every attribute and the data as the SDK has them. Times are
held to RFC 3339 by an independent validator. A case that differs on purpose stands in JUSTIFIED with the reason.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone

from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from rfc3339_validator import validate_rfc3339

CARILLON = os.environ.get("CARILLON", "target/local/carillon")

# Intended differences, each with its reason.
JUSTIFIED = {
    "time:2016-12-31T23:59:60Z": "a leap second, which the validator does not know",
    "time:1990-12-31T15:59:60-08:00": "a leap second, the example of RFC 3339",
    "time:0000-01-01T00:00:00Z": "the validator has no year 0; RFC 3339 has",
}

BASE = {"specversion": "1.0", "id": "1", "source": "/field", "type": "t", "time": "2026-11-20T09:30:00Z"}

TIMES = [
    "2026-11-20T09:30:00Z", "2026-11-20t09:30:00z", "2026-11-20T09:30:00.5+23:59", "2026-11-20T09:30:00-00:00",
    "2026-11-20T09:30Z", "2026-11-20T09:30:00", "2026-11-20 09:30:00Z", "2026-11-20T09:30:00+0100",
    "2026-11-20T09:30:00+01", "2026-11-20T09:30:00+24:00", "2026-11-20T09:30:00+01:60", "20261120T093000Z",
    "2026-11-20T09:30:00+01:00[Europe/Berlin]", "2026-11-20T09:30:00GMT", "2026-11-20T09:30:00,5Z",
    "2026-11-20T24:00:00Z", "2026-02-30T09:30:00Z", "2024-02-29T09:30:00Z", "2025-02-29T09:30:00Z", "noon", "",
    "2026-11-20T12:59:60Z", "2016-12-31T23:59:60Z", "1990-12-31T15:59:60-08:00", "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.9999999999Z", "2026-11-20T09:30:00.1234567890Z", "2026-11-20T09:30:00.Z",
    "0000-01-01T00:00:00Z",
]

# Envelopes and whether the specification allows them: name, changed members, allowed.
EDGES = [
    ("sequence of letters", {"sequence": "a-0001"}, True),
    ("sequence 0", {"sequence": "0"}, True),
    ("sequence with zeros", {"sequence": "0007"}, True),
    ("priority of another scale", {"priority": "p1"}, True),
    ("priority number", {"priority": 5}, True),
    ("empty extension", {"mood": ""}, True),
    ("dataref without data", {"dataref": "https://example.com/1", "datacontenttype": "text/xml"}, True),
    ("json in base64", {"data_base64": "eyJhIjoxfQ==", "datacontenttype": "application/json"}, True),
    ("json in base64 without a type", {"data_base64": "eyJhIjoxfQ=="}, True),
    ("no time", {"time": None}, True),
    ("long subject", {"subject": "x" * 2000}, True),
    ("PascalCase", {"SpecVersion": "1.0", "Id": "1", "Source": "/s", "Type": "t", "Data": {"a": 1}}, True),
    ("camelCase", {"specVersion": "1.0"}, True),
    ("expiry never", {"expirytime": "9999-12-31T23:59:59Z"}, True),
    ("traceparent of another version", {"traceparent": "none"}, True),
    ("data and data_base64", {"data": 1, "data_base64": "eyJhIjoxfQ=="}, False),
    ("empty id", {"id": ""}, False),
    ("no id", {"id": None}, False),
    ("no source", {"source": None}, False),
    ("no type", {"type": None}, False),
    ("empty source", {"source": ""}, False),
    ("source that is no reference", {"source": "two words"}, False),
    ("version 0.3", {"specversion": "0.3"}, False),
    ("name with an underscore", {"my_ext": "1"}, False),
    ("base64 that is none", {"data_base64": "*"}, False),
]


def envelope(name, changes):
    base = dict(BASE)
    if name == "PascalCase":
        base = {}
    if name == "camelCase":
        base.pop("specversion")
    base.update(changes)
    return {key: value for key, value in base.items() if value is not None or key in ("time",)}


def publish(envelopes):
    """The line that `carillon publish --dry-run --json` prints for each envelope, in order."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False, encoding="utf-8") as file:
        file.write("\n".join(json.dumps(it, ensure_ascii=False) for it in envelopes))
    try:
        command = [CARILLON, "--json", "publish", "--dry-run", file.name]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    finally:
        os.unlink(file.name)
    lines = [json.loads(line) for line in said.splitlines() if line.strip()]
    # Refusals are printed first. The place names the line.
    by_place = {int(line["place"].rsplit(":", 1)[1]) if ":" in line["place"] else 1: line for line in lines}
    return [by_place.get(number) for number in range(1, len(envelopes) + 1)]


def matches(event, pattern):
    """Whether `carillon match` finds what the pattern asks for in the event."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("event.json", "pattern.json")]
        for path, value in zip(paths, (event, pattern)):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(value, file, ensure_ascii=False)
        command = [CARILLON, "match", "--pattern", paths[1], "--event", paths[0]]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def made_by_sdk(chance, number):
    """An event of the SDK and its structured form."""
    offset = timezone(timedelta(minutes=chance.choice([0, 0, 60, -330, 345, 840])))
    attributes = {
        "id": chance.choice([f"id-{number}", f"é-{number}", f"a/b#{number}", f"{number}"]),
        "source": chance.choice(["/shop", "urn:uuid:1", "https://example.com/a?b=%20#c", "shop"]),
        "type": chance.choice(["order.paid", "com.example.Order", "t"]),
        "time": datetime(2026, 11, 20, 9, 30, number % 60, chance.choice([0, 1, 999_999]), offset),
    }
    if chance.random() < 0.5:
        attributes["subject"] = chance.choice(["order/7", "Zürich", "日本 %"])
    if chance.random() < 0.3:
        attributes["dataschema"] = "https://example.com/schema.json"
    for name in chance.sample(["mood", "partitionkey", "tenant", "correlationid", "priority", "sequence"], 2):
        attributes[name] = chance.choice(["calm", "p1", "a-0001", "high", "7"])
    data = chance.choice([{"n": number, "text": "é \"x\""}, [1, 2, {"a": None}], b'{"n": 1.5}', None, {"total": 12.5}])
    if data is not None:
        attributes["datacontenttype"] = "application/json"
    event = CloudEvent(attributes=attributes, data=data)
    return event, json.loads(to_structured_event(event).body)


def pattern_of(event):
    """A pattern for what the SDK's event says, as rules see it. EventBridge's patterns know no empty object."""
    detail = {name: [event[name]] for name in ("id", "source", "type", "subject", "dataschema") if name in event}
    for name in ("mood", "partitionkey", "tenant", "correlationid", "priority", "sequence"):
        if name in event:
            detail[name] = [event[name]]
    data = event.get("data")
    if isinstance(data, dict):
        detail["data"] = {name: [value] for name, value in data.items() if not isinstance(value, (dict, list))}
    return {"detail": detail}


def main():
    count, matched = (60, 12) if "--small" in sys.argv else (5_000, 300)
    chance = random.Random(11)
    agree, differ, total = 0, [], 0

    def judge(name, agrees, what):
        nonlocal agree, total
        total += 1
        if agrees:
            agree += 1
        elif name not in JUSTIFIED:
            differ.append(f"{name}: {what}")

    made = [made_by_sdk(chance, number) for number in range(count)]
    for (event, structured), said in zip(made, publish([it[1] for it in made])):
        good = said is not None and "refused" not in said
        good = good and said["id"] == event.get_id() and said["type"] == event.get_type()
        judge(f"sdk:{structured['id']}", good, said)
    for _, structured in made[:matched]:
        judge(f"match:{structured['id']}", matches(structured, pattern_of(structured)), json.dumps(structured))

    times = [dict(BASE, id=str(number), time=time) for number, time in enumerate(TIMES)]
    for time, said in zip(TIMES, publish(times)):
        judge(f"time:{time}", ("refused" not in said) == validate_rfc3339(time.upper()), said)

    edges = [envelope(name, changes) for name, changes, _ in EDGES]
    for (name, _, allowed), said in zip(EDGES, publish(edges)):
        judge(name, said is not None and ("refused" not in said) == allowed, said)

    print(f"cloudevents: agree {agree} of {total}, {total - agree - len(differ)} differ for a stated reason")
    for line in differ:
        print(f"  {line}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
