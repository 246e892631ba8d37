/** Who is in the demo, and what they say, in this order. The first is the moderator. */
export const MEMBERS = ['alice', 'bob', 'carol'];

/** Full name of a member of the demo. */
export const nameOf = (member) => `demo/chat/${member}`;

/** The talk. Each line waits until everyone has seen the one before. */
export const TALK = [
  { by: 'alice', text: 'hi both, welcome to the demo' },
  { by: 'bob', text: 'hello! 日本語 and emoji work 🎉' },
  { by: 'carol', text: 'each of us is a process of its own' },
  { by: 'alice', text: 'and alice runs the node for all of us' },
];
