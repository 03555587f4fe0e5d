/** Imported ahead of every test file, see .taprc. */
import { register } from 'node:module'

if (!process.features.typescript) register('./hooks.mjs', import.meta.url)
