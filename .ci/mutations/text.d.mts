export interface Range {
  readonly start: number
  readonly end: number
}

export interface Edit extends Range {
  readonly text: string
}

export interface Block extends Range {
  readonly id: string
  readonly type: string
}

export interface Property extends Range {
  readonly valueStart: number
  readonly style: 'line' | 'flow'
}

export interface Item extends Range {
  readonly remove: Edit
  readonly repeat: Edit
}

export function getSyntax(file: string): 'yaml' | 'json' | 'hcl'
export function listResources(file: string, text: string): Block[]
export function listProperties(file: string, text: string, block: Range, name: string): Property[]
export function listItems(file: string, text: string, property: Property): Item[]
export function removeProperty(text: string, property: Property): Edit
export function applyEdits(text: string, edits: readonly Edit[]): string
export function getLine(text: string, index: number): number
