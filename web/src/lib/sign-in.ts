// From where the API asks for a token to the page that takes one, and back.

export const SIGN_IN = "/sign-in";

let listener: () => void = () => undefined;

/** Says what happens when the API answers that it needs a token. */
export function whenTokenNeeded(act: () => void): void {
  listener = act;
}

/** Tells of an answer of this status, wherever it was asked for. */
export function noteStatus(status: number): void {
  if (status === 401) listener();
}

/** Where one goes after signing in: a page of ours, as `back` has it, or the first one. */
export function wayBack(back: string | undefined): string {
  // `//elsewhere.example` and `/\elsewhere.example` would be other sites.
  if (back === undefined || !/^\/(?![/\\])/.test(back)) return "/";
  const { pathname } = new URL(back, "http://localhost");
  return pathname === SIGN_IN ? "/" : back;
}
