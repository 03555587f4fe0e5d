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
 * Replaces content. A button with the focus keeps it by its position, so that a refresh does not interrupt keyboard
 * users.
 *
 * @param {HTMLElement} container
 * @param {() => void} render
 */
export function keepFocus(container, render) {
  const focused = /** @type {HTMLButtonElement} */ (document.activeElement)
  const index = [...container.querySelectorAll('button')].indexOf(focused)
  render()
  container.querySelectorAll('button')[index]?.focus({ preventScroll: true })
}

const ROLES = [
  ...[
    ['thead, tbody', 'rowgroup'],
    ['tr', 'row'],
    ['td', 'cell'],
  ],
  ...[
    ['th[scope="row"]', 'rowheader'],
    ['th[scope="col"]', 'columnheader'],
  ],
]

/**
 * Sets the roles that a table loses if its rows are shown as cards.
 *
 * @param {HTMLElement} table
 */
export function setTableRoles(table) {
  table.setAttribute('role', 'table')
  for (const [selector = '', role = ''] of ROLES) {
    for (const part of table.querySelectorAll(selector)) part.setAttribute('role', role)
  }
}

/**
 * Checks the radio button with a value.
 *
 * @param {string} name
 * @param {string} value
 */
export function setChoice(name, value) {
  for (const input of document.querySelectorAll(`input[name="${name}"]`)) {
    const radio = /** @type {HTMLInputElement} */ (input)
    radio.checked = radio.value === value
  }
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
