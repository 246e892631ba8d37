/** Waits for work, but no longer than a budget. Rejects as the work does, unless that comes too late. */
export async function withinBudget(work: Promise<unknown>, budgetMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const budget = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, budgetMs);
  });
  try {
    await Promise.race([work, budget]);
  } finally {
    clearTimeout(timer);
    // What fails after the budget is spent interests nobody any more.
    work.catch(() => undefined);
  }
}
