/**
 * Reads and checks mutated templates of the corpus. Each gives a model or a TemplateError. TEMPLATE_RUNS sets the number
 * of runs, and FUZZ_SEED repeats a run.
 */
import { randomInt } from 'node:crypto'
import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { checkScopes, readTemplate, TemplateError } from '../../../src/contract/infra/index.ts'
import { sampleSize } from '../../support/sample.ts'
import { fixture } from '../../support/templates.ts'

const RUNS = sampleSize(
  'mutated templates',
  { complete: 600, sampled: 200 },
  process.env['TEMPLATE_RUNS'],
)
const seed = Number(process.env['FUZZ_SEED'] || randomInt(2 ** 31))
/** Seconds of processor time. A template of a few kilobytes takes milliseconds. */
const LIMIT = 5

const folder = new URL('../../../fixtures/templates/corpus/', import.meta.url)
const corpus = readdirSync(folder)
  .filter((name) => !name.endsWith('.model'))
  .map((name) => ({ ...fixture(`corpus/${name}`), file: name }))

/** Texts with a meaning in one of the syntaxes, or in JavaScript. */
const MARKS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '${',
    '%{',
    '!',
    '&a ',
    '*a ',
    '<<: ',
    '- ',
    ': ',
    '? ',
    '|',
    '>',
  ],
  ...[
    '#',
    '\\',
    '\t',
    '\r',
    '\n',
    '\u0000',
    '\u2028',
    '\ud800',
    '%',
    '...',
    '<<EOT',
    '~',
    '.',
    ',',
    '=',
  ],
  ...[
    '__proto__',
    'constructor',
    'Fn::If',
    'Fn::ForEach::x',
    '!Ref ',
    '!GetAtt ',
    '!Sub ',
    'null',
    '[0]',
  ],
  ...[
    'local.',
    'var.',
    'each.key',
    'Resources',
    '1e999',
    '{{resolve:ssm:',
    '---\n',
    '[*]',
    '?',
    '...)',
  ],
]

const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.nat(8),
  copied: fc.double({ min: 0, max: 1, noNaN: true }),
  put: fc.oneof(
    fc.constantFrom(...MARKS),
    fc.constant(undefined),
    fc.stringMatching(/^[\w .-]{0,6}$/),
  ),
})

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

function changed(text: string, { at, drop, copied, put }: Change): string {
  const start = Math.floor(at * text.length)
  const from = Math.floor(copied * text.length)
  // Without a text to insert, a piece of the template is inserted.
  return text.slice(0, start) + (put ?? text.slice(from, from + 80)) + text.slice(start + drop)
}

t.test(
  'mutated templates give a model, or a TemplateError with a position, within the time limit',
  async (t) => {
    t.comment(`FUZZ_SEED=${seed} TEMPLATE_RUNS=${RUNS}`)
    const outcomes = { read: 0, rejected: 0 }
    const property = fc.asyncProperty(
      fc.constantFrom(...corpus),
      fc.array(change, { minLength: 1, maxLength: 2 }),
      async ({ file, text }, changes) => {
        const start = process.cpuUsage()
        try {
          checkScopes(await readTemplate({ file, text: changes.reduce(changed, text) }))
          outcomes.read += 1
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error
          const { line, column, message } = error
          outcomes.rejected += 1
          const placed = message.startsWith(`${file}:${line}:${column}: `) && line > 0 && column > 0
          if (!placed || /[\p{Cc}\p{Zl}]/u.test(message)) throw error
        }
        const { user, system } = process.cpuUsage(start)
        return (user + system) / 1_000_000 < LIMIT
      },
    )
    await fc.assert(property, { seed, numRuns: RUNS, endOnFailure: false })
    t.ok(outcomes.read > RUNS / 20, `${outcomes.read} were read`)
    t.ok(outcomes.rejected > RUNS / 20, `${outcomes.rejected} were rejected`)
    t.notOk('polluted' in {}, 'Object.prototype is not changed')
  },
)
