"""py_webauthn behind the FIDO conformance server API: options stand beside status and
errorMessage, a cookie ties the two requests; accounts and sessions in memory. It listens
on loopback, says where, and ends with its standard input."""

import json
import os
import re
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, "packages")

import webauthn  # noqa: E402
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json  # noqa: E402
from webauthn.helpers.structs import (  # noqa: E402
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

RP_ID = "localhost"
users = {}  # by name: {id, name, keys}
sessions = {}  # by cookie: {user, joining, challenge}
turn = threading.Lock()  # held by each request


class Refusal(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def signed_in(session):
    if not session.get("user"):
        raise Refusal(401, "nobody is signed in")
    return session["user"]


def begun(session):
    challenge, user = session.pop("challenge", None), session.pop("joining", None)
    if not challenge:
        raise Refusal(400, "no ceremony was begun")
    return challenge, user


def descriptors(user):
    return [PublicKeyCredentialDescriptor(id=key["id"]) for key in user["keys"]]


def owner(credential_id):
    for user in users.values():
        for key in user["keys"]:
            if key["id"] == credential_id:
                return user, key
    return None, None


def attestation_options(session, body):
    name = body["username"]
    user = users.get(name)
    if user and session.get("user") is not user:
        raise Refusal(403, "this account is somebody else's")
    user = user or {"id": secrets.token_bytes(32), "name": name, "keys": []}
    options = webauthn.generate_registration_options(
        rp_id=RP_ID,
        rp_name="py_webauthn",
        user_id=user["id"],
        user_name=name,
        user_display_name=body["displayName"],
        attestation=AttestationConveyancePreference(body.get("attestation", "none")),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=descriptors(user),
    )
    session.update(challenge=options.challenge, joining=user)
    return json.loads(options_to_json(options))


def attestation_result(session, body):
    challenge, user = begun(session)
    made = webauthn.verify_registration_response(
        credential=body, expected_challenge=challenge, expected_rp_id=RP_ID, expected_origin=origin
    )
    if not user or users.get(user["name"], user) is not user or owner(made.credential_id)[0]:
        raise Refusal(409, "this account or credential is somebody else's")
    user["keys"].append(
        {
            "id": made.credential_id,
            "public_key": made.credential_public_key,
            "count": made.sign_count,
            "aaguid": made.aaguid,
            "fmt": made.fmt,
            "backed_up": made.credential_backed_up,
        }
    )
    users[user["name"]] = session["user"] = user
    return {}


def assertion_options(session, body):
    user = users.get(body.get("username"))
    if body.get("username") and not user:
        raise Refusal(404, "no such user")
    options = webauthn.generate_authentication_options(
        rp_id=RP_ID, allow_credentials=descriptors(user) if user else None
    )
    session.update(challenge=options.challenge, joining=user)
    return json.loads(options_to_json(options))


def assertion_result(session, body):
    challenge, joining = begun(session)
    user, key = owner(base64url_to_bytes(body["rawId"]))
    if not key or joining and joining is not user:
        raise Refusal(404, "no such credential")
    handle = base64url_to_bytes(body["response"].get("userHandle") or "")
    if (handle or not joining) and handle != user["id"]:
        raise Refusal(400, "this credential is another user's")
    verified = webauthn.verify_authentication_response(
        credential=body,
        expected_challenge=challenge,
        expected_rp_id=RP_ID,
        expected_origin=origin,
        credential_public_key=key["public_key"],
        credential_current_sign_count=key["count"],
    )
    key.update(count=verified.new_sign_count, backed_up=verified.credential_backed_up)
    session["user"] = user
    return {}


def account(session, body):
    user = signed_in(session)
    keys = [
        {
            "id": bytes_to_base64url(key["id"]),
            **{name: key[name] for name in ("count", "aaguid", "fmt", "backed_up")},
        }
        for key in user["keys"]
    ]
    return {"user": user["name"], "keys": keys}


def delete(session, body):
    user = signed_in(session)
    kept = [key for key in user["keys"] if bytes_to_base64url(key["id"]) != body["id"]]
    if len(kept) == len(user["keys"]):
        raise Refusal(404, "no such key")
    user["keys"] = kept
    return {}


def logout(session, body):
    session.pop("user", None)
    return {}


ROUTES = {
    "POST /attestation/options": attestation_options,
    "POST /attestation/result": attestation_result,
    "POST /assertion/options": assertion_options,
    "POST /assertion/result": assertion_result,
    "GET /account": account,
    "POST /account/delete": delete,
    "POST /logout": logout,
}


def causes(e):
    while e:
        yield f"{type(e).__name__} {e}" if type(e).__module__ == "builtins" else str(e) or type(e).__name__
        e = e.__cause__


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: TCP has a second one wait for 40 ms

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = re.search(r"session=([\w-]+)", self.headers.get("Cookie") or "")
        cookie = found and found[1] in sessions and found[1] or secrets.token_urlsafe()
        status, said = 200, {"status": "ok", "errorMessage": ""}
        try:
            route = ROUTES.get(f"{self.command} {self.path}")
            if not route:
                raise Refusal(404, "no such route")
            with turn:
                said.update(route(sessions.setdefault(cookie, {}), json.loads(body) if body else None))
        except Exception as e:  # the library's own errors have several bases
            status = getattr(e, "status", 400)
            said = {"status": "failed", "errorMessage": ": ".join(causes(e))}
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Set-Cookie", f"session={cookie}; Path=/; HttpOnly; SameSite=Lax")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
origin = f"http://localhost:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening on", origin, flush=True)
sys.stdin.read()
os._exit(0)
