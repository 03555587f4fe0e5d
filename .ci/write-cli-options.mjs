/** `npm run docs:cli`: writes the options of each command into docs/cli.md. test/docs/cli-options.test.ts compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createProgram } from '../src/cli/program.ts'
import { replaceOptionTables } from './cli-options.mjs'

const PAGE = 'docs/cli.md'

const terminal = { out() {}, err() {}, width: 100, colors: false }
const { commands } = await createProgram(['help'], { terminal, exitWith() {}, onPoolStarted() {} })
writeFileSync(PAGE, replaceOptionTables(readFileSync(PAGE, 'utf8'), commands))
