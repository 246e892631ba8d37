import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Top folder of the repository. */
export const repoRoot = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** The program under test: `SLIM_CHAT_PROGRAM` (an installed package, say), else the one that `npm run build` makes. */
export const programPath = process.env['SLIM_CHAT_PROGRAM'] ?? path.join(repoRoot, 'dist', 'bin', 'slim-chat.js');
