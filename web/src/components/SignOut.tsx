import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { sessionQuery, signOut } from "../api/session";
import { announce } from "../lib/announce";
import { PendingButton } from "./PendingButton";

/** There where somebody has signed in. */
export function SignOut() {
  const { data } = useQuery(sessionQuery());
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: async () => {
      announce("Signed out.");
      await navigate({ to: "/sign-in" });
      // Nothing of what was seen stays behind.
      client.clear();
    },
  });
  if (!data?.token) return null;
  return (
    <PendingButton
      className="button quiet"
      aria-label={`Sign out, ${data.token.name}`}
      pending={leave.isPending}
      onPress={() => leave.mutate()}
    >
      Sign out
    </PendingButton>
  );
}
