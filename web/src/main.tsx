import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ProblemError } from "./api/errors";
import { retryInterval } from "./api/queries";
import { SIGN_IN, whenTokenNeeded } from "./lib/sign-in";
import { preloadPages, router } from "./router";
import "./styles/index.css";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The server's own words are final; only silence is worth asking again.
      retry: (failures, error) => !(error instanceof ProblemError) && failures < 1,
      retryDelay: 500,
      // A server that does not answer is asked again until it does.
      refetchInterval: ({ state }) => retryInterval(state.error),
      staleTime: 2_000,
      // A machine without a network still reaches a server on itself.
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

whenTokenNeeded(() => {
  const { href, pathname } = router.latestLocation;
  if (pathname === SIGN_IN) return;
  void router.navigate({ to: SIGN_IN, search: { back: href }, replace: true });
});

const element = document.getElementById("root");
if (!element) throw new Error("index.html has no element #root");
createRoot(element).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);

const PRELOAD_AFTER = 1_000;
window.addEventListener("load", () => setTimeout(preloadPages, PRELOAD_AFTER), { once: true });
