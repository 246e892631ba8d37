import { useCursor, useStdout } from 'ink';
import { type ReactElement, useEffect, useSyncExternalStore } from 'react';

import type { ChatState, ChatStore } from '../chat/index.js';
import type { TuiController } from './controller.js';
import { ErrorBoundary } from './error-boundary.js';
import { History } from './history.js';
import { LiveRegion } from './live-region.js';
import { liveView } from './live-view.js';
import type { Paint } from './theme.js';
import { ChatContext, useChat } from './use-chat.js';

interface ScreenProps {
  readonly controller: TuiController;
  readonly paint: Paint;
}

/** Props of {@link App}. */
export interface AppProps extends ScreenProps {
  readonly store: ChatStore;
  /** A component threw; nothing is drawn from then on. */
  readonly onError: (error: unknown) => void;
}

/** The root of the terminal UI. */
export function App({ store, controller, paint, onError }: AppProps): ReactElement {
  return (
    <ErrorBoundary onError={onError}>
      <ChatContext value={store}>
        <Screen controller={controller} paint={paint} />
      </ChatContext>
    </ErrorBoundary>
  );
}

const wholeState = (state: ChatState): ChatState => state;

/** Scrolls what is on the screen into the scrollback, so that nothing is lost, and starts at the top. */
function clearSequence(rows: number): string {
  return `${'\n'.repeat(Math.max(0, rows - 1))}\u001b[H\u001b[J`;
}

/**
 * Everything on the screen.
 *
 * One component reads all state, on purpose: Ink 6.8 forgets the cursor in every frame in which the component that sets it was not
 * rendered.
 */
function Screen({ controller, paint }: ScreenProps): ReactElement {
  const chat = useChat(wholeState);
  const ui = useSyncExternalStore(controller.subscribe, controller.getState);
  const { setCursorPosition } = useCursor();
  const { write } = useStdout();
  useEffect(
    () =>
      controller.onClearScreen(() => {
        write(clearSequence(controller.getState().size.rows));
      }),
    [controller, write],
  );
  const live = liveView(chat, ui);
  setCursorPosition(live.cursor);
  return (
    <>
      <History
        log={chat.lines}
        layout={{ nameWidth: chat.nameWidth, columns: ui.size.columns }}
        paint={paint}
        onPrinted={controller.onPrinted}
      />
      <LiveRegion rows={live.rows} paint={paint} />
    </>
  );
}
