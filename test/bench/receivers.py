#!/usr/bin/env python3
"""The members that receive in the benchmark: real ones of the version of this interpreter, each with a connection of its own.

    receivers.py --kit FOLDER --node URL --count 16        members org/bench/r0, org/bench/r1, ...

Commands: {"op":"counts","channel":"org/bench/x"}   Events: ready, session{member,channel}, counts{counts}
They are the same for every measured sender, accept every invitation, and read as fast as they can.
"""

import argparse
import asyncio
import json
import sys


async def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--kit", required=True)
    ap.add_argument("--node", required=True)
    ap.add_argument("--secret", required=True)
    ap.add_argument("--count", type=int, required=True)
    args = ap.parse_args()
    sys.path.insert(0, args.kit)
    import slim_bindings
    import slimkit

    emit = slimkit.emitter(slimkit.take_stdout())
    first = slimkit.open_bindings()
    first.init("off")
    received = {}  # channel -> messages per member
    tasks = set()

    def spawn(coro):
        task = asyncio.ensure_future(coro)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def read(session, counts, member):
        while True:
            try:
                await session.get_message_async(None)
            except Exception as e:  # noqa: BLE001
                text = slimkit.why(e).lower()
                if "closed" in text:
                    return
                continue  # e.g. a note that somebody left; the session goes on
            counts[member] += 1

    async def listen(app, member):
        while True:
            session = (await app.listen()).s
            channel = "/".join(session.destination().components())
            counts = received.setdefault(channel, [0] * args.count)
            spawn(read(session, counts, member))
            emit("session", member=member, channel=channel)

    for member in range(args.count):
        api = slimkit.New(slim_bindings)  # a service of its own gives the member a connection of its own
        api.service = slim_bindings.Service(f"receiver-{member}")
        app = await api.open_app(f"org/bench/r{member}", args.node, {}, {"secret": args.secret})
        spawn(listen(app, member))
    stop = asyncio.Event()

    def command(line):
        asked = json.loads(line)
        if asked["op"] == "counts":
            emit("counts", counts=received.get(asked["channel"], [0] * args.count))

    slimkit.stdin_lines(asyncio.get_running_loop(), command, stop.set)
    emit("ready", version=first.version)
    await stop.wait()


asyncio.run(main())
