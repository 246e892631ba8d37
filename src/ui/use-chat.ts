import { createContext, useContext, useSyncExternalStore } from 'react';

import type { ChatState, ChatStore } from '../chat/index.js';

/** The store of the chat on the screen. It never changes; what is in it does. */
export const ChatContext = createContext<ChatStore | undefined>(undefined);

/**
 * Reads the chat, and again whenever it has changed.
 *
 * @param selector - must give the same reference for the same state
 */
export function useChat<Selected>(selector: (state: ChatState) => Selected): Selected {
  const store = useContext(ChatContext);
  if (store === undefined) throw new Error('useChat needs a ChatContext');
  return useSyncExternalStore(store.subscribe, () => selector(store.getState()));
}
