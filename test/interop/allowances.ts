/**
 * Says how often what a test allows to real peers was needed, and why it is allowed.
 *
 * @param where - what to call the test
 * @param reasons - by the name of the allowance
 */
export function tellAllowances<Name extends string>(
  where: string,
  counts: Readonly<Partial<Record<Name, number>>>,
  reasons: Readonly<Record<Name, string>>,
): void {
  for (const name of Object.keys(reasons) as Name[]) {
    const count = counts[name] ?? 0;
    if (count > 0) process.stdout.write(`allowed  ${where}: ${name} ${count} times, ${reasons[name]}\n`);
  }
}
