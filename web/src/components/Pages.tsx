import { type ReactNode, useState } from "react";
import { Button } from "react-aria-components";
import { count } from "../lib/format";
import { Icon } from "./Icon";

interface PagesState<T> {
  shown: readonly T[];
  first: number;
  total: number;
  size: number;
  go: (first: number) => void;
}

/** A part of a list that is all there. */
export function usePages<T>(items: readonly T[], size: number): PagesState<T> {
  const [wanted, go] = useState(0);
  const first = wanted < items.length ? wanted : 0;
  return { shown: items.slice(first, first + size), first, total: items.length, size, go };
}

interface PagesProps extends Omit<PagesState<unknown>, "shown"> {
  what: string;
  /** The number of the first of all. */
  base?: 0 | 1;
  children?: ReactNode;
}

/** Goes through the parts of something numbered; nothing where all of it is shown. */
export function Pages({ first, total, size, go, what, base = 1, children }: PagesProps) {
  if (total <= size) return null;
  return (
    <nav className="pages" aria-label={`Parts of the ${what}`}>
      <Button className="button" isDisabled={first === 0} onPress={() => go(Math.max(0, first - size))}>
        <Icon name="back" />
        Before
      </Button>
      <span className="pages-where">
        {count(first + base)} to {count(Math.min(first + size, total) - 1 + base)} of {count(total)}
      </span>
      <Button className="button" isDisabled={first + size >= total} onPress={() => go(first + size)}>
        Next
        <Icon name="chevron" />
      </Button>
      {children}
    </nav>
  );
}
