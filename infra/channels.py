"""Writes the resources of every channel into infra/template.yaml, between `# generated: channels NAME` and `# end of generated`.

    python3 infra/channels.py            writes the template in place
    python3 infra/channels.py --check    fails if the template differs

A channel is a row of CHANNELS, and where it has rights or variables of its own, a file infra/channels/NAME.yaml.
`tests/rules/channel_lists.rs` compares the rows with `Channel::ALL`.
"""

import argparse
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).parent
TEMPLATE = FOLDER / "template.yaml"

# title: the headline in the template. description: the function's. noun: the messages in descriptions of alarms; missed
# and missed_critical: the effect of dead letters. concurrency: of the normal and the critical queue.
# providers: the names that circuit breakers and quotas know. quota: whether the function reads PER_SECOND. hands_on:
# whether it may hand a message to dispatch for the next channel. watch: whether it writes breakers and quotas. secret:
# the parameter of a Secrets Manager secret with token and webhooks; hosts: where its requests may go; local: the
# secret of the local cloud, where the capture server takes the requests.
CHANNELS = [
    dict(name="email", title="e-mails through SES", description="Sends e-mails through SES", noun="e-mails", providers="ses"),
    dict(name="sms", title="SMS through SNS or End User Messaging", description="Sends SMS", noun="SMS", providers=""),
    dict(name="push", title="push notifications through SNS", description="Sends push notifications to phones and tablets",
         noun="push notifications", providers="sns-push", concurrency=(10, 10)),
    dict(name="webhook", title="webhook messages to the systems of tenants", description="Sends webhook messages to the systems of tenants",
         noun="webhook messages", missed="Webhook endpoints miss messages", missed_critical="Webhook endpoints miss critical messages",
         # An endpoint that does not answer holds one of the 50 for 15 s.
         providers="", quota=False, hands_on=False, watch=False, concurrency=(50, 20), roles=["WebhookRole", "WebhookScheduleRole"]),
    dict(name="whatsapp", title="messages through End User Messaging Social", description="Sends WhatsApp messages",
         noun="WhatsApp messages"),
    dict(name="socket", title="in-app messages", description="Sends in-app messages to open WebSockets", noun="in-app messages", providers="", quota=False,
         watch=False, concurrency=(20, 20)),
    dict(name="slack", title="messages to members and conversations of a workspace", description="Sends messages to Slack",
         noun="Slack messages",
         secret="the bot token and the incoming webhooks", hosts="slack.com,hooks.slack.com",
         local='{ "token": "xoxb-local", "webhooks": { "ops": "https://hooks.slack.com/services/T0/B0/local" } }'),
    dict(name="teams", title="messages to channels and chats", description="Sends messages to Microsoft Teams",
         noun="Teams messages",
         secret="the Workflows webhooks",
         hosts="*.logic.azure.com,*.environment.api.powerplatform.com,*.webhook.office.com",
         local='{ "webhooks": { "ops": "https://prod-0.westeurope.logic.azure.com/workflows/local/triggers/manual/paths/invoke" } }'),
]


def row(channel):
    name = channel["name"]
    defaults = dict(N=name.capitalize(), n=name, providers=name, quota=True, hands_on=True, watch=True, concurrency=(5, 5),
                    roles=[f"{name.capitalize()}Role"], secret="", hosts="", local="")
    noun = channel["noun"]
    defaults |= dict(late=f"{noun[0].upper()}{noun[1:]} are late", late_critical=f"Critical {noun} are late",
                     missed=f"Recipients miss {noun}", missed_critical=f"Recipients miss critical {noun}")
    return {**defaults, **channel}


def own(name):
    """The sections of infra/channels/NAME.yaml, each begun by a line `# section` at the left margin."""
    sections, path, current = {}, FOLDER / "channels" / f"{name}.yaml", None
    for line in path.read_text().splitlines()[1:] if path.exists() else []:
        if heading := re.fullmatch(r"# (environment|function|statements|resources)", line):
            current = sections.setdefault(heading[1], [])
        else:
            current.append(line)
    return sections


def indented(lines, depth):
    return [" " * depth + line if line else "" for line in lines]


def block(channel):
    """The resources of one channel."""
    sections = own(channel["n"])
    depths = dict(environment=10, function=6, statements=14, resources=2)
    normal, critical = channel["concurrency"]
    values = {**channel, "normal": normal, "critical": critical}
    lines, is_written = [], True
    for line in (FOLDER / "channels" / "channel.yaml").read_text().splitlines()[2:]:
        if line.startswith("#if "):
            is_written = bool(channel[line[4:]])
        elif line == "#end":
            is_written = True
        elif is_written and (section := re.fullmatch(r"@(environment|function|statements|resources)@", line)):
            given = sections.get(section[1], [])
            lines += [""] * (section[1] == "resources" and bool(given)) + indented(given, depths[section[1]])
        elif is_written:
            lines.append(re.sub(r"@(\w+)@", lambda mark: str(values[mark[1]]), line))
    title = f"# ---------------------------------------------------------------- {channel['n']}: {channel['title']}"
    return ["", "  " + title, ""] + lines


def parameters(channels):
    lines = []
    for channel in channels:
        if not channel["secret"]:
            continue
        name = channel["N"]
        lines += [
            f"{name}Secret:", "  Type: String", '  Default: ""',
            f"  Description: The name or ARN of a Secrets Manager secret with {channel['secret']}, as described in docs/channels/{channel['n']}.md. Messages wait until it is set",
            f"{name}Hosts:", "  Type: CommaDelimitedList", f'  Default: "{channel["hosts"]}"',
            f"  Description: The hosts that the channel {channel['n']} may call. *.example.com allows every subdomain",
            f"{name}PerSecond:", "  Type: Number", "  Default: 0", "  MinValue: 0", "  MaxValue: 100000",
            f"  Description: The rate limit of {channel['noun']} a second. 0 sets no limit",
        ]
    return lines


def queues(channels, parts, form):
    return [form.format(channel["N"] + part) for channel in channels for part in parts]


def environment(channels):
    lines = []
    for channel in channels:
        for part in ("", "Critical"):
            variable = f"{channel['n']}_{part}_queue_url".replace("__", "_").upper()
            lines.append(f"{variable}: !Ref {channel['N']}{part}Queue")
    return lines


def generated():
    channels = [row(channel) for channel in CHANNELS]
    by_name = sorted(channels, key=lambda channel: channel["n"])
    lanes, all_queues = ("Queue", "CriticalQueue"), ("Queue", "DeadLetters", "CriticalQueue", "CriticalDeadLetters")
    secret = [channel for channel in channels if channel["secret"]]
    return {
        "parameters": parameters(channels),
        "conditions": [f'Has{channel["N"]}Secret: !Not [!Equals [!Ref {channel["N"]}Secret, ""]]' for channel in secret],
        "environment of dispatch": environment(by_name),
        "queues of dispatch": queues(by_name, lanes, "- !GetAtt {}.Arn"),
        "roles": [f"- !Ref {name}" for channel in channels for name in channel["roles"]],
        "queues": queues(channels, all_queues, "- !Ref {}"),
        "ARNs of queues": queues(channels, all_queues, "- !GetAtt {}.Arn"),
        "resources": [line[2:] for channel in channels for line in block(channel)],
    }


def rendered(text):
    parts, lines, kept = generated(), [], iter(text.splitlines())
    for line in kept:
        lines.append(line)
        if not (start := re.fullmatch(r"( *)# generated: channels (.+)", line)):
            continue
        lines += indented(parts[start[2]], len(start[1]))
        while (line := next(kept)).strip() != "# end of generated":
            pass
        lines.append(line)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Writes the resources of each channel into infra/template.yaml.")
    parser.add_argument("--check", action="store_true", help="write no file, and fail if the template differs")
    arguments = parser.parse_args()
    before = TEMPLATE.read_text()
    after = rendered(before)
    if arguments.check:
        sys.exit("infra/template.yaml differs from infra/channels.py; run `make template`" if before != after else 0)
    TEMPLATE.write_text(after)


if __name__ == "__main__":
    main()
