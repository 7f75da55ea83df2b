"""Compares the times that `wait` reads with Python's zoneinfo and datetime.

Every person of `people.json` has another zone. Each event names one time, and `carillon explain` says until when each person
waits. The instants must be those of the IANA rules: for local times and dates in every zone, in gaps and folds of the clocks
too, for offsets, for seconds and milliseconds since 1970, and for lengths.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import zoneinfo
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

# Rules of the package `tzdata`, in the version that is compiled in, instead of those of this machine.
zoneinfo.reset_tzpath(to=[])

CARILLON = os.environ.get("CARILLON", "target/local/carillon")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)

# Zones with clock changes at unusual hours, of unusual lengths, or without any.
ZONES = """Europe/Berlin Europe/London Europe/Dublin America/New_York America/Sao_Paulo America/St_Johns America/Havana
America/Santiago America/Asuncion Africa/Casablanca Africa/Cairo Asia/Kolkata Asia/Kathmandu Asia/Tokyo Asia/Beirut
Asia/Gaza Asia/Tehran Australia/Lord_Howe Australia/Adelaide Australia/Sydney Pacific/Auckland Pacific/Chatham
Pacific/Apia Pacific/Kiritimati Atlantic/Azores Etc/UTC""".split()

RULE = """- rule: remind
  about: x
  when: { detail-type: [t] }
  category: c
  to: [ { user: $.data.to } ]
  steps: [ { wait: $.data.at }, { send: [email] } ]
  template: t
"""

# Intended differences, as (zone, value).
JUSTIFIED = set()


def begins(local, zone):
    """The instant at which something begins at a local time: the first of two, or the first instant after a gap."""
    aware = local.replace(tzinfo=zone, fold=0)
    instant = aware.astimezone(timezone.utc)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # The local time does not exist. The clock change lies within a day before or after.
    low, high = instant - timedelta(days=1), instant + timedelta(days=1)
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        middle = middle.replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def samples(count):
    chance = random.Random(11)
    yield from (("2027-03-28T02:30", "local"), ("2027-03-14T02:30", "local"), ("2027-10-31T02:30", "local"))
    yield from (("2026-11-29T00:00", "local"), ("2027-04-04T01:45", "local"), ("2027-03-28", "date"))
    lengths = [("1d", 24), ("7d", 168), ("1w", 168), ("P1D", 24), ("PT36H", 36), ("1d 12h", 36), ("31d", 744)]
    yield from ((text, timedelta(hours=hours)) for text, hours in lengths)
    for _ in range(count):
        local = datetime(2026, 12, 1) + timedelta(minutes=15 * chance.randrange(4 * 24 * 700))
        kind = chance.choice(["local", "local", "date", "offset", "seconds", "milliseconds"])
        if kind == "local":
            yield local.isoformat(timespec="minutes"), kind
        elif kind == "date":
            yield local.date().isoformat(), kind
        elif kind == "offset":
            offset = timezone(timedelta(minutes=15 * chance.randrange(-48, 57)))
            yield local.replace(tzinfo=offset).isoformat(), kind
        else:
            seconds = int(local.replace(tzinfo=timezone.utc).timestamp())
            yield seconds * (1000 if kind == "milliseconds" else 1), kind


def expected(value, kind, zone):
    if isinstance(kind, timedelta):
        return NOW + kind
    if kind == "seconds":
        return datetime.fromtimestamp(value, timezone.utc)
    if kind == "milliseconds":
        return datetime.fromtimestamp(value // 1000, timezone.utc)
    time = datetime.fromisoformat(value)
    return time.astimezone(timezone.utc) if time.tzinfo else begins(time, zone)


def waits(folder, value):
    data = {"to": ZONES, "at": value}
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": NOW.isoformat(), "data": data}
    arguments = [CARILLON, "explain", "-", "--json", "--config", folder / "config", "--people", folder / "people.json"]
    done = subprocess.run(arguments, input=json.dumps(event), capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {it["recipient"]: datetime.fromisoformat(it["until"]) for it in told if it["decision"] == "later"}


def main():
    count = 20 if "--small" in sys.argv else 1000
    agree, total = 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config/rules").mkdir(parents=True)
        (folder / "config/rules/r.yaml").write_text(RULE)
        for part in ["email.subject.txt", "email.txt", "email.html"]:
            file = folder / "config/templates/t/en" / part
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x")
        people = [{"id": zone, "email": "a@example.org", "zone": zone} for zone in ZONES]
        (folder / "people.json").write_text(json.dumps(people))
        for value, kind in samples(count):
            found = waits(folder, value)
            for zone in ZONES:
                total += 1
                wanted = expected(value, kind, ZoneInfo(zone))
                if found.get(zone) == wanted or (zone, value) in JUSTIFIED:
                    agree += 1
                else:
                    print(f"waits: {value} in {zone}: found {found.get(zone)}, wanted {wanted}")
    print(f"waits: agree {agree} of {total}")
    return 0 if agree == total else 1


if __name__ == "__main__":
    sys.exit(main())
