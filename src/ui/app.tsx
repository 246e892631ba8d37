import { useCursor, useStdout } from 'ink';
import { type ReactElement, useEffect, useSyncExternalStore } from 'react';

import type { ChatState, ChatStore } from '../chat/index.js';
import type { TuiModel } from './tui-model.js';
import { ErrorBoundary } from './error-boundary.js';
import { History } from './history.js';
import { LiveRegion } from './live-region.js';
import type { LiveLayout } from './live-layout.js';
import { liveView } from './live-view.js';
import type { Paint } from './theme.js';
import { ChatContext, useChat } from './use-chat.js';

interface ScreenProps {
  readonly model: TuiModel;
  readonly paint: Paint;
  /** Told each layout of the live region before it is drawn. */
  readonly onLayout: (live: LiveLayout) => void;
}

/** Props of {@link App}. */
export interface AppProps extends ScreenProps {
  readonly store: ChatStore;
  /** A component threw; nothing is drawn from then on. */
  readonly onError: (error: unknown) => void;
}

/** The root of the terminal UI. */
export function App({ store, model, paint, onLayout, onError }: AppProps): ReactElement {
  return (
    <ErrorBoundary onError={onError}>
      <ChatContext value={store}>
        <Screen model={model} paint={paint} onLayout={onLayout} />
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
function Screen({ model, paint, onLayout }: ScreenProps): ReactElement {
  const chat = useChat(wholeState);
  const ui = useSyncExternalStore(model.subscribe, model.getState);
  const { setCursorPosition } = useCursor();
  const { write } = useStdout();
  useEffect(
    () =>
      model.onClearScreen(() => {
        write(clearSequence(model.getState().size.rows));
      }),
    [model, write],
  );
  const live = liveView(chat, ui);
  onLayout(live);
  setCursorPosition(live.cursor);
  return (
    <>
      <History
        log={chat.lines}
        layout={{ nameWidth: chat.nameWidth, columns: ui.size.columns }}
        paint={paint}
        onPrinted={model.onPrinted}
      />
      <LiveRegion rows={live.rows} paint={paint} />
    </>
  );
}
