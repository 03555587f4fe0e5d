/** The JWT authorizer of an HTTP API: its configuration, and a model of what AWS documents about it. */
export function createAuthorizer({ issuer, clientId, verify }) {
  const authorizer = { issuer, audience: [clientId] }
  const routes = {
    'GET /orders': ['orders/read'],
    'GET /reports': ['orders/read', 'reports/run'],
  }

  /** Answers 401 or 403, or 200 for a request that reaches the backend. */
  return async function decide(routeKey, authorization) {
    const token = authorization?.replace(/^Bearer /, '')
    const claims = token && (await verify(token))
    if (!claims || claims.iss !== authorizer.issuer) return 401
    const audience = claims.aud ?? claims.client_id
    if (!authorizer.audience.includes(audience)) return 401
    const granted = (claims.scope ?? '').split(' ')
    return routes[routeKey].some((scope) => granted.includes(scope)) ? 200 : 403
  }
}
