import { type FormEvent, useEffect, useState } from 'react';
import { localClient, type LocalUser } from 'passerelle-local-client';

export function useAccount() {
  const [user, setUser] = useState<LocalUser | null>(null);
  useEffect(() => {
    const { data } = localClient.auth.onAuthStateChange((_event, session) => setUser(session?.user ?? null));
    return () => data.subscription.unsubscribe();
  }, []);
  return { user, signOut: () => void localClient.auth.signOut() };
}

export function SignIn({ close }: { close: () => void }) {
  const [error, setError] = useState('');
  const [known, setKnown] = useState(true);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const credentials = { email: String(form.get('email')), password: String(form.get('password')) };
    const { error } = known ? await localClient.auth.signInWithPassword(credentials) : await localClient.auth.signUp(credentials);
    if (error) setError(error.message);
    else close();
  }

  return (
    <div className="veil">
      <form className="card" onSubmit={submit} aria-label="Compte">
        <h2>{known ? 'Se connecter' : 'Créer un compte'}</h2>
        <label>
          Adresse e-mail
          <input name="email" type="email" required autoComplete="email" />
        </label>
        <label>
          Mot de passe
          <input name="password" type="password" required autoComplete={known ? 'current-password' : 'new-password'} />
        </label>
        {error && <p role="alert">{error}</p>}
        <button className="primary">{known ? 'Se connecter' : "S'inscrire"}</button>
        <button type="button" onClick={() => setKnown(!known)}>
          {known ? 'Pas encore de compte ?' : 'Déjà un compte ?'}
        </button>
        <button type="button" onClick={close}>
          Annuler
        </button>
      </form>
    </div>
  );
}
