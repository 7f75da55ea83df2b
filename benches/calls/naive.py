"""The same work the plain way: one call for each thing that is to be known, written or sent.

An outbox with a status, idempotency as Powertools does it (a lock and a completion for each message), a delivery log beside
it, preferences one by one, one message for each notification, one event for each outcome. Nothing of it is batched.
"""

import json
import uuid

CHANNELS = ("push", "email", "socket")
TABLE = "plain"
TEXT = "x" * 400


def prepare(cloud):
    tables, queues = cloud.client("dynamodb"), cloud.client("sqs")
    if TABLE not in tables.list_tables()["TableNames"]:
        tables.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
    return queues.create_queue(QueueName=TABLE)["QueueUrl"]


def clean(cloud, queue):
    cloud.client("dynamodb").delete_table(TableName=TABLE)
    cloud.client("sqs").delete_queue(QueueUrl=queue)


def play(cloud, count):
    queue = prepare(cloud)
    tables, queues, bus = (cloud.client(it, through_proxy=True) for it in ("dynamodb", "sqs", "events"))
    before = cloud.calls()
    for _ in range(count):
        one(tables, queues, bus, queue)
    journal = [it for it in cloud.journal(before) if not it["function"]]
    clean(cloud, queue)
    return journal


def one(tables, queues, bus, queue):
    event = uuid.uuid4().hex

    def item(kind, key, **more):
        return {"pk": {"S": f"{kind}#{key}"}, **{name: {"S": value} for name, value in more.items()}}

    def write(kind, key, **more):
        tables.put_item(TableName=TABLE, Item=item(kind, key, **more))

    def update(kind, key, status):
        tables.update_item(
            TableName=TABLE,
            Key=item(kind, key),
            UpdateExpression="SET #s = :s",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": status}},
        )

    def publish(kind, about):
        detail = json.dumps({"id": about, "text": TEXT})
        bus.put_events(Entries=[{"EventBusName": "default", "Source": "plain", "DetailType": kind, "Detail": detail}])

    # The producer writes its change and the outbox row together. A poller publishes the row and marks it as
    # published.
    tables.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": TABLE, "Item": item("order", event, text=TEXT)}},
            {"Put": {"TableName": TABLE, "Item": item("outbox", event, text=TEXT, status="new")}},
        ]
    )
    publish("order", event)
    update("outbox", event, "published")
    # The dispatcher checks for a duplicate, finds the recipients and queues one message per channel.
    write("lock", event, status="INPROGRESS")
    for what in ("person", "preferences", "tenant"):
        tables.get_item(TableName=TABLE, Key=item(what, event), ConsistentRead=True)
    for _ in CHANNELS:
        queues.send_message(QueueUrl=queue, MessageBody=json.dumps({"event": event, "text": TEXT}))
    update("lock", event, "COMPLETED")
    # Each channel checks for a duplicate, logs the delivery and publishes a delivery event.
    for channel in CHANNELS:
        key = f"{event}#{channel}"
        write("lock", key, status="INPROGRESS")
        write("delivery", key, text=TEXT, status="sending")
        if channel == "socket":
            tables.get_item(TableName=TABLE, Key=item("connection", event))
        update("delivery", key, "sent")
        update("lock", key, "COMPLETED")
        publish("sent", key)
    write("audit", event, text=TEXT)
