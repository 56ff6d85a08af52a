import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Failure, NotFound } from "./components/Failure";
import { Shell } from "./components/Shell";
import { parseCrashListSearch } from "./lib/crash-search";
import { parseGoroutineSearch } from "./lib/goroutine-search";
import { parseGroupPageSearch, parseGroupSearch } from "./lib/group-search";
import { parseGoroutinePageSearch, parseMapListSearch, parseMapSearch } from "./lib/map-search";
import { parseRulesSearch, text } from "./lib/search-params";
import { SIGN_IN } from "./lib/sign-in";

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
  incidents: lazyRouteComponent(() => import("./routes/incidents")),
  incident: lazyRouteComponent(() => import("./routes/incident")),
  search: lazyRouteComponent(() => import("./routes/search")),
  rules: lazyRouteComponent(() => import("./routes/rules")),
  binaries: lazyRouteComponent(() => import("./routes/binaries")),
  upload: lazyRouteComponent(() => import("./routes/upload")),
  signIn: lazyRouteComponent(() => import("./routes/sign-in")),
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
  validateSearch: parseCrashListSearch,
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

const incidents = createRoute({
  getParentRoute: () => root,
  path: "/incidents",
  component: pages.incidents,
});

const incident = createRoute({
  getParentRoute: () => root,
  path: "/incidents/$id",
  component: pages.incident,
});

const search = createRoute({
  getParentRoute: () => root,
  path: "/search",
  validateSearch: (search: Record<string, unknown>): { q?: string | undefined } => ({ q: text(search.q) }),
  component: pages.search,
});

const rules = createRoute({
  getParentRoute: () => root,
  path: "/rules",
  validateSearch: parseRulesSearch,
  component: pages.rules,
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

const signIn = createRoute({
  getParentRoute: () => root,
  path: SIGN_IN,
  validateSearch: (search: Record<string, unknown>): { back?: string | undefined } => ({
    back: text(search.back),
  }),
  component: pages.signIn,
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
    incidents,
    incident,
    search,
    rules,
    binaries,
    upload,
    signIn,
  ]),
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
