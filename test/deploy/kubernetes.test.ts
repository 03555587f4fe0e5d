/** The Kubernetes manifests: probes on the routes of the example, the time of a shutdown, and the port of the metrics. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

/** The parts of the manifests that the tests read, by kind. */
interface Specs {
  readonly Deployment: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly [
          Record<'startupProbe' | 'livenessProbe' | 'readinessProbe', Probe>,
        ]
      }
    }
  }
  readonly Service: { readonly ports: readonly { readonly targetPort: string }[] }
  readonly NetworkPolicy: {
    readonly ingress: readonly {
      readonly from?: readonly object[]
      readonly ports: readonly { readonly port: number }[]
    }[]
  }
  readonly PodMonitor: { readonly podMetricsEndpoints: readonly { readonly port: string }[] }
}

const manifests = parseAllDocuments(readFileSync('deploy/kubernetes/orders.yaml', 'utf8')).map(
  (document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0]
    return (document as { toJS(): { kind: string; spec: unknown } }).toJS()
  },
)

function findSpec<Kind extends keyof Specs>(kind: Kind): Specs[Kind] {
  return manifests.find((it) => it.kind === kind)?.spec as Specs[Kind]
}

t.test('readiness reads status().ready, liveness never does', async (t) => {
  const [probes] = findSpec('Deployment').template.spec.containers
  // The routes of the orders example, up to the next one.
  const source = readFileSync('examples/orders/app.ts', 'utf8')
  const handlerOf = ({ httpGet }: Probe) =>
    source.split(`app.get('${httpGet.path}',`)[1]?.split('\n  app.')[0] ?? ''
  t.match(handlerOf(probes.readinessProbe), 'app.cognito.status()')
  t.match(handlerOf(probes.readinessProbe), 'reply.code(ready ? 200 : 503)')
  for (const probe of [probes.startupProbe, probes.livenessProbe]) {
    t.match(handlerOf(probe), 'ok: true')
    t.notMatch(handlerOf(probe), 'reply.code')
  }
})

t.test('a shutdown fits into the grace period', async (t) => {
  const page = readFileSync('docs/shutdown.md', 'utf8')
  const read = (name: string) =>
    Number(new RegExp(`${name} = ([\\d_]+)`).exec(page)?.[1]?.replaceAll('_', ''))
  const { terminationGracePeriodSeconds: grace } = findSpec('Deployment').template.spec
  t.ok(grace * 1000 > read('GRACE_MS') + read('DRAIN_MS'))
})

t.test('no Service names the port of the metrics, and only monitoring reaches it', async (t) => {
  t.strictSame(
    findSpec('Service').ports.map(({ targetPort }) => targetPort),
    ['http'],
  )
  const [open, monitoring] = findSpec('NetworkPolicy').ingress
  t.strictSame(open, { ports: [{ port: 3000 }] })
  t.equal(monitoring?.from?.length, 1)
  t.equal(monitoring?.ports[0]?.port, 9464)
  t.equal(findSpec('PodMonitor').podMetricsEndpoints[0]?.port, 'metrics')
})
