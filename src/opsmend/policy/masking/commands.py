"""Passwords in command lines whose switches do not name them: `mysql -p…`, `redis-cli -a …`, `curl -u user:…`."""

import re
from typing import Final, NamedTuple

from opsmend.policy.needles import Needles, as_bytes
from opsmend.policy.secrets.values import is_made_up, mark, may_be_secret

_GAP: Final = r"[\s\"',=]{1,16}+"
"""Between two arguments, as a shell or a list has them."""
_ARGUMENT: Final = (
    r"(?:(?P<quote>\\*[\"'])(?P<quoted>(?!\[redacted:)[^\"'\n]{1,512}?)(?P=quote)"
    r"|(?P<bare>(?!\[redacted:)[^\s\"'|;&<>\\-][^\s\"'|;&<>\\]{0,511}+))"
)
"""What is masked is passed over: another switch of the same command may hold a secret too."""
_GLUED: Final = (
    r"(?:(?P<quote>\\*[\"'])(?P<quoted>[^\"'\n]{1,512}?)(?P=quote)|(?P<bare>[^\s\"'|;&<>\\][^\s\"'|;&<>\\]{0,511}+))"
)
"""The same right after its switch, where it may begin with a dash."""
_OTHER: Final = r"[^\s\"',]{1,256}+"
"""An argument that is no secret."""


class _Command(NamedTuple):
    needles: str
    """Parts of its names, one of which is in a text that calls it."""
    names: str
    secret: str
    """What follows on the same line, after any other arguments; a backslash joins lines."""
    clear: bool = True
    """False where a name may stand in its place: then what stands there must look made up."""


_COMMANDS: Final = (
    # In mysql, `-p` alone asks for the password, and what follows it is a database.
    _Command(
        "mysql maria mycli innobackupex xtrabackup pt-",
        r"mysql\w{0,20}+|maria(?:db)?[\w-]{0,20}+|mycli|innobackupex|xtrabackup|pt-[\w-]{1,30}+",
        rf"-p{_GLUED}",
    ),
    _Command("7z", "7z[ar]?", rf"-p{_GLUED}"),
    _Command("sshpass", "sshpass", rf"-p[\s\"',=]{{0,16}}+{_ARGUMENT}"),
    _Command("redis keydb valkey", "(?:redis|keydb|valkey)-(?:cli|benchmark)", rf"-a{_GAP}{_ARGUMENT}"),
    _Command(
        "login",
        "(?:docker|podman|nerdctl|helm|oc|az|skopeo|crane|buildah|oras|cf|ibmcloud|argocd)"
        "(?:[ \t][a-z]{2,12})?[\\s\"',]{1,8}+login",
        rf"-p{_GAP}{_ARGUMENT}",
    ),
    _Command(
        "mongo cqlsh rabbitmqadmin influx arangosh",
        "mongo(?:sh|dump|restore|export|import|stat|top)?|cqlsh|rabbitmqadmin|influx|arangosh",
        rf"-p{_GAP}{_ARGUMENT}",
    ),
    _Command(
        "sqlcmd bcp isql osql tsql ipmitool mosquitto zip",
        "sqlcmd|bcp|isql|osql|tsql|ipmitool|mosquitto_(?:pub|sub)|zip|unzip",
        rf"-P[\s\"',]{{0,16}}+{_ARGUMENT}",
    ),
    _Command("ldap kadmin", "ldap[a-z]{3,12}|kadmin", rf"-w{_GAP}{_ARGUMENT}"),
    _Command("snmp", "snmp[a-z]{3,12}", rf"-[cAX]{_GAP}{_ARGUMENT}"),
    _Command("pass:", "openssl|keytool|jarsigner", r"pass:(?P<bare>[^\s\"']{1,512}+)"),
    _Command("openssl", r"openssl\s+enc", rf"-k{_GAP}{_ARGUMENT}"),
    _Command("htpasswd", "htpasswd", rf"-\w{{0,4}}b\w{{0,4}}{_GAP}{_OTHER}{_GAP}{_OTHER}{_GAP}{_ARGUMENT}"),
    _Command("rabbitmqctl", "rabbitmqctl", rf"(?:add_user|change_password|authenticate_user){_GAP}{_OTHER}{_GAP}{_ARGUMENT}"),
    _Command("net", r"net\s+user", rf"[\w.$-]{{1,64}}+{_GAP}(?!/){_ARGUMENT}"),
    _Command("net", r"net\s+use", rf"/user:{_OTHER}{_GAP}(?!/){_ARGUMENT}"),
    _Command("net", r"net\s+use", rf"(?:[A-Za-z*]:?{_GAP})?\\\\{_OTHER}{_GAP}(?![/*]){_ARGUMENT}(?=\s+/user:)"),
    _Command(
        "alias config",
        r"mc\s+(?:alias\s+set|config\s+host\s+add)",
        rf"{_OTHER}{_GAP}\w{{2,8}}://{_OTHER}{_GAP}{_OTHER}{_GAP}{_ARGUMENT}",
    ),
    _Command("vault", r"vault\s+(?:login|unseal|operator\s+unseal)", rf"(?!-|\w{{1,40}}=){_ARGUMENT}"),
    _Command(
        "smb rpcclient",
        "smbclient|rpcclient|smbmap",
        r"-U[\s\"',]{0,16}+[^\s\"'%]{1,128}+[\"']?%(?P<bare>[^\s\"']{1,512}+)",
    ),
    _Command(
        "curl wget",
        "curl|wget",
        r"(?:-u|--user|-U|--proxy-user)[\s\"',=]{0,16}+[^\s\"':,]{0,128}+[\"']{0,2}:[\"']{0,2}(?P<bare>[^\s\"',]{1,512}+)",
    ),
    _Command(
        "curl wget", "curl|wget", r"(?:-u|--user)[\s\"',=]{0,16}+(?P<bare>[^\s\"':,]{8,128}+):(?=[\s\"']|\Z)", clear=False
    ),
    _Command("http xh", "https?|xh", r"(?:-a|--auth)[\s\"',=]{1,16}+[^\s\"':,]{1,128}+:(?P<bare>[^\s\"',]{1,512}+)"),
    _Command(
        "sqlplus expdp impdp rman sqlldr",
        "sqlplus|expdp|impdp|rman|sqlldr",
        r"[\w$#.-]{1,64}/(?P<bare>[^\s\"'@/]{1,128}+)@",
    ),
)
_PATTERNS: Final = tuple(
    re.compile(rf"(?<![\w.-])(?:{command.names})(?=[\s\"',])(?:[^\n|;\\]|\\\n?){{0,300}}?[\s\"',]{command.secret}")
    for command in _COMMANDS
)
_NEEDLES: Final = Needles(command.needles.split() for command in _COMMANDS)


def mask_commands(text: str) -> str:
    """`text` with such passwords masked."""
    for position in _NEEDLES.may_match(as_bytes(text)):
        text = _PATTERNS[position].sub(_masked if _COMMANDS[position].clear else _masked_if_made_up, text)
    return text


def _masked_if_made_up(found: re.Match[str]) -> str:
    return _masked(found) if is_made_up(found["bare"]) else found[0]


def _masked(found: re.Match[str]) -> str:
    """The whole match with its value replaced, or as it was when that is no secret."""
    group = "quoted" if "quoted" in found.re.groupindex and found["quoted"] is not None else "bare"
    if not may_be_secret(found[group]):
        return found[0]
    start, end = found.start(group) - found.start(), found.end(group) - found.start()
    return found[0][:start] + mark("password") + found[0][end:]
