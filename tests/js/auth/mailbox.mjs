// What the mail server was given.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { need } from '../actors.mjs';

export const folder = need('PASSERELLE_MAILS');

/** Text of a part in quoted-printable. */
function plain(part) {
  const joined = part.replace(/=\r\n/g, '');
  const bytes = joined.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export function read(file) {
  const raw = readFileSync(join(folder, file), 'utf8');
  const [head] = raw.split('\r\n\r\n', 1);
  const text = plain(raw.split('Content-Type: text/plain')[1].split('\r\n\r\n').slice(1).join('\r\n\r\n').split('\r\n--')[0]);
  return {
    to: /^To: <?([^>\r\n]+)/m.exec(head)[1], from: /^From: (.*)/m.exec(head)[1], head, raw, text,
    link: /https?:\/\/\S+/.exec(text)?.[0], code: /\b(\d{6})\b/.exec(text.replace(/https?:\S+/g, ''))?.[1],
  };
}

export const mails = (to) => readdirSync(folder).filter((file) => file.endsWith('.eml')).sort().map(read).filter((mail) => mail.to === to);

/** The newest mail to an address, once there are so many. */
export async function mail(to, number = 1) {
  const started = Date.now();
  for (;;) {
    const found = mails(to);
    if (found.length >= number) return found.at(-1);
    if (Date.now() - started > 20000) throw new Error(`no mail to ${to}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}


/** A link of a mail leads where the configuration says; there, on this gateway. */
export async function visit(link, url = need('PASSERELLE_URL')) {
  const here = new URL(link);
  assert.equal(here.origin, new URL(need('PASSERELLE_PUBLIC_URL')).origin);
  const response = await fetch(`${url}${here.pathname}${here.search}`, { redirect: 'manual' });
  const target = new URL(response.headers.get('location'));
  return { status: response.status, target, said: new URLSearchParams(target.hash.slice(1)) };
}
