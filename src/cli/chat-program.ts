import type { ChatEvent, ChatStore, Tui } from '../chat/index.js';
import { createChatStore, headerLine } from '../chat/index.js';
import { ChatRuntime, type Connect } from '../runtime/index.js';
import { assertNever, SlimError } from '../util/index.js';
import { PROGRAM } from './error-screen.js';
import { Face } from './face.js';
import { formatJsonEvent } from './json-event.js';
import { runJsonInput } from './json-mode.js';
import { useLineMode } from './line-mode.js';
import { LineWriter } from './line-writer.js';
import { type LogFile, openLog } from './log-file.js';
import { ensureNode } from './node-start.js';
import type { ChatSettings } from './options.js';
import { LinePrinter, runPlainInput } from './plain-mode.js';
import { listenForSignals } from './process-signals.js';
import { chooseRunMode, type RunMode } from './run-mode.js';
import { systemClock } from './system-clock.js';
import { TurnedAway } from './turned-away.js';

/** How often the first connection is tried: few times for somebody who watches, longer for a script that starts with its node. */
const ATTEMPTS = { tui: 3, plain: 5, json: 5 } as const;

/** The streams and the environment of the program. */
export interface ProgramIo {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Learns how to leave all groups, for the case of a bug: peers should not have to wait for a program that is gone. */
  readonly onRunning: (leave: () => Promise<unknown>) => void;
}

/**
 * Runs the chat in the mode that fits.
 *
 * @returns the exit code
 * @throws SlimError for what ends the program before there is a chat; anything else is a bug
 */
export async function runChat(settings: ChatSettings, version: string, io: ProgramIo): Promise<number> {
  const mode = chooseRunMode({ ...settings, ...io });
  if (mode !== 'tui') useLineMode(io.stdin);
  const log = openLog(settings.logFile);
  const chat = new ChatProgram(settings, version, io, mode, log);
  try {
    return await chat.run();
  } finally {
    log.close();
  }
}

/** Everything that one run of the chat consists of, put together. */
class ChatProgram {
  readonly #settings: ChatSettings;
  readonly #version: string;
  readonly #io: ProgramIo;
  readonly #mode: RunMode;
  readonly #log: LogFile;
  readonly #writer: LineWriter;
  #runtime: ChatRuntime | undefined;
  #hasToldDelay = false;
  #isOutputGone = false;
  /** A signal has come before there was a runtime. */
  #earlyExitCode: number | undefined;

  constructor(settings: ChatSettings, version: string, io: ProgramIo, mode: RunMode, log: LogFile) {
    this.#settings = settings;
    this.#version = version;
    this.#io = io;
    this.#mode = mode;
    this.#log = log;
    this.#writer = new LineWriter(io.stdout, {
      onGone: () => {
        this.#isOutputGone = true;
        this.#runtime?.exit({});
      },
      onBlocked: (isBlocked) => this.#runtime?.setOutputBlocked(isBlocked),
    });
  }

  async run(): Promise<number> {
    switch (this.#mode) {
      case 'json':
        return this.#runJson();
      case 'plain':
        return this.#runPlain();
      case 'tui':
        return this.#runTui();
      default:
        return assertNever(this.#mode);
    }
  }

  async #runJson(): Promise<number> {
    const emit = (event: ChatEvent): void => {
      this.#writer.write(formatJsonEvent(event));
    };
    const store = createChatStore({ clock: systemClock, echo: 'none', isLive: false, keepsLines: false });
    const stopListening = this.#listenForSignals();
    let exitCode: number;
    try {
      const runtime = await this.#start(store, emit);
      if (runtime !== undefined) {
        void runJsonInput(this.#io.stdin, runtime, (refusal) => {
          runtime.refuse(refusal);
        });
      }
      exitCode = await this.#done();
    } catch (error) {
      if (!(error instanceof SlimError)) throw error;
      for (const event of fatal(error)) emit(event);
      await this.#writer.flush();
      throw error;
    }
    stopListening();
    return this.#finished(exitCode);
  }

  async #runPlain(): Promise<number> {
    const { stdin, stdout } = this.#io;
    // A terminal has echoed what was typed.
    const echo = stdin.isTTY ? 'none' : 'print';
    const store = createChatStore({ clock: systemClock, echo, isLive: false, keepsLines: true });
    const face = this.#newFace(store);
    const printer = new LinePrinter(store, this.#writer, () => (stdout.isTTY ? stdout.columns || 80 : Infinity));
    this.#writer.write(headerLine(this.#version, false));
    const stopListening = this.#listenForSignals();
    const runtime = await this.#start(store, face.onEvent);
    if (runtime !== undefined) {
      face.attach(runtime);
      void runPlainInput({ input: stdin, isTerminal: stdin.isTTY, store, face, chat: runtime });
    }
    const exitCode = await this.#done();
    stopListening();
    printer.print();
    return this.#finished(exitCode);
  }

  async #runTui(): Promise<number> {
    const stopListening = this.#listenForSignals();
    const { openTui } = await import('../ui/index.js');
    const tui = openTui(this.#io);
    try {
      return await this.#showTui(tui, stopListening);
    } finally {
      tui.close();
    }
  }

  async #showTui(tui: Tui, stopListening: () => void): Promise<number> {
    const store = createChatStore({ clock: systemClock, echo: 'live', isLive: true, keepsLines: true });
    const face = this.#newFace(store);
    this.#writer.write(headerLine(this.#version, this.#settings.channel !== undefined));
    const runtime = await this.#start(store, face.onEvent);
    stopListening();
    if (runtime === undefined) return this.#done();
    face.attach(runtime);
    // A bug in the chat must take the UI down first, or its message would be drawn over.
    const crashed = runtime.done.then(
      () => undefined,
      (error: unknown) => {
        store.dispatch({ type: 'bye', at: new Date().toISOString(), exitCode: 70 });
        return { error };
      },
    );
    const exit = await tui.run({ store, execute: face.execute, nowMs: Date.now });
    if (exit.kind === 'forced') return 130;
    const crash = await crashed;
    if (crash !== undefined) throw crash.error;
    return exit.exitCode;
  }

  /** The exit code, once everything is written. */
  async #finished(exitCode: number): Promise<number> {
    await this.#writer.flush();
    this.#writer.assertWritten();
    return exitCode;
  }

  #newFace(store: ChatStore): Face {
    const { secret, isDerivedName, invites, sharedOptions } = this.#settings;
    return new Face(store, {
      isDemoSecret: secret.isDemo,
      mls: this.#settings.mls,
      isDerivedName,
      program: PROGRAM,
      invites: invites.map((name) => name.withoutId().toString()),
      sharedOptions: secret.isDemo ? sharedOptions : [sharedOptions, '--shared-secret-file FILE'].join(' ').trim(),
    });
  }

  /** Starts node and chat. `undefined` if the user has asked for the end meanwhile. */
  async #start(store: ChatStore, emit: (event: ChatEvent) => void): Promise<ChatRuntime | undefined> {
    const settings = this.#settings;
    const turnedAway = new TurnedAway();
    const node = await ensureNode(settings.slim, settings.node, (event) => {
      this.#log.node(event);
      const words = turnedAway.onEvent(event);
      if (words !== undefined) this.#runtime?.warn('unsupported-generation', words);
    });
    const runtime = new ChatRuntime(
      {
        connect: this.#connect,
        store,
        emit: (event) => {
          this.#log.chat(event);
          this.#tellOfDelay(event);
          emit(event);
        },
        cleanUp: async () => {
          await node?.close();
        },
      },
      {
        version: this.#version,
        channel: settings.channel,
        invites: settings.invites,
        timeoutMs: settings.timeoutMs,
        maxRetries: settings.maxRetries,
        mls: settings.mls,
        keepAliveGroup: settings.keepAliveGroup,
        givesClearCopies: settings.mlsPayload === 'mixed',
        waitInvites: settings.waitInvites,
        accept: settings.accept,
        lingerMs: settings.lingerMs,
        isNodeEmbedded: node !== undefined,
        logFile: settings.logFile,
        isStrict: this.#mode !== 'tui',
        holdsMessages: this.#mode === 'plain' && !this.#io.stdin.isTTY,
      },
    );
    this.#runtime = runtime;
    this.#io.onRunning(async () => {
      runtime.exit({ exitCode: 70 });
      await runtime.done;
    });
    if (this.#earlyExitCode !== undefined) runtime.exit({ exitCode: this.#earlyExitCode });
    if (this.#isOutputGone) runtime.exit({});
    try {
      await runtime.start();
    } catch (error) {
      if (runtime.isExiting) return undefined;
      await node?.close();
      throw error;
    }
    return runtime;
  }

  /** Nothing is on the screen yet that could show why nothing happens. */
  #tellOfDelay(event: ChatEvent): void {
    if (this.#mode === 'json' || this.#runtime?.isReady === true || this.#hasToldDelay) return;
    if (event.type !== 'connection' || event.state !== 'retrying') return;
    this.#hasToldDelay = true;
    this.#writer.write(`No SLIM node answers at ${this.#settings.slim.endpoint} yet, trying again ...`);
  }

  readonly #connect: Connect = async ({ onEvent, acceptInvitation }, signal) => {
    const { preloadMls, SlimApp } = await import('../client/index.js');
    // Whoever needs an engine that does not load hears of it then.
    if (this.#settings.mls) preloadMls().catch(() => {});
    return SlimApp.connect({
      local: this.#settings.local,
      slim: this.#settings.slim,
      sharedSecret: this.#settings.secret.reveal(),
      messageDelivery: 'events',
      mlsPayload: this.#settings.mlsPayload,
      // A configuration that says how often to try is obeyed.
      ...(this.#settings.slim.backoff === undefined && { connectAttempts: ATTEMPTS[this.#mode] }),
      signal,
      onEvent,
      acceptInvitation,
    });
  };

  #listenForSignals(): () => void {
    return listenForSignals((exitCode) => {
      this.#earlyExitCode = exitCode;
      this.#runtime?.exit({ exitCode });
    });
  }

  async #done(): Promise<number> {
    if (this.#runtime === undefined) throw new TypeError('the chat was not started');
    return this.#runtime.done;
  }
}

/** How the JSON contract tells of a program that ends before there is a chat. */
export function fatal(error: SlimError): readonly ChatEvent[] {
  const at = new Date().toISOString();
  return [
    { at, type: 'error', code: error.code, message: error.message },
    { at, type: 'bye', exitCode: error.exitCode },
  ];
}
