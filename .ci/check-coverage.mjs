/** Reads the coverage of the last test run: all of `src` at 100 % of lines and branches. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The bin, and what it starts, run in processes of their own; the others are types alone. */
const ELSEWHERE = new Set([
  'src/cli/main.ts',
  'src/cli/app-loader/child.ts',
  'src/cli/terminal/terminal.ts',
  'src/cli/commands/usage/flags.ts',
  'src/contract/infra/model/model.ts',
  'src/adapters/fastify/types.ts',
  'src/adapters/fetch/types.ts',
  'src/adapters/mcp/fetch-types.ts',
  'src/metrics/backend.ts',
  'src/tokens/client/types.ts',
  'src/tokens/oauth/one-token-api.ts',
  'src/tokens/rotate/types.ts',
  'src/tokens/usage/types.ts',
  'src/tokens/usage/price-types.ts',
  'src/tokens/usage/history/types.ts',
  'src/tokens/usage/import/types.ts',
  'src/adapters/express/global.ts',
  'src/contract/openapi/objects.ts',
])

/** tap writes it when a run ends, and empties the folder of what was covered when one begins. */
const SUMMARY = '.tap/report/coverage-summary.json'
if (statSync(SUMMARY).mtimeMs < statSync('.tap/coverage').mtimeMs) {
  throw new Error('the last run came to no summary')
}
const { total: _, ...files } = JSON.parse(readFileSync(SUMMARY, 'utf8'))
const covered = new Map(
  Object.entries(files).map(([file, figures]) => [relative('.', file), figures]),
)

const missing = []
for (const entry of readdirSync('src', { recursive: true })) {
  const file = join('src', entry)
  if (!file.endsWith('.ts') || ELSEWHERE.has(file)) continue
  const figures = covered.get(file)
  if (figures === undefined) {
    missing.push(`${file}: not run at all`)
    continue
  }
  const { lines, branches } = figures
  if (lines.pct < 100 || branches.pct < 100) {
    missing.push(`${file}: ${lines.pct} % of lines, ${branches.pct} % of branches`)
  }
}
if (![...covered.keys()].some((file) => file.startsWith('src/core/')))
  missing.push('nothing was run')
if (missing.length > 0) {
  process.stderr.write(`coverage:\n${missing.join('\n')}\n`)
  process.exitCode = 1
} else process.stdout.write(`coverage: ${covered.size} files at 100 %\n`)
