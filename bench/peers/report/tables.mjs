/** What was measured, as tables: rows of cells, the head first. */
import { LOADS } from '../http/loads.mjs'
import { shown, spread } from './spread.mjs'

/** Bare framework ÷ peer, by load: 1 would be protection for nothing. */
function shares(framework, loads) {
  const rows = Object.keys(loads.warm).map((name) => [
    name,
    ...Object.keys(LOADS).map((load) => shown(loads[load][name].ratios, 2)),
  ])
  return {
    title: `${framework}: CPU per request, bare ÷ protected (median, quartiles; greater is better)`,
    rows: [['', ...Object.values(LOADS)], ...rows],
  }
}

function micros(framework, loads) {
  const rows = Object.keys(loads.warm).map((name) => [
    name,
    ...Object.keys(LOADS).map((load) => spread(loads[load][name].micros).median.toFixed(1)),
  ])
  return {
    title: `${framework}: µs CPU per request (median)`,
    rows: [['', ...Object.values(LOADS)], ...rows],
  }
}

function cold(framework, loads) {
  const names = Object.keys(loads.new).filter((name) => name !== 'bare')
  return {
    title: `${framework}: every token new, a route that does one crypto.verify ÷ protected`,
    rows: [
      ['', 'CPU per request'],
      ...names.map((name) => [name, shown(loads.new[name].toVerify, 2)]),
    ],
  }
}

/** The same order in every table: the framework, ours, then the peers. */
function ordered(loads, names) {
  return Object.fromEntries(
    Object.entries(loads).map(([load, byName]) => [
      load,
      Object.fromEntries(
        names.filter((name) => name in byName).map((name) => [name, byName[name]]),
      ),
    ]),
  )
}

/** Ratios to the bare framework: less than 1 is fewer requests, more than 1 is a longer wait. */
function speed(framework, { warm, new: fresh }, rate) {
  const cells = (it) => [shown(it.perSecond, 2), shown(it.p99, 2)]
  return {
    title: `${framework}: requests per second in a closed loop, and p99 at ${rate} requests per second, ÷ bare`,
    rows: [
      ['', 'warm, per second', 'warm, p99', 'new, per second', 'new, p99'],
      ...Object.keys(warm).map((name) => [name, ...cells(warm[name]), ...cells(fresh[name])]),
    ],
  }
}

export function httpTables(framework, measured, names, rate) {
  const loads = ordered(measured, names)
  const tables = [shares(framework, loads), cold(framework, loads), speed(framework, loads, rate)]
  return [...tables, micros(framework, loads)]
}

/** One value per process: `of` one divided by `by` the other of the same process. */
function divided(values, of, by) {
  return values[of].map((value, index) => value / values[by][index])
}

const MICRO = {
  'warm hit, 1 token, ns': (it) => shown(it.one, 0),
  'warm hit, 5,000 tokens, ns': (it) => shown(it.many, 0),
  'warm hit, 1 token ÷ RSA check': (it) => shown(it['one in RSA checks'], 4),
  'new token ÷ RSA check': (it) => shown(it['new token in RSA checks'], 2),
  'garbage ÷ new token': (it) => shown(divided(it, 'garbage', 'new token'), 2),
  'expired ÷ new token': (it) => shown(divided(it, 'expired', 'new token'), 2),
  'foreign issuer ÷ new token': (it) => shown(divided(it, 'foreign issuer', 'new token'), 2),
  'event loop per token, 64 in flight, µs': (it) => shown(it['event loop, 64 in flight'], 1),
  'crypto.verify alone, handed to the thread pool, µs': (it) =>
    shown(it['event loop, signature handed over'], 1),
  'memory per cached token, bytes': (it) => bytes(it['bytes per token']),
  'the same, scopes and claims read': (it) => bytes(it['bytes per token, read']),
}

function bytes(values) {
  return spread(values).median === 0 ? 'nothing kept' : shown(values, 0)
}

export function microTables({ subjects, imports }) {
  const names = Object.keys(subjects)
  const rows = Object.entries(MICRO).map(([row, cell]) => [
    row,
    ...names.map((name) => cell(subjects[name])),
  ])
  const others = imports.others.length === 0 ? 'nothing' : imports.others.join(' ')
  return [
    { title: 'Without HTTP (median, quartiles over processes)', rows: [['', ...names], ...rows] },
    {
      title: 'Importing cognito-m2m/fastify',
      rows: [
        ['', ''],
        ['CPU ÷ importing aws-jwt-verify and fastify-plugin', shown(imports.ratios, 2)],
        ['milliseconds', shown(imports.milliseconds, 0)],
        ['files loaded', String(imports.files)],
        ['loaded besides itself and these two', others],
      ],
    },
  ]
}

export function markdown({ title, rows: [head, ...rows] }) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  const ruler = line(head.map((_, index) => (index === 0 ? '---' : '---:')))
  return `### ${title}\n\n${[line(head), ruler, ...rows.map(line)].join('\n')}\n`
}
