"""A client of NATS on this machine, with nats-py: `nats_client.py PORT CREDS`, where CREDS is a credentials file.

Says in the first line whether it is connected. Then it reads a step a line from standard input, and answers each with a line, `ok` or what the
server has against it:

- `publish SUBJECT TEXT`
- `subscribe SUBJECT`
- `next`: waits for a message, and answers with its subject and text
- `closed`: waits until the server ends the connection, and answers with the reason
"""

import asyncio
import sys

import nats


class Client:
    def __init__(self):
        self.errors = []
        self.messages = asyncio.Queue()
        self.ended = asyncio.Event()

    async def connect(self, port, creds):
        self.nats = await nats.connect(
            f"nats://127.0.0.1:{port}",
            user_credentials=creds,
            allow_reconnect=False,
            connect_timeout=5,
            error_cb=self.note,
            closed_cb=self.end,
        )

    async def note(self, error):
        self.errors.append(str(error))

    async def end(self):
        self.ended.set()

    async def step(self, name, *rest):
        if name == "next":
            message = await asyncio.wait_for(self.messages.get(), 30)
            return f"{message.subject} {message.data.decode()}"
        if name == "closed":
            await asyncio.wait_for(self.ended.wait(), 30)
            return str(self.nats.last_error)
        if name == "publish":
            await self.nats.publish(rest[0], rest[1].encode())
        else:
            await self.nats.subscribe(rest[0], cb=self.messages.put)
        # The server answers the second one after what it has against the step; the first one may overtake the step.
        await self.nats.flush()
        await self.nats.flush()
        return self.errors.pop() if self.errors else "ok"


async def main(port, creds):
    client = Client()
    try:
        await client.connect(port, creds)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return
    print("ok", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(await client.step(*line.split()), flush=True)
    await client.nats.close()


asyncio.run(main(*sys.argv[1:]))
