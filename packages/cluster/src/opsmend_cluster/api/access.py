"""Who asks, and may they: static bearer tokens, tokens minted for service accounts, and a small RBAC."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.status import ApiError

AUDIENCE: Final = "https://kubernetes.default.svc.cluster.local"
"""What a token must be meant for to be taken here."""
TOKEN_PREFIX: Final = "embedded-token-"
"""By which a minted token is found where it must not be."""
MINIMUM_TOKEN_LIFE: Final = timedelta(minutes=10)
"""TokenRequest refuses less."""


class AccessRule(BaseModel):
    """Allows `verbs` on `resources` (`deployments.apps`, `pods`, `pods/log`, `deployments.apps/scale`) in `namespaces`.

    `*` stands for all. Cluster-wide requests need `*` among the namespaces.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verbs: frozenset[str] = frozenset({"*"})
    resources: frozenset[str] = frozenset({"*"})
    namespaces: frozenset[str] = frozenset({"*"})

    def allows(self, verb: str, resource: str, namespace: str) -> bool:
        return all(
            "*" in allowed or asked in allowed
            for asked, allowed in ((verb, self.verbs), (resource, self.resources), (namespace, self.namespaces))
        )


class User(BaseModel):
    """Somebody with a token. An empty token is reached by TokenRequest only. No rules: may do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    token: str = ""
    rules: tuple[AccessRule, ...] = ()


class SubjectAccess(BaseModel):
    """The question of a SelfSubjectAccessReview."""

    verb: str
    resource: str
    """Qualified, with its subresource: `deployments.apps/scale`."""
    namespace: str = ""


ADMIN_RULES: Final = (AccessRule(),)


class Access(BaseModel):
    """The users, and what a request without a token may do: by default everything, for this server listens on loopback only
    and kubectl sends no token over plain HTTP."""

    model_config = ConfigDict(extra="forbid")

    users: list[User] = Field(default_factory=list)
    anonymous: User = User(name="system:anonymous", rules=ADMIN_RULES)
    minted: dict[str, tuple[str, datetime]] = Field(default_factory=dict, exclude=True)
    """Token → user name and expiry."""

    def authenticate(self, authorization: str) -> User:
        """Raises:
        ApiError: 401, a token that nobody has or that has expired.
        """
        if not authorization:
            return self.anonymous
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            for user in self.users:
                if user.token and secrets.compare_digest(user.token, token):
                    return user
            if token in self.minted:
                name, expires = self.minted[token]
                if expires > datetime.now(UTC):
                    return self.named(name)
        raise ApiError(401, "Unauthorized", "Unauthorized")

    def revoke(self, namespace: str, account: str) -> None:
        """Tokens of an account end with it."""
        self.minted = {token: held for token, held in self.minted.items() if held[0] != _account(namespace, account)}

    def named(self, name: str) -> User:
        return next((user for user in self.users if user.name == name), User(name=name))

    def allows(self, user: User, asked: SubjectAccess) -> bool:
        return any(rule.allows(asked.verb, asked.resource, asked.namespace) for rule in user.rules)

    def authorize(self, user: User, asked: SubjectAccess, name: str = "") -> None:
        """Raises:
        ApiError: 403, in the words of the RBAC authorizer.
        """
        if self.allows(user, asked):
            return
        plural, _, subresource = asked.resource.partition("/")
        resource, _, group = plural.partition(".")
        if subresource:
            resource = f"{resource}/{subresource}"
        where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        subject = f'{plural} "{name}"' if name else plural
        why = f'User "{user.name}" cannot {asked.verb} resource "{resource}" in API group "{group}" {where}'
        details = {"name": name, "group": group, "kind": plural.partition(".")[0]}
        raise ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", details)

    def mint(self, namespace: str, account: str, seconds: int, audiences: list[str]) -> JsonObject:
        """The status of a TokenRequest: a token of the service account, valid for `seconds`, and here only if meant for us."""
        token = f"{TOKEN_PREFIX}{secrets.token_urlsafe(32)}"
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        if AUDIENCE in audiences:
            self.minted[token] = (_account(namespace, account), expires)
        return {"token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _account(namespace: str, account: str) -> str:
    return f"system:serviceaccount:{namespace}:{account}"
