// All of the query builder, in one process: what was called is counted at the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methods } from './recorder.mjs';
import './filters.mjs';
import './transforms.mjs';
import './writes.mjs';
import './calls.mjs';

// Nobody gets a builder without the returns() of the transform builder, which hides that of its parent.
const hidden = ['PostgrestBuilder.returns'];

test('no method of the query builder was left out', () => {
  const { all, uncalled } = methods();
  assert.ok(all.includes('PostgrestFilterBuilder.eq') && all.length > 60, all.join(' '));
  assert.deepEqual(uncalled, hidden);
});
