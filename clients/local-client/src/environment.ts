/** Vite puts values in place of these expressions when it builds; elsewhere `import.meta.env` is not there. */
type Vite = ImportMeta & { readonly env?: Record<string, string | undefined> };

/** `VITE_SUPABASE_URL`: where the gateway is, without a path. */
export const url = (import.meta as Vite).env?.VITE_SUPABASE_URL;

/** `VITE_SUPABASE_ANON_KEY`: the public key, or the token of the role `anon`. */
export const anonKey = (import.meta as Vite).env?.VITE_SUPABASE_ANON_KEY;
