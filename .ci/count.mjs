/**
 * Adds up the results that .ci/run collected: for each step NAME a file NAME.exit, and for a suite NAME.json by vitest's JSON
 * reporter, or NAME.txt, what it printed (cargo, or that it was left out).
 *
 *   node .ci/count.mjs FOLDER NAME...    the first name is the installation, which has no tests
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Content of a file, or undefined if there is none. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Counts of one suite. What fails outside a test (a file that does not load, a crash, a time limit, an error between tests) is
 * one failure each, because a failed run must never add up to none.
 */
export function countSuite(name, report, exitCode) {
  const counts = { passed: 0, failed: 0, skipped: 0, problems: [] };
  const problem = (text) => {
    counts.failed += 1;
    counts.problems.push(`${name}: ${text}`);
  };
  if (report === undefined) {
    problem(`no results (exit ${exitCode ?? 'unknown'})`);
    return counts;
  }
  counts.passed = report.numPassedTests;
  counts.failed = report.numFailedTests;
  counts.skipped = report.numPendingTests + report.numTodoTests;
  for (const file of report.testResults) {
    const failedTests = file.assertionResults.filter(({ status }) => status === 'failed');
    if (file.status === 'failed' && failedTests.length === 0) problem(`${file.name} failed outside its tests`);
  }
  if (counts.passed === 0 && counts.failed === 0 && report.leftOut === undefined) problem('not one test ran');
  if (exitCode !== 0 && counts.failed === 0) problem(`exit ${exitCode ?? 'unknown'}, although no test failed`);
  return counts;
}

/**
 * What a suite printed, as a report of vitest: the results of cargo, or the line in which it says that it was left out, and why.
 * Such a suite counts as one skipped test.
 */
export function reportOfText(text) {
  const leftOut = /^SKIPPED: (.*)$/m.exec(text)?.[1];
  const isLeftOut = leftOut !== undefined;
  const report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: Number(isLeftOut), numTodoTests: 0 };
  for (const [, passed, failed, ignored] of text.matchAll(
    /^test result: .* (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    report.numPassedTests += Number(passed);
    report.numFailedTests += Number(failed);
    report.numPendingTests += Number(ignored);
  }
  return { ...report, testResults: [], leftOut };
}

function main([folder, install, ...suites]) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const problems = [];
  const exitCodeOf = (name) => {
    const text = read(path.join(folder, `${name}.exit`));
    return text === undefined ? undefined : Number(text);
  };
  const installed = exitCodeOf(install);
  if (installed !== 0) {
    total.failed += 1;
    problems.push(`${install}: exit ${installed ?? 'unknown'}, the suites did not run`);
  } else {
    for (const name of suites) {
      const json = read(path.join(folder, `${name}.json`));
      const printed = read(path.join(folder, `${name}.txt`));
      const report = json === undefined ? printed && reportOfText(printed) : JSON.parse(json);
      const { problems: found, ...counts } = countSuite(name, report, exitCodeOf(name));
      problems.push(...found);
      if (report?.leftOut !== undefined) problems.push(`${name} was left out: ${report.leftOut}`);
      for (const key of Object.keys(total)) total[key] += counts[key];
      console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    }
  }
  for (const text of problems) console.log(`!! ${text}`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = main(process.argv.slice(2));
