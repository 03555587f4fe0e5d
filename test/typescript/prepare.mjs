/**
 * Runs before `npm test`. Builds tap with the plugins .taprc names: a run that finds them missing builds
 * them too, but loads what they replace to its end. And prepares every file at once, not one a process.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
// Ahead of what makes its class out of plugins.
import '@tapjs/core'
import { importLoaders } from '@tapjs/test'
import { blank } from './hooks.mjs'

if (importLoaders.length > 0) execFileSync('npx', ['tap', 'build'], { stdio: 'inherit' })

for (const folder of process.features.typescript ? [] : ['src', 'test']) {
  for (const entry of readdirSync(folder, { recursive: true })) {
    if (entry.endsWith('.ts')) await blank(readFileSync(join(folder, entry), 'utf8'))
  }
}
