"""Misy for servers of a site, in Python 3.9 or newer: the standard library is enough."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any, Optional
from urllib.parse import urlsplit

BASE = "/api/meta-agent"
RENEW_BEFORE = 60
"""A token is renewed when so little of its life is left, in seconds."""


class MisyError(Exception):
    """An answer that is no success. ``code`` is stable and meant for programs."""

    def __init__(self, status: int, problem: dict[str, Any]):
        self.status = status
        self.code: str = problem.get("code") or f"http_{status}"
        self.request_id: Optional[str] = problem.get("requestId")
        self.server_time: Optional[str] = problem.get("serverTime")
        self.errors: list[dict[str, Any]] = problem.get("errors") or []
        super().__init__(f"{status} {self.code}: {problem.get('detail') or problem.get('title') or 'no detail'}")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _seconds(moment: str) -> int:
    # Before 3.11, `fromisoformat` takes neither a Z nor fractions of every length.
    return int(datetime.fromisoformat(moment.split(".")[0].rstrip("Z") + "+00:00").timestamp())


def signature_headers(
    key: bytes,
    method: str,
    url: str,
    body: bytes = b"",
    token: str = "",
    timestamp: Optional[int] = None,
    nonce: Optional[str] = None,
) -> dict[str, str]:
    """The headers that prove who sends a request.

    ``timestamp`` is in Unix seconds; ``nonce`` has 10 to 64 characters of base64url and is never used twice.
    """
    address = urlsplit(url)
    moment = str(int(time.time()) if timestamp is None else timestamp)
    once = nonce or _base64url(os.urandom(16))
    lines = [
        "v1",
        method,
        address.netloc.lower(),
        address.path,
        address.query,
        hashlib.sha256(body).hexdigest(),
        moment,
        once,
        hashlib.sha256(token.encode()).hexdigest() if token else "",
    ]
    signature = hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    return {"X-Misy-Timestamp": moment, "X-Misy-Nonce": once, "X-Misy-Signature": f"v1={signature}"}


class MisyServer:
    """A server that calls Misy with the tenant secret. Keep one for the life of the process: it keeps its token."""

    def __init__(
        self,
        api_origin: str,
        secret_id: str,
        secret: str,
        site_id: str = "main",
        permissions: Optional[list[str]] = None,
        timeout: float = 20,
    ):
        """``secret_id`` and ``secret``: as shown when the tenant secret was made. ``timeout`` is in seconds."""
        self._key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        if len(self._key) != 32:
            raise ValueError("a tenant secret is 32 bytes in base64url")
        self.api_origin = api_origin.rstrip("/")
        self.secret_id = secret_id
        self.site_id = site_id
        self.permissions = permissions
        self.timeout = timeout
        self._token: Optional[dict[str, Any]] = None
        self._clock_offset = 0

    def mint_token(self, **wishes: Any) -> dict[str, Any]:
        """Makes a token: ``permissions``, ``ttlSeconds``, ``sig``, ``origin``.

        With ``origin`` it is for a page of the site, which then signs with the ``signingKey`` of the answer.
        """
        return self._send("POST", "/tokens", {"siteId": self.site_id, **wishes}, "", {"X-Misy-Key": self.secret_id})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the API below ``/api/meta-agent`` and gives the JSON of its answer. Raises `MisyError`."""
        return self._send(method, path, body, self._own_token(), {})

    def _own_token(self) -> str:
        if self._token is None or _seconds(self._token["expiresAt"]) - self._now() < RENEW_BEFORE:
            wishes: dict[str, Any] = {} if self.permissions is None else {"permissions": self.permissions}
            self._token = self.mint_token(sig="tenant", **wishes)
        return self._token["token"]

    def _now(self) -> int:
        return int(time.time()) + self._clock_offset

    def _send(self, method: str, path: str, body: Any, token: str, headers: dict[str, str], again: bool = True) -> Any:
        url = f"{self.api_origin}{BASE}{path}"
        data = None if body is None else json.dumps(body).encode()
        sent = {**headers, **signature_headers(self._key, method, url, data or b"", token, self._now())}
        if data is not None:
            sent["Content-Type"] = "application/json"
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(url, data=data, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as refusal:
            try:
                problem = json.loads(refusal.read())
            except ValueError:
                problem = {}
            error = MisyError(refusal.code, problem if isinstance(problem, dict) else {})
        # Our clock is wrong: the server has told its own.
        if again and error.code == "timestamp_out_of_window" and error.server_time:
            self._clock_offset = _seconds(error.server_time) - int(time.time())
            return self._send(method, path, body, token, headers, again=False)
        raise error
