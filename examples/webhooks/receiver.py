"""A receiver of Carillon's webhooks for Python 3.9 or later.

    python3 examples/webhooks/receiver.py --port 3000 --key whsec_…      (or whpk_… of an ed25519 endpoint)

It verifies every request, answers the challenge of a new endpoint, handles each message once, and prints one JSON line
for each. Several --key may be given while a secret is rotated. An ed25519 endpoint needs `pip install cryptography`;
everything else is in the standard library.
"""

import argparse
import base64
import hashlib
import hmac
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_SECONDS = 300
MAX_BODY_BYTES = 256 * 1024


def verify(headers, body, key, now=None):
    """Verifies a request after Standard Webhooks: `v1` is HMAC-SHA256 with `whsec_…`, `v1a` is ed25519 with `whpk_…`.

    `body` is the bytes of the request as they came: parsed and written again, they are others.
    """
    try:
        late = abs((time.time() if now is None else now) - int(headers["webhook-timestamp"]))
        if late > TOLERANCE_SECONDS:
            return False
        signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
        kind, _, text = key.partition("_")
        secret = base64.b64decode(text)
        for signature in headers["webhook-signature"].split(" "):
            version, _, text = signature.partition(",")
            given = base64.b64decode(text)
            if version == "v1" and kind == "whsec":
                if hmac.compare_digest(given, hmac.new(secret, signed, hashlib.sha256).digest()):
                    return True
            elif version == "v1a" and kind == "whpk" and is_ed25519(secret, given, signed):
                return True
    except (KeyError, TypeError, ValueError):
        pass
    return False


def is_ed25519(public_key, signature, signed):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
        return True
    except InvalidSignature:
        return False


class Receiver(BaseHTTPRequestHandler):
    keys = []
    # In production: a table with a time to live of some days. A message may come twice, always under the same id.
    seen = set()

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("content-length") or 0), MAX_BODY_BYTES))
        if not any(verify(self.headers, body, key) for key in self.keys):
            say({"refused": "no signature fits"})
            return self.answer(401)
        message = json.loads(body)
        if message["type"] == "carillon.endpoint.verify":
            # The proof that you control this receiver: the challenge as the whole answer.
            return self.answer(200, message["data"]["challenge"].encode())
        name = self.headers["webhook-id"]
        is_new = name not in self.seen
        self.seen.add(name)
        say({"id": name, "type": message["type"], "new": is_new, "data": message["data"]})
        # Answer within 15 seconds; do what takes longer afterwards.
        self.answer(204)

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def say(line):
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--key", action="append", default=[])
    arguments = parser.parse_args()
    Receiver.keys = arguments.key
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Receiver)
    say({"listening": server.server_address[1]})
    server.serve_forever()
