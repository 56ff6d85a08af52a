import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Failure, NotFound } from "./components/Failure";
import { Shell } from "./components/Shell";
import { parseGoroutineSearch } from "./lib/goroutine-search";
import { parseGroupSearch } from "./lib/group-search";
import { oneOf } from "./lib/search-params";
import { STATUS_WORDS } from "./lib/words";
import type { CrashStatus } from "./api/types";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <NotFound />,
});

const groups = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: parseGroupSearch,
  component: lazyRouteComponent(() => import("./routes/groups")),
});

const group = createRoute({
  getParentRoute: () => root,
  path: "/groups/$id",
  component: lazyRouteComponent(() => import("./routes/group")),
});

const crashes = createRoute({
  getParentRoute: () => root,
  path: "/crashes",
  validateSearch: (search: Record<string, unknown>): { status?: CrashStatus | undefined } => ({
    status: oneOf(search.status, Object.keys(STATUS_WORDS) as CrashStatus[]),
  }),
  component: lazyRouteComponent(() => import("./routes/crashes")),
});

const crash = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id",
  component: lazyRouteComponent(() => import("./routes/crash")),
});

const goroutines = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id/goroutines",
  validateSearch: parseGoroutineSearch,
  component: lazyRouteComponent(() => import("./routes/goroutines")),
});

const goroutine = createRoute({
  getParentRoute: () => root,
  path: "/crashes/$id/goroutines/$gid",
  component: lazyRouteComponent(() => import("./routes/goroutine")),
});

const binaries = createRoute({
  getParentRoute: () => root,
  path: "/binaries",
  component: lazyRouteComponent(() => import("./routes/binaries")),
});

const upload = createRoute({
  getParentRoute: () => root,
  path: "/upload",
  component: lazyRouteComponent(() => import("./routes/upload")),
});

export const router = createRouter({
  routeTree: root.addChildren([groups, group, crashes, crash, goroutines, goroutine, binaries, upload]),
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
