/** The part of a markdown-it instance that is changed. */
export interface MarkdownIt {
  readonly utils: { escapeHtml(text: string): string }
  readonly renderer: {
    readonly rules: Record<
      string,
      ((tokens: readonly { readonly content: string }[], index: number) => string) | undefined
    >
  }
}

export const anchor: { slugify(heading: string): string }
export function configureMarkdown(md: MarkdownIt): void
