import type { MemberEvent } from '../harness/index.js';
import { type Cell, encrypts, type MemberKind } from './cells.js';
import type { Finding, Recorded, Role } from './findings.js';
import { kindAt } from './upstream-rules.js';

/**
 * Whether messages of `sender` must reach a member of ours encrypted. Between two of ours always: each has heard the other
 * encrypt, or nothing of it yet, and then does not give up encryption.
 */
function mustBeEncrypted(cell: Cell, sender: MemberKind): boolean {
  return cell.mls && encrypts(sender);
}

/** What members say about protection that is not so: of their sessions, and, only ours do, of each message. */
export function wrongProtections(cell: Cell, members: ReadonlyMap<Role, Recorded>): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [role, member] of members) {
    const wrong = member.events.filter((event) => event.kind === 'session' && event.mls !== cell.mls).length;
    if (wrong > 0) {
      const detail = `says that MLS is ${cell.mls ? 'off' : 'on'}`;
      findings.push({ step: 'close', kind: 'wrong-protection', at: role, count: wrong, detail });
    }
    for (const [about, sender] of members) {
      const expected = mustBeEncrypted(cell, kindAt(cell, about));
      const isWrong = (event: MemberEvent): boolean =>
        event.kind === 'message' && event.from === sender.name && (event.encrypted ?? expected) !== expected;
      const count = member.events.filter(isWrong).length;
      if (count === 0) continue;
      const detail = expected ? 'came in clear' : 'said to be encrypted';
      findings.push({ step: 'close', kind: 'wrong-protection', at: role, about, count, detail });
    }
  }
  return findings;
}
