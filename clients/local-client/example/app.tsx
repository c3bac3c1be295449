import { useState } from 'react';
import { SignIn, useAccount } from './account.js';
import { Library } from './library.js';
import { Notifications, useNotifications } from './notifications.js';
import { Suggestions } from './suggestions.js';

const PAGES = { library: 'Bibliothèque', suggestions: 'Suggestions', notifications: 'Notifications' };
type Page = keyof typeof PAGES;

export function App() {
  const { user, signOut } = useAccount();
  const [page, setPage] = useState<Page>('library');
  // Shown anew on every page, as in an application whose pages have a header each.
  return <Frame key={page} page={page} setPage={setPage} user={user} signOut={signOut} />;
}

type FrameProps = { page: Page; setPage: (page: Page) => void } & ReturnType<typeof useAccount>;

function Frame({ page, setPage, user, signOut }: FrameProps) {
  const [open, setOpen] = useState(false);
  const inbox = useNotifications(user);
  const name = user?.user_metadata.full_name ?? user?.email;
  return (
    <>
      <header>
        <strong>Hub-Lib</strong>
        <nav>
          {(Object.keys(PAGES) as Page[])
            .filter((key) => user || key !== 'notifications')
            .map((key) => (
              <button key={key} className={key === page ? 'current' : ''} onClick={() => setPage(key)}>
                {PAGES[key]}
                {key === 'notifications' && inbox.unread > 0 && <span id="bell">{inbox.unread}</span>}
              </button>
            ))}
        </nav>
        {user ? (
          <div className="account">
            <span id="who">{name}</span>
            <button onClick={signOut}>Se déconnecter</button>
          </div>
        ) : (
          <button className="primary" onClick={() => setOpen(true)}>
            Se connecter
          </button>
        )}
      </header>
      <div id="toasts" role="status" data-live={inbox.live}>
        {inbox.toasts.map((toast) => (
          <button key={toast.id} className="toast" title="Fermer" onClick={() => inbox.dismiss(toast)}>
            <strong>{toast.title}</strong>
            <p>{toast.message}</p>
          </button>
        ))}
      </div>
      {open && !user && <SignIn close={() => setOpen(false)} />}
      <main>
        {page === 'library' && <Library user={user} />}
        {page === 'suggestions' && <Suggestions user={user} />}
        {page === 'notifications' && <Notifications user={user} />}
      </main>
    </>
  );
}
