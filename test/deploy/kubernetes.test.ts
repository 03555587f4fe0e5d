/** The Kubernetes manifests: probes on the routes of the example, the time of a shutdown, and the port of the metrics. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

interface Manifest {
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: the parts of a manifest differ per kind
  readonly spec: any
}

const manifests = parseAllDocuments(readFileSync('deploy/kubernetes/orders.yaml', 'utf8')).map(
  (document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0]
    return (document as { toJS(): Manifest }).toJS()
  },
)
const find = (kind: string): Manifest => manifests.find((it) => it.kind === kind) as Manifest

t.test('readiness reads status().ready, liveness never does', async (t) => {
  const { template } = find('Deployment').spec
  const [container] = template.spec.containers
  const probes = container as Record<'startupProbe' | 'livenessProbe' | 'readinessProbe', Probe>
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
  const { terminationGracePeriodSeconds: grace } = find('Deployment').spec.template.spec
  t.ok(grace * 1000 > read('GRACE_MS') + read('DRAIN_MS'))
})

t.test('no Service names the port of the metrics, and only monitoring reaches it', async (t) => {
  t.strictSame(
    find('Service').spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort),
    ['http'],
  )
  const [open, monitoring] = find('NetworkPolicy').spec.ingress
  t.strictSame(open, { ports: [{ port: 3000 }] })
  t.ok(monitoring.from.length === 1 && monitoring.ports[0].port === 9464)
  t.equal(find('PodMonitor').spec.podMetricsEndpoints[0].port, 'metrics')
})
