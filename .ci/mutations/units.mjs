/**
 * Reads the units of fixtures/templates/units: each folder has the templates of one deployment. `routes.json` is the
 * routes file of its app, `openapi.yaml` its document. `unit.json` has what the texts do not say: values of parameters,
 * names of scopes that expressions compose, mistakes that only its shape has, and equivalent mutants.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, normalize } from 'node:path'
import {
  checkScopes,
  readOpenApi,
  readRoutes,
  readTemplate,
} from '../../src/contract/infra/index.ts'

const UNITS = new URL('../../fixtures/templates/units/', import.meta.url)
const ROUTES = 'routes.json'
const DOCUMENT = 'openapi.yaml'
const SETTINGS = 'unit.json'

export const UNITS_PATH = 'fixtures/templates/units'

export function readUnits() {
  return readdirSync(UNITS).sort().map(readUnit)
}

function readUnit(name) {
  const folder = new URL(`${name}/`, UNITS)
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      `${entry.parentPath}/${entry.name}`.slice(folder.pathname.length).replace(/^\//, ''),
    )
    .sort()
  const files = new Map(paths.map((path) => [path, readFileSync(new URL(path, folder), 'utf8')]))
  const settings = files.has(SETTINGS) ? JSON.parse(files.get(SETTINGS)) : {}
  files.delete(SETTINGS)
  const isDocument = (path) => path === ROUTES || path === DOCUMENT
  const templates = new Map([...files].filter(([path]) => !isDocument(path)))
  const documents = new Map([...files].filter(([path]) => isDocument(path)))
  return { ...settings, name, files, templates, documents, cache: new Map() }
}

const isTerraform = (file) => /\.(?:tf|tf\.json|tfvars)$/.test(file)

/** Reads one model of each CloudFormation template, and one of the Terraform module with its local modules. */
function readModels(templates, parameters, read) {
  const sources = [...templates].map(([file, text]) => ({ file, text }))
  const terraform = sources.filter(({ file }) => isTerraform(file))
  const models = sources
    .filter(({ file }) => !isTerraform(file))
    .map((source) => read([source], ([one]) => readTemplate(one, { parameters })))
  if (terraform.length === 0) return models
  return [...models, read(terraform, (all) => readModule(all, parameters))]
}

function readModule(sources, parameters) {
  const variables = sources.filter(({ file }) => file.endsWith('.tfvars'))
  const loadModule = (folder) =>
    sources.filter(({ file }) => file.endsWith('.tf') && dirname(file) === normalize(folder))
  const root = loadModule('.').concat(sources.filter(({ file }) => file.endsWith('.tf.json')))
  return readTemplate(root, { parameters, variables, loadModule })
}

/** Checks a unit, with one of its files changed. What did not change is read once. */
export async function checkUnit(unit, changed = { file: '', text: '' }) {
  const { parameters = {}, proxyTtl, cache } = unit
  const read = (sources, reader) => {
    const key = sources.map(({ file }) => file).join()
    if (sources.some(({ file }) => file === changed.file)) {
      return reader(
        sources.map((one) => (one.file === changed.file ? { ...one, text: changed.text } : one)),
      )
    }
    if (!cache.has(key)) cache.set(key, reader(sources))
    return cache.get(key)
  }
  const models = await Promise.all(readModels(unit.templates, parameters, read))
  const readDocument = (file, reader) =>
    unit.documents.has(file)
      ? read([{ file, text: unit.documents.get(file) }], ([source]) => reader(source))
      : []
  const routes = await readDocument(ROUTES, readRoutes)
  const openapi = await readDocument(DOCUMENT, readOpenApi)
  const options = proxyTtl === undefined ? { routes, openapi } : { routes, openapi, proxyTtl }
  return checkScopes(models, options)
}
