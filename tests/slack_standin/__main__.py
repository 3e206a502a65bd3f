"""Run a workspace as a process: one JSON line on stdout says all that a caller needs, then it serves until it is ended.

The line: {"api_url", "control_url", "bot_token", "app_token", "signing_secret", "channel", "escalation_channel",
"users": {name: id}}. The first user is in the user group `sre`, the second in none.
"""

import argparse
import asyncio
import json

from tests.slack_standin.control import control
from tests.slack_standin.server import Listener, listening
from tests.slack_standin.standin import SlackStandin, running_slack


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.slack_standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the Slack API; 0 lets the system choose")
    parser.add_argument("--request-url", default=None, help="where interactions are posted, as in the app's settings at Slack")
    options = parser.parse_args()
    try:
        asyncio.run(_serve(SlackStandin(port=options.port, request_url=options.request_url)))
    except KeyboardInterrupt:
        return


async def _serve(slack: SlackStandin) -> None:
    workspace = slack.workspace
    mia, ben = workspace.add_user("mia"), workspace.add_user("ben")
    workspace.add_usergroup("sre", mia)
    incidents, escalations = workspace.add_channel("incidents"), workspace.add_channel("escalations")
    async with running_slack(slack), listening(Listener(control(slack))) as controlled:
        settings = {
            "api_url": slack.api_url,
            "control_url": controlled.url,
            "bot_token": workspace.bot_token,
            "app_token": workspace.app_token,
            "signing_secret": workspace.signing_secret,
            "channel": incidents.id,
            "escalation_channel": escalations.id,
            "users": {user.name: user.id for user in (mia, ben)},
        }
        print(json.dumps(settings), flush=True)
        await asyncio.Event().wait()


main()
