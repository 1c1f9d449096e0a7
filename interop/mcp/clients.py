"""Drives the shipped wa-mcp with the MCP project's own Python client.

Both transports (stdio, Streamable HTTP) and both eras of the protocol: list everything, call every
tool and validate every structured answer, subscribe and receive, confirm and decline, refuse, time
out and cancel. Each combination has a server of its own, over the WhatsApp that --demo runs.
"""

import asyncio
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
import warnings

import httpx2
import jsonschema
from mcp import Client, types
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

warnings.simplefilter("ignore")

SERVER = os.environ.get("WA_MCP", str(pathlib.Path(__file__).parents[2] / "target/debug/wa-mcp"))
ANNA, BEN, MALLORY = "+44 7700 900101", "+44 7700 900102", "+44 7700 900103"


class Person:
    """Who sits in front of the client: agrees, declines, and remembers what they were asked."""

    def __init__(self, agrees):
        self.agrees = agrees
        self.asked = []

    async def __call__(self, context, params):
        self.asked.append(params.message)
        if self.agrees:
            return types.ElicitResult(action="accept", content={"send": True})
        return types.ElicitResult(action="decline")


@contextlib.asynccontextmanager
async def stdio_server(*options):
    with open(os.devnull, "w") as nowhere:
        params = StdioServerParameters(command=SERVER, args=["--demo", *options])
        yield lambda: stdio_client(params, errlog=nowhere)


@contextlib.asynccontextmanager
async def http_server(*options):
    with tempfile.TemporaryDirectory() as folder:
        token = pathlib.Path(folder) / "token"
        command = [SERVER, "--demo", "--http", "127.0.0.1:0", "--token-file", str(token), *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            # What it tells besides may come first.
            url = next(line for line in process.stderr if line.startswith("http:")).split()[0]
            headers = {"Authorization": f"Bearer {token.read_text().strip()}"}

            @contextlib.asynccontextmanager
            async def connect():
                async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
                    async with streamable_http_client(url, http_client=http) as streams:
                        yield streams

            connect.port = int(url.split(":")[2].split("/")[0])
            yield connect
        finally:
            process.terminate()
            process.wait(10)


def text(result):
    return "\n".join(block.text for block in result.content if block.type == "text")


class Session:
    """A client, and what every answer has to be."""

    def __init__(self, client, schemas):
        self.client = client
        self.schemas = schemas
        self.called = set()

    async def call(self, name, /, **arguments):
        result = await self.client.call_tool(name, arguments)
        self.called.add(name)
        if result.is_error:
            raise AssertionError(f"{name}: {text(result)}")
        schema = self.schemas[name]
        assert result.structured_content is not None, f"{name} has no structured answer"
        jsonschema.validate(result.structured_content, schema)
        assert "Untrusted content" in text(result), f"{name} does not mark its answer"
        return result.structured_content, result

    async def refuse(self, name, /, *words, **arguments):
        """The tool says no, in words a person understands, and the server stays up."""
        result = await self.client.call_tool(name, arguments)
        assert result.is_error, f"{name} did not refuse {arguments}"
        for word in words:
            assert word in text(result), f"{name}: {word!r} is not in {text(result)!r}"
        assert "What to do:" in text(result), f"{name} gives no advice: {text(result)!r}"


async def list_everything(client):
    tools = (await client.list_tools()).tools
    assert len(tools) >= 36, len(tools)
    for tool in tools:
        assert tool.title and tool.description and tool.annotations, tool.name
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
    assert "confirm_send" not in {tool.name for tool in tools}, "an assistant may agree by itself"
    resources = (await client.list_resources()).resources
    assert resources[0].uri == "wa://chats" and len(resources) > 5
    templates = (await client.list_resource_templates()).resource_templates
    assert len(templates) == 4
    prompts = (await client.list_prompts()).prompts
    assert {prompt.name for prompt in prompts} >= {"catch_up", "summarise_unread", "draft_reply"}
    return {tool.name: tool.output_schema for tool in tools}


async def read_everything(session):
    client = session.client
    status, _ = await session.call("get_status")
    assert status["linked"] and status["connected"], status
    found, _ = await session.call("search_contacts", query="Anna")
    anna = found["contacts"][0]["jid"]
    chats, _ = await session.call("list_chats", limit=50)
    group = next(chat["jid"] for chat in chats["chats"] if chat["jid"].endswith("@g.us"))
    await session.call("list_chats", sort_by="name", page=1, limit=5)
    await session.call("get_chat", chat_jid=anna)
    await session.call("get_direct_chat_by_contact", sender_phone_number=ANNA)
    shared, _ = await session.call("get_contact_chats", jid=anna)
    assert {anna, group} <= {chat["jid"] for chat in shared["chats"]}, shared
    await session.call("get_last_interaction", jid=anna)
    messages, _ = await session.call("list_messages", chat_jid="Anna Berg")
    said = [message["text"] for message in messages["messages"]]
    assert "Yes! Saturday at ten, I bring the seedlings." in said, said
    await session.call("list_messages", query="tomatoes", include_context=True)
    beyond, _ = await session.call("list_messages", chat_jid=anna, page=40, limit=20)
    assert beyond["messages"] == [], "a page beyond the end is empty"
    hits, _ = await session.call("search_messages", query="seedl*", ranked=True)
    hit = hits["hits"][0]
    around, _ = await session.call("get_message_context", message_id=hit["id"])
    assert around["message"]["id"] == hit["id"]
    picture = next(m["id"] for m in messages["messages"] if m["kind"] == "image")
    _, shown = await session.call("get_media", chat=anna, message_id=picture)
    assert any(block.type == "image" for block in shown.content), "the picture is shown"
    downloaded, _ = await session.call("download_media", chat_jid=anna, message_id=picture)
    assert pathlib.Path(downloaded["file_path"]).stat().st_size > 0
    in_group, _ = await session.call("list_messages", chat_jid=group)
    poll = next(m["id"] for m in in_group["messages"] if m["kind"].startswith("poll"))
    tally, _ = await session.call("get_poll", chat=group, message_id=poll)
    assert tally["question"] == "Work day?", tally
    await session.call("get_group", group=group)
    await session.call("check_numbers", numbers=[ANNA, "+15550000000"])
    await session.call("list_drafts")

    chat = await client.read_resource(f"wa://chats/{anna}")
    assert "seedlings" in chat.contents[0].text and "Untrusted content" in chat.contents[0].text
    await client.read_resource(f"wa://chats/{anna}/around/{hit['id']}")
    media = await client.read_resource(f"wa://media/{anna}/{picture}")
    assert media.contents[0].blob
    prompt = await client.get_prompt("catch_up", {"chat": "Anna Berg"})
    assert "seedlings" in prompt.messages[0].content.text
    await client.get_prompt("summarise_unread", {})
    await client.get_prompt("find_commitment", {"topic": "the ticket"})
    reference = types.ResourceTemplateReference(type="ref/resource", uri="wa://chats/{chat}")
    completed = await client.complete(reference, {"name": "chat", "value": "Ann"})
    assert anna in completed.completion.values, completed
    return anna, group, picture, poll


async def write_everything(session, person, anna, group, picture, folder):
    sent, _ = await session.call("send_message", recipient="Anna Berg", message="On my way")
    assert sent["success"] and sent["status"] in ("sent", "delivered", "read"), sent
    again, _ = await session.call("send_message", recipient="Anna Berg", message="On my way")
    assert again["repeated"] and again["message_id"] == sent["message_id"], "a retry is one message"
    mine = sent["message_id"]
    await session.call("edit_message", chat=anna, message_id=mine, message="Nearly there")
    await session.call("react", chat=anna, message_id=picture, emoji="🌱")
    await session.call("reply", chat=anna, message_id=picture, message="Lovely")
    await session.call("send_poll", recipient=anna, question="Tea?", options=["Yes", "No"])
    await session.call("send_location", recipient=anna, latitude=51.5, longitude=-0.1, name="Gate")
    await session.call("send_contact", recipient=anna, name="Ben", number=BEN)
    await session.call("forward_message", chat=anna, message_id=mine, recipient=anna)
    note = folder / "note.txt"
    note.write_text("seeds: beans, kale")
    await session.refuse(
        "send_file", "no folder", recipient=anna, media_path=str(note)
    )
    await session.refuse("send_audio_message", "no folder", recipient=anna, media_path=str(note))
    session.called |= {"send_file", "send_audio_message"}
    await session.call("set_typing", chat=anna, seconds=1)
    await session.call("mark_read", chat=anna)
    await session.call("archive_or_mute_chat", chat=anna, action="mute", hours=8)
    await session.call("fetch_older_messages", chat=anna, count=10)
    await session.call("delete_message", chat=anna, message_id=mine)
    made, _ = await session.call("create_group", subject="Seeds", people=[ANNA])
    made = made["group"]["jid"]
    before = len(person.asked)
    renamed, _ = await session.call("update_group", group=made, subject="Seeds and plants")
    assert renamed["success"] and len(person.asked) == before + 1, "a new group is confirmed too"
    added, _ = await session.call("manage_group_members", group=made, action="add", people=[BEN])
    assert added["success"] and "Ben Okafor" in person.asked[-1], person.asked[-1]
    await session.call("link_device")


async def confirm(session, person):
    """Nothing goes to somebody new before the person has seen whom and what."""
    before = len(person.asked)
    answer, result = await session.call("send_message", recipient=BEN, message="Hello Ben")
    assert len(person.asked) == before + 1, "the person was not asked"
    assert "Ben Okafor" in person.asked[-1] and "Hello Ben" in person.asked[-1], person.asked
    assert answer["success"] is person.agrees, answer
    if not person.agrees:
        assert "declined" in text(result)
        drafts, _ = await session.call("list_drafts")
        assert drafts["drafts"] == [], "a declined draft is gone"


async def leave_as_draft(session):
    """A client that cannot ask leaves a draft, which the assistant cannot release."""
    answer, result = await session.call("send_message", recipient=MALLORY, message="The key is …")
    assert not answer["success"] and answer["draft"], answer
    assert "wa-cli drafts approve" in text(result)
    drafts, _ = await session.call("list_drafts")
    draft = drafts["drafts"][0]
    assert draft["id"] == answer["draft"]["id"] and "\n> The key is …\n" in draft["shown"], draft
    unknown = None
    try:
        unknown = await session.client.call_tool("confirm_send", {"draft_id": draft["id"]})
    except Exception:
        pass
    assert unknown is None or unknown.is_error, "an assistant released a draft"
    await session.call("cancel_send", draft_id=draft["id"])


async def refuse_everything(session, anna, group, picture):
    await session.refuse("get_chat", "nobody named", chat_jid="Nobody at all")
    await session.refuse("send_message", "lacks its country code", recipient="07700 900123", message="x")
    await session.refuse("send_message", "no text", recipient=anna, message="  ")
    # What others call themselves decides nothing, and what is private stays so.
    await session.refuse("send_message", "proves nothing", "~Allotment", group, recipient="Allotment", message="x")
    await session.refuse("send_message", "does not let", recipient="status@broadcast", message="x")
    await session.refuse(
        "forward_message", "does not let", chat=anna, message_id=picture, recipient="status@broadcast"
    )
    await session.refuse("get_message_context", "no message", message_id="3EB0FFFFFFFF")
    await session.refuse("get_poll", "no message", chat=group, message_id=picture)
    await session.refuse("get_poll", "no poll", chat=anna, message_id=picture)
    await session.refuse("list_messages", "is no time", after="yesterday-ish")
    await session.refuse("list_messages", "too far back", page=4_000_000)
    await session.refuse("search_messages", "is no cursor", query="x", cursor="zzz")
    await session.refuse("send_file", "no folder", recipient=anna, media_path="/etc/passwd")
    await session.refuse("send_file", "no folder", recipient=anna, media_path="~/.ssh/id_ed25519")
    await session.refuse("download_media", "does not let", chat_jid=anna, message_id=picture, folder="/etc")
    await session.refuse("get_media", "has no file", chat=anna, message_id=await text_id(session, anna))
    await session.refuse("react", "is no emoji", chat=anna, message_id=picture, emoji="hello")
    result = await session.client.call_tool("send_message", {"recipient": anna})
    assert result.is_error and "missing field" in text(result), text(result)
    for uri in ["file:///etc/passwd", "wa://chats/nobody@lid/x", "wa://media/a/b/c"]:
        try:
            await session.client.read_resource(uri)
        except Exception:
            continue
        raise AssertionError(f"{uri} was read")


async def text_id(session, chat):
    messages, _ = await session.call("list_messages", chat_jid=chat)
    return next(m["id"] for m in messages["messages"] if m["kind"] == "text")


async def cancel_and_time_out(session, anna):
    client = session.client
    slow = asyncio.create_task(client.call_tool("set_typing", {"chat": anna, "seconds": 60}))
    await asyncio.sleep(0.3)
    slow.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await slow
    try:
        await client.call_tool(
            "set_typing", {"chat": anna, "seconds": 60}, read_timeout_seconds=1
        )
    except Exception:
        pass
    else:
        raise AssertionError("the client did not time out")
    status, _ = await session.call("get_status")
    assert status["linked"], "the server is up after a call was given up"


async def subscribe_legacy(connect):
    heard = asyncio.Queue()

    async def on_message(message):
        if isinstance(message, types.ResourceUpdatedNotification):
            await heard.put(str(message.params.uri))

    async with Client(connect(), mode="legacy", message_handler=on_message) as client:
        found = await client.call_tool("search_contacts", {"query": "Anna Berg"})
        anna = found.structured_content["contacts"][0]["jid"]
        await client.subscribe_resource(f"wa://chats/{anna}")
        await client.call_tool("send_message", {"recipient": anna, "message": "news"})
        assert await asyncio.wait_for(heard.get(), 10) == f"wa://chats/{anna}"
        await client.unsubscribe_resource(f"wa://chats/{anna}")


async def subscribe_modern(connect):
    async with Client(connect()) as client:
        found = await client.call_tool("search_contacts", {"query": "Anna Berg"})
        anna = found.structured_content["contacts"][0]["jid"]
        uri = f"wa://chats/{anna}"
        async with client.listen(resource_subscriptions=[uri]) as events:
            await client.call_tool("send_message", {"recipient": anna, "message": "news"})
            event = await asyncio.wait_for(anext(aiter(events)), 10)
            assert uri in str(event), event


async def everything(make_server, mode):
    person = Person(agrees=True)
    with tempfile.TemporaryDirectory() as folder:
        async with make_server() as connect:
            async with Client(connect(), mode=mode, elicitation_callback=person) as client:
                wanted = "2025-11-25" if mode == "legacy" else "2026-07-28"
                assert client.protocol_version == wanted, client.protocol_version
                session = Session(client, await list_everything(client))
                anna, group, picture, poll = await read_everything(session)
                await refuse_everything(session, anna, group, picture)
                await confirm(session, person)
                await write_everything(session, person, anna, group, picture, pathlib.Path(folder))
                await cancel_and_time_out(session, anna)
                missed = set(session.schemas) - session.called - {"cancel_send"}
                assert not missed, f"never called: {missed}"


async def declined(make_server, mode):
    person = Person(agrees=False)
    async with make_server() as connect:
        async with Client(connect(), mode=mode, elicitation_callback=person) as client:
            await confirm(Session(client, await list_everything(client)), person)


async def unasked(make_server, mode):
    async with make_server() as connect:
        async with Client(connect(), mode=mode) as client:
            await leave_as_draft(Session(client, await list_everything(client)))


async def subscriptions(make_server, mode):
    async with make_server() as connect:
        await (subscribe_legacy if mode == "legacy" else subscribe_modern)(connect)


async def read_only(make_server, mode):
    async with make_server("--read-only") as connect:
        async with Client(connect(), mode=mode) as client:
            tools = (await client.list_tools()).tools
            assert all(tool.annotations.read_only_hint for tool in tools)
            assert "send_message" not in {tool.name for tool in tools}


async def as_a_named_assistant(make_server, mode):
    """An assistant that was let in under a name can do what it could without one."""
    person = Person(agrees=True)
    async with make_server("--client", "robot") as connect:
        async with Client(connect(), mode=mode, elicitation_callback=person) as client:
            session = Session(client, await list_everything(client))
            await confirm(session, person)
            sent, _ = await session.call("send_message", recipient="Anna Berg", message="Hello")
            assert sent["success"], sent


async def flooded(make_server, mode):
    """Connections that say nothing keep no client out."""
    async with make_server() as connect:
        streams = [await asyncio.open_connection("127.0.0.1", connect.port) for _ in range(200)]
        async with Client(connect(), mode=mode) as client:
            await Session(client, await list_everything(client)).call("get_status")
        for _, writer in streams:
            writer.close()


SCENARIOS = (
    everything,
    declined,
    unasked,
    subscriptions,
    read_only,
    as_a_named_assistant,
    flooded,
)


async def main():
    failed = 0
    for transport in (stdio_server, http_server):
        for mode in ("legacy", "auto"):
            for scenario in SCENARIOS:
                if scenario is flooded and transport is not http_server:
                    continue
                name = f"{transport.__name__} {mode} {scenario.__name__}"
                if sys.argv[1:] and not all(word in name for word in sys.argv[1:]):
                    continue
                try:
                    await asyncio.wait_for(scenario(transport, mode), 120)
                    print(f"ok    {name}", flush=True)
                except BaseException:
                    failed += 1
                    print(f"FAIL  {name}", flush=True)
                    traceback.print_exc()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    asyncio.run(main())
