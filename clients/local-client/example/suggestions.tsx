import { useCallback, useEffect, useState } from 'react';
import { localClient, type LocalUser } from 'passerelle-local-client';

interface Vote {
  id: string;
  user_id: string;
  vote_type: 'upvote' | 'downvote';
}

interface Suggestion {
  id: string;
  name: string;
  status: string;
  votes_count: number;
  suggestion_votes: Vote[];
}

export function Suggestions({ user }: { user: LocalUser | null }) {
  const [suggestions, setSuggestions] = useState<Suggestion[]>([]);
  const [error, setError] = useState('');

  const load = useCallback(async () => {
    const tags = localClient.from<Suggestion>('category_tag_suggestions').select('*, suggestion_votes(id, user_id, vote_type)').eq('type', 'tag');
    const { data, error } = await tags.order('votes_count', { ascending: false }).execute();
    setSuggestions(data ?? []);
    setError(error?.message ?? '');
  }, []);
  useEffect(() => {
    void load();
    const channel = localClient
      .channel('suggestions')
      .on('postgres_changes', { event: '*', schema: 'public', table: 'category_tag_suggestions' }, () => void load())
      .subscribe();
    return () => void channel.unsubscribe();
  }, [load]);

  async function vote({ id, suggestion_votes: votes }: Suggestion, type: Vote['vote_type']) {
    const mine = votes.find((vote) => vote.user_id === user?.id);
    const table = localClient.from('suggestion_votes');
    let query = table.insert({ suggestion_id: id, user_id: user?.id, vote_type: type });
    if (mine) query = mine.vote_type === type ? table.delete().eq('id', mine.id) : table.update({ vote_type: type }).eq('id', mine.id);
    const { error } = await query.execute();
    setError(error?.message ?? '');
    await load();
  }

  return (
    <>
      <h1>Mots-clés proposés</h1>
      {error && <p role="alert">{error}</p>}
      {suggestions.map((suggestion) => {
        const mine = suggestion.suggestion_votes.find((vote) => vote.user_id === user?.id)?.vote_type;
        return (
          <div key={suggestion.id} className="card suggestion" data-name={suggestion.name}>
            <span className="score">{suggestion.votes_count}</span>
            <span>{suggestion.name}</span>
            <span className={`badge ${suggestion.status}`}>{suggestion.status === 'approved' ? 'approuvé' : suggestion.status === 'rejected' ? 'rejeté' : 'en attente'}</span>
            {user && (
              <span>
                <button aria-label={`Pour ${suggestion.name}`} aria-pressed={mine === 'upvote'} onClick={() => vote(suggestion, 'upvote')}>
                  ▲
                </button>
                <button aria-label={`Contre ${suggestion.name}`} aria-pressed={mine === 'downvote'} onClick={() => vote(suggestion, 'downvote')}>
                  ▼
                </button>
              </span>
            )}
          </div>
        );
      })}
    </>
  );
}
