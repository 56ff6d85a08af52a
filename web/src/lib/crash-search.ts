// The URL of the list of crashes: its status and its query.
import type { CrashStatus } from "../api/types";
import { oneOf, text } from "./search-params";
import { STATUS_WORDS } from "./words";

export interface CrashListSearch {
  status?: CrashStatus | undefined;
  q?: string | undefined;
}

export function parseCrashListSearch(search: Record<string, unknown>): CrashListSearch {
  return {
    status: oneOf(search.status, Object.keys(STATUS_WORDS) as CrashStatus[]),
    q: text(search.q),
  };
}
