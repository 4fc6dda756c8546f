// The description of the API is valid OpenAPI, and true.
import { Validator } from '@seriousme/openapi-schema-validator';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseUrl, token } from './potok.js';

const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };

async function description() {
  const response = await fetch(`${baseUrl}/openapi.json`, { headers });
  assert.equal(response.status, 200);
  return (await response.json()) as { openapi: string; paths: Record<string, object>; components: { schemas: object } };
}

test('is valid', async () => {
  const document = await description();
  const result = await new Validator().validate(document);
  assert.deepEqual(result.errors ?? [], []);
  assert.ok(document.openapi.startsWith('3.1'));
});

test('every path that it names answers, and not as unknown', async () => {
  const { paths } = await description();
  assert.ok(Object.keys(paths).length >= 9, Object.keys(paths).join(' '));
  for (const path of Object.keys(paths)) {
    const response = await fetch(baseUrl + path, { method: 'POST', headers, body: '{}' });
    const answer = response.ok ? '' : await response.text();
    if (response.ok) await response.body?.cancel();
    assert.ok(!answer.includes('no method'), answer);
    assert.notEqual(response.status, 415, path);
  }
});
