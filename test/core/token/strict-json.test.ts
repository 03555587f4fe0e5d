import t from 'tap'
import { parseStrictObject } from '../../../src/core/token/strict-json.ts'
import { label, seeded } from '../../support/forge.ts'

function parse(text: string | Buffer): unknown {
  return parseStrictObject(Buffer.from(text as string))
}

/** Every text of a table is refused. */
function refuses(rule: string, texts: readonly (string | Buffer)[]): void {
  t.test(rule, async (t) => {
    for (const text of texts) t.equal(parse(text), undefined, label(String(text)))
  })
}

t.test('reads what JSON.parse reads', async (t) => {
  const texts = [
    '{}',
    ' \t\r\n{ "a" : 1 , "b" : [ 1 , "x" , null , true , -1.5e3 ] } \n',
    '{"é":"é","\\u00e8":"\\ud83d\\ude00","":"empty names are names"}',
    '{"a":{"a":{"a":"the same name, one deeper each"}}}',
    '{"list":[{"a":1},{"a":2}],"a":3}',
    '{"a":"a","b":["a","a"],"c":"\\"a\\":1","d":"a:","e":"\\\\"}',
    '{"a\\\\":1,"a":2,"a\\"":3,"a\\":":4}',
    '{"Constructor":1,"proto":2,"__Proto__":3,"prototypes":4}',
    '{"claim":"__proto__","list":["constructor","prototype"]}',
  ]
  for (const text of texts) t.strictSame(parse(text), JSON.parse(text), label(text))
})

refuses('refuses bytes that are not UTF-8', [
  Buffer.from('7b2261223a22ff227d', 'hex'),
  Buffer.from('7b2261223a22c0af227d', 'hex'),
  Buffer.from('7b2261223a22eda080227d', 'hex'),
  Buffer.from('7b2261223a22f4908080227d', 'hex'),
  Buffer.from('7b2261223a22e282227d', 'hex'),
  Buffer.from('{"a":"é"}', 'latin1'),
  Buffer.from('{"a":1}', 'utf16le'),
])
refuses('refuses a byte order mark', ['\ufeff{"a":1}'])
refuses('refuses what is no JSON', [
  ...['', ' ', '{', '}', '{"a":1', '{"a":1}}', '{"a":1,}', "{'a':1}", '{a:1}', '{"a":01}'],
  ...['{"a":NaN}', '{"a":Infinity}', '{"a":+1}', '{"a":1}//', '{"a":1}{"b":2}', '{"a":"\n"}'],
])
refuses('refuses JSON that is no object', ['null', '[]', '[{"a":1}]', '"a"', '1', 'true'])
refuses('refuses duplicate members at any depth', [
  '{"a":1,"a":1}',
  '{"a":1,"b":2,"a":3}',
  '{"a":1,"b":{"a":1},"a":3}',
  '{"x":{"a":1,"a":2}}',
  '{"x":[1,{"a":1,"a":2}]}',
  '{"x":[[[{"y":{"a":1,"b":[{"c":1}],"a":2}}]]]}',
  '{"":1,"":2}',
])
refuses('refuses duplicate members however they are written', [
  '{"a":1,"\\u0061":2}',
  '{"\\u0061":1,"\\u0061":2}',
  '{"a" :1,"a"\t:2}',
  '{"a"\n:1,"a"\r\n \t:2}',
  '{"\\/":1,"/":2}',
  '{"\\"":1,"\\u0022":2}',
  '{"é":1,"\\u00e9":2}',
])
refuses('refuses members named like those of a prototype, at any depth', [
  ...Object.getOwnPropertyNames(Object.prototype).map((name) => `{"${name}":1}`),
  '{"x":{"__proto__":{}}}',
  '{"x":[{"constructor":{"prototype":{}}}]}',
  '{"\\u005f_proto__":1}',
  '{"__proto__" : 1}',
])
refuses('refuses a member named prototype', ['{"prototype":1}', '{"x":[{"prototype":{}}]}'])

function nested(depth: number, open: string, close: string): string {
  return `{"a":${open.repeat(depth - 1)}1${close.repeat(depth - 1)}}`
}

t.test('rejects more than 32 levels', async (t) => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
    ['[ ', ' ]'],
    ['[1,', ',1]'],
    ['{ "b" : true ,\n"a" : ', ' }'],
  ] as const) {
    t.not(parse(nested(32, open, close)), undefined)
    t.equal(parse(nested(33, open, close)), undefined)
  }
  t.equal(parse(nested(100_000, '[', ']')), undefined, 'without running out of stack')
})

t.test('rejects more than 256 members, at every depth together', async (t) => {
  const members = (count: number, of: string) =>
    Array.from({ length: count }, (_, at) => `"${of}${at}":1`).join(',')
  t.not(parse(`{${members(256, 'a')}}`), undefined)
  t.equal(parse(`{${members(257, 'a')}}`), undefined)
  t.not(parse(`{"a":[{${members(127, 'b')}},{${members(128, 'c')}}]}`), undefined)
  t.equal(parse(`{"a":[{${members(128, 'b')}},{${members(128, 'c')}}]}`), undefined)
  t.not(parse(`{"a":"${':{['.repeat(1000)}"}`), undefined, 'marks in text are text')
})

t.test('rejects more than 256 objects and arrays, at every depth together', async (t) => {
  for (const one of ['{}', '[]', '[{}]']) {
    const count = (254 / one.length) * 2
    t.not(parse(`{"a":[${Array(count).fill(one).join(',')}]}`), undefined, one)
    t.equal(
      parse(
        `{"a":[${Array(count + 1)
          .fill(one)
          .join(',')}]}`,
      ),
      undefined,
      one,
    )
  }
})

t.test('depth counts open levels only', async (t) => {
  const shallow = Array.from({ length: 80 }, () => ({ a: [{}] }))
  t.strictSame(parse(JSON.stringify({ shallow })), { shallow })
  t.not(parse(`{"a":"${'['.repeat(100)}"}`), undefined, 'brackets in text are text')
})

t.test('finds in any document the duplicates that were put there', async (t) => {
  const random = seeded(11)
  // No name is an escaped character alone: Node 24's JSON.parse may take a quote for a backslash.
  const names = ['a', 'b', '\\"q', '\\\\s', ':', '{', 'é', '\\u0061b', ' ']
  const write = (depth: number): string => {
    const kind = depth > 4 ? 4 + random(2) : random(6)
    if (kind < 2) {
      const members = names.filter(() => random(3) === 0)
      return `{${members.map((name) => `"${name}" : ${write(depth + 1)}`).join(' ,')}}`
    }
    if (kind < 4) return `[${[1, 2].map(() => write(depth + 1)).join(',\n')}]`
    return kind === 4 ? `"${names[random(names.length)]}:"` : '-1.5e3'
  }
  for (let round = 0; round < 500; round += 1) {
    const value = write(0)
    const text = `{"first":${value},"last":[${write(1)}]}`
    t.strictSame(parse(text), JSON.parse(text), label(text))
    t.equal(parse(`${text.slice(0, -1)},"first":1}`), undefined)
    t.equal(parse(`{"deep":[{"x":1,"y":${value},"x":${value}}]}`), undefined)
  }
})
