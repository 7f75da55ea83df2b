"""Asks the local cloud by a client that openapi-python-client made of the document.

Environment: STATUS is what `carillon-dev --json status` prints, TOKEN a token of an admin of TENANT. Each call names
what it wants; the last line counts.
"""

import json
import os
import sys
import time
import uuid

from carillon_client import AuthenticatedClient, models
from carillon_client.api.deliveries import list_received
from carillon_client.api.endpoints import (
    delete_endpoint, disable_endpoint, enable_endpoint, get_endpoint, list_attempts, list_endpoints, ping_endpoint,
    put_endpoint, recover_messages, rotate_secret,
)
from carillon_client.api.events import publish
from carillon_client.api.inbox import count_inbox, list_inbox, mark_inbox
from carillon_client.api.recipients import (
    delete_recipient, get_preferences, get_recipient, list_devices, list_recipients, look_up_recipients, patch_recipient,
    put_preferences,
    put_recipient,
)
from carillon_client.api.sockets import issue_ticket
from carillon_client.api.tenants import get_tenant, put_tenant

status, tenant = json.loads(os.environ["STATUS"]), os.environ["TENANT"]
client = AuthenticatedClient(base_url=status["tokenUrl"], token=os.environ["TOKEN"], timeout=30)
person, done, wrong = f"ann-{uuid.uuid4().hex[:8]}", 0, []


def call(name, module, expected, wanted=lambda parsed: True, **arguments):
    """One call, with a typed answer that `wanted` holds for."""
    global done
    answer = module.sync_detailed(client=client, **arguments)
    done += 1
    if int(answer.status_code) != expected or not wanted(answer.parsed):
        wrong.append(f"{name}: {int(answer.status_code)} {answer.content[:300]!r}")
    return answer.parsed


quiet = models.QuietRanges(quiet=models.QuietRange(start="22:00", end="07:00", days=[models.Day.FRI]))
preferences = models.Preferences(channel_types=models.ChannelTypes(email=True, sms=False))
ann = models.Recipient(
    name="Ann", email=f"{person}@example.com", locale="en", zone="Europe/London", topics=[], tenants=[tenant],
    preferences=preferences, quiet=quiet,
)
call("putRecipient", put_recipient, 200, lambda it: it.name == "Ann", id=person, body=ann)
call("getRecipient", get_recipient, 200, lambda it: it.quiet.quiet.start == "22:00", id=person)
call("lookUpRecipients", look_up_recipients, 200, lambda it: [one.id for one in it.recipients] == [person],
     body=models.EmailLookup(email=f"{person.upper()}@example.com"))
call("patchRecipient", patch_recipient, 200, lambda it: it.locale == "de", id=person,
     body=models.RecipientPatch(locale="de", phone=None))
call("putPreferences", put_preferences, 200, id=person,
     body=models.Settings(zone="Europe/Berlin", preferences=preferences, quiet=[models.QuietRow(day=models.Day.SUN, type_=models.QuietRowType.DO_NOT_SEND)]))
call("getPreferences", get_preferences, 200, lambda it: it.quiet[0].day == models.Day.SUN, id=person)
call("listDevices", list_devices, 200, lambda it: it.devices == [], id=person)
call("listRecipients", list_recipients, 200, lambda it: it.recipients == [], topic="project:42")
call("getRecipient of nobody", get_recipient, 404, lambda it: it.title is not None, id="nobody")
call("putTenant", put_tenant, 200, tenant=tenant, body=models.Settings(zone="Europe/Berlin"))
call("getTenant", get_tenant, 200, lambda it: it.zone == "Europe/Berlin", tenant=tenant)
call("issueTicket", issue_ticket, 201, lambda it: it.ticket, body=models.IssueTicketBody(user=person))
call("listInbox", list_inbox, 200, lambda it: it.counts.unseen == 0, id=person)
call("countInbox", count_inbox, 200, lambda it: it.unread == 0, id=person)
call("markInbox", mark_inbox, 403, id=person, body=models.MarkAll(as_=models.Mark.SEEN, all_=True))
call("listReceived", list_received, 200, lambda it: it.deliveries == [], id=person)
event = models.Event(type_="openapi.tried", data={"n": 1})
call("publish", publish, 202, lambda it: it.type_ == "openapi.tried", body=event, idempotency_key=uuid.uuid4().hex)
hook = models.PutEndpointBody(
    url=f"{status['capture']}/hooks/{tenant}",
    headers=models.CustomHeadersType0.from_dict({"Authorization": "Bearer k"}),
)
call("putEndpoint", put_endpoint, 201, lambda it: it.verification_key.startswith("whsec_"), id="erp", body=hook)
call("getEndpoint", get_endpoint, 200, lambda it: it.header_names == ["authorization"], id="erp")
call("listEndpoints", list_endpoints, 200, lambda it: [one.id for one in it.endpoints] == ["erp"])
call("rotateSecret", rotate_secret, 200, lambda it: it.signing == 2, id="erp", body=models.RotateSecretBody())
message = call("pingEndpoint", ping_endpoint, 202, lambda it: it.message, id="erp").message
for _ in range(60):
    attempts = call("listAttempts", list_attempts, 200, id="erp").attempts
    if any(it.message == message and it.status == 200 for it in attempts):
        break
    time.sleep(1)
else:
    wrong.append("the ping was not answered")
call("disableEndpoint", disable_endpoint, 200, lambda it: it.disabled.why.value == "operator", id="erp")
since = models.RecoverMessagesBody.from_dict({"since": "2999-01-01T00:00:00Z", "dry_run": True})
call("recoverMessages", recover_messages, 200, lambda it: (it.messages, it.events) == (0, 0), id="erp", body=since)
call("enableEndpoint", enable_endpoint, 200, id="erp")
call("deleteEndpoint", delete_endpoint, 204, id="erp")
call("deleteRecipient", delete_recipient, 204, id=person)

print(f"generated client: agree {done - len(wrong)} of {done}")
for line in wrong:
    print(f"  {line}")
sys.exit(1 if wrong else 0)
