"""dispatch's plain job, as one writes it with Powertools for Python: batch processor, parser, idempotency.

Each record is parsed and validated, fourteen regexes say which rules it matches, its recipients' preferences are looked
up, and a job for each of them is sent: one BatchGetItem and one SendMessageBatch for a batch of ten. With
POWERTOOLS_IDEMPOTENCY_DISABLED=true nothing is remembered.
"""

import hashlib
import json
import os
import re
from base64 import urlsafe_b64encode

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.parser import parse

from model import BusEvent
from rules import RULES

logger = Logger(service="dispatch")
dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")
processor = BatchProcessor(event_type=EventType.SQS)
config = IdempotencyConfig(event_key_jmespath="messageId")
memory = DynamoDBPersistenceLayer(table_name=os.environ["LEDGER_TABLE"])

PEOPLE_TABLE = os.environ["PEOPLE_TABLE"]
QUEUE_URL = os.environ["SOCKET_QUEUE_URL"]
COMPILED = [(re.compile(rule["pattern"]), rule) for rule in RULES]


@idempotent_function(data_keyword_argument="record", config=config, persistence_store=memory)
def decide(record: SQSRecord) -> dict:
    """What one record asks for: the event, and the rules it matches."""
    event = parse(event=record.body, model=BusEvent).detail
    matched = [rule["name"] for pattern, rule in COMPILED if pattern.search(event.type)]
    return {"event": event.model_dump(mode="json"), "rules": matched}


def lambda_handler(event: dict, context) -> dict:
    config.register_lambda_context(context)
    with processor(event["Records"], decide, context):
        processed = processor.process()
    decided = [(result, record) for status, result, record in processed if status == "success"]
    people = look_up({user for result, _ in decided for user in result["event"]["data"]["to"]})
    jobs = [
        (job(result["event"], rule, user), record)
        for result, record in decided
        for rule in result["rules"]
        for user in result["event"]["data"]["to"]
        if wants(people.get(user), category="work", channel="socket")
    ]
    answer = processor.response()
    answer["batchItemFailures"] += [{"itemIdentifier": it} for it in send(jobs)]
    logger.info("batch dispatched", messages=len(event["Records"]), jobs=len(jobs))
    return answer


def look_up(users: set) -> dict:
    """The people of these ids, up to 100 of them."""
    if not users:
        return {}
    keys = [{"pk": {"S": f"user#{user}"}, "sk": {"S": "profile"}} for user in sorted(users)]
    wanted = {PEOPLE_TABLE: {"Keys": keys, "ConsistentRead": True}}
    found = dynamodb.batch_get_item(RequestItems=wanted)["Responses"].get(PEOPLE_TABLE, [])
    return {person["id"]["S"]: person for person in found}


def wants(person: dict | None, category: str, channel: str) -> bool:
    """Whether somebody is known and has not said no to a category on a channel."""
    if person is None:
        return False
    said = json.loads(person.get("preferences", {}).get("S", "{}"))
    return said.get("categories", {}).get(category, {}).get("channel_types", {}).get(channel, True)


def job(event: dict, rule: str, user: str) -> dict:
    data = event["data"]
    parts = "\n".join((event["source"], event["id"], rule, user, "socket"))
    return {
        "version": 1,
        "key": urlsafe_b64encode(hashlib.sha256(parts.encode()).digest()).decode().rstrip("="),
        "event": {name: event[name] for name in ("id", "source", "type", "time", "subject", "tenant")},
        "rule": rule,
        "recipient": user,
        "priority": "normal",
        "content": {
            "socket": {
                "to": {"user": user},
                "title": "{title}".format_map(data),
                "body": "{title}: {message}".format_map(data),
                "data": {"message": data["message"]},
            }
        },
    }


def send(jobs: list) -> list:
    """Sends jobs, ten to a call, and returns the ids of the messages that something is missing of."""
    missing = []
    for start in range(0, len(jobs), 10):
        some = jobs[start : start + 10]
        entries = [
            {
                "Id": str(at),
                "MessageBody": json.dumps(body, separators=(",", ":")),
                "MessageGroupId": body["event"]["tenant"] or "-",
            }
            for at, (body, _) in enumerate(some)
        ]
        failed = sqs.send_message_batch(QueueUrl=QUEUE_URL, Entries=entries).get("Failed", [])
        missing += [some[int(it["Id"])][1].message_id for it in failed]
    return missing
