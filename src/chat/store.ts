import { reduce } from './reducer.js';
import { type ChatAction, type ChatOptions, type ChatState, initialState } from './state.js';

/** Holds a {@link ChatState} and tells when it has changed. Fits `useSyncExternalStore`. */
export interface ChatStore {
  readonly getState: () => ChatState;
  readonly dispatch: (action: ChatAction) => void;
  /** Calls `listener` after changes, once per microtask. @returns stops it */
  readonly subscribe: (listener: () => void) => () => void;
}

/** A store without events yet. */
export function createChatStore(options: ChatOptions): ChatStore {
  let state = initialState();
  let isScheduled = false;
  const listeners = new Set<() => void>();
  const notify = (): void => {
    isScheduled = false;
    for (const listener of [...listeners]) listener();
  };
  return {
    getState: () => state,
    dispatch: (action) => {
      const next = reduce(state, action, options);
      if (next === state) return;
      state = next;
      if (isScheduled) return;
      isScheduled = true;
      queueMicrotask(notify);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
