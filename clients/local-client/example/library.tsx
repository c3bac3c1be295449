import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { ilikeAny, localClient, type LocalUser } from 'passerelle-local-client';
import { Details, nameOf, type Resource, Stars, views } from './resource.js';

export function Library({ user }: { user: LocalUser | null }) {
  const [typed, setTyped] = useState('');
  const [found, setFound] = useState<{ text: string; resources: Resource[]; error: string } | null>(null);
  const latest = useRef(0);
  const [opened, setOpened] = useState<string | null>(null);

  const load = useCallback(async () => {
    let query = localClient.from<Resource>('resources').select('*, profiles!inner(username, full_name)').order('created_at', { ascending: false });
    if (typed) query = query.or(ilikeAny(['title', 'description'], typed));
    const turn = (latest.current += 1);
    const { data, error } = await query.limit(24).execute();
    // An answer to what is no longer asked comes too late.
    if (turn === latest.current) setFound({ text: typed, resources: data ?? [], error: error?.message ?? '' });
  }, [typed]);
  useEffect(() => void load(), [load, user]);

  if (opened) {
    const back = () => {
      setOpened(null);
      void load();
    };
    return <Details id={opened} user={user} back={back} />;
  }
  return (
    <>
      <div className="bar">
        <h1>Bibliothèque</h1>
        <input type="search" placeholder="Rechercher…" aria-label="Rechercher" value={typed} onChange={(event) => setTyped(event.target.value)} />
      </div>
      {user && <Publish user={user} published={load} />}
      {found?.error && <p role="alert">{found.error}</p>}
      {found?.resources.length === 0 && <p className="muted">Aucune ressource.</p>}
      <section className="grid" data-searched={found?.text}>
        {found?.resources.map((resource) => (
          <article key={resource.id} className="card">
            <div className="kind muted">
              {resource.category ?? 'Sans catégorie'}
              {resource.visibility !== 'public' && <span className="badge">privé</span>}
            </div>
            <h3>
              <button className="link" onClick={() => setOpened(resource.id)}>
                {resource.title}
              </button>
            </h3>
            <p className="clamp">{resource.description}</p>
            <p className="tags">{resource.tags?.map((tag) => <span key={tag}>{tag}</span>)}</p>
            <footer>
              <Stars value={Number(resource.average_rating)} />
              <span className="muted">
                {nameOf(resource.profiles)} · {views(resource)}
              </span>
            </footer>
          </article>
        ))}
      </section>
    </>
  );
}

function Publish({ user, published }: { user: LocalUser; published: () => Promise<void> }) {
  const [error, setError] = useState('');

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const values = new FormData(form);
    const resource = {
      user_id: user.id,
      title: String(values.get('title')),
      description: String(values.get('description')),
      visibility: values.get('private') ? 'private' : 'public',
      tags: String(values.get('tags')).split(' ').filter(Boolean),
    };
    const { error } = await localClient.from('resources').insert(resource).select('*').single().execute();
    setError(error?.message ?? '');
    if (error) return;
    form.reset();
    await published();
  }

  return (
    <form className="card publish" onSubmit={submit} aria-label="Publier">
      <input name="title" placeholder="Titre" aria-label="Titre" required />
      <input name="description" placeholder="Description" aria-label="Description" required />
      <input name="tags" placeholder="Mots-clés" aria-label="Mots-clés" />
      <label>
        <input name="private" type="checkbox" /> privé
      </label>
      <button className="primary">Publier</button>
      {error && <p role="alert">{error}</p>}
    </form>
  );
}
