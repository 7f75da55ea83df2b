"""Publishes order events on Carillon's bus, with boto3 and PutEvents.

    echo '{"orderId":"o-1","userId":"ann","status":"shipped"}' | CARILLON_BUS=carillon-dev python3 producer.py

Reads one order a line from stdin. Prints one JSON line for each event. Exits with 1 if an event was not published.
"""

import datetime
import json
import os
import random
import sys
import time

import boto3

SOURCE = "shop"
ENTRIES_PER_CALL = 10  # the limit of PutEvents
ATTEMPTS = 5
# EventBridge can accept an entry later that it refused with one of these codes. All other codes are final.
RETRYABLE = {"ThrottlingException", "InternalFailure", "InternalException"}


def event_of(order, now):
    """The CloudEvent of an order.

    The id names the fact, not the attempt. A repeated event with the same source and id notifies no recipient twice.
    """
    event = {
        "specversion": "1.0",
        "id": f"{order['orderId']}-{order['status']}",
        "source": SOURCE,
        "type": "order.status.changed",
        "time": now.isoformat(),
        "subject": f"order/{order['orderId']}",
        "data": {"orderId": order["orderId"], "status": order["status"], "userId": order["userId"]},
    }
    if os.environ.get("CARILLON_TENANT"):
        event["tenant"] = os.environ["CARILLON_TENANT"]
    return event


def entry_of(event, bus):
    """The entry of PutEvents. `Source` and `DetailType` must be the event's own `source` and `type`."""
    return {"EventBusName": bus, "Source": event["source"], "DetailType": event["type"], "Detail": json.dumps(event)}


def publish(client, bus, events):
    """Publishes events, and yields each event with EventBridge's answer for its entry."""
    waiting = list(events)
    for attempt in range(1, ATTEMPTS + 1):
        refused = []
        for start in range(0, len(waiting), ENTRIES_PER_CALL):
            batch = waiting[start : start + ENTRIES_PER_CALL]
            answer = client.put_events(Entries=[entry_of(event, bus) for event in batch])
            # A call that succeeds can refuse some of its entries. The answers have the order of the entries.
            for event, result in zip(batch, answer["Entries"]):
                if result.get("ErrorCode") in RETRYABLE and attempt < ATTEMPTS:
                    refused.append(event)
                else:
                    yield event, result
        waiting = refused
        if not waiting:
            return
        time.sleep(random.uniform(0, 0.1 * 2**attempt))


def main():
    orders = [json.loads(line) for line in sys.stdin if line.strip()]
    now = datetime.datetime.now(datetime.timezone.utc)
    failed = False
    for event, result in publish(
        boto3.client("events"), os.environ["CARILLON_BUS"], [event_of(order, now) for order in orders]
    ):
        failed = failed or "EventId" not in result
        print(json.dumps({"id": event["id"], "busId": result.get("EventId"), "error": result.get("ErrorCode")}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
