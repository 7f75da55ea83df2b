// Publishes order events on Carillon's bus, with the AWS SDK for JavaScript and PutEvents.
//
//   echo '{"orderId":"o-1","userId":"ann","status":"shipped"}' | CARILLON_BUS=carillon-dev node producer.mjs
//
// Reads one order a line from stdin. Prints one JSON line for each event. Exits with 1 if an event was not published.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';

const SOURCE = 'shop';
const ENTRIES_PER_CALL = 10; // the limit of PutEvents
const ATTEMPTS = 5;
// EventBridge can accept an entry later that it refused with one of these codes. All other codes are final.
const RETRYABLE = new Set(['ThrottlingException', 'InternalFailure', 'InternalException']);

// The CloudEvent of an order. The id names the fact, not the attempt: a repeated event with the same source and id
// notifies no recipient twice. JSON.stringify leaves out a tenant that is undefined.
function eventOf(order, now) {
  return {
    specversion: '1.0',
    id: `${order.orderId}-${order.status}`,
    source: SOURCE,
    type: 'order.status.changed',
    time: now.toISOString(),
    subject: `order/${order.orderId}`,
    tenant: process.env.CARILLON_TENANT || undefined,
    data: { orderId: order.orderId, status: order.status, userId: order.userId },
  };
}

// `Source` and `DetailType` must be the event's own `source` and `type`.
function entryOf(event) {
  const { source: Source, type: DetailType } = event;
  return { EventBusName: process.env.CARILLON_BUS, Source, DetailType, Detail: JSON.stringify(event) };
}

// Publishes events, and yields each event with EventBridge's answer for its entry.
async function* publish(client, events) {
  let waiting = events;
  for (let attempt = 1; waiting.length > 0; attempt += 1) {
    const refused = [];
    for (let start = 0; start < waiting.length; start += ENTRIES_PER_CALL) {
      const batch = waiting.slice(start, start + ENTRIES_PER_CALL);
      const answer = await client.send(new PutEventsCommand({ Entries: batch.map(entryOf) }));
      // A call that succeeds can refuse some of its entries. The answers have the order of the entries.
      for (const [index, result] of answer.Entries.entries()) {
        if (RETRYABLE.has(result.ErrorCode) && attempt < ATTEMPTS) refused.push(batch[index]);
        else yield [batch[index], result];
      }
    }
    waiting = refused;
    if (waiting.length > 0) await sleep(Math.random() * 100 * 2 ** attempt);
  }
}

const now = new Date();
const lines = readFileSync(0, 'utf8').split('\n').filter((line) => line.trim());
const events = lines.map((line) => eventOf(JSON.parse(line), now));
for await (const [event, result] of publish(new EventBridgeClient(), events)) {
  if (!result.EventId) process.exitCode = 1;
  console.log(JSON.stringify({ id: event.id, busId: result.EventId ?? null, error: result.ErrorCode ?? null }));
}
