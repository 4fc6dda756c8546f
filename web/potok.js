// The pages: runs, one run, machines. Calls the API by the Connect protocol with JSON, as any client does.

const page = document.getElementById('page');
const problem = document.getElementById('problem');
let leave = new AbortController(); // ends what the page that is shown has under way

class ApiError extends Error {
  constructor(error) {
    super(error.message || error.code);
    this.code = error.code;
  }
}

async function open(method, request, signal) {
  const response = await fetch(`/potok.v1.${method}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  if (response.ok) return response;
  const error = await response.json().catch(() => ({ code: `HTTP ${response.status}` }));
  throw new ApiError(error);
}

async function call(method, request, signal) {
  return (await open(method, request, signal)).json();
}

// The messages of a stream as they come.
async function* stream(method, request, signal) {
  const reader = (await open(method, request, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const message = JSON.parse(line);
      if (message.error) throw new ApiError(message.error);
      yield message;
    }
  }
}

// element('a', {href: '#/'}, 'text', child...): text is never read as HTML.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'onclick') made.addEventListener('click', value);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function table(caption, columns, rows) {
  const head = columns.map(([title, kind]) => element('th', { scope: 'col', class: kind || '' }, title));
  const body = rows.map((cells) =>
    element('tr', {}, ...cells.map((cell, i) => element('td', { class: columns[i][1] || '' }, cell))),
  );
  return element(
    'table', {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
}

// "STATUS_CANCEL_REQUESTED" as people and the command line say it: "CancelRequested".
function word(constant, prefix) {
  return (constant || `${prefix}UNSPECIFIED`)
    .slice(prefix.length)
    .toLowerCase()
    .replace(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
}

const COLOUR = { Completed: 'good', Failed: 'bad', Canceled: 'bad', NotResponding: 'bad', Running: 'busy', Ready: 'good', Lost: 'bad' };

function statusOf(thing) {
  const text = word(thing.status, 'STATUS_');
  return element('span', { class: COLOUR[text] || '' }, text);
}

function timeOf(microseconds) {
  return Number(microseconds || 0) === 0 ? '' : new Date(Number(microseconds) / 1000).toLocaleString();
}

function lasted(start, end) {
  if (!Number(start || 0)) return '';
  const seconds = Math.max(0, (Number(end || 0) || Date.now() * 1000) - Number(start)) / 1e6;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(Math.floor(seconds % 60)).padStart(2, '0')}s`;
  return `${Math.floor(seconds / 3600)}h ${String(Math.floor((seconds / 60) % 60)).padStart(2, '0')}m`;
}

function bytesOf(count) {
  let value = Number(count || 0);
  for (const unit of ['B', 'KiB', 'MiB']) {
    if (value < 1024) return `${unit === 'B' ? value : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} GiB`;
}

function runLink(name) {
  return element('a', { href: `#/runs/${encodeURIComponent(name)}` }, name);
}

async function showRuns(signal) {
  let token = '';
  const rows = [];
  const more = element('button', { type: 'button', onclick: () => load().catch(complain) }, 'Older runs');
  const load = async () => {
    const list = await call('Runs/List', { pageToken: token }, signal);
    token = list.nextPageToken || '';
    for (const run of list.runs || []) {
      rows.push([
        runLink(run.name),
        run.displayName || '',
        run.experimentName || '',
        statusOf(run),
        `${run.stepsCompleted || 0} of ${run.stepsTotal || 0}`,
        timeOf(run.createdUs),
        lasted(run.startedUs, run.endedUs),
      ]);
    }
    const columns = [['Run'], ['Display name', 'wide'], ['Experiment', 'wide'], ['Status'], ['Steps', 'number'], ['Created', 'wide'], ['Duration', 'number']];
    const caption = rows.length ? `${rows.length} ${rows.length === 1 ? 'run' : 'runs'}, newest first` : 'No run yet: potok run pipeline.yml';
    page.replaceChildren(element('h1', {}, 'Runs'), table(caption, columns, rows), token ? more : '');
  };
  await load();
}

// What keeps new steps off a machine: draining, cordoned, quarantined, or nothing.
function keptOff(machine) {
  const cordon = word((machine.cordon || {}).state, 'CORDON_STATE_');
  if (cordon === 'Cordoned' || cordon === 'Draining') return cordon.toLowerCase();
  return machine.quarantine ? 'quarantined' : '';
}

async function showMachines(signal) {
  const { machines = [] } = await call('Machines/List', {}, signal);
  const rows = machines.map((machine) => {
    const capacity = machine.capacity || {};
    const reserved = machine.reserved || {};
    const live = word(machine.liveness, 'LIVENESS_');
    return [
      machine.name,
      element('span', { class: COLOUR[live] || '' }, [live, keptOff(machine)].filter(Boolean).join(', ')),
      `${(reserved.cpuMillis || 0) / 1000} of ${(capacity.cpuMillis || 0) / 1000}`,
      `${bytesOf(reserved.memoryBytes)} of ${bytesOf(capacity.memoryBytes)}`,
      `${(reserved.gpuMillis || 0) / 1000} of ${(capacity.gpuMillis || 0) / 1000}`,
      element('span', {}, ...(machine.steps || []).flatMap((step) => [runLink(step.run), ` ${step.step} `])),
    ];
  });
  const columns = [['Machine'], ['State'], ['CPUs', 'number'], ['Memory', 'number'], ['GPUs', 'number'], ['Running', 'wide']];
  const caption = rows.length ? `${rows.length} ${rows.length === 1 ? 'machine' : 'machines'}` : 'No machine yet: start potok-agent on one';
  page.replaceChildren(element('h1', {}, 'Machines'), table(caption, columns, rows));
}

function runPage(run, steps) {
  const ended = Number(run.endedUs || 0) !== 0;
  const cancel = element('button', {
    type: 'button',
    onclick: () => call('Runs/Cancel', { name: run.name, reason: 'canceled on the web page' }).catch(complain),
  }, 'Cancel');
  const facts = [
    ['Status', statusOf(run)], ['Why', run.reason], ['Experiment', run.experimentName], ['Submitter', run.submitter],
    ['Team', run.team === 'default' ? '' : run.team],
    ['Created', timeOf(run.createdUs)], ['Duration', lasted(run.startedUs, run.endedUs)],
  ].filter(([, value]) => value);
  const rows = steps.map((step) => [
    element('a', { href: `#/runs/${encodeURIComponent(run.name)}/logs/${encodeURIComponent(step.name)}` }, step.name),
    statusOf(step),
    step.machine || '',
    lasted(step.startedUs, step.endedUs),
    step.reason || step.waitingFor || '',
  ]);
  const columns = [['Step'], ['Status'], ['Machine', 'wide'], ['Duration', 'number'], ['Why', 'wide']];
  return [
    element('h1', {}, run.displayName || run.name),
    element('dl', {}, ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])),
    ended ? null : cancel,
    table(`${run.stepsCompleted || 0} of ${run.stepsTotal || 0} steps completed`, columns, rows),
  ].filter(Boolean);
}

async function showRun(signal, name) {
  const steps = new Map();
  for await (const { run } of stream('Runs/Watch', { name }, signal)) {
    for (const step of run.steps || []) steps.set(step.index || 0, step);
    const inOrder = [...steps.entries()].sort(([a], [b]) => a - b).map(([, step]) => step);
    page.replaceChildren(...runPage(run, inOrder));
  }
}

async function showLog(signal, name, step) {
  const text = element('pre', {});
  page.replaceChildren(element('h1', {}, `${name} / ${step}`), element('p', {}, runLink(name)), text);
  const decoder = new TextDecoder();
  for await (const { data = '' } of stream('Runs/Logs', { name, step, follow: true }, signal)) {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    text.append(decoder.decode(bytes, { stream: true }));
  }
  if (!text.hasChildNodes()) text.append('The step wrote nothing.');
}

function complain(error) {
  if (error.name === 'AbortError') return;
  problem.textContent = error instanceof ApiError ? error.message : `The server does not answer: ${error.message}`;
  problem.hidden = false;
}

function show() {
  leave.abort();
  leave = new AbortController();
  problem.hidden = true;
  const [, first = '', name = '', what = '', step = ''] = location.hash.replace(/^#/, '').split('/').map(decodeURIComponent);
  let shown;
  if (first === 'machines') shown = showMachines(leave.signal);
  else if (first === 'runs' && what === 'logs') shown = showLog(leave.signal, name, step);
  else if (first === 'runs' && name) shown = showRun(leave.signal, name);
  else shown = showRuns(leave.signal);
  shown.catch(complain);
}

window.addEventListener('hashchange', show);
show();
