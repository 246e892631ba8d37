import { MlsError } from '../util/index.js';
import { isMlsErrorCode, mlsError } from './mls-error.js';

/** `code|lifetime|detail`, as `openmls-wasm/src/bindings.rs` writes it. */
const FAILURE = /^([a-z-]+)\|(\d*)\|(.*)$/s;

/** Something in the memory of the wasm module. */
export interface Freeable {
  free(): void;
}

/**
 * The one owner of one object in wasm memory. Nobody else keeps the raw object, so nothing can be called on one that is gone:
 * a pointer to freed memory would mean a crash, or worse, somebody else's keys.
 *
 * The generated code frees what was forgotten when the garbage collector finds it. That is the net, not the plan: it may never
 * happen.
 *
 * @internal
 */
export class Owned<Raw extends Freeable> {
  #raw: Raw | undefined;
  #hasCrashed = false;
  readonly #parent: Owner | undefined;

  /** @param parent - who frees this one along with itself */
  constructor(raw: Raw, parent?: Owner) {
    this.#raw = raw;
    this.#parent = parent;
    parent?.adopt(this);
  }

  /**
   * Calls the engine.
   *
   * @throws MlsError what the engine refuses; `mls-freed`, `mls-internal`
   */
  use<Result>(call: (raw: Raw) => Result): Result {
    if (this.#raw === undefined) throw mlsError(this.#hasCrashed ? 'mls-internal' : 'mls-freed');
    try {
      return call(this.#raw);
    } catch (error) {
      if (isPanic(error)) this.#abandon();
      throw translate(error);
    }
  }

  /** Frees it now. May be called again. */
  free(): void {
    const raw = this.#raw;
    this.#raw = undefined;
    this.#parent?.forget(this);
    raw?.free();
  }

  /** After a panic the object is locked for good and its state is half changed. It cannot even be freed: it leaks. */
  #abandon(): void {
    this.#raw = undefined;
    this.#hasCrashed = true;
    this.#parent?.forget(this);
  }
}

/**
 * Everything that must not outlive a client.
 *
 * @internal
 */
export class Owner {
  readonly #children = new Set<{ free(): void }>();

  adopt(child: { free(): void }): void {
    this.#children.add(child);
  }

  forget(child: { free(): void }): void {
    this.#children.delete(child);
  }

  freeAll(): void {
    for (const child of this.#children) child.free();
  }
}

/**
 * Runs a call of the engine that belongs to no object yet.
 *
 * @throws MlsError
 * @internal
 */
export function guarded<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/**
 * The crate aborts on a panic, which is a trap. The class of it is not among the types of this build, so the name must do. A
 * call that uses two objects breaks both: the outer one sees what the inner one made of it.
 */
function isPanic(error: unknown): boolean {
  if (error instanceof MlsError) return isPanic(error.cause);
  return error instanceof Error && error.name === 'RuntimeError';
}

function translate(error: unknown): MlsError {
  if (error instanceof MlsError) return error;
  const [, name = '', lifetime = '', detail = ''] = error instanceof Error ? (FAILURE.exec(error.message) ?? []) : [];
  const code = `mls-${name}`;
  if (!isMlsErrorCode(code)) return mlsError('mls-internal', { cause: error });
  const bound = code === 'mls-lifetime-expired' ? 'notAfter' : 'notBefore';
  const details = { ...(detail !== '' && { detail }), ...(lifetime !== '' && { [bound]: Number(lifetime) }) };
  return mlsError(code, { cause: error, details });
}
