import createClient from "openapi-fetch";
import { noteStatus } from "../lib/sign-in";
import { ProblemError, UnreachableError, toProblem } from "./errors";
import type { paths } from "./schema.gen";

const client = createClient<paths>({ baseUrl: "/" });

client.use({
  onResponse: ({ response, schemaPath }) => {
    // Who signs in learns on the spot that a token is wrong.
    if (schemaPath !== "/api/v1/session") noteStatus(response.status);
  },
  onError: ({ error }) => (error instanceof DOMException ? error : new UnreachableError(error)),
});

export const api = client;

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** The body of a successful answer; throws a [ProblemError] for any other. */
export async function body<T>(request: Promise<Answer>): Promise<T> {
  const { data, error, response } = await request;
  if (!response.ok) {
    throw new ProblemError(toProblem(error, response.status, response.statusText));
  }
  return data as T;
}

/** What people edit, with the tag that a change of it is bound to. */
export type Tagged<T> = T & { etag: string | null };

/** Like [body], with the answer's ETag. */
export async function tagged<T extends object>(request: Promise<Answer>): Promise<Tagged<T>> {
  const answer = await request;
  const data = await body<T>(Promise.resolve(answer));
  return { ...data, etag: answer.response.headers.get("ETag") };
}
