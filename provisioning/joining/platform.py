"""The platform above as an HTTPS client sees it: the four messages of ENROL.md."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from appliance.errors import Forbidden, Invalid, WanmiError

SECONDS = 20.0
PROBE_SECONDS = 60.0
SAID_AT_MOST = 400


class PlatformAway(WanmiError):
    """The platform cannot be reached, or not trusted."""

    kind = "platform-away"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The answer of step 1."""

    certificate: str
    ca: str
    scopes: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Our certificate and key, as files."""

    certificate: Path
    key: Path


class Platform:
    """Calls a platform with a token; without one, or where it is used up, with our certificate.

    Args:
        url: https only. identity: ours, None before the first enrolment.
        token: of this enrolment. ca: who signs the platform's own certificate; None for the system's store.

    Raises:
        Invalid: no https URL, or a CA file that is none.
    """

    def __init__(self, url: str, *, token: str | None, identity: Identity | None, ca: Path | None) -> None:
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise Invalid(
                f"平台地址须以 https:// 开头,得到 {url};http 会泄露令牌。",
                f"The platform's address begins with https://, got {url}; http would give the token away.",
            )
        self._url, self._token, self._ca = url.rstrip("/"), token, ca
        self._shown: Identity | None = None
        self._client = self._client_with(None if token else identity)
        self.knows_us = bool(token or identity)

    def show(self, identity: Identity) -> None:
        """From now on, where the token does not count any more, this certificate is shown."""
        self._shown = identity

    def enrol(self, county: str, name: str, address: str, csr: str) -> Enrolled:
        """Step 1.

        Raises:
            Forbidden: the platform refuses (its own sentence). PlatformAway: it does not answer. Invalid: its answer is
            none.
        """
        if not self.knows_us:
            raise Invalid(
                "第一次加入需要平台发的令牌: --token。", "Joining for the first time needs the platform's --token."
            )
        body = {"contract": "1", "county": county, "name": name, "address": address, "csr": csr}
        return enrolled_of(self._ask("POST", "/enrol", body, (201, 200)))

    def register(self, county: str, address: str) -> None:
        """Step 2."""
        self._ask("PUT", f"/nodes/{county}", {"contract": "1", "address": address}, (200, 201, 204))

    def probe(self, county: str) -> tuple[bool, str]:
        """Step 3: whether the platform could pull from us, and its sentence or the seconds it took."""
        told = self._ask("POST", f"/nodes/{county}/probe", None, (200,), PROBE_SECONDS)
        if told.get("ok") is True:
            return True, f"{told.get('seconds', '?')} s"
        return False, str(told.get("why") or "?")[:SAID_AT_MOST]

    def leave(self, county: str) -> None:
        """Tell the platform; any answer will do."""
        self._client.request("DELETE", f"{self._url}/nodes/{county}", headers=self._headers(), timeout=SECONDS)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _client_with(self, identity: Identity | None) -> httpx.Client:
        context = _context(self._ca)
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return httpx.Client(verify=context, timeout=SECONDS, trust_env=False)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _send(self, method: str, path: str, body: dict[str, Any] | None, seconds: float) -> httpx.Response:
        return self._client.request(method, self._url + path, json=body, headers=self._headers(), timeout=seconds)

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, good: tuple[int, ...], seconds: float = SECONDS
    ) -> dict[str, Any]:
        try:
            answer = self._send(method, path, body, seconds)
            if answer.status_code in (401, 403) and self._token and self._shown is not None:
                self._client.close()  # the token was for one use
                self._token, self._client = None, self._client_with(self._shown)
                answer = self._send(method, path, body, seconds)
        except httpx.HTTPError as error:
            raise PlatformAway(
                f"{self._url} 没有应答 ({error or type(error).__name__});请检查网络、地址和 --ca。",
                f"{self._url} does not answer ({error or type(error).__name__}); check the network, the address and "
                "--ca.",
            ) from None
        if answer.status_code not in good:
            said = _said(answer)
            kind = Forbidden if answer.status_code in (401, 403) else Invalid
            raise kind(
                f"平台拒绝 {method} {path} (状态 {answer.status_code}): {said}",
                f"The platform refused {method} {path} with {answer.status_code}: {said}",
            )
        try:
            told = answer.json() if answer.content else {}
        except ValueError:
            told = {}
        return told if isinstance(told, dict) else {}


def enrolled_of(told: Any) -> Enrolled:
    """The answer of step 1, if it is one.

    Raises:
        Invalid: a member is missing.
    """
    if not isinstance(told, dict):
        raise Invalid(
            "平台的答复不是含 certificate、ca、scopes 的 JSON 对象;请向平台重新索取。",
            "The platform's answer is no JSON object with certificate, ca and scopes; ask the platform for it again.",
        )
    missing = [name for name in ("certificate", "ca", "scopes") if not told.get(name) and told.get(name) != {}]
    if missing:
        raise Invalid(f"平台的答复缺少 {'、'.join(missing)}。", f"The platform's answer lacks {', '.join(missing)}.")
    return Enrolled(str(told["certificate"]), str(told["ca"]), told["scopes"])


def _said(answer: httpx.Response) -> str:
    """The platform's own sentence, for the technician."""
    try:
        told = answer.json()
        return str(told.get("detail") or told)[:SAID_AT_MOST]
    except (ValueError, AttributeError):
        return answer.text[:SAID_AT_MOST] or answer.reason_phrase


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"--ca {ca} 不能使用: {error}。", f"--ca {ca} cannot be used: {error}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
