import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Top folder of the repository. */
export const repoRoot = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** The built program; `npm run build` makes it. */
export const programPath = path.join(repoRoot, 'dist', 'bin', 'slim-chat.js');
