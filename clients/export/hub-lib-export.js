// Saves what Hub-Lib keeps in this browser as a file for `passerelle import localstorage`: tables, embedded files, profiles and
// password hashes. Open the application, then the developer tools (F12), and paste all of this into the console.
(() => {
  const PREFIX = 'hub-lib-';
  const saved = {
    metadata: { exportDate: new Date().toISOString(), exportVersion: '1.0.0', source: 'localStorage' },
  };
  for (let at = 0; at < localStorage.length; at += 1) {
    const key = localStorage.key(at);
    // Tokens of programs are made anew.
    if (!key.startsWith(PREFIX) || key.startsWith(`${PREFIX}api-`)) continue;
    saved[key] = localStorage.getItem(key);
  }
  // Of the session, who it is, but not the token.
  const session = saved[`${PREFIX}auth`];
  delete saved[`${PREFIX}auth`];
  try {
    const { id, email } = JSON.parse(session).user;
    saved[`${PREFIX}auth`] = JSON.stringify({ user: { id, email } });
  } catch {
    // Nobody is signed in.
  }
  const file = new Blob([JSON.stringify(saved, null, 2)], { type: 'application/json' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `hub-lib-export-${new Date().toISOString().slice(0, 10)}.json`;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  return `${link.download}: ${Object.keys(saved).length - 1} keys, ${Math.ceil(file.size / 1024)} KB`;
})();
