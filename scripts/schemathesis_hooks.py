"""Signs the calls of a site's visitor, as the SDK does, so that generated requests reach past the pipeline."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
import urllib.parse
import urllib.request

import requests
import schemathesis

API = os.environ["MISY_E2E_API"]
ORIGIN = json.loads(os.environ["MISY_E2E_SITES"])["andina"].rstrip("/")
KEY = os.environ["MISY_E2E_KEY"]
SIGNED = ("/api/meta-agent/sessions", "/api/meta-agent/messages")


class Visitor(requests.auth.AuthBase):
    """Holds a token and signs prepared requests with its key."""

    def __init__(self):
        request = urllib.request.Request(
            f"{API}/api/meta-agent/tokens",
            data=b'{"siteId":"main"}',
            headers={"X-Api-Key": KEY, "Origin": ORIGIN, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
        self.token = answer["token"]
        self.key = base64.urlsafe_b64decode(answer["signingKey"] + "=")

    def __call__(self, request):
        url = urllib.parse.urlsplit(request.url)
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        timestamp, nonce = str(int(time.time())), secrets.token_urlsafe(16)
        digest = lambda data: hashlib.sha256(data).hexdigest()
        lines = ["v1", request.method.upper(), url.netloc, url.path, url.query, digest(body), timestamp, nonce, digest(self.token.encode())]
        signature = hmac.new(self.key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        request.headers.update(
            {
                "Authorization": f"Bearer {self.token}",
                "Origin": ORIGIN,
                "X-Misy-Timestamp": timestamp,
                "X-Misy-Nonce": nonce,
                "X-Misy-Signature": f"v1={signature}",
            }
        )
        return request


VISITOR = Visitor()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path.startswith(SIGNED):
        kwargs["auth"] = VISITOR
