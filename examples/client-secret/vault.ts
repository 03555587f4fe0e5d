// From HashiCorp Vault, KV version 2, where the secret is the field `client_secret`.
interface VaultSecret {
  readonly data: { readonly data: { readonly client_secret: string } }
}

/** @param vaultToken Read at each question, as Vault's agent renews it. */
export function fromVault(url: string, vaultToken: () => Promise<string>) {
  return async (): Promise<string> => {
    const headers = { 'x-vault-token': (await vaultToken()).trim() }
    const response = await fetch(url, { headers, redirect: 'error' })
    if (!response.ok) throw new Error(`Vault answered ${response.status}`)
    const { data } = (await response.json()) as VaultSecret
    return data.data.client_secret
  }
}
