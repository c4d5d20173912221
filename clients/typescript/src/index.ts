// Fido for TypeScript: typed requests (`connect`) and the live stream (`follow`).
import createClient, { type Client, type Middleware } from "openapi-fetch";

import type { Problem, paths } from "./schema.js";

export type * from "./schema.js";
export { follow, type FollowOptions, type Frame } from "./follow.js";

export interface Options {
  /** Where Fido is, e.g. `https://fido.example`. */
  baseUrl: string;
  /** The token of a sign-in; in a browser the cookie does, and none is needed. */
  token?: string;
  /** Another `fetch` than the global one. */
  fetch?: (request: Request) => Promise<Response>;
}

/**
 * A client with a method per verb: `fido.GET("/v1/conversations/{conversation_id}", { params: … })`.
 * Whoever changed something sees it in what they ask next, whichever replica answers.
 */
export function connect({ baseUrl, token, fetch }: Options): Client<paths> {
  const client = createClient<paths>({
    baseUrl,
    credentials: "include",
    ...(fetch && { fetch }),
    ...(token && { headers: { Authorization: `Bearer ${token}` } }),
  });
  client.use(readingOwnWrites());
  return client;
}

/** Sends the position of the last change as `Fido-Min-Position` with each question. */
function readingOwnWrites(): Middleware {
  let seen = 0;
  return {
    onRequest({ request }) {
      if (request.method === "GET" && seen > 0 && !request.headers.has("Fido-Min-Position")) {
        request.headers.set("Fido-Min-Position", String(seen));
      }
      return request;
    },
    onResponse({ request, response }) {
      const position = Number(response.headers.get("Fido-Position") ?? 0);
      if (request.method !== "GET") seen = Math.max(seen, position);
      return response;
    },
  };
}

/** Whether an error is a problem of this type: `isProblem(error, "email-taken")`. */
export function isProblem(error: unknown, name?: string): error is Problem {
  const problem = error as Partial<Problem> | null | undefined;
  const type = typeof problem?.type === "string" ? problem.type : "";
  return type.startsWith("/problems/") && (name === undefined || type === `/problems/${name}`);
}
