/** Writes what a run came to: Markdown, the raw values, charts; and text for the terminal. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { table } from '../../table.mjs'
import { expressPeers } from '../http/express-peers.mjs'
import { fastifyPeers } from '../http/fastify-peers.mjs'
import { honoPeers } from '../http/hono-peers.mjs'
import { chart } from './chart.mjs'
import { httpTables, markdown, microTables } from './tables.mjs'

export const PEERS = { fastify: fastifyPeers, express: expressPeers, hono: honoPeers }
const TITLES = { fastify: 'Fastify', express: 'Express', hono: 'Hono' }
const CHARTS = {
  warm: 'Warm: 200 clients that reuse their tokens',
  new: 'Cold: every token new',
}

function versionOf(name) {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return `${name} ${JSON.parse(readFileSync(path, 'utf8')).version}`
}

/** Of every peer that can be measured, whether it was or not. */
function versions() {
  const all = Object.values(PEERS).flatMap((peers) =>
    Object.values(peers).flatMap(({ packages }) => packages),
  )
  return [...new Set(all)].sort().map(versionOf).join(', ')
}

function tablesOf({ micro, http, settings }) {
  return [
    ...(micro === undefined ? [] : microTables(micro)),
    ...Object.entries(http).flatMap(([framework, { loads }]) =>
      httpTables(TITLES[framework], loads, order(framework), settings.rate),
    ),
  ]
}

function order(framework) {
  const [bare, verify, ours, ...peers] = Object.keys(PEERS[framework])
  return [bare, ours, ...peers, verify]
}

function chartOf(load, { http }) {
  const panels = Object.entries(http).map(([framework, { loads }]) => ({
    title: TITLES[framework],
    bars: order(framework)
      .filter((name) => name !== 'bare' && name in loads[load])
      .map((name) => ({ name, values: loads[load][name].ratios, ours: name === 'cognito-m2m' })),
  }))
  const subtitle =
    'CPU per request of the bare framework ÷ that of the protected route; 1 costs nothing'
  return chart({ title: CHARTS[load], subtitle, panels })
}

function facts({ machine, settings, http }) {
  const waited = Object.values(http).map((it) => `${(it.waited * 100).toFixed(0)} %`)
  return [
    ...machine,
    `${settings.rounds} rounds of ${settings.passes} × ${settings.requests} requests per load and server, ${settings.connections} connections; micro: ${settings.processes} processes each`,
    ...(waited.length === 0
      ? []
      : [`servers queued for their core for ${waited.join(' and ')} of the time they had it`]),
    versions(),
  ]
}

/**
 * @param folder Where to; made if it is not there.
 * @returns The tables as text.
 */
export function writeReport(results, folder) {
  mkdirSync(folder, { recursive: true })
  const tables = tablesOf(results)
  const lines = facts(results)
  const charts = Object.keys(results.http).length === 0 ? [] : Object.keys(CHARTS)
  for (const load of charts) writeFileSync(new URL(`${load}.svg`, folder), chartOf(load, results))
  const pictures = charts.map((load) => `![${CHARTS[load]}](${load}.svg)\n`)
  const document = [
    '# Results\n',
    `${lines.map((line) => `- ${line}`).join('\n')}\n`,
    ...pictures,
    ...tables.map(markdown),
  ]
  writeFileSync(new URL('README.md', folder), document.join('\n'))
  writeFileSync(new URL('results.json', folder), `${JSON.stringify(results, rounded, 1)}\n`)
  const shown = tables.map(({ title, rows }) => `${title}\n\n${table(rows)}\n`)
  return [...lines, '', ...shown].join('\n')
}

/** Five digits are more than was measured. */
function rounded(_key, value) {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value
}
