// What a screen reader is told about things that change by themselves.
type Listener = () => void;

let message = "";
const listeners = new Set<Listener>();

/** Says it in the live region; the same words twice are said twice. */
export function announce(text: string): void {
  message = message === text ? `${text}\u00a0` : text;
  listeners.forEach((listener) => listener());
}

export const announcements = {
  subscribe: (listener: Listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  current: () => message,
};
