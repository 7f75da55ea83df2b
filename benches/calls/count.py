"""Counts the calls for ten events, three notifications each: ours, and those of `naive`, in the proxy's journal.

What is counted is what our own programs ask: sends to providers, and what AWS itself asks on our behalf (mappings, rules,
streams), are in neither column.
"""

import json
import math
import time
import urllib.request
import uuid
from pathlib import Path

import botocore.session

import naive

EVENTS = 10
PROVIDERS = {"ses", "sns", "social-messaging", "execute-api", "-"}
HERE = Path(__file__).parent


class Cloud:
    def __init__(self):
        state = json.loads(Path(".local/cloud.json").read_text())
        self.direct = f"http://127.0.0.1:{state['port']}"
        self.proxy = f"http://127.0.0.1:{state['proxy']['port']}"
        self.keys = {
            "region_name": state["region"],
            "aws_access_key_id": state["access_key_id"],
            "aws_secret_access_key": state["secret_access_key"],
        }
        self.session = botocore.session.get_session()

    def client(self, service, through_proxy=False):
        endpoint = self.proxy if through_proxy else self.direct
        return self.session.create_client(service, endpoint_url=endpoint, **self.keys)

    def calls(self):
        with urllib.request.urlopen(f"{self.proxy}/_proxy") as answer:
            return json.load(answer)["calls"]

    def journal(self, after):
        with urllib.request.urlopen(f"{self.proxy}/_journal?after={after}") as answer:
            return json.load(answer)


def put(cloud, entries):
    bus = "carillon-local"
    entries = [{"EventBusName": bus, "Source": e["source"], "DetailType": e["type"], "Detail": json.dumps(e)} for e in entries]
    assert cloud.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0


def event(kind, source, data):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"specversion": "1.0", "id": str(uuid.uuid4()), "source": source, "type": kind, "time": now, "data": data}


def settle(cloud, least):
    """Until nothing was asked for some seconds."""
    began, last, since = time.time(), cloud.calls(), time.time()
    while time.time() - since < 6 or time.time() - began < least:
        assert time.time() - began < 120, "it does not come to rest"
        if cloud.calls() != last:
            last, since = cloud.calls(), time.time()
        time.sleep(0.5)


def ours(cloud):
    run = uuid.uuid4().hex[:8]
    people = [
        {
            "id": f"calls-{run}-{at}",
            "name": "Ann",
            "email": f"calls-{run}-{at}@example.com",
            "devices": [
                {"id": "phone", "platform": "fcm", "endpoint": f"arn:aws:sns:us-east-1:000000000000:endpoint/GCM/calls/{run}-{at}"}
            ],
        }
        for at in range(EVENTS)
    ]
    put(cloud, [event("carillon.recipient.created", "/calls", it) for it in people])
    settle(cloud, 8)
    for _ in range(2):  # The first time, every function starts.
        before = cloud.calls()
        data = [{"userId": it["id"], "reportId": "r-1", "patientName": "Ann", "title": "A record"} for it in people]
        put(cloud, [event("ehr.note.created", "/calls", it) for it in data])
        settle(cloud, 10)
    journal = [it for it in cloud.journal(before) if it["function"] and it["service"] not in PROVIDERS]
    sends = [it for it in cloud.journal(before) if it["function"] and it["service"] in PROVIDERS]
    return journal, len(sends), write_units(cloud, run)


def size(item):
    """As DynamoDB counts it: names and values, a number half its digits and one more."""
    values = {"S": lambda it: len(it.encode()), "N": lambda it: len(it) // 2 + 1}
    return sum(len(name) + values.get(kind, lambda it: 1)(value) for name, of in item.items() for kind, value in of.items())


def write_units(cloud, run):
    """What one write of a row of this run costs, by table: an update is charged for the whole row."""
    found = {}
    for table in ("ledger", "events", "inbox"):
        pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=f"carillon-local-{table}")
        rows = [it for page in pages for it in page["Items"] if run in json.dumps(it)]
        found[table] = sum(math.ceil(size(it) / 1024) for it in rows) / max(len(rows), 1)
    return found


def units(call, rows):
    """Write units, read units, requests of SQS, events of EventBridge."""
    service, action, parts = call["service"], call["action"], call["parts"]
    kb = next((rows[it] for it in call["things"] if it in rows), math.ceil(call["asked"] / parts / 1024))
    if service == "sqs":
        return 0, 0, math.ceil(call["asked"] / 65536), 0
    if service == "events":
        return 0, 0, 0, parts
    if action in ("GetItem", "BatchGetItem", "Query", "Scan"):
        return 0, parts, 0, 0
    twice = 2 if action == "TransactWriteItems" else 1
    return twice * parts * kb, 0, 0, 0


def row(name, journal, rows, prices):
    sums = [sum(column) / EVENTS for column in zip(*(units(it, rows) for it in journal), strict=True)]
    wru, rru, sqs, events = sums
    money = (
        wru * prices["dynamodb_write_unit"]
        + rru * prices["dynamodb_read_unit"]
        + sqs * prices["sqs_request"]
        + events * prices["eventbridge_event"]
    )
    asked = sum(it["asked"] for it in journal) / EVENTS
    print(f"{name:24}{len(journal) / EVENTS:8.1f}{wru:8.1f}{rru:8.1f}{sqs:8.1f}{events:8.1f}{asked:10.0f}{money:10.2f}")
    return len(journal) / EVENTS, wru, money


def main():
    prices = json.loads((HERE / "prices.json").read_text())
    cloud = Cloud()
    journal, sends, rows = ours(cloud)
    plain = naive.play(cloud, EVENTS)
    print(f"one event, three notifications; {EVENTS} events at once, {sends} sends to providers\n")
    print(f"{'':24}{'calls':>8}{'WRU':>8}{'RRU':>8}{'SQS':>8}{'events':>8}{'bytes':>10}{'$/M':>10}")
    own = row("Carillon", journal, rows, prices)
    other = row("the plain way", plain, {}, prices)
    print("\n" + "  ".join(f"{what} {b / a:.1f}x" for what, a, b in zip(("calls", "WRU", "money"), own, other, strict=True)))
    print("\nby function and action, for one event:")
    counts = {}
    for it in journal:
        key = (it["function"], it["action"], ",".join(it["things"]))
        calls, parts = counts.get(key, (0, 0))
        counts[key] = (calls + 1, parts + it["parts"])
    for (function, action, things), (calls, parts) in sorted(counts.items()):
        print(f"  {function:10}{action:24}{things:24}{calls / EVENTS:6.1f} calls{parts / EVENTS:6.1f} parts")
    print("\nwrites to indices are not in it: one more for each row of the ledger when it is begun, and for each event kept")


main()
