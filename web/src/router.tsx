import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Failure, NotFound } from "./components/Failure";
import { Shell } from "./components/Shell";
import { parseGoroutineSearch } from "./lib/goroutine-search";
import { parseGroupPageSearch, parseGroupSearch } from "./lib/group-search";
import { parseGoroutinePageSearch, parseMapListSearch, parseMapSearch } from "./lib/map-search";
import { oneOf } from "./lib/search-params";
import { STATUS_WORDS } from "./lib/words";
import type { CrashStatus } from "./api/types";

/** Loaded when they are needed, or when there is time: then they work while the server is away, too. */
const pages = {
  groups: lazyRouteComponent(() => import("./routes/groups")),
  group: lazyRouteComponent(() => import("./routes/group")),
  crashes: lazyRouteComponent(() => import("./routes/crashes")),
  crash: lazyRouteComponent(() => import("./routes/crash")),
  goroutines: lazyRouteComponent(() => import("./routes/goroutines")),
  goroutine: lazyRouteComponent(() => import("./routes/goroutine")),
  maps: lazyRouteComponent(() => import("./routes/maps")),
  map: lazyRouteComponent(() => import("./routes/map")),
  binaries: lazyRouteComponent(() => import("./routes/binaries")),
  upload: lazyRouteComponent(() => import("./routes/upload")),
};

/** Loads the other pages while nothing else is going on. */
export function preloadPages(): void {
  for (const page of Object.values(pages)) {
    // One that does not come now is asked for again when it is needed.
    void page.preload?.()?.catch(() => undefined);
  }
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <NotFound />,
});

const groups = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: parseGroupSearch,
  component: pages.groups,
});

const group = createRoute({
  getParentRoute: () => root,
  path: "/groups/$id",
  validateSearch: parseGroupPageSearch,
  component: pages.group,
});

const crashes = createRoute({
  getParentRoute: () => root,
  path: "/crashes",
  validateSearch: (search: Record<string, unknown>): { status?: CrashStatus | undefined } => ({
    status: oneOf(search.status, Object.keys(STATUS_WORDS) as CrashStatus[]),
  }),
  component: pages.crashes,
});

const crash = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id",
  component: pages.crash,
});

const goroutines = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id/goroutines",
  validateSearch: parseGoroutineSearch,
  component: pages.goroutines,
});

const goroutine = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id/goroutines/$gid",
  validateSearch: parseGoroutinePageSearch,
  component: pages.goroutine,
});

const maps = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id/maps",
  validateSearch: parseMapListSearch,
  component: pages.maps,
});

const map = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id/maps/$address",
  validateSearch: parseMapSearch,
  component: pages.map,
});

const binaries = createRoute({
  getParentRoute: () => root,
  path: "/binaries",
  component: pages.binaries,
});

const upload = createRoute({
  getParentRoute: () => root,
  path: "/upload",
  component: pages.upload,
});

export const router = createRouter({
  routeTree: root.addChildren([
    groups,
    group,
    crashes,
    crash,
    goroutines,
    goroutine,
    maps,
    map,
    binaries,
    upload,
  ]),
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
