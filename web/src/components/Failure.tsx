// What is shown when something could not be read.
import { Link } from "@tanstack/react-router";
import { Button } from "react-aria-components";
import { ProblemError, UnreachableError, isNotFound } from "../api/errors";
import { useTitle } from "../lib/hooks";
import { Icon } from "./Icon";

export function NotFound({ what = "page" }: { what?: string }) {
  useTitle("Not found");
  return (
    <section className="page message">
      <p className="eyebrow">404</p>
      <h1>There is no such {what}</h1>
      <p>
        The address may be mistyped, or it belongs to another server. Nothing that was received here is ever
        dropped, so what you look for may be under <Link to="/">groups</Link> or{" "}
        <Link to="/crashes">crashes</Link>.
      </p>
    </section>
  );
}

/** A part of the program itself that could not be loaded: the server is gone, or is another version. */
function isMissingPart(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes("module");
}

function words(error: unknown): { title: string; detail: string } {
  if (error instanceof UnreachableError || isMissingPart(error)) {
    return {
      title: "The server does not answer",
      detail:
        "This page could not reach it. It may be restarting, or the network between is down. Evidence that it acknowledged is safe on its disk. This page tries again by itself.",
    };
  }
  if (error instanceof ProblemError) return { title: error.problem.title, detail: error.problem.detail };
  return {
    title: "This page failed",
    detail: error instanceof Error ? error.message : "It did not say why.",
  };
}

/** A problem where the page would be; `retry` reads again. */
export function Failure({ error, retry, what }: { error: unknown; retry?: () => void; what?: string }) {
  const { title, detail } = words(error);
  useTitle(title);
  if (isNotFound(error)) return <NotFound {...(what === undefined ? {} : { what })} />;
  return (
    <section className="page message" role="alert">
      <h1>{title}</h1>
      <p>{detail}</p>
      {retry && (
        <Button className="button" onPress={retry}>
          <Icon name="redo" />
          Try again
        </Button>
      )}
    </section>
  );
}

/** A problem inside a page that stands otherwise. */
export function InlineFailure({ error }: { error: unknown }) {
  const { title, detail } = words(error);
  return (
    <div className="notice bad" role="alert">
      <strong>{title}.</strong> {detail}
    </div>
  );
}
