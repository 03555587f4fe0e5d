/** What is outside the proxies, in a process of its own: Cognito, and the links to Redis. */
import { answerCalls } from './calls.mjs'
import { Cognito } from './cognito.mjs'
import { Link } from './link.mjs'
import { readLoopDelay, readStalls } from './loop-delay.mjs'

const cognito = new Cognito()
const links = []

answerCalls({
  listen: () => cognito.listen(),
  openLink: (redisPort) => {
    const link = new Link()
    links.push(link)
    return link.open(redisPort)
  },
  delayLink: ({ index, delayMs }) => {
    links[index].delayMs = delayMs
  },
  setFault: (fault) => cognito.setFault(fault),
  setLife: (life) => {
    cognito.life = life
  },
  issued: () => cognito.issued,
  readLoopDelay,
  readStalls,
})
