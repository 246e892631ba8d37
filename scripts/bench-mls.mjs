/**
 * Times the MLS engine through the port, as sessions use it. Needs dist/ (`npm run build`).
 *
 *   node scripts/bench-mls.mjs [members ...]     group sizes, default 4 16 64 256
 *
 * Prints medians and, for busy machines, the fastest, in microseconds. One process plays all members; the moderator makes every commit. "add" is all that the
 * moderator does: read and verify the key package, commit, welcome, merge.
 */

/** About the size of a SLIM token, and of a line of chat. */
const TOKEN = new Uint8Array(300).fill(65);
const PAYLOAD = new Uint8Array(100).fill(7);

const loading = performance.now();
const { loadOpenMls } = await import('../dist/mls/index.js');
const engine = await loadOpenMls();
const loaded = performance.now();
{
  // What the first invitation of a fresh process pays, while nothing is compiled by the optimising compiler yet.
  const moderator = clientOf(1);
  const group = moderator.createGroup();
  const participant = clientOf(1);
  const keyPackage = participant.createKeyPackage();
  const created = performance.now();
  group.add(keyPackage);
  group.mergePending();
  const added = performance.now();
  group.encrypt(PAYLOAD);
  const end = performance.now();
  const parts = [loaded - loading, created - loaded, added - created, end - added].map((time) => time.toFixed(1));
  console.log(
    `cold start ${(end - loading).toFixed(1)} ms: load ${parts[0]}, clients and group ${parts[1]}, add ${parts[2]}, encrypt ${parts[3]}`,
  );
  moderator.free();
  participant.free();
}

const SIZES = process.argv.slice(2).map(Number);
/** Enough for the windows of used keys to be full, which costs something with each message. */
const MESSAGES = 1200;
const CHANGES = 7;

function clientOf(suite) {
  const client = engine.createClient(suite);
  client.setCredential(TOKEN);
  return client;
}

/** Runs an action and notes how long it took. */
function timed(samples, action) {
  const start = performance.now();
  const result = action();
  samples.push((performance.now() - start) * 1000);
  return result;
}

function show(label, samples, note = '') {
  const sorted = samples.toSorted((a, b) => a - b);
  const [median, fastest] = [sorted[samples.length >> 1], sorted[0]].map((time) => time.toFixed(0).padStart(8));
  console.log(`  ${label.padEnd(34)} ${median} ${fastest} µs  ${note}`);
}

/** The moderator of a group, a member who follows all commits, and fillers. */
function startGroup(suite) {
  const moderator = clientOf(suite).createGroup();
  const add = (client, options) => {
    const keyPackage = client.createKeyPackage();
    const addition = moderator.add(keyPackage, options);
    moderator.mergePending();
    return addition;
  };
  const watching = clientOf(suite);
  const watcher = watching.stageWelcome(add(watching).welcome).accept();
  return { moderator, watcher, add };
}

function measure(suite, members, { moderator, watcher, add }) {
  while (moderator.members().length < members - 1) {
    const filler = clientOf(suite);
    // With a path now and then, as a moderator that renews its token does.
    const options = moderator.members().length % 4 === 0 ? { refresh: TOKEN } : {};
    watcher.stageCommit(add(filler, options).commit).merge();
    filler.free();
  }
  for (const refresh of [undefined, TOKEN]) {
    const [adds, follows, joins, removals] = [[], [], [], []];
    let addition;
    for (let round = 0; round < CHANGES; round += 1) {
      const guest = clientOf(suite);
      const keyPackage = guest.createKeyPackage();
      addition = timed(adds, () => {
        const result = moderator.add(keyPackage, refresh && { refresh });
        moderator.mergePending();
        return result;
      });
      timed(follows, () => watcher.stageCommit(addition.commit).merge());
      const joined = timed(joins, () => guest.stageWelcome(addition.welcome).accept());
      const removal = timed(removals, () => {
        const commit = moderator.remove(joined.ownIndex);
        moderator.mergePending();
        return commit;
      });
      watcher.stageCommit(removal).merge();
      guest.free();
    }
    const path = refresh === undefined ? 'no path' : 'new token';
    show(`add number ${members}, ${path}`, adds, `commit ${addition.commit.length} B`);
    show('  a member follows', follows);
    show('  the new one joins', joins, `welcome ${addition.welcome.length} B`);
    if (refresh === undefined) show('  remove it', removals);
  }
  const [encrypts, decrypts] = [[], []];
  let message;
  for (let count = 0; count < MESSAGES; count += 1) {
    message = timed(encrypts, () => moderator.encrypt(PAYLOAD));
    timed(decrypts, () => watcher.decrypt(message));
  }
  show(`encrypt ${PAYLOAD.length} B`, encrypts, `${message.length} B on the wire`);
  show(`decrypt ${PAYLOAD.length} B`, decrypts);
  show('  the last 100 of them', decrypts.slice(-100));
}

for (const suite of [1, 2]) {
  const group = startGroup(suite);
  for (const members of SIZES.length > 0 ? SIZES : [4, 16, 64, 256]) {
    console.log(`suite ${suite}, ${members} members`);
    measure(suite, members, group);
  }
}
