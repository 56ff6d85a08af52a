import type { ReactNode } from "react";
import { Unknown } from "./Unknown";

/** Names and values; a value of null is shown as unknown, with the reason if there is one. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="facts">{children}</dl>;
}

export function Fact({ name, why, children }: { name: string; why?: string; children?: ReactNode }) {
  const missing = children === null || children === undefined || children === "" || children === false;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{missing ? <Unknown {...(why === undefined ? {} : { why })} /> : children}</dd>
    </div>
  );
}
