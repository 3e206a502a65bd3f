"""Secrets are masked whatever the syntax around them; what people on call need stays readable."""

import base64
import json
import random
import time
from collections.abc import Iterator

import pytest

from opsmend.policy.redaction import redact, redact_json

pytestmark = pytest.mark.safety

PASSWORD = "hunter2-Tr0ub4dor"
GITHUB_TOKEN = "ghp_" + "a1B2" * 9
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
KEY_MATERIAL = "MIIEpAIBAAKCAQEA7bq1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHI"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_MATERIAL}\n{KEY_MATERIAL}\nab0d==\n-----END RSA PRIVATE KEY-----"

SECRETS = {
    "logfmt": (f"level=error password={PASSWORD} user=bob", PASSWORD),
    "json": (json.dumps({"db": {"password": PASSWORD}}), PASSWORD),
    "json with an escaped quote": ('{"password": "hun\\"ter2", "x": 1}', "ter2"),
    "json inside a json string": (json.dumps(json.dumps({"apiKey": PASSWORD})), PASSWORD),
    "json cut in the middle": (f'{{"client_secret": "{PASSWORD}', PASSWORD),
    "camel case": (f"dbPassword: {PASSWORD}", PASSWORD),
    "yaml value with spaces": ("spring.datasource.password: correct horse battery", "battery"),
    "yaml diff": (f"-  token: {PASSWORD}\n+  token: new{PASSWORD}", PASSWORD),
    "yaml block scalar": ("password: |\n  line-one\n  line-two\nnext: kept", "line-two"),
    "environment file": ("export DB_PASSWORD=abc,def;ghi", "ghi"),
    "environment of a pod": (f"- name: DB_PASSWORD\n  value: {PASSWORD}", PASSWORD),
    "environment of a pod in a diff": (f" - name: DB_PASSWORD\n-  value: old\n+  value: {PASSWORD}", PASSWORD),
    "environment of a pod in json": (f'{{"name":"API_TOKEN","value":"{PASSWORD}"}}', PASSWORD),
    "flag": (f"run --db-password {PASSWORD} --verbose", PASSWORD),
    "flag with a quoted value": ('run --token "two words" -v', "two words"),
    "flag in a json list": (f'["--token", "{PASSWORD}"]', PASSWORD),
    "flag in a yaml list": (f"- --password\n- {PASSWORD}", PASSWORD),
    "sql": (f"CREATE USER x IDENTIFIED BY '{PASSWORD}'", PASSWORD),
    "xml": (f"<password>{PASSWORD}</password>", PASSWORD),
    "url": (f"postgres://app:{PASSWORD}@db.shop:5432/x", PASSWORD),
    "url whose password holds an at sign": ("amqp://app:p@ss-9@mq/x", "ss-9"),
    "url without a user": (f"redis://:{PASSWORD}@redis:6379/0", PASSWORD),
    "go mysql dsn": (f"using app:{PASSWORD}@tcp(db:3306)/x", PASSWORD),
    "odbc": (f"Server=db;Uid=app;Pwd={PASSWORD};", PASSWORD),
    "query parameter": (f"GET /x?access_token={PASSWORD}&page=2", PASSWORD),
    "authorization header": ("Authorization: Bearer abc.def-ghi", "abc.def"),
    "authorization header in curl": ("curl -H 'Authorization: Basic dXNlcjpwYXNz' http://x", "dXNlcjpwYXNz"),
    "curl user": (f"curl -s -u admin:{PASSWORD} http://x", PASSWORD),
    "cookie": ("Set-Cookie: sid=abc123; Path=/", "abc123"),
    "bearer in prose": (f"sent bearer {'Ab1' * 9}", "Ab1Ab1"),
    "github token": (f"cloning with {GITHUB_TOKEN} now", GITHUB_TOKEN),
    "gitlab token": ("glpat-" + "abcdefghij0123456789", "abcdefghij"),
    "aws access key": ("found AKIAIOSFODNN7EXAMPLE in env", "AKIAIOSFODNN7EXAMPLE"),
    "aws secret key": ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    "slack token": ("xoxb-" + "123456789012-123456789012-abcdefghijklmnop", "abcdefghijklmnop"),
    "slack webhook": ("https://hooks.slack.com/services/T000/B000/XXXXYYYY", "XXXXYYYY"),
    "stripe key": ("sk_live_" + "a1" * 12, "a1a1a1"),
    "llm key": ("using sk-ant-api03-abcDEF0123456789xyz", "abcDEF0123"),
    "jwt": (f"token was {JWT}.", "SflKxw"),
    "jwt cut before its signature": (JWT[:50], "eyJzdWIi"),
    "private key": (PEM, KEY_MATERIAL),
    "private key in a json string": (json.dumps({"k": PEM}), KEY_MATERIAL),
    "private key in a diff": ("\n".join("+    " + line for line in PEM.split("\n")), KEY_MATERIAL),
    "private key without its beginning": ("\n".join(PEM.split("\n")[1:]), KEY_MATERIAL),
    "private key without its end": ("\n".join(PEM.split("\n")[:-1]), KEY_MATERIAL),
    "private key in base64": (f"tls.key: {base64.b64encode(PEM.encode()).decode()}", "UklWQVRF"),
    "kubeconfig": (f"    client-key-data: {base64.b64encode(b'0123456789' * 3).decode()}", "MDEyMzQ1"),
    "data of a secret": ("kind: Secret\ndata:\n  anything: aHVudGVyMg==\n", "aHVudGVyMg"),
    "data of a secret before its kind": ("apiVersion: v1\ndata:\n  anything: aHVudGVyMg==\nkind: Secret", "aHVudGVyMg"),
    "data of a secret in json": ('{"data":{"anything":"aHVudGVyMg=="},"kind":"Secret"}', "aHVudGVyMg"),
    "random string that is assigned": ("licence = q8Zt2LmX0vBn5RyKc7WdPf4HsJg9TeAu", "q8Zt2LmX"),
    "path in an object": ("changed containers/web/env/DB_PASS/value: gardenhose", "gardenhose"),
    "several words, as people write them": ("Secret access key: gardenhose9", "gardenhose9"),
    "markdown": ("**Password:** gardenhose", "gardenhose"),
    "colours of a terminal": ("\x1b[32mdb_pass\x1b[0m=gardenhose host=db", "gardenhose"),
    "struct of go": ("{Host:db User:app Pass:gardenhose1 Port:5432}", "gardenhose1"),
    "option of rust": ('password: Some("gardenhose")', "gardenhose"),
    "odbc in braces": ("Driver={PostgreSQL};PWD={garden;hose};Server=db", "hose"),
    "typed assignment": ('api_key: str = "gardenhose"', "gardenhose"),
    "percent-encoded": ("%22password%22%3A%22gardenhose%22", "gardenhose"),
    "address in an address": ("next=mysql%3A%2F%2Fapp%3Agardenhose%40db%3A3306", "gardenhose"),
    "address whose password has a slash": ("redis://app:gar/den@hose9@redis:6379", "hose9"),
    "list": ('API_KEYS=["gardenhose", "wheelbarrow"]', "wheelbarrow"),
    "list in yaml": ("passwords:\n  - gardenhose\n  - wheelbarrow", "wheelbarrow"),
    "value on the next line": ("password:\n    gardenhose\nuser: app", "gardenhose"),
    "value over lines": ('DB_PASSWORD="garden\nhose9"\nDB_HOST=db', "hose9"),
    "line that goes on": ("db.password=garden\\\n    hose9\ndb.host=db", "hose9"),
    "three quotes": ('password = """gardenhose"""', "gardenhose"),
    "element by its short name": ("<conn><host>db</host><pass>gardenhose</pass></conn>", "gardenhose"),
    "element in cdata": ("<password><![CDATA[gardenhose]]></password>", "gardenhose"),
    "escaped element": ("&lt;password&gt;gardenhose&lt;/password&gt;", "gardenhose"),
    "attributes": ('<add key="SmtpPass" value="gardenhose"/>', "gardenhose"),
    "element beside its name": ("<name>fs.secret.key</name>\n<value>gardenhose</value>", "gardenhose"),
    "table": ("| DB_PASS | gardenhose |", "gardenhose"),
    "cell of a page": ("<td>Password</td><td>gardenhose</td>", "gardenhose"),
    "part of a form": ('name="password"\r\n\r\ngardenhose\r\n--x', "gardenhose"),
    "header in a list": ('("authorization", "Bearer gardenhose9")', "gardenhose9"),
    "header that nginx sets": ("proxy_set_header X-Api-Key gardenhose;", "gardenhose"),
    "variable of a dockerfile": ("ENV DB_PASS gardenhose", "gardenhose"),
    "requirepass": ("requirepass gardenhose", "gardenhose"),
    "acl of redis": ("user app on >gardenhose ~* +@all", "gardenhose"),
    "netrc": ("machine x\n  login app\n  password gardenhose", "gardenhose"),
    "pgpass": ("db.shop:5432:orders:app:gardenhose", "gardenhose"),
    "ftp": ("USER app\r\nPASS gardenhose\r\n230", "gardenhose"),
    "mysql": ("mysql -u root -pgardenhose shop", "gardenhose"),
    "sshpass": ("sshpass -p gardenhose ssh db", "gardenhose"),
    "redis-cli": ("redis-cli -h redis -a gardenhose ping", "gardenhose"),
    "piped": ("echo gardenhose | docker login -u app --password-stdin", "gardenhose"),
    "insert": ("INSERT INTO u (id, name, password) VALUES (1, 'app', 'gardenhose')", "gardenhose"),
    "sentence": ("connecting as app with password gardenhose", "gardenhose"),
    "call": ('db.auth("app", "gardenhose")', "gardenhose"),
    "cookie among others": ("Cookie: theme=dark; sid=8f3kd02ls", "8f3kd02ls"),
    "basic in a sentence": ("sent Basic YXBwOmdhcmRlbmhvc2U= to it", "YXBwOmdhcmRlbmhvc2U"),
    "base64 of a text with a secret": (base64.b64encode(b"user: app\npassword: gardenhose\n").decode(), "dXNlcjogYXBw"),
    "discord webhook": (f"https://discord.com/api/webhooks/112233445566/{'aB3-' * 17}", "aB3-aB3"),
    "teams webhook": (f"https://x.webhook.office.com/webhookb2/{'1a2b3c4d-' * 4}x@y/IncomingWebhook/{'e5' * 16}/z", "e5e5e5"),
    "telegram bot": (f"https://api.telegram.org/bot123456789:{'Ab1' * 11}xy/getMe", "Ab1Ab1"),
    "azure signature": ("https://a.blob.core.windows.net/c?sv=2022&sig=gardenhose9%2Bx%3D&se=2026", "gardenhose9"),
    "digitalocean token": ("dop_v1_" + "a1" * 32, "a1a1"),
    "hugging face token": ("hf_" + "aBcDeF" * 5 + "gHiJ", "aBcDeF"),
    "grafana token": ("glsa_" + "aB3" * 10 + "cD_" + "1f" * 4, "aB3aB3"),
    "new relic key": ("NRAK-" + "A1B" * 9, "A1BA1B"),
    "token of another length than today's": ("glpat-" + "a1B2" * 9, "a1B2a1B2"),
    "hash of a password": ("app:$2y$10$" + "aB3./" * 10 + "xyz", "aB3./aB3"),
    "verifier of scram": ("SCRAM-SHA-256$4096:W22ZaJ0S$ekBH4FaaFGJQNukjS8:XNDrCJyZ9voytN0sn", "ekBH4Faa"),
    "putty": ("Private-Lines: 2\nAAAAgQCwqQ9v\nhZ0pY2l1\nPrivate-MAC: x", "hZ0pY2l1"),
    "variable of make": ("DEPLOY_TOKEN ::= gardenhose", "gardenhose"),
    "appended to a variable": ('$apiToken .= "gardenhose";', "gardenhose"),
    "variable of go with its type": ('var apiToken string = "gardenhose"', "gardenhose"),
    "element over lines": ("<dbPassword>\n    gardenhose\n</dbPassword>", "gardenhose"),
    "property that is set": ('System.setProperty("db.password", "gardenhose")', "gardenhose"),
    "default of a variable": ("os.getenv('DB_PASSWORD', 'gardenhose')", "gardenhose"),
    "curl over lines": ("curl -X POST https://x \\\n  -H 'A: b' \\\n  -u app:gardenhose", "gardenhose"),
    "curl with quotes inside": ("curl --user app:'gardenhose' https://x", "gardenhose"),
    "curl without a user": ('curl -u ":gardenhose" https://x', "gardenhose"),
    "curl without a password": ("curl https://x -u garden8hose9:", "garden8hose9"),
    "scheme that nobody knows": ("Authorization: Acme-Key 9f8e7d6c5b4a39281706", "9f8e7d6c"),
    "where gems come from": ("BUNDLE_GEMS__EXAMPLE__COM=app:gardenhose", "gardenhose"),
    "password that is the end of its name": ("DB_PASSWORD: word,", "word,"),
    "password that is its name in small letters": ("ROOT_PASSWORD=root_password", "root_password"),
    "json web key": ('{"kty":"oct","k":"gardenhosegardenhose"}', "gardenhose"),
}

READABLE = {
    "git sha": "deployed commit=9fceb02d0ae598e95dc970b74767f19372d61af8",
    "image digest": "image: nginx@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "uuid": "uid: 0b7a9d58-6a43-4f4e-9c0e-2d6a8b0f0c11",
    "trace id": "traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "pod name": "pod=web-6d4b9c7f5d-x2x9z pod-template-hash: 6d4b9c7f5d",
    "image with registry and tag": "image: registry.example.com:5000/shop/Web:v1.2.3-rc1",
    "path": "reading /var/lib/kubelet/pods/0b7a9d58-6a43-4f4e-9c0e-2d6a8b0f0c11/volumes",
    "class name": "logger=ConfigurationPropertiesBindingPostProcessor2Registrar",
    "missing secret": 'MountVolume.SetUp failed for volume "conf" : secret "web-token" not found',
    "missing key of a secret": "Error: couldn't find key DB_PASSWORD in Secret shop/web",
    "secret reference": "valueFrom:\n  secretKeyRef:\n    name: web-credentials\n    key: password",
    "secret volume": "- name: web-token\n  secret:\n    secretName: web-token",
    "variable from a secret": "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: db",
    "reference to a variable": "url: --password=$(DB_PASSWORD)",
    "described by kubectl": "DB_PASSWORD:  <set to the key 'password' in secret 'web'>  Optional: false",
    "service account token volume": "mountPath: /var/run/secrets/kubernetes.io/serviceaccount",
    "token mount switch": "automountServiceAccountToken: false",
    "path of a token": "token: /var/run/secrets/kubernetes.io/serviceaccount/token",
    "rejected login": 'FATAL: password authentication failed for user "app"',
    "missing token": "unauthorized: authentication required",
    "token counts": "max_tokens: 4096 tokens=17",
    "working directory": "PWD=/usr/src/app",
    "certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "public key": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "url without credentials": "http://web.shop.svc:8080/healthz?probe=1",
    "nginx error": 'nginx: [emerg] unknown directive "servre" in /etc/nginx/nginx.conf:12',
    "rbac api group": "apiVersion: rbac.authorization.k8s.io/v1",
    "token of a test": "--- PASS: TestPasswordReset (0.03s)",
    "count of tests": "pass: 12, fail: 0",
    "prompt": 'password = getpass.getpass("Password: ")',
    "field of a message": "string password = 2;",
    "field of a schema": "password: String!",
    "placeholder of a query": "UPDATE users SET password = ? WHERE id = $1",
    "variable that is passed on": "this.apiKey = apiKey;",
    "variable that must be set": "API_KEY=${API_KEY:?must be set}",
    "result of a command": "TOKEN=$(cat /run/token)",
    "help of a command": "Usage: login [--password PASSWORD] [--token TOKEN] HOST",
    "method of logging in": "user=ann method=password result=success",
    "hint of mysql": "Access denied for user 'app'@'10.0.0.7' (using password: YES)",
    "checksum of a secret": "checksum/secret: fe87fa40263695bc8a5c6d2b26bd4388ac0e792fb5ffe35f22b95ddd1f4637d0",
    "key of a secret": "references non-existent secret key: db-password",
    "wireguard's public key": "PublicKey = BEdoCV7JNMjlESz2I7veAjhs4TaCdJXrgrcEDpc4trs=",
    "checksum of a module": "h1:PmEvCfVI7ti9dV3s5aMZUY7sS2GxRvG3yzih7E+cS3w=",
    "sealed secret": "password: AgB" + "a1B2c3D4" * 20,
    "encrypted by sops": "password: ENC[AES256_GCM,data:Zm9v,iv:YmFy,tag:YmF6,type:str]",
    "kinds of keys": "cache_key=user:42 sort_key=created_at partitionKey: order_id primary_key: id",
    "switches": "auth: enabled passthrough=true bypass=1 PASS_THROUGH=on",
    "nss": "passwd: files systemd",
    "arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
    "field of a receiver": "s.AcceptanceTimeoutSeconds = 30",
    "coordinates of a library": "io.jsonwebtoken:jjwt-jackson-0.11.2",
    "build flags of a gem": 'BUNDLE_BUILD__NOKOGIRI="--use-system-libraries"',
    "authorization in a sentence": "authorization: denied by policy restrict-image-registries/check-registry",
    "curl that asks": "curl -u admin: https://x",
    "permission of a workflow": "id-token: write",
    "image pull error": 'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.99"',
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS.keys())
def test_secret_is_masked_and_lines_stay(text: str, secret: str) -> None:
    masked = redact(text)
    assert secret in text
    assert secret not in masked
    assert "[redacted:" in masked
    assert masked.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE.keys())
def test_what_people_on_call_need_stays(text: str) -> None:
    assert redact(text) == text


KEYS = [
    "DB_PASSWORD",
    "passwd",
    "passphrase",
    "PWD",
    "client_secret",
    "refreshToken",
    "credentials",
    "apikey",
    "api-key",
    "api_key",
    "accessKey",
    "privateKey",
    "AWS_SECRET_ACCESS_KEY",
    "signing_key",
    "ENCRYPTION_KEY",
    "account-key",
    "sharedKey",
    "auth_key",
    "master_key",
    "licenseKey",
    "client-key-data",
    "client-certificate-data",
    "connectionString",
    "conn_str",
    "DSN",
    "session_id",
    "X-Amz-Signature",
    "cookie",
    "authorization",
    "paſſword",
    # What passed redaction in structured data before names had one grammar.
    "DB_PASS",
    "SMTP_PASS",
    "JWT_KEY",
    "STRIPE_KEY",
    "SECRET_KEY_BASE",
    "REDIS_AUTH",
    "DB_PW",
    "API_KEYS",
    "dbPass",
    "smtp.pass",
    "jwt-key",
    "SMTP_PASSWORD_OLD",
    "tokens_v2",
    "PGPASSWORD",
    "redispass",
    "encryptionKeys",
]


SYNTAXES = {
    "yaml": "{key}: {value}",
    "logfmt": "level=info {key}={value} x=1",
    "properties": "{key} = {value}",
    "json": '{{"{key}": "{value}"}}',
    "flag": "run --{key} {value} --verbose",
    "flag with =": "run -{key}={value}",
    "query": "GET /x?a=1&{key}={value}&b=2",
    "variable of a pod": "- name: {key}\n  value: {value}",
    "element": "<{key}>{value}</{key}>",
    "code": "config.{key} = '{value}'",
}


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES.keys())
@pytest.mark.parametrize("key", KEYS)
def test_every_name_for_a_secret_masks_its_value_in_every_syntax(key: str, syntax: str) -> None:
    for value in (PASSWORD, "gardenhose"):
        assert value not in redact(syntax.format(key=key, value=value))


@pytest.mark.parametrize("key", KEYS)
def test_every_name_for_a_secret_masks_its_value_in_data(key: str) -> None:
    for data in (
        {key: PASSWORD},
        {"env": [{"name": key, "value": PASSWORD}]},
        {"args": [f"--{key}", PASSWORD]},
        {key: [PASSWORD]},
    ):
        assert PASSWORD not in json.dumps(redact_json(data))


def test_the_rest_of_a_line_stays_readable() -> None:
    masked = redact(f"dial postgres://app:{PASSWORD}@db.shop:5432/x?sslmode=off: connection refused")
    assert masked == "dial postgres://app:[redacted:password]@db.shop:5432/x?sslmode=off: connection refused"


def test_keys_around_a_block_of_secret_data_stay() -> None:
    text = "kind: Secret\nmetadata:\n  name: db\nstringData:\n  conf: |\n    user: x\n    pass: y\ntype: Opaque"
    assert redact(text) == (
        "kind: Secret\nmetadata:\n  name: db\nstringData:\n  conf: |\n"
        "    user: [redacted:secret-data]\n    pass: [redacted:secret-data]\ntype: Opaque"
    )


def test_log_lines_after_a_mentioned_key_header_stay() -> None:
    text = "expected -----BEGIN PRIVATE KEY----- in /etc/tls.pem\nlistening on :8080\nready"
    assert redact(text) == text


@pytest.mark.parametrize("seed", range(60))
def test_redacting_twice_changes_nothing_more(seed: int) -> None:
    chance = random.Random(seed)
    pieces = (
        [text for text, _ in SECRETS.values()] + list(READABLE.values()) + [PASSWORD, '"', "\\", "-----END", "name: ", ": "]
    )
    text = "".join(chance.choice(pieces) + chance.choice(["\n", " ", ",", "", '"', ":"]) for _ in range(12))
    once = redact(text)
    assert redact(once) == once
    assert once.count("\n") == text.count("\n")


ODD = [
    "",
    " ",
    "\n",
    "\t",
    '"',
    "'",
    "\\",
    "=",
    ":",
    ",",
    "(",
    "[",
    "{",
    "<",
    ">",
    "|",
    "/",
    "@",
    "%",
    "$",
    "0",
    "é",
    "\x00",
    "\x1f",
    "\ud800",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS.keys())
def test_any_text_can_be_redacted(text: str, secret: str) -> None:
    chance = random.Random(text)
    for _ in range(40):
        start, length = chance.randrange(len(text)), chance.choice([0, 1, 1, 3, 10])
        mutated = text[:start] + chance.choice(ODD) + text[start + length :]
        assert redact(mutated).count("\n") == mutated.count("\n"), mutated
    for odd in ODD:
        redact(text.replace(secret, odd))
        redact_json({text: [text, odd], "data": [{"name": text, "value": odd}, {"name": odd, "value": text}]})


PIECES = [
    *(
        "a",
        "a.",
        "a-",
        "é",
        "\n",
        "\\",
        '"',
        "'",
        "`",
        "{{",
        "${",
        "<",
        "[",
        "://",
        "@",
        "\x1f",
        "%3A",
        "a=",
        "a:",
        "key ",
        "  - ",
    ),
    *('password=\\"', "password=[", "password=a,", "password=a|", "password=os.environ[", "password=$(", "s.key=", "ghp_key="),
    *(
        "-----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----\n",
        "Private-Lines: 1\nAA\n",
        "kind: Secret\ndata:\n",
        '"data":{',
    ),
    *(
        "--token\n",
        "- --password\n",
        "name: token\nvalue: ",
        "password:\n",
        "<password>",
        '<a name="b" ',
        "| a ",
        "x:y@tcp(",
        "sk-",
    ),
    *(
        "curl ",
        "mysql -u x ",
        "docker login ",
        "net user ",
        "mc alias set ",
        "openssl pass:",
        "user ",
        "acl setuser a ",
        "echo a |",
    ),
    *(
        "with password ",
        "password is ",
        "AUTH ",
        "identified by '",
        "(password) values ('",
        "Cookie: a=b; ",
        "Basic YTpi",
        "eyJ",
        "1//0",
    ),
    *(
        "discord.com/api/webhooks/1/",
        "hooks.slack.com/services/",
        "$2a$",
        "pbkdf2_sha1$1$",
        "SCRAM-SHA-256$1:",
        "AWS4-HMAC-SHA256 ",
    ),
    *(
        'set("token", "',
        "set(",
        "<token>\n",
        "curl -u ",
        "curl \\\n",
        "BUNDLE_A__BC=a:",
        "Authorization: a ",
        "token string = ",
    ),
]
LENGTH = 16_384


def hostile_texts() -> Iterator[str]:
    chance = random.Random(13)
    for piece in PIECES:
        yield piece * (LENGTH // len(piece))
        yield piece * (LENGTH // 2 // len(piece)) + chance.choice(" \\.-\"'=:<|\na") * (LENGTH // 2)
    for _ in range(60):
        pair = chance.choice(PIECES) + chance.choice(PIECES)
        yield pair * (LENGTH // len(pair))


@pytest.mark.parametrize("text", list(hostile_texts()), ids=lambda text: repr(text[:24]))
def test_hostile_text_takes_linear_time(text: str) -> None:
    once, twice = min(_seconds_for(text[: LENGTH // 2]) for _ in range(2)), min(_seconds_for(text) for _ in range(2))
    # Measured: at most 0.3 s for all of it. Where time grew with the square of the length, twice as much would take four times.
    assert twice < max(3.2 * once, 0.25)


def test_a_log_tail_is_quick() -> None:
    log = ("2026-11-22T10:00:00Z INFO request served path=/api/v1/x status=200 duration=12ms\n" * 300)[:LENGTH]
    fastest = min(_seconds_for(log) for _ in range(5))
    assert fastest < 0.02


def _seconds_for(text: str) -> float:
    started = time.process_time()
    redact(text)
    return time.process_time() - started
