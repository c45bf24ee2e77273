"""Says in JSON what the helper makes of the vectors, and of a short conversation with the API that the environment names."""

import base64
import json
import os
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(here / "python"))
sys.dont_write_bytecode = True

from misy import MisyError, MisyServer, signature_headers  # noqa: E402

known = json.loads((here / "request-signature.json").read_text(encoding="utf-8"))
key = base64.urlsafe_b64decode(known["key"] + "=")
signatures = [
    signature_headers(
        key, one["method"], one["url"], one["body"].encode(), one["token"], one["timestamp"], one["nonce"]
    )["X-Misy-Signature"]
    for one in known["vectors"]
]

environment = os.environ
misy = MisyServer(
    environment["MISY_API"],
    environment["MISY_SECRET_ID"],
    environment["MISY_SECRET"],
    permissions=["chat:read", "chat:write"],
)
session = misy.call("POST", "/sessions", {"channel": "web", "locale": "es-CO"})
envelope = {
    "tenantId": environment["MISY_TENANT"],
    "siteId": "main",
    "sessionId": session["sessionId"],
    "channel": "web",
    "metadata": {},
}
misy.call("POST", "/messages", {**envelope, "clientMessageId": "first", "text": "¿Tienen hora mañana?"})
history = misy.call("GET", f"/sessions/{session['sessionId']}/messages?after=0&limit=1")
refusal = None
try:
    misy.call("GET", "/sessions/ses_01k9z3v5d2m8q4x7c1b6n0f9gh")
except MisyError as error:
    refusal = error.code
print(json.dumps({"signatures": signatures, "text": history["items"][0]["parts"][0]["text"], "refusal": refusal}))
