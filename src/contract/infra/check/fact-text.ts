/** Converts facts of models to symbolic texts. */
import type { Fact, InfraModel, InfraResourceServer } from '../model/model.ts'
import { formatSource, type Source } from '../resolve/value.ts'
import { createLiteral, createText, type SymbolicText, type UnknownPiece } from './symbolic.ts'

type TextFact = Pick<Fact<unknown>, 'value' | 'source' | 'pieces'>

export interface TextReader {
  readonly readFact: (model: InfraModel, fact: TextFact) => SymbolicText
  /** Reads the name of an SSM parameter or export that an unknown value comes from. */
  readonly readName: (model: InfraModel, source: Source) => SymbolicText | undefined
  /** Reads the identifier of a resource server. It has a key even if its value is unknown. */
  readonly readIdentifier: (model: InfraModel, server: InfraResourceServer) => SymbolicText
}

/** The attributes of a resource server whose value is its identifier. */
const IDENTIFIER_ATTRIBUTES = new Set(['Ref', 'identifier'])

/**
 * Creates a reader for models that are checked together. A reference to a resource server becomes its identifier. A
 * parameter of one template differs from a parameter of another one that has the same name.
 */
export function createTextReader(models: readonly InfraModel[]): TextReader {
  const indexes = new Map(models.map((model, index) => [model, index]))
  const servers = new Map(
    models.map((model) => [model, new Map(model.resourceServers.map((one) => [one.id, one]))]),
  )
  const identifiers = new Map<InfraResourceServer, SymbolicText>()

  function readIdentifier(model: InfraModel, server: InfraResourceServer): SymbolicText {
    const known = identifiers.get(server)
    if (known !== undefined) return known
    const { pieces } = readFact(model, server.identifier ?? { value: undefined, source: {} })
    const prefix = `${indexes.get(model)} server ${server.id}`
    const text = createText(
      pieces.map((piece, index) => {
        if (typeof piece === 'string' || piece.key !== '') return piece
        const label = pieces.length === 1 ? `\${${server.id}}` : piece.label
        return { ...piece, key: `${prefix} ${index}`, label }
      }),
    )
    identifiers.set(server, text)
    return text
  }

  function readPieces(
    model: InfraModel,
    { source, pieces = [source] }: Omit<TextFact, 'value'>,
  ): SymbolicText {
    return createText(
      pieces.flatMap((piece) => (typeof piece === 'string' ? [piece] : readSource(model, piece))),
    )
  }

  function readSource(model: InfraModel, source: Source): SymbolicText['pieces'] {
    const { resource, attribute = '' } = source
    const server = resource === undefined ? undefined : servers.get(model)?.get(resource)
    return server !== undefined && IDENTIFIER_ATTRIBUTES.has(attribute)
      ? readIdentifier(model, server).pieces
      : [toUnknownPiece(model, source, `${indexes.get(model)}`)]
  }

  const readFact: TextReader['readFact'] = (model, fact) =>
    fact.value === undefined ? readPieces(model, fact) : createLiteral(String(fact.value))

  return {
    readFact,
    readName(model, { ssm, imported, namePieces }) {
      const name = ssm ?? imported
      if (namePieces !== undefined) return readPieces(model, { source: {}, pieces: namePieces })
      return name === undefined ? undefined : createLiteral(name)
    },
    readIdentifier,
  }
}

function toUnknownPiece(model: InfraModel, source: Source, index: string): UnknownPiece {
  const { resource, attribute, ssm, imported, namePieces, parameter } = source
  const label = formatSource(source)
  // A name that is known in part depends on parameters of its template. Other names are global.
  const scope = namePieces === undefined ? '' : `${index} `
  if (parameter !== undefined) {
    const key = `${index} parameter ${parameter}`
    const isTerraform = model.dialect === 'terraform'
    const resolve = describeParameter(model, parameter)
    return { key, label: isTerraform ? `\${var.${parameter}}` : label, resolve }
  }
  if (ssm !== undefined) {
    const resolve = `pass the template that creates SSM parameter ${ssm}`
    return { key: `${scope}ssm ${ssm}`, label, resolve }
  }
  if (imported !== undefined) {
    const resolve = `pass the template that exports ${imported}`
    return { key: `${scope}export ${imported}`, label, resolve }
  }
  if (resource === undefined)
    return { key: '', label, resolve: 'replace the expression by a value or a parameter' }
  const key = `${index} resource ${resource} ${attribute ?? ''}`
  return { key, label, resolve: describeResource(model, label.slice('${'.length, -1)) }
}

function describeParameter({ dialect }: InfraModel, name: string): string {
  if (dialect === 'terraform') return `pass variable ${name}`
  return name.startsWith('AWS::') ? `pass pseudo parameter ${name}` : `pass parameter ${name}`
}

function describeResource({ dialect }: InfraModel, name: string): string {
  const [, module] = /^(?:.*\.)?(module\.[^.]+)\.[^.]+$/.exec(name) ?? []
  if (module !== undefined) return `check a plan, which has the outputs of ${module}`
  return `replace ${name} by a ${dialect === 'terraform' ? 'variable' : 'parameter'}`
}
