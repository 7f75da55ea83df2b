"""Changes an order and writes its event in one DynamoDB transaction, with boto3.

    export CARILLON_EVENTS=carillon-dev-events ORDERS=shop-orders
    python3 producer.py o-1 ann shipped

Carillon's relay publishes the event. A repeated run changes no row and publishes no event.
"""

import datetime
import json
import os
import sys
import zlib

import boto3

SOURCE = "shop"


def escaped(part):
    """A part of a key: `#` separates parts, so it is written as %23."""
    return part.replace("%", "%25").replace("#", "%23")


def outbox_item(event, now):
    """The item of the events table that the relay publishes. docs/produce/outbox.md describes the attributes."""
    stream = "#".join(["stream", escaped(event.get("tenant") or "-"), escaped(event["subject"])])
    return {
        "pk": {"S": stream},
        "sk": {"S": "#".join(["outbox", escaped(event["source"]), escaped(event["id"])])},
        "pending": {"S": str(zlib.crc32(stream.encode()) % 8)},  # the same for all events of a stream
        "appended_at": {"S": now},
        "event": {"S": json.dumps(event)},
    }


def transaction(order, user, status, now):
    """The order's row and its event: both are written, or neither."""
    event = {
        "specversion": "1.0",
        "id": f"{order}-{status}",  # names the fact, not the attempt
        "source": SOURCE,
        "type": "order.status.changed",
        "time": now,
        "subject": f"order/{order}",
        "data": {"orderId": order, "status": status, "userId": user},
    }
    if os.environ.get("CARILLON_TENANT"):
        event["tenant"] = os.environ["CARILLON_TENANT"]
    change = {
        "TableName": os.environ["ORDERS"],
        "Key": {"id": {"S": order}},
        "UpdateExpression": "SET #status = :status",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":status": {"S": status}},
    }
    entry = {
        "TableName": os.environ["CARILLON_EVENTS"],
        "Item": outbox_item(event, now),
        "ConditionExpression": "attribute_not_exists(pk)",  # one id is one event
    }
    return [{"Update": change}, {"Put": entry}]


def main():
    order, user, status = sys.argv[1:]
    client = boto3.client("dynamodb")
    now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    try:
        # boto3 sets a ClientRequestToken and repeats a call without an answer. DynamoDB executes it once.
        client.transact_write_items(TransactItems=transaction(order, user, status, now))
        written = True
    except client.exceptions.TransactionCanceledException as error:
        # The reasons have the order of the items. The second is the condition of the outbox entry.
        if error.response["CancellationReasons"][1]["Code"] != "ConditionalCheckFailed":
            raise
        written = False
    print(json.dumps({"order": order, "status": status, "written": written}))


if __name__ == "__main__":
    main()
