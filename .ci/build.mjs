/**
 * Builds dist: esbuild bundles the code of every entry point, with shared chunks, so that an import loads a few
 * files instead of one per source file. Each source file is in exactly one output: two copies of an error class
 * would break `instanceof`. tsc writes the types, one file per source file.
 *
 * `--outdir FOLDER` and `--entry FILE` (repeatable, relative to src) are for benchmarks of internal functions.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const PAGE = 'tokens/usage/dashboard/page'
/** Runs in a child process of the command line, which starts it by its path. */
const CHILD = 'cli/app-loader/child.ts'

const { values } = parseArgs({
  options: { outdir: { type: 'string' }, entry: { type: 'string', multiple: true, default: [] } },
})
const outdir = join(root, values.outdir ?? 'dist')

/** The source files that package.json offers to users, as exports or as a program. */
function listEntryPoints() {
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const targets = [...Object.values(exports).map((it) => it.default ?? it), ...Object.values(bin)]
  return targets
    .map((it) => /^(?:\.\/)?dist\/(.+)\.js$/.exec(it)?.[1])
    .filter((it) => it !== undefined)
    .map((it) => `${it}.ts`)
}

/** Throws if a source file was put into two outputs. */
function assertSingleCopies({ outputs }) {
  const owners = new Map()
  for (const [output, { inputs }] of Object.entries(outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      if (bytesInOutput === 0) continue
      if (owners.has(input)) throw new Error(`${input} is in ${owners.get(input)} and in ${output}`)
      owners.set(input, output)
    }
  }
}

async function bundle() {
  const entryPoints = [...listEntryPoints(), CHILD, ...values.entry]
  const { metafile, warnings } = await build({
    absWorkingDir: root,
    entryPoints: entryPoints.map((it) => join(root, 'src', it)),
    outbase: 'src',
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'es2023',
    // package.json says that no module has side effects. Users' bundlers may rely on it, this one need not.
    ignoreAnnotations: true,
    // A class that is wrapped to keep its name would cost a call each time it is created.
    keepNames: false,
    sourcemap: 'linked',
    sourcesContent: true,
    metafile: true,
    logLevel: 'warning',
  })
  if (warnings.length > 0) throw new Error(`esbuild: expected no warnings, got ${warnings.length}`)
  assertSingleCopies(metafile)
}

rmSync(outdir, { recursive: true, force: true })
await bundle()
if (values.outdir === undefined) {
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  cpSync(join(root, 'src', PAGE), join(outdir, PAGE), { recursive: true })
}
