"""What stands between an assistant and the account, end to end: the MCP project's own Python client
on the shipped wa-mcp, the person's own wa-cli beside it, and a WhatsApp in a box.

Each scenario has an account and a machine of its own. The person changes the policy, holds,
releases, revokes and approves with wa-cli, while the assistant goes on as it likes.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
import urllib.request

import httpx2
from mcp import Client, types
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from clients import ANNA, BEN, MALLORY, Person, Session, text

FOLDER = pathlib.Path(os.environ.get("WA_MCP", pathlib.Path(__file__).parents[2] / "target/debug/wa-mcp")).parent
PEOPLE = {"447700900100": "Ada", "447700900101": "Anna", "447700900102": "Ben", "447700900103": "Mallory"}
ADA = next(iter(PEOPLE))


def digits(number):
    return "".join(filter(str.isdigit, number))


class Sim:
    """WhatsApp in a box."""

    def __init__(self):
        command = [FOLDER / "wa-sim", "serve", "--seed", "1"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def ask(self, path, body=None):
        url = self.ready["control_url"].rstrip("/") + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"content-type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=30))

    def say(self, phone, to, **what):
        return self.ask(f"/accounts/{digits(phone)}/messages", {"to": digits(to), **what})["id"]

    def shown(self, phone):
        """The texts that a phone shows."""
        return [message["text"] for message in self.ask(f"/accounts/{digits(phone)}/messages")]

    async def arrives(self, phone, said):
        for _ in range(200):
            if said in self.shown(phone):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{said!r} did not arrive")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Machine:
    """Where the person's programs keep their things, with an account that is linked."""

    def __init__(self, folder, sim):
        self.config = folder / "config"
        self.sim = sim
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(self.config),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_RUNTIME_DIR": str(folder),
            "WA_SERVER_URL": sim.ready["ws_url"],
            "WA_NOISE_ROOT": sim.ready["noise_root"],
        }
        folder.chmod(0o700)
        self.lids = {
            phone: sim.ask("/accounts", {"phone": phone, "name": name})["lid"]
            for phone, name in PEOPLE.items()
        }
        for phone, name in ((ANNA, "Anna Berg"), (BEN, "Ben Okafor")):
            sim.ask(f"/accounts/{ADA}/app-state", {"contact": {"person": digits(phone), "name": name}})
        self.link()
        # Ada has written to Anna herself; everybody has written to Ada.
        sim.say(ADA, ANNA, text="hello Anna")
        self.received = {phone: sim.say(phone, ADA, text=f"hello from {phone}") for phone in (ANNA, BEN, MALLORY)}
        self.cli("sync")

    def start(self, *arguments):
        pipe = subprocess.PIPE
        command = [FOLDER / "wa-cli", *arguments]
        return subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)

    def try_cli(self, *arguments):
        process = self.start("--json", *arguments)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    def cli(self, *arguments):
        """What a command of the person's answers; it has to succeed."""
        code, stdout, stderr = self.try_cli(*arguments)
        assert code == 0, (arguments, stdout, stderr)
        return json.loads(stdout.splitlines()[-1])["data"] if stdout.strip() else None

    def link(self):
        process = self.start("link", "--qr-format", "text")
        self.sim.ask(f"/accounts/{ADA}/link", {"qr": process.stdout.readline().strip()})
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, (stdout, stderr)

    def set_policy(self, toml):
        path = self.config / "wa/policy.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(toml)
        new.chmod(0o600)
        new.rename(path)

    @contextlib.asynccontextmanager
    async def http_server(self):
        command = [FOLDER / "wa-mcp", "--http", "127.0.0.1:0"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=self.environment, stderr=pipe, text=True)
        try:
            yield next(line for line in process.stderr if line.startswith("http:")).split()[0]
        finally:
            process.terminate()
            process.wait(10)

    @contextlib.asynccontextmanager
    async def assistant(self, name="robot", person=None):
        """An assistant that was let in under a name, and its client."""
        self.cli("clients", "add", name)
        options = {"elicitation_callback": person} if person else {}
        with open(os.devnull, "w") as nowhere:
            parameters = StdioServerParameters(
                command=str(FOLDER / "wa-mcp"), args=["--client", name], env=self.environment
            )
            async with Client(stdio_client(parameters, errlog=nowhere), **options) as client:
                tools = (await client.list_tools()).tools
                yield Session(client, {tool.name: tool.output_schema for tool in tools})


async def reads(assistant, chat, said):
    """Waits until an assistant reads this in a chat."""
    for _ in range(100):
        seen, _ = await assistant.call("list_messages", chat_jid=chat)
        if any(message["text"] == said for message in seen["messages"]):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{said!r} is not read")


async def hold_and_release(machine, sim):
    async with machine.assistant() as robot:
        await robot.call("send_message", recipient=ANNA, message="before")
        assert machine.cli("hold")["held_since"]
        await robot.refuse("send_message", "wa-cli release", recipient=ANNA, message="held")
        machine.cli("send", ANNA, "the person goes on")
        await sim.arrives(ANNA, "the person goes on")
        machine.cli("release")
        await robot.call("send_message", recipient=ANNA, message="released")
        await sim.arrives(ANNA, "released")
    assert "held" not in sim.shown(ANNA)


async def taint(machine, sim):
    person = Person(agrees=False)
    async with machine.assistant(person=person) as robot:
        await robot.call("send_message", recipient=ANNA, message="unasked")
        assert person.asked == []
        await robot.call("list_messages", chat_jid=MALLORY)
        answer, _ = await robot.call("send_message", recipient=ANNA, message="as Mallory wants")
        assert not answer["success"] and "has read what others wrote" in person.asked[-1], person.asked
    # The same assistant in another process; and another one, which has read nothing.
    async with machine.assistant() as robot:
        answer, _ = await robot.call("send_message", recipient=ANNA, message="as Mallory wants")
        assert answer["draft"], answer
    async with machine.assistant("another") as other:
        await other.call("send_message", recipient=ANNA, message="by another")
    await sim.arrives(ANNA, "by another")
    assert "as Mallory wants" not in sim.shown(ANNA)


async def forward_is_void_after_an_edit(machine, sim):
    invoice = sim.say(BEN, ADA, text="pay 10 to Ben")
    async with machine.assistant() as robot:
        await reads(robot, BEN, "pay 10 to Ben")
        answer, _ = await robot.call("forward_message", chat=BEN, message_id=invoice, recipient=ANNA)
        draft = answer["draft"]
        assert "pay 10 to Ben" in draft["shown"], draft
        sim.say(BEN, ADA, edit={"id": invoice, "text": "pay 1000 to Ben"})
        await reads(robot, BEN, "pay 1000 to Ben")
        code, stdout, stderr = machine.try_cli("drafts", "approve", draft["id"], "--yes")
        assert code != 0 and "not what the person" in stdout + stderr, (code, stdout, stderr)
    assert not [said for said in sim.shown(ANNA) if said and said.startswith("pay")]


async def idempotency_keys(machine, sim):
    async with machine.assistant() as robot:
        once = {"recipient": ANNA, "message": "once", "idempotency_key": "k1"}
        sent, _ = await robot.call("send_message", **once)
        again, _ = await robot.call("send_message", **once)
        assert again["repeated"] and again["message_id"] == sent["message_id"], again
        await robot.refuse("send_message", "idempotency key", **{**once, "message": "another text"})
        machine.set_policy("confirm = 'never'")
        await robot.refuse("send_message", "idempotency key", **{**once, "recipient": BEN})
    await sim.arrives(ANNA, "once")
    assert sim.shown(ANNA).count("once") == 1
    assert "another text" not in sim.shown(ANNA) and "once" not in sim.shown(BEN)


async def read_only_stops_what_waits(machine, sim):
    pace = "[pace]\nbetween_ms = 6000\n"
    machine.set_policy(pace)
    async with machine.assistant() as robot:
        await robot.call("send_message", recipient=ANNA, message="first")
        waiting = asyncio.create_task(
            robot.client.call_tool("send_message", {"recipient": ANNA, "message": "in its turn"})
        )
        await asyncio.sleep(1)
        assert not waiting.done(), "it waits for its turn"
        machine.set_policy("read_only = true\n" + pace)
        result = await waiting
        assert result.is_error and "read-only" in text(result).lower().replace("_", "-"), text(result)
        await robot.call("list_messages", chat_jid=ANNA)
    assert "in its turn" not in sim.shown(ANNA)


async def each_assistant_has_its_own_policy_and_token(machine, sim):
    machine.set_policy("[client.robot]\nread_only = true\n")
    async with machine.assistant("robot") as robot, machine.assistant("other") as other:
        assert "send_message" not in robot.schemas, "it is not offered what it may not do"
        result = await robot.client.call_tool("send_message", {"recipient": ANNA, "message": "no"})
        assert result.is_error and "read" in text(result), text(result)
        await other.call("send_message", recipient=ANNA, message="by the other")
        await sim.arrives(ANNA, "by the other")
        machine.cli("clients", "revoke", "other")
        result = await other.client.call_tool("list_chats", {})
        assert result.is_error, "a token that was revoked still reads"
        result = await other.client.call_tool("send_message", {"recipient": ANNA, "message": "revoked"})
        assert result.is_error, text(result)
        await robot.call("list_chats")
    assert not {"no", "revoked"} & set(sim.shown(ANNA))


async def one_server_treats_each_assistant_by_its_own_policy(machine, sim):
    machine.set_policy(f"[client.robot]\nread_only = true\nread.except = ['{MALLORY}']\n")
    for name in ("robot", "other"):
        machine.cli("clients", "add", name)
    files = {client["name"]: client["token_file"] for client in machine.cli("clients", "list")}
    told = {name: [] for name in files}
    async with machine.http_server() as url, contextlib.AsyncExitStack() as open_clients:
        tools = {}
        for name, file in files.items():

            async def on_message(message, heard=told[name]):
                if isinstance(message, types.ResourceUpdatedNotification):
                    heard.append(str(message.params.uri))

            headers = {"Authorization": "Bearer " + pathlib.Path(file).read_text().strip()}
            http = await open_clients.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
            streams = streamable_http_client(url, http_client=http)
            client = Client(streams, mode="legacy", message_handler=on_message)
            client = await open_clients.enter_async_context(client)
            tools[name] = {tool.name for tool in (await client.list_tools()).tools}
            for phone in (ANNA, MALLORY):
                await client.subscribe_resource(f"wa://chats/{machine.lids[digits(phone)]}")
        assert "send_message" in tools["other"] and "send_message" not in tools["robot"]
        assert "list_messages" in tools["robot"]
        await asyncio.sleep(1)
        sim.say(MALLORY, ADA, text="from Mallory")
        sim.say(ANNA, ADA, text="from Anna")
        anna, mallory = (f"wa://chats/{machine.lids[digits(phone)]}" for phone in (ANNA, MALLORY))
        for _ in range(100):
            if anna in told["robot"] and {anna, mallory} <= set(told["other"]):
                break
            await asyncio.sleep(0.1)
        assert anna in told["robot"] and {anna, mallory} <= set(told["other"]), told
        assert mallory not in told["robot"], "it is told of a chat that it may not read"


async def everything_is_in_the_audit(machine, sim):
    async with machine.assistant() as robot:
        await robot.call("send_message", recipient=ANNA, message="for the record")
        known = machine.cli("audit", "verify")
        await robot.call("send_message", recipient=ANNA, message="and another")
    code, stdout, _ = machine.try_cli("audit", "verify", "--holds", known["hash"])
    assert code == 0, stdout
    code, stdout, _ = machine.try_cli("audit", "verify", "--holds", "11" * 32)
    assert code != 0, "a hash that was never told is believed"
    entries = machine.cli("audit")
    sent = [entry for entry in entries if entry["call"] == "messages/send" and "robot" in entry["caller"]]
    assert sent and all(entry["digest"] for entry in sent), entries
    assert "for the record" not in json.dumps(entries), "the audit has no texts"


async def pace_of_look_ups(machine, sim):
    machine.set_policy("[pace]\nlookups_per_hour = 5\n")
    async with machine.assistant() as robot:
        await robot.call("check_numbers", numbers=[ANNA, BEN, MALLORY])
        await robot.refuse("check_numbers", "look-ups", numbers=["+447700900104", "+447700900105", "+447700900106"])
        await robot.call("check_numbers", numbers=["+447700900104", "+447700900105"])
        await robot.refuse("check_numbers", "look-ups", numbers=["+447700900106"])


async def a_stricter_confirmation_holds_from_the_next_call_on(machine, sim):
    machine.set_policy("confirm = 'never'\ntaint = 'off'\n")
    async with machine.assistant() as robot:
        await robot.call("send_message", recipient=BEN, message="unasked")
        machine.set_policy("confirm = 'always'\n")
        answer, _ = await robot.call("send_message", recipient=ANNA, message="asked")
        assert answer["draft"] and not answer["success"], answer
        machine.cli("drafts", "approve", answer["draft"]["id"], "--yes")
        await sim.arrives(ANNA, "asked")


SCENARIOS = (
    hold_and_release,
    taint,
    forward_is_void_after_an_edit,
    idempotency_keys,
    read_only_stops_what_waits,
    each_assistant_has_its_own_policy_and_token,
    one_server_treats_each_assistant_by_its_own_policy,
    everything_is_in_the_audit,
    pace_of_look_ups,
    a_stricter_confirmation_holds_from_the_next_call_on,
)


async def run(scenario):
    with tempfile.TemporaryDirectory() as folder:
        sim = Sim()
        try:
            await scenario(Machine(pathlib.Path(folder), sim), sim)
        finally:
            sim.stop()


async def main():
    failed = 0
    for scenario in SCENARIOS:
        name = f"guards {scenario.__name__}"
        if sys.argv[1:] and not all(word in name for word in sys.argv[1:]):
            continue
        try:
            await asyncio.wait_for(run(scenario), 120)
            print(f"ok    {name}", flush=True)
        except BaseException:
            failed += 1
            print(f"FAIL  {name}", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    asyncio.run(main())
