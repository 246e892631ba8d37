// Reporters named on vitest's command line replace those of its config, so .ci/run has to name the interop table again; and a
// reporter named there must be a default export.
export { InteropReporter as default } from '../test/interop/reporter.ts';
