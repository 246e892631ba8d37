/**
 * A bridge: repeats what is said in one group in the others. It joins every group that it is invited to.
 *
 *   node scripts/examples/bridge.mjs [ORG/NS/APP]        default: acme/team/bridge
 *
 * Two people who moderate a group each invite it, and then their groups hear each other. SLIM_SLIM and SLIM_SHARED_SECRET are those of
 * slim-chat. Whoever invites a bridge should know: with MLS each group is encrypted for itself, and the bridge reads both.
 */
import { SlimApp } from 'slim-chat';

/**
 * Marks what a bridge has repeated. An app never gets its own messages back, so one bridge makes no loop; two of them between the same
 * groups would repeat each other for ever without the mark.
 */
const MARK = 'bridged-from';

const app = await SlimApp.connect({
  local: process.argv[2] ?? 'acme/team/bridge',
  slim: process.env.SLIM_SLIM ?? 'http://127.0.0.1:46357',
  sharedSecret: process.env.SLIM_SHARED_SECRET ?? 'only for this example, 32 or more characters',
});
console.log(`${app.name.app} waits for invitations`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.close());

const groups = new Set();
try {
  for (;;) void listen(await app.listenForSession());
} catch (error) {
  if (error.code !== 'closed') throw error;
}
console.log('goodbye');

/** Repeats what is said in one group until it ends. */
async function listen(group) {
  groups.add(group);
  console.log(`joined ${group.channel}`);
  for await (const message of group) {
    if (message.text === undefined || message.metadata[MARK] !== undefined) continue;
    const others = [...groups].filter((other) => other !== group);
    await Promise.all(others.map((other) => repeat(message, group, other)));
  }
  groups.delete(group);
  console.log(`out of ${group.channel}: ${group.closeReason}`);
}

/** Says in `to` what was said in `from`. Returns when the next line may follow, not when everyone has this one. */
async function repeat(message, from, to) {
  const line = `[${from.channel.app}] ${message.source.app}: ${message.text}`;
  const tell = (outcome) => console.log(`${outcome} ${to.channel.app}: ${line}`);
  try {
    // Waits while the queue is long: a slow group then slows the other one down, and the memory does not fill.
    await to.writable();
  } catch {
    // The other group has just ended; its loop says so.
    return;
  }
  const handle = to.publish(line, { metadata: { [MARK]: from.channel.toString() } });
  handle.then(
    () => tell('everyone in'),
    () => tell('not everyone in'),
  );
}
