// A client generated from the protos speaks the Connect protocol with a real server.
import { toBinary } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Status } from './gen/potok/v1/common_pb.js';
import { PipelineSpecSchema } from './gen/potok/v1/pipeline_pb.js';
import { PipelineProblemSchema, type Run } from './gen/potok/v1/runs_pb.js';
import { clients, twoSteps } from './potok.js';

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new assert.AssertionError({ message: 'the call should have failed' });
}

// The first state of the run for which it holds.
async function watchUntil(runs: ReturnType<typeof clients>['runs'], name: string, holds: (run: Run) => boolean) {
  for await (const { run } of runs.watch({ name })) {
    if (run && holds(run)) return run;
  }
  throw new assert.AssertionError({ message: `the watch of ${name} ended too early` });
}

for (const [format, isBinary] of [['binary', true], ['JSON', false]] as const) {
  const { runs, machines } = clients(isBinary);

  test(`creates, lists, watches and cancels a run (${format})`, async () => {
    const { name } = await runs.submit(twoSteps(`typescript ${format}`));
    const { runs: listed } = await runs.list({});
    assert.ok(listed.some((run) => run.name === name && run.displayName === `typescript ${format}`));

    await watchUntil(runs, name, (run) => run.steps.some((step) => step.name === 'second' && step.status === Status.RUNNING));
    await runs.cancel({ name, reason: 'seen enough' });
    const ended = await watchUntil(runs, name, (run) => run.endedUs !== 0n);
    assert.equal(ended.status, Status.CANCELED);
    assert.equal(ended.reason, 'seen enough');
    const { steps } = await runs.get({ name });
    assert.deepEqual(steps.map((step) => step.status), [Status.COMPLETED, Status.CANCELED]);
  });

  test(`a watch ends by itself with the run (${format})`, async () => {
    const spec = { isPipeline: true, steps: [{ name: 'only', command: 'true' }] };
    const { name } = await runs.submit({ requestId: randomUUID(), spec });
    let last: Run | undefined;
    for await (const { run } of runs.watch({ name })) last = run;
    assert.equal(last?.status, Status.COMPLETED);
  });

  test(`streams a log as it was written (${format})`, async () => {
    const spec = { isPipeline: true, steps: [{ name: 'only', command: "printf 'a\\000\\377b\\n'" }] };
    const { name } = await runs.submit({ requestId: randomUUID(), spec });
    const pieces: Uint8Array[] = [];
    for await (const { data } of runs.logs({ name, step: 'only', follow: true })) pieces.push(data);
    assert.deepEqual([...Buffer.concat(pieces)], [0x61, 0x00, 0xff, 0x62, 0x0a]);
  });

  test(`sends a pipeline in pieces (${format})`, async () => {
    const spec = create(PipelineSpecSchema, { isPipeline: true, steps: [{ name: 'only', command: 'true' }] });
    const bytes = toBinary(PipelineSpecSchema, spec);
    async function* pieces() {
      yield { requestId: randomUUID(), specChunk: bytes.subarray(0, 3) };
      yield { specChunk: bytes.subarray(3) };
    }
    const { name } = await runs.create(pieces());
    assert.equal((await runs.get({ name })).stepsTotal, 1);
  });

  test(`says what is wrong with a pipeline, one by one (${format})`, async () => {
    const steps = [{ name: 'a', command: 'echo ${{inputs.x}}' }, { name: 'a', command: 'true' }];
    const error = await failure(runs.submit({ requestId: randomUUID(), spec: { isPipeline: true, steps } }));
    assert.equal(error.code, Code.InvalidArgument);
    assert.deepEqual(error.findDetails(PipelineProblemSchema).map(({ where }) => where), ['jobs.a.command', 'jobs.a']);
  });

  test(`tells errors by their codes (${format})`, async () => {
    assert.equal((await failure(runs.get({ name: 'nobody' }))).code, Code.NotFound);
    assert.equal((await failure(runs.watch({ name: 'nobody' })[Symbol.asyncIterator]().next())).code, Code.NotFound);
    assert.equal((await failure(machines.get({ name: 'nobody' }))).code, Code.NotFound);
  });

  test(`ends a call at its deadline and when it is aborted (${format})`, async () => {
    const { name } = await runs.submit(twoSteps('deadline'));
    const drain = async (options: { timeoutMs?: number; signal?: AbortSignal }) => {
      for await (const { run } of runs.watch({ name }, options)) assert.ok(run);
    };
    assert.equal((await failure(drain({ timeoutMs: 300 }))).code, Code.DeadlineExceeded);
    const abort = new AbortController();
    const aborted = failure(drain({ signal: abort.signal }));
    abort.abort();
    assert.equal((await aborted).code, Code.Canceled);
    await runs.cancel({ name });
  });

  test(`refuses callers without the token (${format})`, async () => {
    for (const bearer of ['', 'wrong']) {
      const stranger = clients(isBinary, bearer);
      assert.equal((await failure(stranger.runs.list({}))).code, Code.Unauthenticated);
      assert.equal((await failure(stranger.runs.submit(twoSteps('no')))).code, Code.Unauthenticated);
      assert.equal((await failure(stranger.runs.watch({ name: 'x' })[Symbol.asyncIterator]().next())).code, Code.Unauthenticated);
    }
  });

  test(`lists the machines (${format})`, async () => {
    const { machines: listed } = await machines.list({});
    assert.equal(listed.length, 1);
    assert.ok((listed[0]?.capacity?.memoryBytes ?? 0n) > 0n);
  });
}
