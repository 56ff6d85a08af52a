// A form that folds out below the buttons of a page.
import {
  type KeyboardEvent,
  type ReactNode,
  type SyntheticEvent,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { Button } from "react-aria-components";
import { storeActor, storedActor } from "../../lib/actor";
import { InlineFailure } from "../Failure";
import { PendingButton } from "../PendingButton";
import { isConflict } from "./useChange";

interface PanelProps {
  title: string;
  /** The button that does it. */
  submit: string;
  pending: boolean;
  error: unknown;
  /** What is changed, as it follows `this`. */
  what?: string;
  /** It cannot be done yet. */
  disabled?: boolean;
  /** Tells one set of wrong fields from the next: the first of them gets the focus. */
  wrong?: unknown;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function Panel(props: PanelProps) {
  const {
    title,
    submit,
    pending,
    error,
    what = "group",
    disabled = false,
    wrong,
    onSubmit,
    onClose,
    children,
  } = props;
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, []);
  useEffect(() => {
    if (wrong != null) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [wrong]);
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!pending && !disabled) onSubmit();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented) onClose();
  };
  return (
    // Escape closes it from wherever one is in it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <form ref={form} className="panel" aria-labelledby={id} onSubmit={send} onKeyDown={onKeyDown}>
      <h2 id={id}>{title}</h2>
      {children}
      {error != null && (isConflict(error) ? <Conflict what={what} /> : <InlineFailure error={error} />)}
      <div className="panel-actions">
        <PendingButton type="submit" className="button primary" isDisabled={disabled} pending={pending}>
          {isConflict(error) ? `${submit} nevertheless` : submit}
        </PendingButton>
        <Button className="button" onPress={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function Conflict({ what }: { what: string }) {
  return (
    <div className="notice warn" role="alert">
      <strong>Somebody changed this {what} while you were at it.</strong> Nothing of yours is lost or saved
      yet. The page shows what they made of it, and the history below tells who; look, then press again.
    </div>
  );
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  children: (ids: { id: string; "aria-describedby"?: string }) => ReactNode;
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const described = hint === undefined ? {} : { "aria-describedby": `${id}-hint` };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...described })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="muted small">
          {hint}
        </p>
      )}
    </div>
  );
}

/** Who and why, as the history is told. */
export function useDoing() {
  const [actor, setActor] = useState(storedActor);
  const [reason, setReason] = useState("");
  return {
    actor,
    reason,
    setActor: (name: string) => {
      setActor(name);
      storeActor(name);
    },
    setReason,
  };
}

export function DoingFields({ doing, why }: { doing: ReturnType<typeof useDoing>; why?: string }) {
  return (
    <div className="field-row">
      <Field label="Why">
        {(ids) => (
          <input
            {...ids}
            value={doing.reason}
            placeholder={why ?? "Goes into the history"}
            autoComplete="off"
            onChange={(event) => doing.setReason(event.target.value)}
          />
        )}
      </Field>
      <Field label="Your name">
        {(ids) => (
          <input
            {...ids}
            value={doing.actor}
            placeholder="Goes into the history"
            autoComplete="name"
            onChange={(event) => doing.setActor(event.target.value)}
          />
        )}
      </Field>
    </div>
  );
}
