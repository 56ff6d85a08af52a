// The name under which changes go into histories. It is nobody's proof: who may change what is decided elsewhere.
const KEY = "panicle.actor";

export function storedActor(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

/** Kept for the next change; where the browser keeps nothing, it is asked for again. */
export function storeActor(name: string): void {
  try {
    localStorage.setItem(KEY, name.trim());
  } catch {
    // Nothing depends on it.
  }
}

/** Who and why, without what was left empty. */
export function doing(actor: string, reason: string): { actor?: string; reason?: string } {
  const who = actor.trim();
  const why = reason.trim();
  return { ...(who === "" ? {} : { actor: who }), ...(why === "" ? {} : { reason: why }) };
}
