import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { type SyntheticEvent, useEffect, useRef, useState } from "react";
import { ProblemError } from "../api/errors";
import { signIn } from "../api/session";
import { Command } from "../components/Copy";
import { InlineFailure } from "../components/Failure";
import { Field } from "../components/group/Panel";
import { PendingButton } from "../components/PendingButton";
import { announce } from "../lib/announce";
import { useTitle } from "../lib/hooks";
import { wayBack } from "../lib/sign-in";

/** Takes a token, and goes back to where one was. */
export default function SignInPage() {
  useTitle("Sign in");
  const { back } = useSearch({ from: "/sign-in" });
  const [token, setToken] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const client = useQueryClient();
  const router = useRouter();
  useEffect(() => input.current?.focus(), []);

  const send = useMutation({
    mutationFn: () => signIn(token.trim()),
    onSuccess: () => {
      announce("Signed in.");
      // What was refused before is asked for again.
      client.clear();
      router.history.replace(wayBack(back));
    },
    onError: () => input.current?.focus(),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (token.trim() !== "" && !send.isPending) send.mutate();
  };
  const wrong = send.error instanceof ProblemError && send.error.status === 401;
  return (
    <div className="page sign-in">
      <div className="page-head">
        <h1>Sign in</h1>
        <p className="muted">This service shows what it knows to whoever has an access token.</p>
      </div>
      <form className="panel" onSubmit={submit}>
        <Field
          label="Access token"
          hint="It begins with pnc_. This browser keeps it for 30 days, or until you sign out."
        >
          {(ids) => (
            <input
              {...ids}
              ref={input}
              type="password"
              name="token"
              value={token}
              autoComplete="current-password"
              spellCheck={false}
              aria-invalid={wrong}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Field>
        {wrong ? (
          <div className="notice bad" role="alert">
            <strong>This token is not valid here.</strong> It may be mistyped, revoked, or have ended.
          </div>
        ) : (
          send.error != null && <InlineFailure error={send.error} />
        )}
        <div className="panel-actions">
          <PendingButton
            type="submit"
            className="button primary"
            isDisabled={token.trim() === ""}
            pending={send.isPending}
          >
            Sign in
          </PendingButton>
        </div>
      </form>
      <section aria-labelledby="no-token">
        <h2 id="no-token">You have none?</h2>
        <p className="muted">Whoever runs this service makes one, on its machine:</p>
        <Command
          text="panicle admin token create --name YOU --scopes read,memory,manage"
          what="the command that makes a token"
        />
      </section>
    </div>
  );
}
