/** How the site reads Markdown: as GitHub does, so that pages need no syntax of the site. */
import { toAnchor } from '../.ci/markdown.mjs'

/** Tags that GitHub shows as HTML. Any other one in a page is text: a bare `<client-id>` must not become a component. */
const TAGS =
  /^<(?:!--|\/?(?:a|abbr|b|br|code|dd|details|div|dl|dt|em|h[1-6]|hr|i|img|kbd|li|ol|p|picture|pre|source|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|ul|var)[\s/>])/i

export const anchor = { slugify: toAnchor }

/** Changes the markdown-it instance of VitePress. */
export function configureMarkdown(md) {
  const { escapeHtml } = md.utils
  // Vue interpolates {{ }} in text, CloudFormation writes {{resolve:…}}. Entities are decoded after that.
  const escapeText = (text) => escapeHtml(text).replaceAll('{{', '&#123;&#123;')
  md.renderer.rules.text = (tokens, index) => escapeText(tokens[index].content)
  md.renderer.rules.code_inline = (tokens, index) =>
    `<code v-pre>${escapeHtml(tokens[index].content)}</code>`
  for (const rule of ['html_inline', 'html_block']) {
    md.renderer.rules[rule] = (tokens, index) => {
      const { content } = tokens[index]
      return TAGS.test(content.trim()) ? content : escapeText(content)
    }
  }
}
