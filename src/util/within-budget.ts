import { startTimer, type Timer } from './time.js';

/** Waits for work, but no longer than a budget. Rejects as the work does, unless that comes too late. */
export async function withinBudget(work: Promise<unknown>, budgetMs: number): Promise<void> {
  let timer: Timer | undefined;
  const budget = new Promise<void>((resolve) => {
    timer = startTimer(budgetMs, resolve);
  });
  try {
    await Promise.race([work, budget]);
  } finally {
    timer?.cancel();
    // What fails after the budget is spent interests nobody any more.
    work.catch(() => undefined);
  }
}
