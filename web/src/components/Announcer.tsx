import { useSyncExternalStore } from "react";
import { announcements } from "../lib/announce";

/** The one live region: what changed without the reader doing anything. */
export function Announcer() {
  const message = useSyncExternalStore(announcements.subscribe, announcements.current);
  return (
    <div className="sr-only" role="status" aria-live="polite" id="announcements">
      {message}
    </div>
  );
}
