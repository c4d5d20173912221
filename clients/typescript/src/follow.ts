// The live stream over `fetch`, so that it works with a token too; it comes back where it broke off.

/** What the stream says: `event` is its name, `data` what is in it. */
export interface Frame {
  event: string;
  /** The position, of what is in the log. */
  id?: string;
  data: unknown;
}

export interface FollowOptions {
  baseUrl: string;
  token?: string;
  /** Only what happens in this conversation. */
  conversation?: string;
  /** Everything after this position first. */
  after?: number | string;
  /** Ends it. */
  signal?: AbortSignal;
  fetch?: typeof globalThis.fetch;
}

/** Frames until `signal` ends it; throws the problem when Fido refuses. */
export async function* follow(options: FollowOptions): AsyncGenerator<Frame, void, undefined> {
  let last = options.after === undefined ? undefined : String(options.after);
  let pause = 1_000;
  while (!options.signal?.aborted) {
    try {
      for await (const frame of connection(options, last)) {
        if (frame.retry !== undefined) pause = frame.retry;
        if (frame.id !== undefined) last = frame.id;
        // The position that was read afresh at is where to go on from.
        if (frame.event === "reset") last = undefined;
        yield frame;
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      if (!(error instanceof TypeError)) throw error;
    }
    // Not everybody at once.
    await later(pause * (0.5 + Math.random()), options.signal);
  }
}

interface Received extends Frame {
  retry?: number;
}

async function* connection(options: FollowOptions, last?: string): AsyncGenerator<Received> {
  const url = new URL("/v1/stream", options.baseUrl);
  if (options.conversation) url.searchParams.set("conversation", options.conversation);
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (options.token) headers["Authorization"] = `Bearer ${options.token}`;
  if (last !== undefined) headers["Last-Event-ID"] = last;
  const response = await (options.fetch ?? fetch)(url, {
    headers,
    credentials: "include",
    ...(options.signal && { signal: options.signal }),
  });
  if (response.status === 503 || response.status === 429) return;
  if (!response.ok || !response.body) throw await response.json();
  yield* frames(response.body);
}

/** The frames in a body (WHATWG HTML 9.2.6). */
async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<Received> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const frame = parse(block);
        if (frame) yield frame;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parse(block: string): Received | undefined {
  const data: string[] = [];
  const frame: Received = { event: "message", data: undefined };
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === "event") frame.event = value;
    else if (field === "id") frame.id = value;
    else if (field === "retry") frame.retry = Number(value);
    else if (field === "data") data.push(value);
  }
  if (data.length === 0) return undefined;
  frame.data = JSON.parse(data.join("\n"));
  return frame;
}

function later(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
