"""Verifies a webhook with the reference implementation of Standard Webhooks, as its receiver would.

Reads {"secret", "headers", "body"} and prints "verified", or why not.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

asked = json.load(sys.stdin)
try:
    Webhook(asked["secret"]).verify(asked["body"], asked["headers"])
    print("verified")
except WebhookVerificationError as error:
    print(error)
