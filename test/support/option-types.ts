/** Reads the options of the package's public types with the TypeScript compiler: names, types, defaults, descriptions. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** One option of a type. */
export interface Option {
  readonly name: string
  /** The type as in the source, on one line. */
  readonly type: string
  readonly isRequired: boolean
  /** The text of `@defaultValue` on one line, without its final period; undefined without the tag. */
  readonly defaultValue: string | undefined
  /** The description on one line. */
  readonly description: string
}

/** Reads public types. Creating it takes seconds: it compiles the package. */
export interface OptionTypes {
  /** Every exported type of an entry point that holds options, by its name. */
  readonly names: readonly string[]
  /** The options of a type, in the order of declaration. */
  read(type: string): readonly Option[]
}

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Types with options whose name does not end in `Options`. */
const OTHERS =
  /^(?:AccessRequirement|ResourceMetadata|UpstreamLimits|UsagePrice|TestClient|ClientDefinition|InfraDefinition|ApiDefinition)$/

/** Source files of the package's entry points. */
function listEntryPoints(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    exports: Record<string, string | { readonly default: string }>
  }
  return Object.values(exports)
    .map((target) => (typeof target === 'string' ? target : target.default))
    .filter((target) => target.endsWith('.js'))
    .map((target) => root + target.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
}

function createProgram(files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  return ts.createProgram(files, options)
}

const onOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** `{@link Type.member}` reads as `Type.member`. */
const plain = (parts: readonly ts.SymbolDisplayPart[] | undefined): string =>
  onOneLine(ts.displayPartsToString([...(parts ?? [])]).replaceAll(/\{@link ([^}]+)\}/g, '$1'))

function readDeclaredType(property: ts.Symbol): string {
  const declaration = property.valueDeclaration
  if (declaration === undefined || !ts.isPropertySignature(declaration)) return ''
  return onOneLine(declaration.type?.getText() ?? '').replaceAll('readonly ', '')
}

export function readOptionTypes(): OptionTypes {
  const entryPoints = listEntryPoints()
  const program = createProgram(entryPoints)
  const checker = program.getTypeChecker()
  const types = new Map<string, ts.Type>()
  for (const file of entryPoints) {
    const source = program.getSourceFile(file) as ts.SourceFile
    const symbol = checker.getSymbolAtLocation(source)
    for (const exported of symbol === undefined ? [] : checker.getExportsOfModule(symbol)) {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
      const target = isAlias ? checker.getAliasedSymbol(exported) : exported
      if ((target.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) === 0) continue
      if (/Options$/.test(exported.name) || OTHERS.test(exported.name)) {
        types.set(exported.name, checker.getDeclaredTypeOfSymbol(target))
      }
    }
  }

  /** Members of type `never` exist to reject a misspelling. */
  function isNever(property: ts.Symbol): boolean {
    const type = checker.getNonNullableType(checker.getTypeOfSymbol(property))
    return (type.flags & ts.TypeFlags.Never) !== 0
  }

  /** Of a union of intersections (the options of an adapter), the properties of every part. */
  function listProperties(type: ts.Type): readonly ts.Symbol[] {
    const parts = type.isUnion() ? type.types : [type]
    const all = parts.flatMap((part) => checker.getPropertiesOfType(part))
    return [
      ...new Map(
        all.filter((property) => !isNever(property)).map((property) => [property.name, property]),
      ).values(),
    ]
  }

  return {
    names: [...types.keys()].sort(),
    read(name) {
      const type = types.get(name)
      if (type === undefined) throw new Error(`no exported type ${name}`)
      return listProperties(type).map((property) => {
        const tag = property.getJsDocTags(checker).find((it) => it.name === 'defaultValue')
        return {
          name: property.name,
          type: readDeclaredType(property),
          isRequired: (property.flags & ts.SymbolFlags.Optional) === 0,
          defaultValue: tag && plain(tag.text).replace(/\.$/, ''),
          description: plain(property.getDocumentationComment(checker)),
        }
      })
    },
  }
}
