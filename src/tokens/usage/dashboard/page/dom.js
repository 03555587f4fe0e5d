/** Creates elements from text. No script of the page parses markup. */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value)
  created.append(...children)
  return created
}

/**
 * Returns an element of index.html by its id.
 *
 * @template {HTMLElement} [Found=HTMLElement]
 * @param {string} id
 * @returns {Found}
 */
export function byId(id) {
  return /** @type {Found} */ (document.getElementById(id))
}

/**
 * Creates a button.
 *
 * @param {string} className
 * @param {() => void} onClick
 * @param {...(Node | string)} children
 */
export function button(className, onClick, ...children) {
  const created = element('button', { type: 'button', class: className }, ...children)
  created.addEventListener('click', onClick)
  return created
}

/**
 * Reports changes of a group of radio buttons.
 *
 * @param {string} name
 * @param {(value: string) => void} onChange
 */
export function onChoice(name, onChange) {
  for (const input of document.querySelectorAll(`input[name="${name}"]`)) {
    input.addEventListener('change', () => onChange(/** @type {HTMLInputElement} */ (input).value))
  }
}
