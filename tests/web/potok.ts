// What the tests share: the server that they are given, and clients of it.
import { createClient, type Client, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { randomUUID } from 'node:crypto';
import { Machines } from './gen/potok/v1/machines_pb.js';
import { Runs } from './gen/potok/v1/runs_pb.js';

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; these tests are run by tests/e2e/web_test.py`);
  return value;
}

export const baseUrl = `http://${given('POTOK_HTTP')}`;
export const token = given('POTOK_TOKEN');
export const program = `${given('POTOK_BIN')}/potok`;

export interface Clients {
  runs: Client<typeof Runs>;
  machines: Client<typeof Machines>;
}

export function clients(useBinaryFormat: boolean, bearer: string = token): Clients {
  const identify: Interceptor = (next) => (request) => {
    if (bearer) request.header.set('Authorization', `Bearer ${bearer}`);
    return next(request);
  };
  const transport = createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat, interceptors: [identify] });
  return { runs: createClient(Runs, transport), machines: createClient(Machines, transport) };
}

// A pipeline of two steps, the second of which waits until it is canceled.
export function twoSteps(displayName: string) {
  return {
    requestId: randomUUID(),
    spec: {
      isPipeline: true,
      displayName,
      steps: [
        { name: 'first', command: 'echo hello from the first step' },
        { name: 'second', command: 'echo waiting; exec sleep 1000', dependsOn: ['first'] },
      ],
    },
  };
}
