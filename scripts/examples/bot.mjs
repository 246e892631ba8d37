/**
 * A bot: joins every group that it is invited to, and answers lines that begin with "!".
 *
 *   node scripts/examples/bot.mjs [ORG/NS/APP]        default: acme/team/bot
 *
 * To talk to it, start this in another terminal, with the same secret in SLIM_SHARED_SECRET (it also starts the node):
 *
 *   slim-chat --local acme/team/alice --invites acme/team/bot
 *
 * and type `!echo hello` or `!who`. Needs a build (`npm ci` makes one). In a project of your own this import is all that it needs.
 */
import { SlimApp } from 'slim-chat';

const app = await SlimApp.connect({
  local: process.argv[2] ?? 'acme/team/bot',
  slim: process.env.SLIM_SLIM ?? 'http://127.0.0.1:46357',
  sharedSecret: process.env.SLIM_SHARED_SECRET ?? 'only for this example, 32 or more characters',
});
console.log(`${app.name.app} waits for invitations`);

// Leaving is part of the protocol: close() says goodbye to every group, and then the loops below end.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.close());

try {
  // Each group has a loop of its own, so that they do not wait for each other.
  for (;;) void serve(await app.listenForSession());
} catch (error) {
  // That the app was closed is how this program ends.
  if (error.code !== 'closed') throw error;
}
console.log('goodbye');

/** Answers in one group until it ends. */
async function serve(session) {
  console.log(`joined ${session.channel}`);
  for await (const message of session) {
    const answer = answerTo(message, session);
    if (answer === undefined) continue;
    // Not awaited: a member that has stopped answering would hold up the answers to all others for half a minute. A handle says
    // what became of its message: everyone has it, or somebody does not, or the group ended meanwhile.
    session.publish(answer).then(
      () => console.log(`everyone has: ${answer}`),
      (error) => console.log(`not everyone has: ${answer} (${error.code})`),
    );
  }
  console.log(`out of ${session.channel}: ${session.closeReason}`);
}

/** What to say; undefined for most lines. An answer never begins with "!", or two bots would talk to each other for ever. */
function answerTo(message, session) {
  // A payload is bytes; `text` is undefined when they are not UTF-8.
  const [, command, rest] = /^!(\w+) *(.*)$/s.exec(message.text ?? '') ?? [];
  if (command === 'echo') return `${message.source.app} said: ${rest}`;
  if (command === 'who') return `here are ${session.members.map((member) => member.app).join(', ')}`;
  return undefined;
}
