/** Makes elements out of text alone: nothing here, or anywhere on the page, parses markup. */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/**
 * What stands in index.html under an id.
 *
 * @template {HTMLElement} [Found=HTMLElement]
 * @param {string} id
 * @returns {Found}
 */
export function byId(id) {
  return /** @type {Found} */ (document.getElementById(id))
}

/**
 * A button that looks like its text.
 *
 * @param {string} className
 * @param {() => void} act
 * @param {...(Node | string)} children
 */
export function button(className, act, ...children) {
  const made = element('button', { type: 'button', class: className }, ...children)
  made.addEventListener('click', act)
  return made
}

/**
 * Calls back with the value of a group of radio buttons whenever another one is chosen.
 *
 * @param {string} name
 * @param {(value: string) => void} act
 */
export function onChoice(name, act) {
  for (const input of document.querySelectorAll(`input[name="${name}"]`)) {
    input.addEventListener('change', () => act(/** @type {HTMLInputElement} */ (input).value))
  }
}
