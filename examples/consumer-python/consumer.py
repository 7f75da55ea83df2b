"""Counts the outcomes of communications (`communication.sent`), each event once. A Lambda function for Python.

The event source is an SQS queue with ReportBatchItemFailures. An EventBridge rule on Carillon's bus feeds the queue.
SQS and EventBridge can deliver an event twice. The effect and a row with the event's source and id are written in one
transaction, so a repeated event has no effect.
"""

import json
import os
import time

import boto3

REMEMBERED_SECONDS = 30 * 24 * 3600  # longer than SQS keeps a message

dynamodb = boto3.client("dynamodb")


def handler(event, _context):
    """Handles a batch. SQS delivers the messages again that the answer names."""
    failures = []
    for record in event["Records"]:
        try:
            # `detail` is the CloudEvent. docs/reference/events.md lists the members of its data.
            communication = json.loads(record["body"])["detail"]
            new = count(communication)
            print(json.dumps({"event": communication["id"], "about": communication["data"]["eventId"], "new": new}))
        except Exception as error:  # one bad message must not stop the others
            print(json.dumps({"message": record["messageId"], "error": type(error).__name__}))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def count(event):
    """Counts a communication. Returns False for an event that was counted before."""
    remember = {
        "TableName": os.environ["TABLE"],
        "Item": {
            "id": {"S": f"event#{event['source']}#{event['id']}"},
            "expires_at": {"N": str(int(time.time()) + REMEMBERED_SECONDS)},
        },
        "ConditionExpression": "attribute_not_exists(id)",
    }
    effect = {
        "TableName": os.environ["TABLE"],
        "Key": {"id": {"S": f"total#{event['data']['eventType']}"}},
        "UpdateExpression": "ADD #outcome :one",
        "ExpressionAttributeNames": {"#outcome": "succeeded" if event["data"]["success"] else "failed"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    try:
        dynamodb.transact_write_items(TransactItems=[{"Put": remember}, {"Update": effect}])
        return True
    except dynamodb.exceptions.TransactionCanceledException as error:
        if error.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise
        return False
