// A receiver of Carillon's webhooks for Node 20 or later, without packages.
//
//   node examples/webhooks/receiver.mjs --port 3000 --key whsec_…      (or whpk_… of an ed25519 endpoint)
//
// It verifies every request, answers the challenge of a new endpoint, handles each message once, and prints one JSON
// line for each. Several --key may be given while a secret is rotated.
import { createHmac, createPublicKey, timingSafeEqual, verify as verifySignature } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const TOLERANCE_SECONDS = 300;
const MAX_BODY_BYTES = 256 * 1024;

// Verifies a request after Standard Webhooks: `v1` is HMAC-SHA256 with `whsec_…`, `v1a` is ed25519 with `whpk_…`.
// `body` is the text of the request as it came: parsed and written again, it is another text.
export function verify(headers, body, key, now = Date.now() / 1000) {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  if (!(Math.abs(now - Number(timestamp)) <= TOLERANCE_SECONDS)) return false;
  const signed = Buffer.from(`${id}.${timestamp}.${body}`);
  const [kind, ...rest] = key.split('_');
  const bytes = Buffer.from(rest.join('_'), 'base64');
  return String(headers['webhook-signature']).split(' ').some((signature) => {
    const [version, text = ''] = signature.split(',');
    const given = Buffer.from(text, 'base64');
    if (version === 'v1' && kind === 'whsec') {
      const expected = createHmac('sha256', bytes).update(signed).digest();
      return given.length === expected.length && timingSafeEqual(given, expected);
    }
    if (version === 'v1a' && kind === 'whpk') {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') };
      return verifySignature(null, signed, createPublicKey({ key: jwk, format: 'jwk' }), given);
    }
    return false;
  });
}

const { values } = parseArgs({
  options: { port: { type: 'string', default: '3000' }, key: { type: 'string', multiple: true, default: [] } },
});
// In production: a table with a time to live of some days. A message may come twice, always under the same id.
const seen = new Set();

const server = createServer((request, response) => {
  const chunks = [];
  let length = 0;
  request.on('data', (chunk) => {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    if (!values.key.some((key) => verify(request.headers, body, key))) {
      console.log(JSON.stringify({ refused: 'no signature fits' }));
      return response.writeHead(401).end();
    }
    const message = JSON.parse(body);
    if (message.type === 'carillon.endpoint.verify') {
      // The proof that you control this receiver: the challenge as the whole answer.
      return response.writeHead(200, { 'content-type': 'text/plain' }).end(message.data.challenge);
    }
    const id = request.headers['webhook-id'];
    const isNew = !seen.has(id);
    seen.add(id);
    console.log(JSON.stringify({ id, type: message.type, new: isNew, data: message.data }));
    // Answer within 15 seconds; do what takes longer afterwards.
    response.writeHead(204).end();
  });
});
server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(JSON.stringify({ listening: server.address().port }));
});
