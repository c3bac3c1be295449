import { useCallback, useEffect, useState } from 'react';
import { localClient, type LocalUser } from 'passerelle-local-client';

interface Notification {
  id: string;
  title: string;
  message: string;
  is_read: boolean;
  created_at: string;
}

export function useNotifications(user: LocalUser | null) {
  const [list, setList] = useState<Notification[]>([]);
  const [toasts, setToasts] = useState<Notification[]>([]);
  const [live, setLive] = useState(false);
  const id = user?.id;

  const load = useCallback(async () => {
    const { data } = await localClient.from<Notification>('notifications').select('*').eq('user_id', id).order('created_at', { ascending: false }).limit(50).execute();
    setList(data ?? []);
  }, [id]);

  useEffect(() => {
    void load();
    setToasts([]);
    if (!id) return;
    const channel = localClient
      .channel('notifications')
      .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notifications' }, (change) => {
        setToasts((shown) => [...shown, change.new as Notification]);
        void load();
      })
      .on('postgres_changes', { event: 'UPDATE', schema: 'public', table: 'notifications' }, () => void load())
      .on('system', {}, ({ extension, status }) => extension === 'postgres_changes' && setLive(status === 'ok'))
      .subscribe();
    return () => void channel.unsubscribe();
  }, [id, load]);

  async function readAll() {
    await localClient.from('notifications').update({ is_read: true }).eq('is_read', false).execute();
    await load();
  }

  const dismiss = (toast: Notification) => setToasts((shown) => shown.filter(({ id }) => id !== toast.id));
  return { list, toasts, dismiss, live, unread: list.filter((notification) => !notification.is_read).length, readAll };
}

export function Notifications({ user }: { user: LocalUser | null }) {
  const inbox = useNotifications(user);
  return (
    <>
      <div className="bar">
        <h1>Notifications</h1>
        <button onClick={inbox.readAll} disabled={inbox.unread === 0}>
          Tout marquer comme lu
        </button>
      </div>
      {inbox.list.length === 0 && <p className="muted">Rien de nouveau.</p>}
      {inbox.list.map((notification) => (
        <div key={notification.id} className={`card notification ${notification.is_read ? '' : 'new'}`}>
          <strong>{notification.title}</strong> <time className="muted">{new Date(notification.created_at).toLocaleString('fr')}</time>
          <p>{notification.message}</p>
        </div>
      ))}
    </>
  );
}
