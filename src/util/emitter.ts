/** Calls listeners with each event, in the order they were added. */
export class Emitter<T> {
  readonly #listeners = new Set<(event: T) => void>();

  /** Whether anybody listens; lets a caller skip work that nobody would see. */
  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /**
   * Adds a listener.
   *
   * @returns stops listening
   */
  on(listener: (event: T) => void): () => void {
    // Wrapped, so that the same function added twice is two listeners and each removal removes its own.
    const entry = (event: T): void => {
      listener(event);
    };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Tells everybody. A listener that throws does not stop the others; its error surfaces as an uncaught exception. */
  emit(event: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
