import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { localClient, type LocalUser } from 'passerelle-local-client';

type Author = { username: string | null; full_name: string | null };

export interface Resource {
  id: string;
  user_id: string;
  title: string;
  description: string;
  category: string | null;
  tags: string[] | null;
  visibility: string;
  average_rating: number;
  ratings_count: number;
  views_count: number;
  profiles?: Author;
}

interface Comment {
  id: string;
  content: string;
  created_at: string;
  profiles: Author;
}

export const nameOf = (author?: Author) => author?.full_name ?? author?.username ?? 'Quelqu’un';

export const views = ({ views_count: count }: Resource) => (count > 1 ? `${count} vues` : `${count} vue`);

export const Stars = ({ value }: { value: number }) => (
  <span className="stars" title={`${value} sur 5`}>
    {'★'.repeat(Math.round(value))}
    <span className="muted">{'★'.repeat(5 - Math.round(value))}</span>
  </span>
);

export function Details({ id, user, back }: { id: string; user: LocalUser | null; back: () => void }) {
  const [resource, setResource] = useState<Resource | null>(null);
  const [comments, setComments] = useState<Comment[]>([]);
  const [mine, setMine] = useState(0);
  const [error, setError] = useState('');

  const load = useCallback(async () => {
    const author = 'profiles!inner(username, full_name)';
    const [found, said, rated] = await Promise.all([
      localClient.from<Resource>('resources').select(`*, ${author}`).eq('id', id).single().execute(),
      localClient.from<Comment>('resource_comments').select(`*, ${author}`).eq('resource_id', id).order('created_at').execute(),
      localClient.from<{ rating: number }>('resource_ratings').select('rating').eq('resource_id', id).eq('user_id', user?.id).maybeSingle().execute(),
    ]);
    setResource(found.data);
    setComments(said.data ?? []);
    setMine(rated.data?.rating ?? 0);
    setError((found.error ?? said.error ?? rated.error)?.message ?? '');
  }, [id, user]);
  useEffect(() => void localClient.rpc('increment_resource_views', { resource_id: id }).execute().then(load), [id, load]);

  async function rate(rating: number) {
    const row = { resource_id: id, user_id: user?.id, rating };
    const { error } = await localClient.from('resource_ratings').upsert(row, { onConflict: 'resource_id,user_id' }).execute();
    if (error) setError(error.message);
    else await load();
  }

  async function say(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const row = { resource_id: id, user_id: user?.id, content: String(new FormData(form).get('content')) };
    const { error } = await localClient.from('resource_comments').insert(row).select('*').single().execute();
    if (error) return setError(error.message);
    form.reset();
    await load();
  }

  if (!resource) return <p role={error ? 'alert' : undefined}>{error || 'Chargement…'}</p>;
  return (
    <article className="details">
      <button onClick={back}>← Retour</button>
      <h1>{resource.title}</h1>
      <p className="muted">
        par {nameOf(resource.profiles)} · {views(resource)}
      </p>
      <p>{resource.description}</p>
      <p className="tags">{resource.tags?.map((tag) => <span key={tag}>{tag}</span>)}</p>
      <div className="card rating" id="rating" data-count={resource.ratings_count}>
        <Stars value={Number(resource.average_rating)} />
        <span>
          {Number(resource.average_rating).toFixed(1)} ({resource.ratings_count} avis)
        </span>
        {user && (
          <span role="group" aria-label="Votre note">
            {[1, 2, 3, 4, 5].map((value) => (
              <button key={value} className="star" aria-label={`${value} étoiles`} aria-pressed={value <= mine} onClick={() => rate(value)}>
                ★
              </button>
            ))}
          </span>
        )}
      </div>
      {error && <p role="alert">{error}</p>}
      <h2>Commentaires ({comments.length})</h2>
      {comments.map((comment) => (
        <div key={comment.id} className="card comment">
          <strong>{nameOf(comment.profiles)}</strong> <time className="muted">{new Date(comment.created_at).toLocaleString('fr')}</time>
          <p>{comment.content}</p>
        </div>
      ))}
      {user ? (
        <form className="card" onSubmit={say} aria-label="Commenter">
          <textarea name="content" placeholder="Votre commentaire" aria-label="Votre commentaire" required />
          <button className="primary">Commenter</button>
        </form>
      ) : (
        <p className="muted">Connectez-vous pour noter et commenter.</p>
      )}
    </article>
  );
}
