import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { CommandFailure } from '../../../src/cli/exit-codes.ts'
import { createStyle, formatJson, isColorEnabled } from '../../../src/cli/terminal/format.ts'
import { readInput } from '../../../src/cli/terminal/input.ts'
import { readHidden } from '../../../src/cli/terminal/prompt.ts'
import { HOSTILE, isPlain } from '../../support/run-cli.ts'

/** A keyboard that keeps what modes it was put in. */
function keyboard() {
  const modes: (boolean | string)[] = []
  const stream = Object.assign(new PassThrough(), {
    setRawMode: (on: boolean) => modes.push(on),
    unref: () => modes.push('unref'),
  })
  return { stream, modes }
}

/** What comes of typing these chunks. */
async function typing(chunks: readonly (string | Buffer)[], ends = false) {
  const { stream, modes } = keyboard()
  let said = ''
  const asked = readHidden(
    stream,
    (text) => (said += text),
    'Secret: ',
    new AbortController().signal,
  )
  for (const chunk of chunks) stream.write(chunk)
  if (ends) stream.end()
  const typed = await asked.catch((error: CommandFailure) => error.exitCode)
  t.strictSame(modes, [true, false, 'unref'], 'the terminal is as it was')
  t.equal(said, 'Secret: \n', 'and nothing was shown')
  t.strictSame(
    ['data', 'end', 'error'].map((event) => stream.listenerCount(event)),
    ['data', 'end', 'error'].map((event) => new PassThrough().listenerCount(event)),
  )
  return typed
}

t.test('a secret is read key by key or pasted, and shown nowhere', async (t) => {
  t.equal(await typing(['s3', 'cret', '\r']), 's3cret')
  t.equal(await typing(['pasted+with/signs=\nmore lines']), 'pasted+with/signs=')
  t.equal(await typing(['wrong\u007f\u007f\u007f\u007f\u007fright', '\n']), 'right')
  t.equal(await typing(['a😀\bb\r']), 'ab', 'backspace takes a whole character')
  t.equal(await typing(['wrong\u0015right\r']), 'right')
  t.equal(await typing(['\u007fa\r']), 'a')
  t.equal(
    await typing(['a\u001b[Db\u001b[3~\u001bOA\u001b\u0001\tc\r']),
    'abc',
    'keys that write nothing',
  )
  t.equal(await typing(['\u001b[200~paste\u001b[201~\r']), 'paste')
  const smile = Buffer.from('😀')
  t.equal(await typing([smile.subarray(0, 2), smile.subarray(2), '\r']), '😀')
  t.equal(((await typing([`${'x'.repeat(70_000)}\r`])) as string).length, 65_536)
})

t.test('the end of the input, and nothing typed', async (t) => {
  t.equal(await typing(['abc'], true), 'abc')
  t.equal(await typing([], true), undefined)
  t.equal(await typing(['abc\u0004']), 'abc')
  t.equal(await typing(['\u0004']), undefined)
  t.equal(await typing(['\r']), undefined)
})

t.test('Ctrl-C and the signal interrupt it', async (t) => {
  t.equal(await typing(['abc\u0003']), 130)
  for (const before of [true, false]) {
    const interruption = new AbortController()
    if (before) interruption.abort()
    const { stream, modes } = keyboard()
    const asked = readHidden(stream, () => {}, '', interruption.signal)
    interruption.abort()
    await t.rejects(asked, new CommandFailure(130, 'interrupted'))
    t.strictSame(modes, [true, false, 'unref'])
  }
})

t.test('a keyboard that fails ends the question; one that cannot let go is left', async (t) => {
  const modes: boolean[] = []
  const bare = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => modes.push(on) })
  const asked = readHidden(bare, () => {}, '', new AbortController().signal)
  bare.emit('error', new Error('gone'))
  t.equal(await asked, undefined)
  t.strictSame(modes, [true, false])
})

const signal = new AbortController().signal

t.test('a stream is read to its end, within a bound', async (t) => {
  const limits = { maxBytes: 8, signal, what: 'standard input' }
  const smile = Buffer.from('😀')
  t.equal(await readInput(Readable.from([smile.subarray(0, 1), smile.subarray(1)]), limits), '😀')
  t.equal(await readInput(Readable.from([]), limits), '')
  const long = Readable.from([Buffer.alloc(8), Buffer.alloc(1)])
  const message = 'standard input: expected at most 8 bytes, got more. Pass a shorter input.'
  const tooMuch = new CommandFailure(2, message)
  await t.rejects(readInput(long, limits), tooMuch)
  t.ok(long.destroyed)
  const failing = new PassThrough()
  failing.destroy(new Error('gone'))
  await t.rejects(readInput(failing, limits), { message: 'gone' })
})

t.test('an interrupted stream is let go of', async (t) => {
  for (const before of [true, false]) {
    const interruption = new AbortController()
    if (before) interruption.abort()
    const stream = new PassThrough()
    stream.write('begun')
    const reading = readInput(stream, { maxBytes: 8, signal: interruption.signal, what: 'it' })
    interruption.abort()
    await t.rejects(reading, new CommandFailure(130, 'interrupted'))
    t.ok(stream.destroyed)
  }
})

t.test('colours: on terminals that can, and as the person says', async (t) => {
  const cases: readonly [Record<string, string>, boolean, boolean][] = [
    [{}, true, true],
    [{}, false, false],
    [{ TERM: 'xterm' }, true, true],
    [{ TERM: 'dumb' }, true, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: 'false' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ]
  for (const [env, isTerminal, wanted] of cases) {
    t.equal(isColorEnabled(env, isTerminal), wanted, JSON.stringify(env))
  }
  const { bold, dim, green, red, yellow } = createStyle({ colors: true })
  t.equal(
    bold(dim(green(red(yellow('x'))))),
    '\u001b[1m\u001b[2m\u001b[32m\u001b[31m\u001b[33mx\u001b[39m\u001b[39m\u001b[39m\u001b[22m\u001b[22m',
  )
  t.equal(createStyle({ colors: false }).bold('x'), 'x')
})

t.test('JSON is one line, and what it escapes a parser has', async (t) => {
  const value = { [HOSTILE]: [HOSTILE, 7, null, true], tag: '\u{e0041}' }
  const line = formatJson(value)
  t.ok(isPlain(line))
  t.equal(line.split('\n').length, 2)
  t.strictSame(JSON.parse(line), JSON.parse(JSON.stringify(value)))
  t.match(line, '\\u202e')
  t.match(line, '\\udb40\\udc41')
})
