// What stands around every page.
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { UnreachableError } from "../api/errors";
import { statsQuery } from "../api/queries";
import { count, counted } from "../lib/format";
import { SIGN_IN } from "../lib/sign-in";
import { Announcer } from "./Announcer";
import { Icon } from "./Icon";
import { Logo } from "./Logo";
import { SignOut } from "./SignOut";
import { ThemeToggle } from "./ThemeToggle";

export function Shell() {
  useFocusOnNavigation();
  const signingIn = useRouterState({ select: (state) => state.location.pathname === SIGN_IN });
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <Link to="/" className="brand" aria-label="Panicle, to the groups">
          <Logo />
          <span>Panicle</span>
        </Link>
        {signingIn ? (
          <p className="numbers" />
        ) : (
          <>
            <nav aria-label="Main">
              <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>
                Groups
              </Link>
              <Link to="/crashes" activeOptions={{ exact: true, includeSearch: false }}>
                Crashes
              </Link>
              <Link to="/incidents">Incidents</Link>
              <Link to="/search" activeOptions={{ includeSearch: false }}>
                Search
              </Link>
              <Link to="/rules" activeOptions={{ includeSearch: false }}>
                Rules
              </Link>
              <Link to="/binaries">Binaries</Link>
            </nav>
            <Numbers />
          </>
        )}
        <div className="top-actions">
          {!signingIn && (
            <>
              <Link to="/upload" className="button primary">
                <Icon name="upload" />
                <span>Send a crash</span>
              </Link>
              <SignOut />
            </>
          )}
          <ThemeToggle />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <Announcer />
    </>
  );
}

/** What is going on, in a line; what needs somebody is a link. */
function Numbers() {
  const { data, error } = useQuery(statsQuery());
  if (error instanceof UnreachableError) {
    return (
      <p className="numbers bad" role="alert">
        The server does not answer
      </p>
    );
  }
  if (!data) return <p className="numbers" />;
  return (
    <ul className="numbers" aria-label="What needs something">
      {data.open_incidents > 0 && (
        <li>
          <Link to="/incidents" className="bad">
            {counted(data.open_incidents, "open incident")}
          </Link>
        </li>
      )}
      {data.queued > 0 && <li>{count(data.queued)} being analysed</li>}
      {data.waiting_for_binary > 0 && (
        <li>
          <Link to="/crashes" search={{ status: "waiting-for-binary" }} className="warn">
            {count(data.waiting_for_binary)} waiting for a binary
          </Link>
        </li>
      )}
      {data.failed > 0 && (
        <li>
          <Link to="/crashes" search={{ status: "failed" }} className="bad">
            {count(data.failed)} failed
          </Link>
        </li>
      )}
    </ul>
  );
}

/** After a change of page, reading starts at the page and not where the link was. */
function useFocusOnNavigation() {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const first = useRef(true);
  useEffect(() => {
    if (path === undefined) return;
    if (first.current) first.current = false;
    // That page begins in its field.
    else if (path === SIGN_IN) return;
    else if (window.location.hash === "") document.getElementById("main")?.focus({ preventScroll: true });
  }, [path]);
}
