/** The API reference: one page for each subpath of the package, from the TSDoc of the sources. */
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { Application, ReflectionKind } from 'typedoc'
import { readManifest, root } from './pages.mjs'

/** @returns The source of each subpath that exports TypeScript, such as `src/adapters/fastify/index.ts`. */
function listEntryPoints() {
  return Object.entries(readManifest().exports).flatMap(([subpath, target]) =>
    typeof target === 'string'
      ? []
      : [
          {
            source: target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts'),
            name: posix.join('cognito-m2m', subpath),
          },
        ],
  )
}

/** The name that TypeDoc gives to a module: its path without the common folder and `index`. */
const toModuleName = (source) => source.replace(/^src\//, '').replace(/(?:\/index)?\.ts$/, '')

/** Members whose type is an error message (`scope` for `scopes`) only serve the compiler. */
function removeMisspelledMembers(project) {
  const members = project.getReflectionsByKind(ReflectionKind.Property)
  for (const member of members) {
    if (member.type?.name === 'UnknownMember') project.removeReflection(member)
  }
}

/**
 * Writes the reference.
 *
 * @param folder An empty folder.
 * @returns The page of each subpath, in the order of package.json.
 */
export async function writeReference(folder) {
  const entryPoints = listEntryPoints()
  const app = await Application.bootstrapWithPlugins({
    entryPoints: entryPoints.map(({ source }) => join(root, source)),
    tsconfig: join(root, 'tsconfig.build.json'),
    plugin: ['typedoc-plugin-markdown'],
    ...{ readme: 'none', disableSources: true, excludeInternal: true, excludePrivate: true },
    ...{ excludeExternals: true, disableGit: true, githubPages: false, logLevel: 'Error' },
    outputs: [{ name: 'markdown', path: folder }],
    router: 'module',
    ...{ hidePageHeader: true, hideBreadcrumbs: true, entryFileName: 'index' },
    groupOrder: ['Functions', 'Variables', 'Classes', 'Interfaces', 'Type Aliases'],
    sort: ['source-order'],
    ...{ useCodeBlocks: true, expandParameters: true, sanitizeComments: true },
    ...{ parametersFormat: 'table', interfacePropertiesFormat: 'list' },
    // Compiled once per gate by `npm run typecheck`.
    skipErrorChecking: true,
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('typedoc: no reference was generated')
  project.name = 'API reference'
  removeMisspelledMembers(project)
  for (const module of project.children ?? []) {
    const entryPoint = entryPoints.find(({ source }) => toModuleName(source) === module.name)
    if (entryPoint === undefined) throw new Error(`typedoc: no subpath for ${module.name}`)
    module.name = entryPoint.name
  }
  const order = entryPoints.map(({ name }) => name)
  project.children?.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('typedoc: the reference has errors')
  return entryPoints.map(({ name }) => ({
    title: name,
    // A module with namespaces becomes a folder.
    name: existsSync(join(folder, `${name}.md`)) ? name : `${name}/index`,
  }))
}
