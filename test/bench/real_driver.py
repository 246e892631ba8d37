#!/usr/bin/env python3
"""The measured sender of the benchmark, made of released bindings: the twin of own-driver.mjs, same commands, same events.

Nothing is read or written between the messages of a measurement, so only the bindings and their library are measured.
"""

import argparse
import asyncio
import json
import os
import sys
import time


async def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--kit", required=True)
    ap.add_argument("--node", required=True)
    ap.add_argument("--secret", required=True)
    args = ap.parse_args()
    sys.path.insert(0, args.kit)
    import slimkit

    emit = slimkit.emitter(slimkit.take_stdout())
    api = slimkit.open_bindings()
    api.init("off")
    app = await api.open_app("org/bench/sender", args.node, {}, {"secret": args.secret})
    emit("ready", version=api.version)
    group = None

    async def create(channel, members, mls):
        made = await app.create(True, channel, mls, 1.0, 10, {})

        async def invite(name):
            await app.set_route(name)
            await (await made.invite(name))

        await asyncio.gather(*(invite(name) for name in members))
        return made

    async def burst(payload, count, in_flight):
        left = iter(range(count))
        session = group.s

        async def lane():
            for _ in left:
                await session.publish_and_wait_async(payload, None, None)

        started = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(in_flight)))
        return (time.perf_counter() - started) * 1000

    async def single(payload, count):
        session = group.s
        times = []
        for _ in range(count):
            started = time.perf_counter()
            await session.publish_and_wait_async(payload, None, None)
            times.append((time.perf_counter() - started) * 1000)
        return times

    lines = asyncio.Queue()
    slimkit.stdin_lines(asyncio.get_running_loop(), lines.put_nowait, lambda: os._exit(0))
    while True:
        asked = json.loads(await lines.get())
        op = asked["op"]
        try:
            if op == "group":
                group = await create(asked["channel"], asked["members"], asked["mls"])
                emit("group")
            elif op == "burst":
                emit("burst", ms=await burst(b"x" * asked["bytes"], asked["count"], asked["inFlight"]))
            elif op == "single":
                emit("single", ms=await single(b"x" * asked["bytes"], asked["count"]))
            elif op == "close":
                await (await app.delete(group))
                emit("close")
        except Exception as e:  # noqa: BLE001
            emit("failed", op=op, error=slimkit.why(e))


asyncio.run(main())
