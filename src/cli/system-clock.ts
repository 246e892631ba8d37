import type { ChatClock } from '../chat/index.js';

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** Times of events in the time zone of this computer. */
export const systemClock: ChatClock = {
  ms: (at) => Date.parse(at),
  time: (at) => time.format(Date.parse(at)),
  day: (at) => {
    const date = new Date(at);
    const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
    return parts.map((part) => String(part).padStart(2, '0')).join('-');
  },
};
