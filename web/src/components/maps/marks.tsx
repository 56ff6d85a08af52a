// Small marks of maps: words, with a colour beside them.
import { Link } from "@tanstack/react-router";
import type { GoMap, MapState } from "../../api/types";
import { MAP_STATE_WORDS, typeWords } from "../../lib/map-words";
import { breakable } from "../Code";

export function SureMark({ certain }: { certain: boolean }) {
  return <span className={certain ? "mark sure" : "mark unsure"}>{certain ? "Certain" : "Likely"}</span>;
}

export function MapStateMark({ state }: { state: MapState }) {
  return <span className={`mark map-${state}`}>{MAP_STATE_WORDS[state]}</span>;
}

/** A map by its name, else its type, as a link to its page; a nil map has none. */
export function MapLink({ map, crash, name }: { map: GoMap; crash: string; name: string | null }) {
  const text = <code>{breakable(name ?? typeWords(map))}</code>;
  if (map.state === "nil") return text;
  return (
    <Link to="/crashes/$id/maps/$address" params={{ id: crash, address: map.address }}>
      {text}
    </Link>
  );
}
